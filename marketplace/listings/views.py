from django.http import HttpResponse


def my_space(request):
    return HttpResponse("")
