"""Listings: what a company offers or asks for, and what happened to it."""

from django.conf import settings
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from marketplace.companies.models import Company, Place, Sector
from marketplace.core.models import BaseModel

from .enums import PARTNER_MOVES, TRANSITIONS, Category, Kind, Move, Origin, State
from .querysets import ListingQuerySet

MAX_DESCRIPTION = 6000


class Listing(BaseModel):
    """An offer or a demand of a company. Change its state through `operations` only."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="listings", verbose_name=_("company"))
    kind = models.CharField(_("kind"), max_length=6, choices=Kind)
    category = models.CharField(_("category"), max_length=10, choices=Category)
    title = models.CharField(_("title"), max_length=120, validators=[MinLengthValidator(8)])
    description = models.TextField(_("description"), max_length=MAX_DESCRIPTION, validators=[MinLengthValidator(30), MaxLengthValidator(MAX_DESCRIPTION)])
    keywords = models.CharField(_("keywords"), max_length=200, blank=True, help_text=_("Separated by commas."))
    language = models.CharField(_("language of the text"), max_length=2, choices=settings.LANGUAGES)
    sector = models.ForeignKey(Sector, models.PROTECT, related_name="listings", verbose_name=_("sector"))
    place = models.ForeignKey(Place, models.PROTECT, related_name="listings", verbose_name=_("municipality"))
    reach_km = models.PositiveSmallIntegerField(
        _("reach in kilometres"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)], help_text=_("Empty means anywhere.")
    )
    remote = models.BooleanField(_("also at a distance (online or by courier)"), default=False)
    valid_until = models.DateField(_("valid until"))
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.DRAFT, editable=False)
    submitted_at = models.DateTimeField(_("sent for review"), null=True, blank=True, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    origin = models.CharField(_("came by"), max_length=10, choices=Origin, default=Origin.FORM, editable=False)
    # Sent with the form and kept: a form that is sent twice finds the listing of the first time instead of making another.
    submission_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    # Of a partner marketplace's listing: its address for programs (never changes), the partner's name, its page there.
    source_uri = models.CharField(max_length=500, null=True, blank=True, unique=True, editable=False)
    source_name = models.CharField(_("from"), max_length=160, blank=True, editable=False)
    source_url = models.URLField(max_length=500, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ListingQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ("-created",)
        verbose_name, verbose_name_plural = _("listing"), _("listings")
        permissions = [("curate_listing", "Can publish, send back and reject listings")]
        indexes = [
            models.Index(fields=["state", "valid_until"], name="listing_life"),
            models.Index(fields=["company", "state"], name="listing_company_state"),
            models.Index(fields=["state", "-published_at"], name="listing_latest"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """The public page."""
        return reverse("listings:detail", args=[self.uid])

    @property
    def is_live(self) -> bool:
        """Published and valid today."""
        return self.state == State.PUBLISHED and self.valid_until >= timezone.localdate() and not self.company.hidden

    @property
    def is_of_partner(self) -> bool:
        """Whether it belongs to a partner marketplace: nobody changes it here, curators may hide it."""
        return self.source_uri is not None

    @property
    def days_left(self) -> int:
        """Days until the last valid day; negative when it has passed."""
        return (self.valid_until - timezone.localdate()).days

    @property
    def expires_soon(self) -> bool:
        """Published, and its end is near enough to say so."""
        return self.state == State.PUBLISHED and 0 <= self.days_left <= settings.LISTING_WARNING_DAYS

    @property
    def keyword_list(self) -> list[str]:
        """The keywords one by one."""
        return [word.strip() for word in self.keywords.split(",") if word.strip()]

    def can(self, move: Move) -> bool:
        """Whether the life of a listing allows `move` from its present state; a partner's has little of it here."""
        return self.state in TRANSITIONS[move] and (not self.is_of_partner or move in PARTNER_MOVES)


class Transition(models.Model):
    """One step in a listing's life: who, when, why. Never changed afterwards."""

    listing = models.ForeignKey(Listing, models.CASCADE, related_name="transitions")
    move = models.CharField(_("step"), max_length=20, choices=Move)
    from_state = models.CharField(_("from"), max_length=20, choices=State, blank=True)
    to_state = models.CharField(_("to"), max_length=20, choices=State)
    reason = models.TextField(_("reason"), blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name, verbose_name_plural = _("step"), _("steps")

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
