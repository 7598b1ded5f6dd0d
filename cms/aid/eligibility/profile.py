"""What is known of a company, and of a visitor who told us."""

from collections.abc import Mapping
from types import MappingProxyType

from marketplace.companies.models import Company

from .clauses import FORM, FOUNDED, PEOPLE, PEOPLE_OF, PLACE, SECTOR, WHO
from .known import Activity, Between, Known, Profile, Seat, compatible, exactly, one
from .world import implied

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


def with_answers(profile: Profile, answers: Mapping[str, Known], *, what_if: bool = False) -> Profile:
    """`profile` and what a visitor typed. An answer counts where nothing was known, or where it says more exactly what was known.

    With `what_if` it counts always: a company may try how it would be.
    """
    if what_if:
        # What was only concluded goes with what it was concluded from.
        kept = {fact: known for fact, known in profile.items() if fact not in (FORM, WHO) or not {FORM, WHO} & answers.keys()}
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
