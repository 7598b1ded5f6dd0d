"""Who may see how the service does, and who may set work on the index going, as small predicates."""

from marketplace.accounts.rules import is_curator

OPERATE = "search.operate_index"


def can_operate(user: object) -> bool:
    """Has the index compared, repaired and built anew: administrators, and groups that were given it."""
    return bool(user and user.is_active and user.has_perm(OPERATE))


def can_look(user: object) -> bool:
    """Sees how every part of the service does: who operates it, and all curators."""
    return can_operate(user) or is_curator(user)
