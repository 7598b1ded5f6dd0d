"""Two views that stand behind keys, one of DRF and a plain one: a URLconf for tests."""

from django.http import JsonResponse
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.rest import problems
from marketplace.rest.authentication import authenticate, user_of
from marketplace.rest.models import Scope
from marketplace.rest.permissions import HasScope
from marketplace.urls import urlpatterns as site


class Public(APIView):
    permission_classes = [HasScope]
    read_scope, write_scope = None, Scope.WRITE

    def get(self, request):
        return Response({"key": request.auth and request.auth.prefix, "user": str(request.user)})

    def post(self, request):
        return self.get(request)


def plain(request):
    try:
        key = authenticate(request, Scope.FEDERATION)
    except problems.Problem as problem:
        return problems.response(request, problem)
    return JsonResponse({"key": key.prefix, "user": str(user_of(key))})


urlpatterns = [path("api/public/", Public.as_view()), path("api/plain/", plain), *site]
