import pytest
from wagtail.signals import page_published

from cms.aid.documents import KIND, uid_of
from cms.aid.models import AidPage
from marketplace.core.models import Change
from tests.cms.aid.factories import make_aid


def told(page: AidPage) -> int:
    return Change.objects.filter(kind=KIND, uid=uid_of(page)).count()


class CrashError(Exception):
    pass


def test_publishing_is_told_even_if_the_process_dies_right_after_it(db, monkeypatch):
    """Wagtail's signal comes after the commit: a receiver of it would never hear of this page."""
    page = make_aid(live=False)
    before = told(page)

    def die(*args, **kwargs):
        raise CrashError

    monkeypatch.setattr(page_published, "send", die)
    with pytest.raises(CrashError):
        page.save_revision().publish()
    assert AidPage.objects.get(pk=page.pk).live
    assert told(page) == before + 1


def test_a_draft_is_told_to_nobody(db):
    page = make_aid()
    before = told(page)
    page.title = "Another title"
    page.save_revision()
    assert told(page) == before


def test_taking_back_and_deleting_are_told(db):
    page = make_aid()
    before = told(page)
    page.unpublish()
    taken_back = told(page)
    assert taken_back > before
    page.delete()
    assert Change.objects.filter(kind=KIND).count() > taken_back
