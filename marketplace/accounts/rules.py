"""Who may do what, as small predicates."""

CURATORS = "Innovation Service"


def is_curator(user: object) -> bool:
    """A member of the Innovation Service, who may publish, send back or reject listings."""
    return bool(user and user.is_active and user.has_perm("listings.curate_listing"))
