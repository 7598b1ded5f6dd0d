"""What somebody wrote whose session had ended: kept in the visitor's session until they have signed in, and put back into the form."""

import uuid

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from .models import TEXT_LENGTH, WORDS_LENGTH

KEY = "comment_draft"
FIELDS = {"text": TEXT_LENGTH, "words": WORDS_LENGTH, "reason": 20}


def keep_and_sign_in(request: HttpRequest, *, key: uuid.UUID | None = None, uid: uuid.UUID | None = None) -> HttpResponse:
    """To the log-in page and back to the form. Only a form that was sent leaves something, and only the last one."""
    back = reverse("comments:conversation", args=[key]) if key else request.path
    if request.method == "POST" and not hasattr(request, "refused"):
        written = {name: request.POST[name][:length] for name, length in FIELDS.items() if request.POST.get(name)}
        request.session[KEY] = {"about": str(key or uid), "written": written}
    answer = redirect_to_login(back)
    return HttpResponseClientRedirect(answer.url) if request.htmx else answer


def take(request: HttpRequest, about: uuid.UUID) -> dict[str, str]:
    """What was kept for this form, once."""
    if request.session.get(KEY, {}).get("about") != str(about):
        return {}
    return request.session.pop(KEY)["written"]
