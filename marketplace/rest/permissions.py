"""What a key may do."""

from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS, BasePermission

from .models import ApiKey
from .problems import Problem


class HasScope(BasePermission):
    """The view says which scope reading and writing need: `read_scope` (None: nobody needs a key; several: any of them), `write_scope`.

    Without a key that is a 401, with a key of other scopes a 403 that names the one it lacks.
    """

    def has_permission(self, request, view) -> bool:
        """Whether the request may go on."""
        scope = view.read_scope if request.method in SAFE_METHODS else view.write_scope
        if scope is None:
            return True
        if request.auth is None:
            return False
        require(request.auth, *([scope] if isinstance(scope, str) else scope))
        return True


def require(key: ApiKey, scope: str, *others: str) -> None:
    """Refuse (403) a key that has neither `scope` nor one of the `others`, naming the first."""
    if {scope, *others}.isdisjoint(key.scopes):
        detail = _("Your key lacks the scope “%(scope)s”. Make one that has it.") % {"scope": str(scope)}
        raise Problem("forbidden", detail, headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'})
