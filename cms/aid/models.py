"""Aid for companies: the finder's page, the aid pages below it, who funds them and their calls."""

import datetime
import uuid
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel, MultipleChooserPanel, ObjectList, PageChooserPanel, TabbedInterface
from wagtail.models import Orderable
from wagtail.search import index
from wagtail.snippets.models import register_snippet

from cms.pages.fields import BodyField
from cms.pages.models import TranslatedPage
from marketplace.companies.enums import Size
from marketplace.companies.models import Place, Sector

from . import alert_models as _alert_models  # noqa: F401 - these tables are the app's too
from . import freshness_models as _freshness_models  # noqa: F401 - these tables are the app's too
from . import states
from .blocks import BODY, HowBlock
from .eligibility.blocks import RULES_BLOCKS
from .eligibility.rules import problem_of
from .enums import Beneficiary, Kind, Level, State
from .fields import ChoiceListField
from .routes import AidRoutes, FinderRoutes
from .sources import FactField, FactsForm, FactsTab

#: An aid is looked at again after so many days: calls change with the quarter.
REVIEW_DAYS = 90

#: What is the same in every language: copied to the translations when a version is published. Texts are not.
FACTS = (
    "kind",
    "beneficiaries",
    "sizes",
    "amount_min",
    "amount_max",
    "share_max",
    "budget",
    "procedure_url",
    "legal_base_url",
    "rules",
    "contact_email",
    "contact_phone",
    "officer",
    "reviewed_on",
    "reviewed_by",
    "review_days",
    "is_example",
)
#: Rows below the page that are facts too, by their related name.
FACT_ROWS = ("funder_rows", "sector_rows", "place_rows", "calls")
#: Facts that point to pages: in a translation to the version of that language, if there is one.
FACT_LINKS = ("office", "related_rows")


@register_snippet
class Funder(models.Model):
    """Who pays: an administration, a bank, a foundation."""

    name_ca = models.CharField(_("name in Catalan"), max_length=160, unique=True)
    name_es = models.CharField(_("name in Spanish"), max_length=160, blank=True)
    name_en = models.CharField(_("name in English"), max_length=160, blank=True)
    level = models.CharField(_("belongs to"), max_length=10, choices=Level)
    url = models.URLField(_("web"), blank=True)

    panels = [FieldPanel("name_ca"), FieldPanel("name_es"), FieldPanel("name_en"), FieldPanel("level"), FieldPanel("url")]

    class Meta:
        ordering = ("name_ca",)
        verbose_name, verbose_name_plural = _("funder"), _("funders")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the language of this moment, in Catalan where there is no other."""
        return getattr(self, f"name_{get_language() or 'ca'}", "") or self.name_ca


class AidIndexPage(FinderRoutes, TranslatedPage):
    """The door to all aid of a language: search, facets, calendar, comparison."""

    lead = models.CharField(_("opening sentence"), max_length=300, blank=True)

    content_panels = [*TranslatedPage.content_panels, FieldPanel("lead")]
    parent_page_types = ["pages.HomePage"]
    subpage_types = ["aid.AidPage"]
    max_count_per_parent = 1
    template = "aid/aid_index_page.html"

    class Meta:
        verbose_name, verbose_name_plural = _("aid finder"), _("aid finders")


class AidPageForm(FactsForm):
    """Translations have no fields for facts (see sources.py)."""

    fact_names = (*FACTS, *FACT_ROWS, *FACT_LINKS)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if rows := self.formsets.get("funder_rows"):
            rows.error_messages["too_few_forms"] = _("Say who pays: choose at least one funder.")
            if not self.is_bound:
                # Django would begin with an empty row, which can be saved by nobody, not even in a draft; one is asked for when it counts.
                rows.min_num = 0


class AidPage(AidRoutes, TranslatedPage):
    """One aid: what it is for, for whom, how much, by when. FACTS and FACT_ROWS hold in every language, the texts in their own."""

    summary = models.CharField(_("in one sentence"), max_length=300, help_text=_("Who gets what, for what. It stands in every list."))
    body = BodyField(BODY, verbose_name=_("what it pays for"), blank=True)
    how_to_apply = BodyField(HowBlock, verbose_name=_("how to ask for it"), blank=True)
    procedure_name = models.CharField(_("name of the procedure"), max_length=160, blank=True)
    procedure_url = models.URLField(_("address of the procedure"), max_length=500, blank=True)
    legal_base = models.CharField(_("legal base"), max_length=300, blank=True)
    legal_base_url = models.URLField(_("address of the legal base"), max_length=500, blank=True)

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.GRANT)
    beneficiaries = ChoiceListField(of=Beneficiary, verbose_name=_("who may ask"), help_text=_("None ticked: anybody."))
    sizes = ChoiceListField(of=Size, verbose_name=_("company sizes"), help_text=_("None ticked: any size."))
    amount_min = models.DecimalField(
        _("at least, in euros"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    amount_max = models.DecimalField(_("at most, in euros"), max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))])
    share_max = models.PositiveSmallIntegerField(
        _("at most, in percent of the cost"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    budget = models.DecimalField(
        _("whole budget, in euros"), max_digits=14, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    rules = BodyField(RULES_BLOCKS, verbose_name=_("who can have it"), blank=True)

    office = models.ForeignKey("wagtailcore.Page", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("office that helps"))
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    contact_phone = models.CharField(_("contact phone"), max_length=30, blank=True)
    officer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("kept true by"), help_text=_("Gets the reminders.")
    )
    reviewed_on = models.DateField(_("checked on"), null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("checked by"))
    review_days = models.PositiveSmallIntegerField(_("check again after days"), default=REVIEW_DAYS, validators=[MinValueValidator(7), MaxValueValidator(730)])
    is_example = models.BooleanField(_("an example"), default=False, help_text=_("Shown as invented, as in the demo."))

    search_fields = [*TranslatedPage.search_fields, index.SearchField("summary")]
    text_panels = [
        *TranslatedPage.content_panels,
        FieldPanel("summary"),
        FieldPanel("body"),
        FieldPanel("how_to_apply"),
        FieldPanel("procedure_name"),
        FieldPanel("legal_base"),
    ]
    fact_panels = [
        FieldPanel("kind"),
        MultipleChooserPanel("funder_rows", label=_("funders"), chooser_field_name="funder", min_num=1),
        FieldPanel("beneficiaries"),
        FieldPanel("sizes"),
        MultipleChooserPanel("sector_rows", label=_("sectors"), chooser_field_name="sector", help_text=_("None: all sectors.")),
        MultipleChooserPanel("place_rows", label=_("places"), chooser_field_name="place", help_text=_("None: everywhere.")),
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("amount_min"), FieldPanel("amount_max")]), FieldRowPanel([FieldPanel("share_max"), FieldPanel("budget")])],
            heading=_("How much"),
        ),
        InlinePanel("calls", label=_("call"), heading=_("Calls"), help_text=_("None: one can always ask.")),
        FieldPanel("procedure_url"),
        FieldPanel("legal_base_url"),
        PageChooserPanel("office", "pages.OfficePage"),
        MultiFieldPanel([FieldPanel("contact_email"), FieldPanel("contact_phone")], heading=_("Contact")),
        MultipleChooserPanel("related_rows", label=_("related aid"), chooser_field_name="aid"),
    ]
    rule_panels = [
        FieldPanel(
            "rules", help_text=_("All of these have to hold. What the facts say of who may ask, sectors, sizes and places holds besides: do not repeat it.")
        )
    ]
    # "Checked on" is written by reviews.confirm alone: an old form would put it back.
    care_panels = [FieldPanel("officer"), FieldPanel("reviewed_on", read_only=True), FieldPanel("review_days"), FieldPanel("is_example")]
    edit_handler = TabbedInterface(
        [
            ObjectList(text_panels, heading=_("Text")),
            FactsTab(fact_panels, heading=_("Facts")),
            FactsTab(rule_panels, heading=_("Who can have it")),
            FactsTab(care_panels, heading=_("Care")),
            ObjectList(TranslatedPage.promote_panels, heading=_("Promote")),
        ]
    )
    base_form_class = AidPageForm
    override_translatable_fields = [FactField(name) for name in AidPageForm.fact_names]
    parent_page_types = ["aid.AidIndexPage"]
    subpage_types: list[str] = []
    template = "aid/aid_page.html"

    class Meta:
        verbose_name, verbose_name_plural = _("aid"), _("aids")

    def clean(self) -> None:
        """Amounts that are not crossed, a review that has been, rules that go with the facts."""
        super().clean()
        wrong = {}
        if self.amount_min is not None and self.amount_max is not None and self.amount_min > self.amount_max:
            wrong["amount_max"] = _("The highest amount is below the lowest. Check both.")
        if self.budget is not None and self.amount_min is not None and self.amount_min > self.budget:
            wrong["budget"] = _("The whole budget is less than the lowest amount for one company.")
        if self.reviewed_on and self.reviewed_on > timezone.localdate():
            wrong["reviewed_on"] = _("This day has not come yet.")
        if told := problem_of(self):
            wrong["rules"] = told
        if wrong:
            raise ValidationError(wrong)

    # --- Facts about one aid ------------------------------------------------------------------------------------------

    @property
    def funders(self) -> list[Funder]:
        """Who pays, the first one first."""
        return [row.funder for row in self.funder_rows.all()]

    @property
    def sectors(self) -> list[Sector]:
        """For which sectors; none means all."""
        return [row.sector for row in self.sector_rows.all()]

    @property
    def places(self) -> list[Place]:
        """For companies where; none means everywhere."""
        return [row.place for row in self.place_rows.all()]

    @cached_property
    def standing(self) -> states.Standing:
        """Where it stands today."""
        return states.standing(self.calls.all(), timezone.localdate())

    @property
    def state(self) -> State:
        """Its state today."""
        return self.standing.state

    @property
    def review_due_on(self) -> datetime.date | None:
        """When somebody has to look at it again; None if nobody ever did: then now."""
        return self.reviewed_on + datetime.timedelta(days=self.review_days) if self.reviewed_on else None


class Call(Orderable):
    """One round in which one can ask. The deadline is its last day; without one it ends when the money does."""

    page = ParentalKey(AidPage, related_name="calls")
    # What calendars know it by: it stays when the dates change, and is the same in every language.
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.CharField(_("official number"), max_length=40, blank=True, help_text=_("In the national database of subsidies (BDNS), if it has one."))
    opens_on = models.DateField(_("opens on"), null=True, blank=True)
    deadline = models.DateField(_("last day"), null=True, blank=True, help_text=_("Empty: no end, or until the money is used up."))
    exhausted_on = models.DateField(_("budget used up on"), null=True, blank=True)
    budget = models.DecimalField(_("budget, in euros"), max_digits=14, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(Decimal(0))])
    url = models.URLField(_("official text"), max_length=500, blank=True)

    panels = [
        FieldRowPanel([FieldPanel("opens_on"), FieldPanel("deadline"), FieldPanel("exhausted_on")]),
        FieldRowPanel([FieldPanel("number"), FieldPanel("budget")]),
        FieldPanel("url"),
    ]

    class Meta(Orderable.Meta):
        verbose_name, verbose_name_plural = _("call"), _("calls")
        indexes = [models.Index(fields=["deadline"], name="call_deadline"), models.Index(fields=["number"], name="call_number")]

    def __str__(self) -> str:
        return f"{self.page}: {self.number or self.opens_on or self.deadline or ''}"

    def clean(self) -> None:
        """Dates in their order."""
        super().clean()
        if self.opens_on and self.deadline and self.deadline < self.opens_on:
            raise ValidationError({"deadline": _("The last day is before the first. Check both.")})
        if self.opens_on and self.exhausted_on and self.exhausted_on < self.opens_on:
            raise ValidationError({"exhausted_on": _("The budget cannot be used up before the call opens.")})

    @property
    def state(self) -> State:
        """Its state today."""
        return states.state_of(self, timezone.localdate())


class FunderRow(Orderable):
    """That a funder pays for an aid."""

    page = ParentalKey(AidPage, related_name="funder_rows")
    funder = models.ForeignKey(Funder, models.PROTECT, related_name="+", verbose_name=_("funder"))


class SectorRow(Orderable):
    """That an aid is for a branch of the sectors' tree."""

    page = ParentalKey(AidPage, related_name="sector_rows")
    sector = models.ForeignKey(Sector, models.PROTECT, related_name="+", verbose_name=_("sector"))


class PlaceRow(Orderable):
    """That an aid is for companies of a municipality."""

    page = ParentalKey(AidPage, related_name="place_rows")
    place = models.ForeignKey(Place, models.PROTECT, related_name="+", verbose_name=_("municipality"))


class RelatedRow(Orderable):
    """That an editor points to another aid."""

    page = ParentalKey(AidPage, related_name="related_rows")
    aid = models.ForeignKey(AidPage, models.CASCADE, related_name="+", verbose_name=_("aid"))
