"""Editors write, officers publish: who may do what, the review, the clock, two people at one page, moved pages."""

import datetime
import importlib
import re

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core import mail as django_mail
from django.urls import reverse
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import GroupPagePermission, Page, PageLogEntry, TaskState, Workflow, WorkflowPage
from wagtail.test.utils.form_data import querydict_from_html

from cms.aid.models import AidPage
from cms.console import scheduled
from cms.pages.models import FormPage, HomePage, StandardPage
from cms.pages.rules import EDITORS, OFFICERS, is_editor, is_officer
from marketplace.accounts.rules import CURATORS
from marketplace.core import mail
from marketplace.core.models import Mail
from tests.cms.aid.factories import make_aid
from tests.cms.pages.factories import KINDS, make_form
from tests.cms.pages.factories import make_page as make_page_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def person(*groups, **facts):
    user = UserFactory(**facts)
    user.groups.add(*Group.objects.filter(name__in=groups))
    return user


@pytest.fixture
def editor():
    return person(EDITORS, email="editor@city.example", name="Eva Editora", language="ca")


@pytest.fixture
def officer():
    return person(OFFICERS, email="officer@city.example", name="Oriol Oficial", language="es")


def home(language="ca"):
    return HomePage.objects.get(locale__language_code=language)


def make_page(title="Ajuts", parent=None, *, live=True):
    page = StandardPage(title=title, live=False, lead="Un text")
    (parent or home()).add_child(instance=page)
    revision = page.save_revision()
    if live:
        revision.publish()
    return StandardPage.objects.get(pk=page.pk)


def edit_address(page):
    return reverse("wagtailadmin_pages:edit", args=[page.pk])


def opened(client, page):
    """The form as a browser has it after opening the page."""
    return form_in(client.get(edit_address(page)))


def form_in(answer):
    """Blocks are written by a script; without it a page has none."""
    data = querydict_from_html(answer.content.decode(), form_id="page-edit-form").copy()
    data["body-count"] = "0"
    return data


def save(client, page, data, action="", **changes):
    data = data.copy()
    for name, value in changes.items():
        data[name] = value
    if action:
        data[action] = "1"
    return client.post(edit_address(page), data)


# --- Groups -------------------------------------------------------------------------------------------------------------


def test_editors_write_in_all_languages_and_publish_in_none(editor):
    for language in ("ca", "es", "en"):
        allowed = home(language).permissions_for_user(editor)
        assert (allowed.can_add_subpage(), allowed.can_edit(), allowed.can_publish()) == (True, True, False)
    assert is_editor(editor)
    assert not is_officer(editor)


def test_officers_publish_in_all_languages(officer):
    for language in ("ca", "es", "en"):
        allowed = home(language).permissions_for_user(officer)
        assert (allowed.can_add_subpage(), allowed.can_edit(), allowed.can_publish(), allowed.can_lock()) == (True, True, True, True)
    assert is_editor(officer)
    assert is_officer(officer)


def test_every_home_page_has_the_review_of_the_officers():
    assert set(WorkflowPage.objects.values_list("page", "workflow__name")) >= {(page.pk, "OAE review") for page in HomePage.objects.all()}
    (task,) = Workflow.objects.get(name="OAE review").tasks
    assert [group.name for group in task.specific.groups.all()] == [OFFICERS]


def test_the_migration_changes_nothing_that_is_there():
    migration = importlib.import_module("cms.console.migrations.0002_editors")
    GroupPagePermission.objects.filter(group__name=EDITORS, page=home("en")).delete()
    Group.objects.get(name=OFFICERS).permissions.clear()
    before = (GroupPagePermission.objects.count(), Workflow.objects.count(), WorkflowPage.objects.count())
    migration.make_groups(apps, None)
    migration.make_review(apps, None)
    assert (GroupPagePermission.objects.count(), Workflow.objects.count(), WorkflowPage.objects.count()) == before
    assert not Group.objects.get(name=OFFICERS).permissions.exists()


def test_the_migration_works_where_there_are_no_pages_yet():
    migration = importlib.import_module("cms.console.migrations.0002_editors")
    Group.objects.filter(name__in=[EDITORS, OFFICERS]).delete()
    Workflow.objects.all().delete()
    HomePage.objects.all().delete()
    migration.make_groups(apps, None)
    migration.make_review(apps, None)
    assert Group.objects.filter(name__in=[EDITORS, OFFICERS]).count() == 2
    assert Workflow.objects.get().name == "OAE review"


CURATORS_PAGES = ("console_waiting", "console_listings", "console_companies", "console_imports", "console_vocabulary", "console_no_match")
EDITORS_PAGES = ("console_translations",)


@pytest.mark.parametrize("name", CURATORS_PAGES)
@pytest.mark.parametrize("group", [EDITORS, OFFICERS])
def test_curators_pages_are_closed_to_editors_and_officers(client, group, name):
    client.force_login(person(group))
    assert client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", EDITORS_PAGES)
def test_editors_pages_are_closed_to_curators(client, name):
    client.force_login(person(CURATORS))
    assert client.get(reverse(name)).status_code == 302


@pytest.mark.parametrize("name", [*CURATORS_PAGES, *EDITORS_PAGES])
def test_who_is_both_sees_both(client, name):
    client.force_login(person(CURATORS, OFFICERS))
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("group", [EDITORS, OFFICERS])
def test_the_console_of_an_editor_shows_no_curators_entry_and_the_other_way_round(client, group):
    client.force_login(person(group))
    mine = client.get(reverse("wagtailadmin_home")).content.decode()
    client.force_login(person(CURATORS))
    theirs = client.get(reverse("wagtailadmin_home")).content.decode()
    assert reverse("console_waiting") not in mine
    assert reverse("console_translations") in mine
    assert reverse("console_waiting") in theirs
    assert reverse("console_translations") not in theirs
    assert reverse("wagtail_localize:translations_report") not in mine + theirs


def test_curators_open_no_page(client):
    client.force_login(person(CURATORS))
    assert client.get(edit_address(home())).status_code == 302


# --- The review ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def outbox(settings):
    settings.EMAIL_BACKEND = "marketplace.core.outbox.OutboxBackend"


def test_a_page_goes_from_its_editor_over_an_officer_to_the_public(client, editor, officer, outbox):
    client.force_login(editor)
    page = make_page(live=False)
    assert save(client, page, opened(client, page), "action-publish", title="Ajuts nous").status_code == 302
    assert not StandardPage.objects.get(pk=page.pk).live
    save(client, page, opened(client, page), "action-submit", title="Ajuts de maig")
    state = TaskState.objects.get()
    told = Mail.objects.get()
    assert (told.to, state.status) == (officer.email, "in_progress")
    assert "Ajuts de maig" in told.subject + told.text
    assert "ha sido" in told.subject + told.text  # in Spanish, as the officer's account says

    client.force_login(officer)
    assert "Ajuts de maig" in client.get(reverse("wagtailadmin_home")).content.decode()
    approve = reverse("wagtailadmin_pages:workflow_action", args=[page.pk, "approve", state.pk])
    client.post(approve, {"comment": "Bé"})
    published = StandardPage.objects.get(pk=page.pk)
    assert (published.live, published.title) == (True, "Ajuts de maig")
    assert set(Mail.objects.values_list("to", flat=True)) == {officer.email, editor.email}
    assert "aprova" in Mail.objects.get(to=editor.email).text  # in Catalan


def test_an_editor_approves_nothing(client, editor):
    page = make_page(live=False)
    state = Workflow.objects.get(name="OAE review").start(page, editor)
    client.force_login(editor)
    client.post(reverse("wagtailadmin_pages:workflow_action", args=[page.pk, "approve", state.current_task_state.pk]))
    assert not StandardPage.objects.get(pk=page.pk).live


def test_a_page_that_needs_changes_tells_its_editor_why(client, editor, officer, outbox):
    page = make_page(live=False)
    state = Workflow.objects.get(name="OAE review").start(page, editor)
    client.force_login(officer)
    client.post(reverse("wagtailadmin_pages:workflow_action", args=[page.pk, "reject", state.current_task_state.pk]), {"comment": "Falta el termini"})
    assert "Falta el termini" in Mail.objects.get(to=editor.email).text


def test_a_review_while_the_mail_server_is_down_loses_no_mail(client, editor, officer, outbox, smtp):
    smtp.stop()
    Workflow.objects.get(name="OAE review").start(make_page(live=False), editor)
    assert mail.send_due() == 0
    smtp.start()
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=5)):
        assert mail.send_due() == 1
    assert django_mail.outbox == []


def test_superusers_get_no_mail_about_reviews(editor, officer, outbox):
    UserFactory(is_superuser=True, is_staff=True)
    Workflow.objects.get(name="OAE review").start(make_page(live=False), editor)
    assert [one.to for one in Mail.objects.all()] == [officer.email]


# --- The clock ----------------------------------------------------------------------------------------------------------


def later(**time):
    return time_machine.travel(timezone.now() + datetime.timedelta(**time), tick=True)


def test_a_page_is_published_and_taken_away_when_its_time_has_come(client):
    page = make_page(live=False)
    page.go_live_at, page.expire_at = timezone.now() + datetime.timedelta(hours=1), timezone.now() + datetime.timedelta(hours=3)
    page.save_revision().publish()
    assert (scheduled.run_once(), StandardPage.objects.get(pk=page.pk).live) == (0, False)
    with later(hours=2):
        assert (scheduled.run_once(), scheduled.run_once()) == (1, 0)
        assert StandardPage.objects.get(pk=page.pk).live
    with later(hours=4):
        assert (scheduled.run_once(), scheduled.run_once()) == (1, 0)
    gone = StandardPage.objects.get(pk=page.pk)
    assert (gone.live, gone.expired) == (False, True)
    assert set(PageLogEntry.objects.filter(page=page.pk).values_list("action", flat=True)) >= {"wagtail.publish.scheduled", "wagtail.unpublish.scheduled"}


def test_a_page_that_cannot_be_published_keeps_no_other_waiting(caplog):
    broken, fine = make_page("U", live=False), make_page("Dos", live=False)
    for page in (broken, fine):
        page.go_live_at = timezone.now() + datetime.timedelta(hours=1)
        page.save_revision().publish()
    Page.objects.filter(pk=broken.pk).update(slug="u-antic")
    make_page("U")  # takes the slug meanwhile
    with later(hours=2):
        assert scheduled.run_once() == 1
        assert StandardPage.objects.get(pk=fine.pk).live
        assert not StandardPage.objects.get(pk=broken.pk).live
        assert len(caplog.records) == 1
        scheduled.run_once()
        assert len(caplog.records) == 1
    scheduled._failed.clear()


def test_a_page_that_cannot_be_taken_away_keeps_no_other_waiting(caplog):
    broken, fine = make_page("U"), make_page("Dos")
    for page in (broken, fine):
        page.expire_at = timezone.now() + datetime.timedelta(hours=1)
        page.save_revision().publish()
    # It has no row in the table of its kind.
    Page.objects.filter(pk=broken.pk).update(content_type=ContentType.objects.get_for_model(FormPage))
    with later(hours=2):
        assert (scheduled.run_once(), scheduled.run_once()) == (1, 0)
    assert not Page.objects.get(pk=fine.pk).live
    assert len([record for record in caplog.records if "failed" in record.message]) == 1
    scheduled._failed.clear()


def test_looking_at_the_clock_is_cheap(django_assert_num_queries):
    with django_assert_num_queries(2):
        scheduled.run_once()


# --- Two editors --------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(client, editor, officer):
    """Two people who have the same page open."""
    page = make_page()
    client.force_login(editor)
    first = opened(client, page)
    client.force_login(officer)
    second = opened(client, page)
    save(client, page, second, title="El títol de l'Oriol")
    client.force_login(editor)
    return page, first


def latest(page):
    return StandardPage.objects.get(pk=page.pk).get_latest_revision_as_object()


def test_the_second_to_save_is_told_and_loses_nothing(client, two):
    page, first = two
    answer = save(client, page, first, title="El títol de l'Eva")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Oriol Oficial" in text
    assert "El títol de l&#x27;Eva" in text
    assert reverse("wagtailadmin_pages:revisions_compare", args=[page.pk, *page.revisions.order_by("pk").values_list("pk", flat=True)]) in text
    assert latest(page).title == "El títol de l'Oriol"


def test_who_saves_again_after_the_warning_replaces_the_other_version_which_stays_in_the_history(client, two):
    page, first = two
    warned = form_in(save(client, page, first, title="El títol de l'Eva"))
    assert save(client, page, warned).status_code == 302
    assert latest(page).title == "El títol de l'Eva"
    assert "El títol de l'Oriol" in [revision.content["title"] for revision in page.revisions.all()]


def test_the_second_to_publish_is_told_too(client, editor, officer, two):
    page, first = two
    # Editors publish nothing, so the two change places: the newer version is hers.
    page.revisions.filter(user=officer).update(user=editor)
    client.force_login(officer)
    first["loaded_revision_id"] = str(page.latest_revision_id)
    assert save(client, page, first, "action-publish", title="Vell").status_code == 200
    assert StandardPage.objects.get(pk=page.pk).title == "Ajuts"


def test_the_warning_is_saved_by_no_script(client, two):
    page, first = two
    text = save(client, page, first).content.decode()
    assert "w-autosave" not in text or 'w-autosave-active-value="false"' in text or "data-w-autosave" not in text


def test_the_second_is_told_where_the_page_had_no_version_before(client, editor, officer):
    page = StandardPage.objects.filter(latest_revision=None).first()
    client.force_login(editor)
    first = opened(client, page)
    client.force_login(officer)
    save(client, page, opened(client, page), title="El de l'Oriol")
    client.force_login(editor)
    assert save(client, page, first, title="El de l'Eva").status_code == 200
    assert latest(page).title == "El de l'Oriol"


def test_what_was_saved_by_itself_is_no_news_to_who_typed_it(client, editor):
    """The form does not learn the number of that version."""
    page = make_page()
    client.force_login(editor)
    first = opened(client, page)
    for title in ("A", "Ajuts d'ab"):
        assert client.post(edit_address(page), {**first.dict(), "title": title}, headers={"Accept": "application/json"}).json()["success"]
        first["overwrite_revision_id"] = str(page.revisions.last().pk)
    del first["overwrite_revision_id"]
    assert save(client, page, first, "action-submit", title="Ajuts d'abril").status_code == 302
    assert latest(page).title == "Ajuts d'abril"


def test_one_person_saves_twice_without_a_warning(client, editor):
    page = make_page()
    client.force_login(editor)
    save(client, page, opened(client, page), title="U")
    assert save(client, page, opened(client, page), title="Dos").status_code == 302
    assert latest(page).title == "Dos"


def test_autosave_refuses_to_overwrite(client, two):
    page, first = two
    answer = client.post(edit_address(page), first, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "invalid_revision"


# --- Moved pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "prefix"), [("ca", ""), ("es", "/es"), ("en", "/en")])
def test_a_moved_page_and_what_is_below_it_are_found_at_their_old_addresses(client, django_capture_on_commit_callbacks, language, prefix):
    top = home(language)
    there, page = make_page("There", top), make_page("Page", top)
    child = make_page("Child", page)
    with django_capture_on_commit_callbacks(execute=True):
        page.move(there, pos="last-child")
    assert client.get(f"{prefix}/page/").headers["Location"].endswith(f"{prefix}/there/page/")
    assert client.get(f"{prefix}/page/child/").headers["Location"].endswith(f"{prefix}/there/page/child/")
    assert client.get(f"{prefix}/there/page/child/").status_code == 200
    assert Redirect.objects.count() == 2
    assert child.pk


@pytest.mark.parametrize(("language", "prefix"), [("ca", ""), ("es", "/es"), ("en", "/en")])
def test_a_renamed_page_is_found_at_its_old_address(client, django_capture_on_commit_callbacks, language, prefix):
    page = make_page("Page", home(language))
    with django_capture_on_commit_callbacks(execute=True):
        page.slug = "renamed"
        page.save_revision().publish()
    answer = client.get(f"{prefix}/page/?from=mail")
    assert answer.status_code in (301, 302)
    assert "/renamed/" in answer.headers["Location"]


def test_a_page_moved_twice_and_back_ends_in_no_circle(client, django_capture_on_commit_callbacks):
    there, page = make_page("There"), make_page("Page")
    for target in (there, home()):
        with django_capture_on_commit_callbacks(execute=True):
            StandardPage.objects.get(pk=page.pk).move(Page.objects.get(pk=target.pk), pos="last-child")
    assert client.get("/page/").status_code == 200
    assert client.get("/there/page/").headers["Location"].endswith("/page/")


def test_links_in_texts_follow_a_moved_page(client, django_capture_on_commit_callbacks):
    there, page = make_page("There"), make_page("Page")
    links = make_page("Links")
    links.body = [("text", f'<p><a linktype="page" id="{page.pk}">aquí</a></p>')]
    links.save_revision().publish()
    assert 'href="/page/"' in client.get("/links/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        page.move(there, pos="last-child")
    text = client.get("/links/").content.decode()
    assert 'href="/there/page/"' in text
    assert 'href="/page/"' not in text


# --- Every kind of page ---------------------------------------------------------------------------------------------------


def make_kind(kind):
    if kind is AidPage:
        return make_aid("Ajut")
    return make_form() if kind is FormPage else make_page_of(kind)


@pytest.mark.parametrize("kind", [*KINDS, AidPage], ids=lambda kind: kind.__name__)
def test_every_kind_can_be_edited_previewed_and_compared_in_its_history(client, officer, kind):
    page = make_kind(kind).specific
    page.title = "Un altre títol"
    page.save_revision(user=officer)
    versions = list(page.revisions.order_by("pk").values_list("pk", flat=True))
    client.force_login(officer)
    assert client.get(edit_address(page)).status_code == 200
    draft = client.get(reverse("wagtailadmin_pages:view_draft", args=[page.pk]))
    assert draft.status_code == 200
    assert "Un altre títol" in draft.content.decode()
    # Under the policy of public pages, so that what it forbids is seen before anybody else does.
    assert "script-src 'self'" in draft.headers["Content-Security-Policy"]
    assert client.get(reverse("wagtailadmin_pages:history", args=[page.pk])).status_code == 200
    compared = client.get(reverse("wagtailadmin_pages:revisions_compare", args=[page.pk, "earliest", versions[-1]]))
    assert compared.status_code == 200


def test_the_preview_beside_the_form_may_stand_in_the_consoles_frame(client, officer):
    page = make_page()
    client.force_login(officer)
    address = reverse("wagtailadmin_pages:preview_on_edit", args=[page.pk])
    data = opened(client, page)
    data["title"] = "Encara no desat"
    assert client.post(address, data).json()["is_valid"]
    shown = client.get(address + "?in_preview_panel=true&mode=")
    assert "Encara no desat" in shown.content.decode()
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in client.get(page.get_url()).headers["Content-Security-Policy"]
    assert StandardPage.objects.get(pk=page.pk).title == "Ajuts"


def test_aid_is_kept_by_editors_and_nobody_else_is_listed(client, officer, editor):
    """A list of all accounts would show the people of every company, with their addresses, to everybody who writes pages."""
    UserFactory(email="owner@firm.example", name="")
    person(EDITORS, email="gone@city.example", name="Gina Antiga", is_active=False)
    left = person(email="left@city.example", name="Lola Abans", is_active=False)
    page = make_aid("Botigues", officer=left)
    client.force_login(officer)
    names = re.findall(r"<option[^>]*>([^<]+)", re.search(r'<select name="officer".*?</select>', client.get(edit_address(page)).content.decode(), re.DOTALL)[0])
    assert [name for name in names if "-" not in name] == ["Eva Editora", "Lola Abans", "Oriol Oficial"]


def test_first_page_tells_those_who_write_what_to_look_at(client, editor, officer):
    from tests.cms.aid.factories import make_aid  # noqa: PLC0415 - for this test alone

    make_aid(officer=editor)
    for user, sees_comments in ((editor, False), (officer, True)):
        client.force_login(user)
        page = client.get(reverse("wagtailadmin_home")).content.decode()
        assert reverse("console_aid_reviews") in page
        assert ("console-late" in page) is True
        assert (reverse("console_comments") in page.partition('id="public-site')[2]) is sees_comments
