"""Who may do what with the site's pages, as small predicates."""

EDITORS = "Aid editors"
OFFICERS = "OAE officers"


def is_editor(user: object) -> bool:
    """Somebody who writes pages: an editor or an officer of the business attention office."""
    return bool(user and user.is_active and user.has_perm("wagtailcore.write_pages"))


def is_officer(user: object) -> bool:
    """Somebody of the business attention office, who reviews pages and publishes them."""
    return bool(user and user.is_active and user.has_perm("wagtailcore.review_pages"))
