"""What a partner's own words mean here."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplace.companies import places, sectors
from marketplace.companies.models import Place, Sector
from marketplace.federation.enums import MappingState, Scheme
from marketplace.listings.enums import Category, Kind

from .partners import Partner

MAX_VALUE, MAX_LABEL = 200, 300
#: What the values of the schemes without a table of their own can be.
CHOICES = {Scheme.CATEGORY: Category.choices, Scheme.KIND: Kind.choices, Scheme.LANGUAGE: settings.LANGUAGES}


class Mapping(models.Model):
    """One word of a partner for a sector, a place, a category, a kind or a language, and what a person said it means.

    `value` is folded (lower case, no accents), so that one word is one row; `label` is how the partner writes it. Of a proposal
    `sector`, `place` or `choice` hold what is proposed, and `score` (0 to 1) how sure that is; it counts once it is confirmed.
    """

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="mappings")
    scheme = models.CharField(_("what it is a word for"), max_length=8, choices=Scheme)
    value = models.CharField(max_length=MAX_VALUE)
    label = models.CharField(_("the partner's word"), max_length=MAX_LABEL)
    sector = models.ForeignKey(Sector, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sector"))
    place = models.ForeignKey(Place, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality"))
    choice = models.CharField(_("meaning"), max_length=10, blank=True)
    score = models.FloatField(_("how sure the proposal is"), default=0)
    state = models.CharField(_("state"), max_length=9, choices=MappingState, default=MappingState.PROPOSED)
    times = models.PositiveIntegerField(_("times seen"), default=0)
    first_seen = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen = models.DateTimeField(_("last seen"), default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("scheme", "-times", "value")
        verbose_name, verbose_name_plural = _("word of a partner"), _("words of partners")
        constraints = [models.UniqueConstraint(fields=["partner", "scheme", "value"], name="mapping_once")]

    def __str__(self) -> str:
        return self.label

    @property
    def code(self) -> str:
        """Of what it means or is proposed to mean: a sector's or municipality's code, else the choice; "" for nothing."""
        return self.sector_id or self.place_id or self.choice

    @property
    def meaning(self) -> str:
        """The same in words; asks no database."""
        if self.sector_id:
            return f"{self.sector_id} · {sectors.tree()[self.sector_id].label}" if self.sector_id in sectors.tree() else self.sector_id
        if self.place_id:
            return places.known()[self.place_id].name if self.place_id in places.known() else self.place_id
        return str(dict(CHOICES.get(Scheme(self.scheme), ())).get(self.choice, ""))

    @property
    def is_open(self) -> bool:
        """Whether nobody has said yet what it means."""
        return self.state == MappingState.PROPOSED
