"""Keys for tests: of a company with its owner, of a partner, and the header that sends them."""

from dataclasses import dataclass

from marketplace.accounts.models import User
from marketplace.companies.models import Company
from marketplace.federation.enums import PartnerState
from marketplace.federation.models import Partner
from marketplace.rest import keys
from marketplace.rest.models import ApiClient, ApiKey
from tests.factories import MembershipFactory


@dataclass
class Made:
    key: ApiKey
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        """For Django's test client: `client.get(path, headers=made.headers)`."""
        return {"Authorization": f"Bearer {self.secret}"}

    @property
    def company(self) -> Company:
        return self.key.client.company

    @property
    def user(self) -> User:
        return self.key.made_by


def company_key(*scopes: str, company: Company | None = None, user: User | None = None, rate: int | None = None, expires_at=None) -> Made:
    """A key of a company (a new one with an owner, unless given), made by its owner."""
    if company is None:
        membership = MembershipFactory(**({"user": user} if user else {}))
        company, user = membership.company, membership.user
    if company.api_client is None:
        company.api_client = ApiClient.objects.create(name=company.name, rate=rate)
        company.save()
    user = user or company.memberships.owners().first().user
    return Made(*keys.issue(company.api_client, name="Web shop", scopes=scopes or ["read", "write"], expires_at=expires_at, by=user))


def partner_key(*scopes: str, partner: Partner | None = None, rate: int | None = None, expires_at=None) -> Made:
    """A key of a partner (a new active one that may read us, unless given)."""
    if partner is None:
        number = Partner.objects.count() + 1
        partner = Partner.objects.create(name=f"Partner {number}", base_url=f"https://partner{number}.example", state=PartnerState.ACTIVE, gives=True)
    if partner.client is None:
        partner.client = ApiClient.objects.create(name=partner.name, rate=rate)
        partner.save()
    return Made(*keys.issue(partner.client, name="Harvester", scopes=scopes or ["federation"], expires_at=expires_at, by=None))
