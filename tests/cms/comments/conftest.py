import pytest
from django.contrib.auth.models import Group
from wagtail.models import Page

from cms.comments import kinds, operations
from cms.comments.enums import Moderation
from cms.pages.models import HomePage, StandardPage
from marketplace.accounts.rules import CURATORS
from tests.factories import UserFactory


@pytest.fixture
def text_pages(monkeypatch):
    """Text pages take comments: a page kind that needs nothing else."""
    monkeypatch.setitem(kinds.KINDS, "pages.standardpage", Moderation.BEFORE)


@pytest.fixture
def page(db, text_pages) -> Page:
    """A public page in Catalan, whose comments are read first."""
    home = HomePage.objects.get(locale__language_code="ca")
    return home.add_child(instance=StandardPage(title="Noves ajudes", slug="noves-ajudes", body="<p>Text</p>", locale=home.locale))


@pytest.fixture
def open_page(page) -> Page:
    """The same, with comments public at once."""
    kinds.KINDS["pages.standardpage"] = Moderation.AFTER
    return page


@pytest.fixture
def author(db):
    return UserFactory(name="Anna Puig", email="anna@firm.example", language="en")


@pytest.fixture
def moderator(db):
    user = UserFactory(name="Olga Oficina", email="olga@city.example")
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


@pytest.fixture
def known(author, moderator, page):
    """The author has an approved comment already."""
    first = operations.post(page, by=author, text="El meu primer comentari")
    operations.approve(first, by=moderator)
    return author
