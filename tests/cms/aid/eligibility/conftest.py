"""An aid with rules, in the three languages or in one."""

import pytest
from wagtail.models import Locale

from cms.aid.eligibility import clauses as c
from cms.aid.eligibility.blocks import RULES_BLOCKS
from cms.aid.models import AidIndexPage, AidPage
from cms.pages.models import HomePage


@pytest.fixture
def make_aid(db):
    """A public aid with these rules, in English unless told otherwise."""

    def make(*rules, language="en", title="Rent of shops", **fields):
        locale = Locale.objects.get(language_code=language)
        index = AidIndexPage.objects.filter(locale=locale).first()
        if index is None:
            home = HomePage.objects.get(locale=locale)
            index = home.add_child(instance=AidIndexPage(title="Aid", slug="aid-index", locale=locale))
        stream = RULES_BLOCKS.to_python(RULES_BLOCKS.stream(c.AllOf(rules)))
        return index.add_child(instance=AidPage(title=title, summary="Up to 3,000 euros.", locale=locale, rules=stream, **fields))

    return make
