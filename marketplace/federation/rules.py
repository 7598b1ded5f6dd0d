"""Who may do what with partners, as small predicates."""

from marketplace.accounts.rules import is_curator

MANAGE = "federation.manage_partners"


def can_manage(user: object) -> bool:
    """Connects partners, changes what is taken and given, makes and revokes their keys."""
    return bool(user and user.is_active and user.has_perm(MANAGE))


def can_look(user: object) -> bool:
    """Sees how partners do and what came from them: those who look after them, and all curators."""
    return can_manage(user) or is_curator(user)
