"""Who may use the console's views."""

from django.http import HttpRequest, HttpResponse
from wagtail.admin.auth import permission_denied
from wagtail.admin.menu import MenuItem

from cms.pages.rules import is_editor
from marketplace.accounts.rules import is_curator


class CuratorRequiredMixin:
    """Lets curators in; others who may open the admin go back to its home with Wagtail's message."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check, then go on."""
        if not is_curator(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)


class CuratorMenuItem(MenuItem):
    """Shown to curators."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Whether this person sees the item."""
        return is_curator(request.user)


class EditorRequiredMixin:
    """Lets in who writes pages: editors and the office's officers."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check, then go on."""
        if not is_editor(request.user):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)


class EditorMenuItem(MenuItem):
    """Shown to those who write pages."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Whether this person sees the item."""
        return is_editor(request.user)
