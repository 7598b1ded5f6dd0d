"""Who may do what with a company, as small predicates."""

from marketplace.accounts.rules import is_curator

from .models import Company, Membership


def is_member(user: object, company: Company) -> bool:
    """May act in the company's name."""
    return user.is_authenticated and Membership.objects.active().filter(user=user, company=company).exists()


def is_owner(user: object, company: Company) -> bool:
    """Answers for the company: lets people in, changes its data."""
    return user.is_authenticated and Membership.objects.owners().filter(user=user, company=company).exists()


def can_decide(user: object, company: Company) -> bool:
    """Answers requests to join: the owners, or the Innovation Service where a company has none."""
    if is_owner(user, company):
        return True
    return is_curator(user) and not Membership.objects.owners().filter(company=company).exists()
