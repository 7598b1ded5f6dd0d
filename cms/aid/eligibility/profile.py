"""What is known of a company, and of a visitor who told us."""

from collections.abc import Mapping
from types import MappingProxyType

from marketplace.companies.models import Company

from .clauses import FORM, FOUNDED, PEOPLE, PEOPLE_OF, PLACE, SECTOR, WHO
from .known import Activity, Between, Known, OneOf, Profile, Seat, compatible, exactly, one
from .world import KINDS_OF_FORM

NOTHING: Profile = MappingProxyType({})


def profile_of(company: Company) -> Profile:
    """Activity, size, seat, founding day and legal form, as far as the company tells them. Reads `sector` and `place`."""
    place = company.place
    known: dict[str, Known] = {
        SECTOR: Activity(company.sector.codes),
        PEOPLE: PEOPLE_OF[company.size],
        PLACE: Seat(place.code, place.comarca, place.province),
    }
    if company.founded:
        known[FOUNDED] = exactly(company.founded)
    if company.legal_form:
        known[FORM] = one(company.legal_form)
    return implied(known)


def implied(known: Mapping[str, Known]) -> Profile:
    """With what the legal form says of who one is: a cooperative is a cooperative or a social enterprise."""
    form = known.get(FORM)
    if WHO in known or not isinstance(form, OneOf) or not form.values <= KINDS_OF_FORM.keys():
        return dict(known)
    kinds = frozenset().union(*(KINDS_OF_FORM[value] for value in form.values))
    return {**known, WHO: OneOf(kinds)}


def with_answers(profile: Profile, answers: Mapping[str, Known], *, what_if: bool = False) -> Profile:
    """`profile` and what a visitor typed. An answer counts where nothing was known, or where it says more exactly what was known.

    With `what_if` it counts always: a company may try how it would be.
    """
    if what_if:
        kept = {fact: known for fact, known in profile.items() if not (fact == WHO and FORM in answers)}
        return implied({**kept, **answers})
    return implied({**profile, **{fact: known for fact, known in answers.items() if _adds(known, profile.get(fact))}})


def _adds(answer: Known, known: Known | None) -> bool:
    if known is None:
        return True
    if isinstance(answer, Between):
        return answer.within(known)
    if isinstance(answer, Activity):
        return bool(answer.path) and compatible(answer, known)
    return compatible(answer, known)
