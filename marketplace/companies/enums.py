"""The closed lists of this app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Size(models.TextChoices):
    """Size classes by persons employed (Commission Recommendation 2003/361/EC)."""

    MICRO = "micro", _("Micro: up to 9 people")
    SMALL = "small", _("Small: 10 to 49 people")
    MEDIUM = "medium", _("Medium: 50 to 249 people")
    LARGE = "large", _("Large: 250 people or more")


class LegalForm(models.TextChoices):
    """What a business is before the law, in the words people use of themselves."""

    SELF_EMPLOYED = "self_employed", _("Self-employed")
    SL = "sl", _("Limited company (SL)")
    SLU = "slu", _("Limited company with one partner (SLU)")
    SA = "sa", _("Public limited company (SA)")
    COOPERATIVE = "cooperative", _("Cooperative")
    ASSOCIATION = "association", _("Association")
    FOUNDATION = "foundation", _("Foundation")
    CIVIL_COMPANY = "civil_company", _("Civil partnership (SCP)")
    COMMUNITY_OF_PROPERTY = "joint_ownership", _("Joint ownership (CB)")
    PUBLIC_BODY = "public_body", _("Public body")
    OTHER = "other", _("Another form")


class Role(models.TextChoices):
    """What a person may do in a company."""

    OWNER = "owner", _("Owner")
    MEMBER = "member", _("Member")


class MembershipState(models.TextChoices):
    """A request to join waits for an owner's answer."""

    REQUESTED = "requested", _("Waiting for an answer")
    ACTIVE = "active", _("Active")
    REFUSED = "refused", _("Refused")
