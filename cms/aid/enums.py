"""The closed lists of this app."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """What a company gets."""

    GRANT = "grant", _("Grant")
    LOAN = "loan", _("Loan")
    GUARANTEE = "guarantee", _("Guarantee")
    TAX_RELIEF = "tax_relief", _("Tax relief")
    ADVICE = "advice", _("Advice")
    TRAINING = "training", _("Training")
    AWARD = "award", _("Award")


class Level(models.TextChoices):
    """Who a funder belongs to."""

    MUNICIPAL = "municipal", _("Municipal")
    COUNTY = "county", _("County or province")
    REGIONAL = "regional", _("Catalan government")
    STATE = "state", _("Spanish government")
    EUROPEAN = "european", _("European Union")
    PRIVATE = "private", _("Private")


class Beneficiary(models.TextChoices):
    """Who may ask for it."""

    SELF_EMPLOYED = "self_employed", _("Self-employed people")
    COMPANY = "company", _("Companies")
    COOPERATIVE = "cooperative", _("Cooperatives")
    SOCIAL_ENTERPRISE = "social_enterprise", _("Social enterprises")
    ASSOCIATION = "association", _("Associations and foundations")
    INDIVIDUAL = "individual", _("People with a project")


class State(models.TextChoices):
    """Where an aid stands today; worked out from its calls (see `states`), never stored."""

    OPEN = "open", pgettext_lazy("state of an aid", "Open")
    CLOSING_SOON = "closing_soon", _("Closing soon")
    PERMANENT = "permanent", _("Open all year")
    ANNOUNCED = "announced", _("Announced")
    EXHAUSTED = "exhausted", _("Budget used up")
    CLOSED = "closed", pgettext_lazy("state of an aid", "Closed")
