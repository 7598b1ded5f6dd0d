"""What crossed to partner marketplaces of a person, and its erasure here and there (see accounts.privacy)."""

from allauth.account.models import EmailAddress
from django.utils.translation import ngettext

from marketplace.accounts.models import User

from .interests import erasing
from .interests.enums import LIVE
from .models import IncomingInterest, OutgoingInterest, PartnerEvent


class PersonalData:
    """Interests that a person sent or answered, with the contact data given for each."""

    name = "partner_marketplaces"

    def export(self, user: User) -> dict[str, object]:
        """All that was sent, word for word, with the consent; every answer; what was done in the console."""
        addresses = _addresses(user)
        sent = OutgoingInterest.objects.of_person(user, addresses).select_related("partner").order_by("created")
        answered = IncomingInterest.objects.answered_by_person(user, addresses).select_related("partner", "listing").order_by("created")
        decided = PartnerEvent.objects.filter(by=user).select_related("partner").order_by("at")
        return {
            "sent": [
                {
                    "marketplace": one.partner.name,
                    "state": one.state,
                    "at": one.consented_at.isoformat(),
                    "consent": one.consent_text,
                    "consent_version": one.consent_version,
                    "content": one.body,
                }
                for one in sent
            ],
            "answered": [
                {
                    "marketplace": one.partner.name,
                    "listing": one.listing.title if one.listing else "",
                    "state": one.state,
                    "at": one.answered_at and one.answered_at.isoformat(),
                    "consent": one.answer_consent_text,
                    "consent_version": one.answer_consent_version,
                    "contact": one.answer,
                    "reason": one.reason,
                    "comment": one.comment,
                }
                for one in answered
            ],
            "partners": [{"partner": one.partner.name, "step": one.action, "at": one.at.isoformat()} for one in decided],
        }

    def consequences(self, user: User) -> list[str]:
        """That what crossed is erased over there too."""
        addresses = _addresses(user)
        live = OutgoingInterest.objects.of_person(user, addresses).filter(state__in=LIVE).count()
        live += IncomingInterest.objects.answered_by_person(user, addresses).filter(state__in=LIVE).count()
        if not live:
            return []
        return [
            ngettext(
                "%(n)d yes between you and a company at a partner marketplace ends; the partner has to delete your contact data too.",
                "%(n)d yeses between you and companies at partner marketplaces end; the partners have to delete your contact data too.",
                live,
            )
            % {"n": live}
        ]

    def erase(self, user: User) -> None:
        """At once here; there as soon as the partner answers."""
        erasing.erase_person(user, _addresses(user))


def _addresses(user: User) -> set[str]:
    """The person's confirmed addresses; others may be somebody else's."""
    return {user.email, *EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)}
