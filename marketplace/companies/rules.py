"""Who may do what with a company, as small predicates."""

from .models import Company, Membership


def is_member(user: object, company: Company) -> bool:
    """May act in the company's name."""
    return user.is_authenticated and Membership.objects.active().filter(user=user, company=company).exists()


def is_owner(user: object, company: Company) -> bool:
    """Answers for the company: lets people in, changes its data."""
    return user.is_authenticated and Membership.objects.owners().filter(user=user, company=company).exists()
