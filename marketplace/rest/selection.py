"""Sparse fields: `?fields=title,company.name` answers these members and no others."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ListSerializer

from .problems import Problem

#: What there is: each member's name, and the members of it if it is an object.
Tree = Mapping[str, Any]
LONGEST = 1000


def tree(serializer: type[BaseSerializer]) -> Tree:
    """The members that a serializer describes."""
    return {name: _inner(field) for name, field in serializer().fields.items()}


def _inner(field: object) -> Tree | None:
    if isinstance(field, ListSerializer):
        field = field.child
    return tree(type(field)) if isinstance(field, BaseSerializer) else None


def chosen(request: Request, members: Tree) -> Tree | None:
    """What the request chose of `members`, None for everything. Raises a Problem that names what there is not."""
    text = request.query_params.get("fields")
    if text is None:
        return None
    names = [name.strip() for name in text[:LONGEST].split(",")]
    if len(text) > LONGEST or not all(names):
        raise Problem("invalid-parameter", errors=[_error(_("Names of members, separated by commas: %(names)s.") % {"names": ", ".join(members)})])
    found: dict[str, Any] = {}
    unknown = [name for name in names if not _take(name.split("."), members, found)]
    if unknown:
        detail = _("There is no member “%(name)s”. There are: %(names)s.")
        raise Problem("invalid-parameter", errors=[_error(detail % {"name": name[:60], "names": ", ".join(_all(members))}) for name in unknown])
    return found


def _take(path: list[str], members: Tree, found: dict[str, Any]) -> bool:
    """Note in `found` what `path` leads to; whether it leads anywhere."""
    name, *rest = path
    if name not in members:
        return False
    if not rest:
        found[name] = None
        return True
    if members[name] is None:
        return False
    if name in found and found[name] is None:
        # The whole object is chosen already.
        return _take(rest, members[name], {})
    return _take(rest, members[name], found.setdefault(name, {}))


def _all(members: Tree) -> list[str]:
    return [full for name, inner in members.items() for full in (name, *(f"{name}.{one}" for one in inner or ()))]


def _error(detail: str) -> dict[str, str]:
    return {"parameter": "fields", "detail": detail, "code": "fields"}


def pruned(item: object, wanted: Tree | None) -> object:
    """`item` with what is wanted."""
    if wanted is None or item is None:
        return item
    if isinstance(item, list):
        return [pruned(one, wanted) for one in item]
    return {name: pruned(item[name], inner) for name, inner in wanted.items() if name in item}
