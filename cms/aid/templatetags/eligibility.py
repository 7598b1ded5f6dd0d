"""What an aid's rules say of a company, in lists and on its page."""

from collections.abc import Mapping

from django import template

from cms.aid.eligibility.evaluation import Verdict
from cms.aid.eligibility.presentation import summary

register = template.Library()


@register.inclusion_tag("aid/eligibility/summary.html")
def eligibility_summary(verdict: Verdict | None) -> Mapping[str, object]:
    """Yes, no or to be checked, with the reason; nothing for None."""
    return summary(verdict)
