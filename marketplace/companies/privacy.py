"""What this app knows of a person, and what becomes of companies when one goes (see accounts.privacy)."""

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.core import changelog

from . import notices
from .enums import Role
from .models import Company, Membership

#: What the history says of a company that was hidden because nobody acts for it any more. Those to whom its listings were given have to erase them.
ERASED = "account erased"


class PersonalData:
    """The companies a person acts for."""

    name = "companies"

    def export(self, user: User) -> list[dict[str, object]]:
        """Every membership with its company."""
        return [
            {
                "company": membership.company.name,
                "tax_id": membership.company.tax_id,
                "role": membership.role,
                "state": membership.state,
                "message": membership.message,
                "since": membership.created.isoformat(),
            }
            for membership in user.memberships.select_related("company").order_by("created")
        ]

    def consequences(self, user: User) -> list[str]:
        """A sentence for each company that loses its only owner."""
        sentences = []
        for company in _owned_alone(user):
            heir = _heir(company, user)
            if heir:
                sentences.append(_("%(person)s becomes the owner of %(company)s.") % {"person": heir.user, "company": company.name})
            else:
                sentences.append(_("%(company)s and its listings disappear from the public pages: nobody else acts for it.") % {"company": company.name})
        return sentences

    @transaction.atomic
    def erase(self, user: User) -> None:
        """Give each company that loses its only owner to its longest-standing member, or hide it; the person's contact data go from all."""
        for found in _owned_alone(user):
            company = Company.objects.select_for_update().get(pk=found.pk)
            if heir := _heir(company, user):
                heir.role = Role.OWNER
                heir.save()
                notices.became_owner(heir)
            else:
                company.hidden = True
                company.version += 1
                company._change_reason = ERASED  # noqa: SLF001 - so simple_history is told
            company.save()
            changelog.append("company", company.uid)
        # Whoever gave the own address as the company's contact takes it along, out of the history too.
        for rows in (Company.objects, Company.history):
            rows.filter(contact_email__iexact=user.email).update(contact_name="", contact_email="", contact_phone="")
        user.memberships.all().delete()


def _owned_alone(user: User) -> list[Company]:
    """Companies whose only owner is this person."""
    own = Company.objects.filter(memberships__in=Membership.objects.owners().filter(user=user))
    shared = Membership.objects.owners().exclude(user=user).values("company")
    return list(own.exclude(pk__in=shared).order_by("pk"))


def _heir(company: Company, user: User) -> Membership | None:
    return company.memberships.active().exclude(user=user).select_related("user", "company").order_by("created", "pk").first()
