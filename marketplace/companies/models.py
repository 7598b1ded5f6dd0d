"""Companies, the people who act for them, the sectors and places they are filed under."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from marketplace.core.models import BaseModel
from marketplace.rest.models import ApiClient

from .enums import LegalForm, MembershipState, Role, Size
from .querysets import CompanyQuerySet, MembershipQuerySet
from .validators import validate_founded, validate_logo, validate_tax_id


class Sector(models.Model):
    """A node of NACE Rev. 2 (= CNAE-2009 = CCAE-2009): section A, division 01, group 011, class 0111."""

    code = models.CharField(_("code"), max_length=4, primary_key=True)
    level = models.PositiveSmallIntegerField(_("level"))
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(_("path"), max_length=20, help_text=_("Codes from the section down, separated by spaces."))
    label_ca = models.CharField(max_length=300)
    label_es = models.CharField(max_length=300)
    label_en = models.CharField(max_length=300)

    class Meta:
        ordering = ("path",)
        verbose_name, verbose_name_plural = _("sector"), _("sectors")

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the language of this moment."""
        return getattr(self, f"label_{get_language() or 'ca'}", self.label_ca)

    @property
    def codes(self) -> tuple[str, ...]:
        """The path from the section to this node: ("C", "22", "222", "2229")."""
        return tuple(self.path.split())


class Place(models.Model):
    """A Catalan municipality."""

    code = models.CharField(_("INE code"), max_length=6, primary_key=True)
    name = models.CharField(_("name"), max_length=80)
    comarca = models.CharField(_("comarca"), max_length=60)
    province = models.CharField(_("province"), max_length=30)
    latitude = models.FloatField(_("latitude"))
    longitude = models.FloatField(_("longitude"))

    class Meta:
        ordering = ("name",)
        verbose_name, verbose_name_plural = _("place"), _("places")

    def __str__(self) -> str:
        return self.name


class Company(BaseModel):
    """A company, shop, association or self-employed person."""

    # NULL: an import brought the company without one. Forms still ask for it, since the field may not be blank.
    tax_id = models.CharField(
        _("NIF"),
        max_length=9,
        unique=True,
        null=True,
        validators=[validate_tax_id],
        error_messages={"unique": _("This company is already here. Ask to join it.")},
    )
    name = models.CharField(_("company name"), max_length=160)
    description = models.TextField(_("what you do"), max_length=4000, blank=True)
    sector = models.ForeignKey(Sector, models.PROTECT, verbose_name=_("sector"), related_name="companies")
    place = models.ForeignKey(Place, models.PROTECT, verbose_name=_("municipality"), related_name="companies")
    size = models.CharField(_("size"), max_length=6, choices=Size, default=Size.MICRO)
    legal_form = models.CharField(_("legal form"), max_length=20, choices=LegalForm, blank=True)
    founded = models.DateField(_("founded on"), null=True, blank=True, validators=[validate_founded])
    language = models.CharField(_("language of our messages"), max_length=2, choices=settings.LANGUAGES, default="ca")
    web = models.URLField(_("web"), blank=True, validators=[])
    logo = models.ImageField(_("logo"), upload_to="logos/", blank=True, validators=[validate_logo])
    contact_name = models.CharField(_("contact person"), max_length=120, blank=True)
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    contact_phone = models.CharField(_("contact phone"), max_length=30, blank=True)
    verified = models.BooleanField(_("checked by the Innovation Service"), default=False)
    hidden = models.BooleanField(_("hidden from the public"), default=False)
    # A partner marketplace's company: its address for programs and the partner's name. Nobody here acts for it.
    source_uri = models.CharField(max_length=500, null=True, blank=True, unique=True, editable=False)
    source_name = models.CharField(_("from"), max_length=160, blank=True, editable=False)
    api_client = models.OneToOneField(ApiClient, models.SET_NULL, null=True, blank=True, related_name="company", editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = CompanyQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        verbose_name, verbose_name_plural = _("company"), _("companies")
        indexes = [models.Index(fields=["name"], name="company_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The public page."""
        return reverse("companies:detail", args=[self.uid])

    @property
    def is_of_partner(self) -> bool:
        """Whether it is registered at a partner marketplace: nobody here acts for it."""
        return self.source_uri is not None

    @property
    def web_host(self) -> str:
        """The web address as people write it: "www.company.cat"."""
        return self.web.partition("://")[2].rstrip("/") or self.web

    @property
    def initials(self) -> str:
        """Two letters that stand for a missing logo."""
        words = [word for word in self.name.replace(",", " ").split() if word[0].isalnum()]
        return "".join(word[0] for word in words[:2]).upper()


class Membership(BaseModel):
    """That a person acts for a company, or asked to."""

    company = models.ForeignKey(Company, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    state = models.CharField(_("state"), max_length=10, choices=MembershipState, default=MembershipState.ACTIVE)
    message = models.CharField(_("message to the owner"), max_length=500, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("membership"), _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["company", "user"], name="membership_once"),
            models.CheckConstraint(condition=~Q(role=Role.OWNER) | Q(state=MembershipState.ACTIVE), name="membership_owner_is_active"),
        ]

    def __str__(self) -> str:
        return f"{self.user} @ {self.company}"
