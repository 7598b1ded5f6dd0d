"""Somebody keeps every aid true: due dates, reminders, "checked today" in every language, and what the clock changes."""

import datetime

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from wagtail.models import PageLogEntry, Revision

from cms.aid import reviews
from cms.aid.documents import KIND, uid_of
from cms.aid.freshness_models import Review, Upkeep
from cms.aid.models import AidPage
from cms.aid.privacy import PersonalData
from cms.pages.rules import EDITORS, OFFICERS
from marketplace.core.models import Change, Mail
from tests.cms.aid.factories import make_aid, translate_aid
from tests.concurrency import at_once
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 3, 12)
NOON = datetime.datetime(2026, 3, 12, 11, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def member(group, **facts):
    user = UserFactory(**facts)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def officer():
    return member(OFFICERS, email="olga@city.example", name="Olga Oficial", language="en")


def looked_at(days_ago, **facts):
    """An aid that was checked so many days ago."""
    return make_aid(reviewed_on=TODAY - days_ago * DAY, **{"review_days": 90, **facts})


# --- Due ----------------------------------------------------------------------------------------------------------------


def test_aid_is_due_after_its_days():
    on_time, today, late = looked_at(89, title="On time"), looked_at(90, title="Today"), looked_at(100, title="Late")
    assert [(one.page, one.late) for one in reviews.due()] == [(late, 10), (today, 0)]
    assert [(one.page, one.late) for one in reviews.due(within=14)] == [(late, 10), (today, 0), (on_time, -1)]


def test_aid_that_nobody_ever_checked_is_due_since_it_is_public():
    page = make_aid()
    AidPage.objects.filter(pk=page.pk).update(first_published_at=NOON - 5 * DAY)
    assert [(one.page, one.due_on, one.late) for one in reviews.due()] == [(page, TODAY - 5 * DAY, 5)]


def test_versions_of_an_aid_are_one_entry_and_drafts_none():
    page = looked_at(100)
    translate_aid(page, "es", "Ayuda")
    looked_at(100, live=False)
    assert [(one.page, one.languages) for one in reviews.due()] == [(page, ("ca", "es"))]


def test_number_of_queries_does_not_grow(django_assert_num_queries):
    looked_at(100)
    with django_assert_num_queries(1):
        assert len(reviews.due()) == 1
    looked_at(100), looked_at(100)
    with django_assert_num_queries(1):
        assert len(reviews.due()) == 3


# --- Confirming ---------------------------------------------------------------------------------------------------------


def test_confirming_holds_in_every_language(officer):
    page = looked_at(100)
    other = translate_aid(page, "es", "Ayuda")
    reviews.confirm(page, by=officer, note="Asked the Chamber")
    for version in (page, other):
        version.refresh_from_db()
        assert (version.reviewed_on, version.reviewed_by) == (TODAY, officer)
    assert reviews.due() == []
    assert [(row.page, row.by, row.note) for row in Review.objects.all()] == [(page, officer, "Asked the Chamber")]
    entry = PageLogEntry.objects.get(page=page.pk, action=reviews.LOG_ACTION)
    assert entry.user == officer
    assert "Asked the Chamber" in str(entry.message)


def test_confirming_publishes_nobodys_draft(officer):
    page = looked_at(100, title="Public")
    draft = page.get_latest_revision_as_object()
    draft.title = "Half-written"
    newest = draft.save_revision()
    live = page.live_revision_id
    reviews.confirm(page, by=officer)
    page.refresh_from_db()
    assert (page.title, page.has_unpublished_changes, page.latest_revision_id, page.live_revision_id) == ("Public", True, newest.pk, live)
    assert Revision.objects.for_instance(page).count() == 2
    newest.refresh_from_db()
    newest.publish()
    page.refresh_from_db()
    assert (page.title, page.reviewed_on, page.reviewed_by) == ("Half-written", TODAY, officer), "the draft knows of the review too"


def test_naive_confirmation_would_publish_the_draft(officer):
    page = looked_at(100, title="Public")
    draft = page.get_latest_revision_as_object()
    draft.title = "Half-written"
    draft.save_revision()
    naive = page.get_latest_revision_as_object()
    naive.reviewed_on = TODAY
    naive.save_revision().publish()
    page.refresh_from_db()
    assert page.title == "Half-written"


def test_confirming_leaves_a_review_of_the_text_under_way(officer):
    page = looked_at(100)
    draft = page.get_latest_revision_as_object()
    draft.title = "Waits for approval"
    draft.save_revision()
    workflow = page.get_workflow()
    state = workflow.start(page, officer)
    reviews.confirm(page, by=officer)
    state.refresh_from_db()
    assert state.status == state.STATUS_IN_PROGRESS
    page.refresh_from_db()
    assert page.current_workflow_task_state.revision_id == page.latest_revision_id


def test_version_with_a_date_of_its_own_knows_of_the_review(officer):
    page = looked_at(100)
    draft = page.get_latest_revision_as_object()
    draft.go_live_at = NOON + 3 * DAY
    scheduled = draft.save_revision()
    scheduled.publish()
    page.refresh_from_db()
    page.get_latest_revision_as_object().save_revision()
    reviews.confirm(page, by=officer)
    scheduled.refresh_from_db()
    assert scheduled.content["reviewed_on"] == TODAY.isoformat()


def test_kept_pages_hear_of_the_review(officer):
    page = looked_at(100)
    Change.objects.all().delete()
    reviews.confirm(page, by=officer)
    assert Change.objects.filter(kind="page", uid=page.translation_key).exists()


def test_only_officers_and_the_keeper_confirm(officer):
    keeper, editor = member(EDITORS), member(EDITORS)
    page = looked_at(100, officer=keeper)
    for person in (editor, UserFactory()):
        with pytest.raises(PermissionDenied):
            reviews.confirm(page, by=person)
    reviews.confirm(page, by=keeper)
    reviews.confirm(page, by=officer)
    assert Review.objects.count() == 2


def test_page_that_is_not_public_is_not_confirmed(officer):
    page = looked_at(100, live=False)
    with pytest.raises(reviews.NotPublicError):
        reviews.confirm(page, by=officer)
    assert not Review.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_officers_confirm_at_once(officer):
    page = looked_at(100)
    second = member(OFFICERS)
    at_once(lambda: reviews.confirm(page, by=officer), lambda: reviews.confirm(page, by=second))
    page.refresh_from_db()
    assert (page.reviewed_on, Review.objects.count()) == (TODAY, 2)


# --- Reminders ----------------------------------------------------------------------------------------------------------


def mails():
    return [(mail.to, mail.subject) for mail in Mail.objects.filter(key__startswith="aid-review:").order_by("pk")]


def test_keeper_is_reminded_once_and_then_weekly(officer):
    page = looked_at(90, officer=officer, title="Ajut A")
    assert [day for day in range(16) if reviews.remind(TODAY + day * DAY)] == [0, 7, 14]
    assert mails()[0] == ("olga@city.example", "Please check: Ajut A")
    text = Mail.objects.first().text
    assert f"/pages/{page.pk}/edit/" in text
    assert text.count("http://testserver") == 2


def test_second_run_of_a_day_sends_nothing(officer):
    looked_at(90, officer=officer)
    assert (reviews.remind(), reviews.remind()) == (1, 0)


def test_one_mail_tells_of_all_pages(officer):
    looked_at(90, officer=officer, title="Ajut A"), looked_at(95, officer=officer, title="Ajut B")
    assert reviews.remind() == 1
    text = Mail.objects.get().text
    assert text.index("Ajut B") < text.index("Ajut A"), "the latest first"
    assert Mail.objects.get().subject == "Please check 2 pages about aid"


def test_page_that_becomes_due_later_begins_a_mail_of_its_own_day(officer):
    looked_at(90, officer=officer), looked_at(88, officer=officer)
    sent = [reviews.remind(TODAY + day * DAY) for day in range(11)]
    # On the third day the second page joins, and the mail names both; from then on they go together.
    assert sent == [1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]


def test_everybody_of_the_office_is_reminded_if_nobody_keeps_it_or_that_person_left(officer):
    second = member(OFFICERS, email="second@city.example")
    gone = member(OFFICERS, email="gone@city.example", is_active=False)
    moved = UserFactory(email="moved@city.example")
    looked_at(90, title="Nobody's"), looked_at(90, title="Gone", officer=gone), looked_at(90, title="Moved", officer=moved)
    assert reviews.remind() == 2
    assert {to for to, _subject in mails()} == {officer.email, second.email}
    assert all(text.count("/edit/") == 3 for text in Mail.objects.values_list("text", flat=True))


def test_nobody_at_all_is_logged(caplog):
    looked_at(90)
    assert reviews.remind() == 0
    assert "nobody keeps them" in caplog.text


def test_confirmed_page_is_reminded_of_again_when_it_is_due_again(officer):
    page = looked_at(90, officer=officer)
    reviews.remind()
    reviews.confirm(page, by=officer)
    assert reviews.remind(TODAY + 8 * DAY) == 0
    assert reviews.remind(TODAY + 90 * DAY) == 1


def test_mail_is_in_the_language_of_its_reader():
    looked_at(90, officer=member(OFFICERS, language="es"), title="Ajut A")
    reviews.remind()
    assert "Ajut A" in Mail.objects.get().subject


# --- The clock ----------------------------------------------------------------------------------------------------------


def told():
    return set(Change.objects.filter(kind=KIND).values_list("uid", flat=True))


def test_state_that_the_clock_changed_is_told_once():
    page = make_aid(calls=[{"opens_on": TODAY + 5 * DAY, "deadline": TODAY + 40 * DAY}])
    other = translate_aid(page, "es", "Ayuda")
    make_aid(calls=[])
    reviews.announce()
    Change.objects.all().delete()
    days = {}
    for day in range(50):
        if reviews.announce(TODAY + day * DAY):
            days[day] = Upkeep.objects.get(translation_key=page.translation_key).state
            assert told() == {uid_of(page), uid_of(other)}
            assert Change.objects.filter(kind="page", uid=page.translation_key).count() == 1
        else:
            assert not Change.objects.exists()
        Change.objects.all().delete()
    assert days == {5: "open", 26: "closing_soon", 41: "closed"}


def test_days_that_the_worker_slept_through_are_made_good():
    make_aid(calls=[{"opens_on": TODAY - 5 * DAY, "deadline": TODAY + 40 * DAY}])
    reviews.announce()
    assert reviews.announce(TODAY + 60 * DAY) == 1
    assert reviews.announce(TODAY + 60 * DAY) == 0


def test_announcing_does_not_ask_page_by_page(django_assert_num_queries):
    for _ in range(3):
        make_aid()
    reviews.announce()
    # The pages, their calls, what is known of them (two), and the bounds of the transaction.
    with django_assert_num_queries(6):
        reviews.announce()


@pytest.mark.django_db(transaction=True)
def test_two_workers_announce_once():
    make_aid(calls=[{"opens_on": TODAY - 5 * DAY, "deadline": TODAY + 40 * DAY}])
    reviews.announce()
    results = at_once(lambda: reviews.announce(TODAY + 60 * DAY), lambda: reviews.announce(TODAY + 60 * DAY))
    assert sorted(results) == [0, 1]


def test_public_line_says_when(client, officer):
    page = looked_at(100)
    reviews.confirm(page, by=officer)
    answer = client.get(AidPage.objects.get(pk=page.pk).url)
    assert answer.status_code == 200
    assert "12 de març de 2026" in answer.content.decode()
    assert officer.name not in answer.content.decode()
    assert timezone.localdate() == TODAY


def test_copy_of_ones_data_has_the_checks_and_erasing_the_account_keeps_them_without_a_name(officer):
    page = looked_at(100, title="Ajut A")
    reviews.confirm(page, by=officer, note="Asked")
    assert PersonalData().export(officer)["checked"] == [{"aid": "Ajut A", "at": NOON.isoformat(), "note": "Asked"}]
    officer.delete()
    assert Review.objects.get().by is None
