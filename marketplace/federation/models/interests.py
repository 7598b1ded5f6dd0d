"""Interests that cross: what a company here asked a partner's company, and the other way round.

Contact data and messages are sealed (core.sealing): a copy of the database alone tells nobody whom to call. To find a person's rows
nevertheless, a keyed hash of the e-mail address stands beside them. Nothing of it is ever part of a listing, the feed or the index.
"""

import json
import uuid
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from marketplace.core import sealing
from marketplace.core.models import BaseModel
from marketplace.federation.interests.enums import LIVE, OPEN, State
from marketplace.listings.enums import Kind
from marketplace.listings.models import Listing
from marketplace.synergies.enums import DismissReason
from marketplace.synergies.models import Synergy

from .partners import Partner


def mark(email: str, *, secret: str | None = None) -> str:
    """By what an address is found again without being kept: a keyed hash (with SECRET_KEY), "" for none."""
    return salted_hmac("federation.interests.email", email.strip().lower(), secret=secret).hexdigest() if email.strip() else ""


def marks(addresses: Iterable[str]) -> set[str]:
    """All marks that rows with one of these addresses may have, also those from before SECRET_KEY was changed."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return {mark(address, secret=secret) for address in addresses for secret in secrets} - {""}


def sealed(facts: dict) -> str:
    """JSON, unreadable without SECRET_KEY."""
    return sealing.seal(json.dumps(facts, ensure_ascii=False))


def unsealed(text: str) -> dict:
    """What was sealed; {} for nothing, and for what was sealed under a secret that is gone."""
    if not text:
        return {}
    try:
        return json.loads(sealing.unseal(text))
    except sealing.BrokenSealError:
        return {}


class OutgoingInterestQuerySet(models.QuerySet):
    """Interests of companies here in partners' listings."""

    def live(self) -> "OutgoingInterestQuerySet":
        """Something can still come of them, or has."""
        return self.filter(state__in=LIVE)

    def due(self) -> "OutgoingInterestQuerySet":
        """To be sent, asked about or erased at the partner now, and in nobody's hands."""
        now = timezone.now()
        return self.filter(Q(lease_until=None) | Q(lease_until__lt=now), next_attempt_at__lte=now)

    def of_person(self, user: object, addresses: set[str]) -> "OutgoingInterestQuerySet":
        """Those that `user` sent, or that give one of these e-mail addresses."""
        return self.filter(Q(by=user) | Q(contact_mark__in=marks(addresses)))

    def not_erased_yet(self) -> "OutgoingInterestQuerySet":
        """Those whose data the partner still has to delete."""
        return self.filter(to_erase=True)

    def crossing(self) -> "OutgoingInterestQuerySet":
        """Those for which the partner has data of people here, or may have."""
        return self.filter(Q(state__in=LIVE) | Q(to_erase=True))

    def for_list(self) -> "OutgoingInterestQuerySet":
        """With all that a list for curators shows; it holds no contact data."""
        return self.select_related("partner", "company", "mine", "theirs").defer("sealed_body", "sealed_contact").order_by("-created", "-id")


class OutgoingInterest(BaseModel):
    """That a company here is interested in a partner's listing. Its `uid` is the interest's id on both sides, and the Idempotency-Key.

    `next_attempt_at` says when the worker does the next thing, which the state names: send it (waiting), ask how it stands (received,
    accepted), or have it erased there (`to_erase`, whatever the state). None: there is nothing to do any more.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="outgoing_interests", verbose_name=_("partner"))
    # All of these may go; what has to be asked and erased at the partner stays known by `uid`.
    synergy = models.ForeignKey(Synergy, models.SET_NULL, null=True, blank=True, related_name="outgoing_interests")
    company = models.ForeignKey("companies.Company", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("company"))
    mine = models.ForeignKey(Listing, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("own listing"))
    theirs = models.ForeignKey(Listing, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("partner's listing"))
    remote_uri = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=2, choices=settings.LANGUAGES, default="ca")

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    # The request's body as it goes, so that each attempt is the same; and the contact that came back.
    sealed_body = models.TextField(blank=True)
    contact_mark = models.CharField(max_length=40, blank=True, db_index=True)
    sealed_contact = models.TextField(blank=True)
    consent_text = models.TextField(_("consent"))
    consent_version = models.CharField(max_length=20)
    consented_at = models.DateTimeField(_("consented"), default=timezone.now)
    # Why it did not arrive, in words for the person.
    problem = models.CharField(_("problem"), max_length=500, blank=True)
    closed_at = models.DateTimeField(_("ended"), null=True, blank=True)

    to_erase = models.BooleanField(_("to be erased at the partner"), default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = OutgoingInterestQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        verbose_name, verbose_name_plural = _("interest sent"), _("interests sent")
        constraints = [models.UniqueConstraint(fields=["synergy"], condition=Q(state__in=LIVE), name="outgoing_interest_once")]
        indexes = [models.Index(fields=["next_attempt_at"], name="outgoing_interest_due")]

    def __str__(self) -> str:
        return f"{self.partner} {self.uid} ({self.state})"

    @property
    def body(self) -> dict:
        """What is or was sent; {} once it is erased."""
        return unsealed(self.sealed_body)

    @property
    def contact(self) -> dict:
        """The other company's contact, {} before its yes."""
        return unsealed(self.sealed_contact)

    @property
    def listing_uid(self) -> uuid.UUID | None:
        """The id under which the partner has the listing: the last part of its address."""
        try:
            return uuid.UUID(urlsplit(self.remote_uri).path.rstrip("/").rpartition("/")[2])
        except ValueError:
            return None


class IncomingInterestQuerySet(models.QuerySet):
    """Interests of partners' companies in listings here."""

    def live(self) -> "IncomingInterestQuerySet":
        """Something can still come of them, or has."""
        return self.filter(state__in=LIVE)

    def of(self, user: object) -> "IncomingInterestQuerySet":
        """Those in listings of the companies for which `user` acts."""
        return self.filter(listing__company__in=user.memberships.active().values("company"))

    def waiting_for(self, user: object) -> "IncomingInterestQuerySet":
        """Those that a company of `user` has still to answer, and that are not on its list of synergies anyway."""
        return self.of(user).filter(state__in=OPEN, synergy=None)

    def apart(self) -> "IncomingInterestQuerySet":
        """Those that no synergy here shows."""
        return self.filter(synergy=None)

    def answered_by_person(self, user: object, addresses: set[str]) -> "IncomingInterestQuerySet":
        """Those that `user` said yes to, or whose answer gives one of these e-mail addresses."""
        return self.filter(Q(answered_by=user) | Q(answer_mark__in=marks(addresses)))

    def for_display(self) -> "IncomingInterestQuerySet":
        """With all that a list shows, the ones that wait first."""
        return self.select_related("partner", "listing__company").order_by(
            models.Case(models.When(state__in=OPEN, then=0), models.When(state=State.ACCEPTED, then=1), default=2), "-created", "-id"
        )

    def for_list(self) -> "IncomingInterestQuerySet":
        """With all that a list for curators shows; it holds no contact data."""
        return self.select_related("partner", "listing__company").defer("sealed_contact", "sealed_message", "sealed_answer").order_by("-created", "-id")


class IncomingInterest(BaseModel):
    """That a partner's company is interested in a listing here. `remote_uid` is the id that its marketplace gave it.

    One that was taken back before it arrived is a row with nothing but this id, so that the late request is refused.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="incoming_interests", verbose_name=_("partner"))
    remote_uid = models.UUIDField()
    # Of the request's body, keyed: the same id with another body is an error.
    fingerprint = models.CharField(max_length=64, blank=True)
    listing = models.ForeignKey(Listing, models.SET_NULL, null=True, blank=True, related_name="incoming_interests", verbose_name=_("listing"))
    # The same two, if their listing came by harvest and the engine put them together: then people see it there.
    synergy = models.ForeignKey(Synergy, models.SET_NULL, null=True, blank=True, related_name="incoming_interests")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)

    company_name = models.CharField(_("company"), max_length=160, blank=True)
    company_web = models.URLField(_("web"), max_length=500, blank=True)
    # Scheme and id, as in NIF:B12345674.
    company_identity = models.CharField(_("identity"), max_length=80, blank=True)
    their_uri = models.CharField(max_length=500, blank=True, db_index=True)
    their_url = models.URLField(max_length=500, blank=True)
    their_title = models.CharField(_("their listing"), max_length=300, blank=True)
    their_kind = models.CharField(max_length=6, choices=Kind, blank=True)
    language = models.CharField(max_length=35, blank=True)
    # {"text": …} and {"name", "email", "telephone"}; the contact is shown after the yes only.
    sealed_message = models.TextField(blank=True)
    sealed_contact = models.TextField(blank=True)
    contact_mark = models.CharField(max_length=40, blank=True, db_index=True)
    consent_text = models.TextField(_("consent"), blank=True)
    consent_version = models.CharField(max_length=40, blank=True)
    consented_at = models.DateTimeField(_("consented"), null=True, blank=True)

    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    sealed_answer = models.TextField(blank=True)
    answer_mark = models.CharField(max_length=40, blank=True, db_index=True)
    answer_consent_text = models.TextField(blank=True)
    answer_consent_version = models.CharField(max_length=20, blank=True)
    # Of a no; the other side does not learn them.
    reason = models.CharField(_("why not"), max_length=20, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    closed_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = IncomingInterestQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-id")
        verbose_name, verbose_name_plural = _("interest received"), _("interests received")
        constraints = [models.UniqueConstraint(fields=["partner", "remote_uid"], name="incoming_interest_once")]
        indexes = [models.Index(fields=["listing", "state"], name="incoming_interest_listing")]

    def __str__(self) -> str:
        return f"{self.partner} {self.remote_uid} ({self.state})"

    @property
    def is_open(self) -> bool:
        """It waits for an answer."""
        return self.state in OPEN

    @property
    def is_mutual(self) -> bool:
        """Both said yes."""
        return self.state == State.ACCEPTED

    @property
    def message(self) -> str:
        """What the other company wrote."""
        return unsealed(self.sealed_message).get("text", "")

    @property
    def contact(self) -> dict:
        """Their contact, whatever the state: ask `is_mutual` before it is shown."""
        return unsealed(self.sealed_contact)

    @property
    def answer(self) -> dict:
        """Our company's contact as it was given with the yes."""
        return unsealed(self.sealed_answer)

    @property
    def reason_label(self) -> str:
        """Why it was set aside, in words."""
        return str(DismissReason(self.reason).label) if self.reason in DismissReason.values else ""

    @property
    def web_host(self) -> str:
        """The web address as people write it: "www.company.cat"."""
        return self.company_web.partition("://")[2].rstrip("/")

    @property
    def identity_label(self) -> str:
        """Scheme and id as people write them: "NIF B12345674"."""
        return self.company_identity.replace(":", " ", 1)
