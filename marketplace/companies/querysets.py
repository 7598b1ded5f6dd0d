"""Sets of companies and people in them, by their business names."""

from django.db import models

from .enums import MembershipState, Role


class CompanyQuerySet(models.QuerySet):
    """Companies."""

    def public(self) -> "CompanyQuerySet":
        """Those that everybody may see."""
        return self.filter(hidden=False)

    def of(self, user: object) -> "CompanyQuerySet":
        """Those in whose name `user` may act; none for a visitor who is not signed in."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(memberships__user=user, memberships__state=MembershipState.ACTIVE)

    def for_display(self) -> "CompanyQuerySet":
        """With sector and place, so that a list costs one query."""
        return self.select_related("sector", "place")


class MembershipQuerySet(models.QuerySet):
    """People in companies."""

    def active(self) -> "MembershipQuerySet":
        """Those who may act for their company."""
        return self.filter(state=MembershipState.ACTIVE)

    def waiting(self) -> "MembershipQuerySet":
        """Those who asked to join and have no answer yet."""
        return self.filter(state=MembershipState.REQUESTED)

    def owners(self) -> "MembershipQuerySet":
        """Those who answer for their company."""
        return self.active().filter(role=Role.OWNER)
