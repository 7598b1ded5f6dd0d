"""Facts are the same in every language: whoever publishes, however, and whatever a translator has not published yet."""

import datetime
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.models import PageLogEntry, Workflow
from wagtail_localize.models import Translation, TranslationSource

from cms.aid import facts
from cms.aid.models import FACT_ROWS, AidPage, Call, RelatedRow
from cms.console import scheduled
from cms.pages.rules import OFFICERS
from marketplace.core import changelog
from tests.cms.aid.factories import finder, funder, make_aid, translate_aid
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
MAY = datetime.date(2030, 5, 1)
JUNE = datetime.date(2030, 6, 1)


@pytest.fixture
def aid():
    """An aid in Catalan and Spanish, the worker having seen all of it."""
    page = make_aid("Ajut", calls=[{"deadline": MAY}])
    translate_aid(page, "es", "Ayuda")
    work()
    return page


def work():
    while facts.run_once():
        pass


def fresh(page, language="es"):
    return AidPage.objects.get(translation_key=page.translation_key, locale__language_code=language)


def postpone(page, deadline=JUNE, *, publish=True, user=None):
    """As an officer does: a new version with another deadline."""
    page = page.get_latest_revision_as_object()
    call = page.calls.all()[0]
    call.deadline = deadline
    page.calls = [call]
    revision = page.save_revision(user=user)
    if publish:
        revision.publish(user=user)
    return revision


def deadlines(page):
    return [call.deadline for call in page.calls.all()]


def test_a_published_deadline_reaches_the_other_languages(aid):
    postpone(aid)
    assert deadlines(fresh(aid)) == [MAY]
    work()
    assert deadlines(fresh(aid)) == [JUNE]


def test_every_fact_reaches_the_other_languages_and_no_text_does(aid):
    page = aid.get_latest_revision_as_object()
    page.title, page.summary = "Un altre títol", "Una altra frase"
    page.kind, page.beneficiaries, page.sizes, page.amount_min, page.amount_max, page.share_max = (
        "loan",
        ["company"],
        ["micro"],
        Decimal(10),
        Decimal("99.50"),
        40,
    )
    page.contact_phone, page.procedure_url, page.is_example = "93 000 00 00", "https://tramits.example/1", True
    page.funder_rows = [type(row)(funder=funder(name)) for row in page.funder_rows.all() for name in ("Generalitat (exemple)", "Banc (exemple)")]
    page.calls = [Call(deadline=JUNE, number="BDNS-1", budget=Decimal(5)), Call(opens_on=JUNE)]
    page.save_revision().publish()
    work()
    spanish, catalan = fresh(aid), fresh(aid, "ca")
    assert (spanish.title, spanish.summary) == ("Ayuda", "Ajut per a empreses.")
    for name in (*facts.FACTS, *facts.FACT_LINKS):
        if name != "related_rows":
            assert getattr(spanish, name) == getattr(catalan, name), name
    assert [one.name_ca for one in spanish.funders] == ["Generalitat (exemple)", "Banc (exemple)"]
    assert [(call.deadline, call.number, call.uid) for call in spanish.calls.all()] == [(call.deadline, call.number, call.uid) for call in catalan.calls.all()]


def test_rules_reach_the_other_languages(aid):
    page = aid.get_latest_revision_as_object()
    block = next(iter(page.rules.stream_block.child_blocks.values()))
    page.rules = [(block.name, block.get_default())]
    page.save_revision(clean=False)
    AidPage.objects.filter(pk=page.pk).update(rules=page.rules)
    facts.spread(aid)
    assert fresh(aid).rules.get_prep_value() == fresh(aid, "ca").rules.get_prep_value() != []


def test_related_aid_is_named_in_the_language_of_the_page(aid):
    other = make_aid("Un altre")
    otro = translate_aid(other, "es", "Otro")
    only_catalan = make_aid("Només en català")
    page = aid.get_latest_revision_as_object()
    page.related_rows = [RelatedRow(aid=other), RelatedRow(aid=only_catalan)]
    page.save_revision().publish()
    work()
    assert [row.aid_id for row in fresh(aid).related_rows.all()] == [otro.pk, only_catalan.pk]


def test_a_translators_draft_keeps_its_text_and_gets_the_facts(aid):
    draft = fresh(aid)
    draft.title, draft.summary = "Ayuda nueva", "Texto que nadie ha publicado"
    draft.save_revision()
    postpone(aid)
    work()
    spanish = fresh(aid)
    assert (spanish.title, deadlines(spanish), spanish.has_unpublished_changes) == ("Ayuda", [JUNE], True)
    later = spanish.get_latest_revision_as_object()
    assert (later.title, later.summary, deadlines(later)) == ("Ayuda nueva", "Texto que nadie ha publicado", [JUNE])
    later.save_revision().publish()
    assert (fresh(aid).title, deadlines(fresh(aid))) == ("Ayuda nueva", [JUNE])


def test_a_scheduled_translation_does_not_bring_the_old_deadline_back(aid):
    draft = fresh(aid)
    draft.title, draft.go_live_at = "Ayuda de mañana", timezone.now() + datetime.timedelta(days=1)
    draft.save_revision().publish()
    newest = fresh(aid).get_latest_revision_as_object()
    newest.title = "Todavía otra"
    newest.go_live_at = None
    newest.save_revision()
    postpone(aid)
    work()
    with time_machine.travel(timezone.now() + datetime.timedelta(days=2)):
        assert scheduled.run_once() == 1
    assert (fresh(aid).title, deadlines(fresh(aid))) == ("Ayuda de mañana", [JUNE])


def test_a_translation_under_review_does_not_bring_the_old_deadline_back(aid):
    editor, officer = UserFactory(), UserFactory()
    officer.groups.add(Group.objects.get(name=OFFICERS))
    draft = fresh(aid)
    draft.title = "Ayuda revisada"
    draft.save_revision(user=editor)
    state = Workflow.objects.get(name="OAE review").start(fresh(aid), editor)
    postpone(aid)
    work()
    state.refresh_from_db()
    state.current_task_state.approve(user=officer)
    assert (fresh(aid).title, deadlines(fresh(aid))) == ("Ayuda revisada", [JUNE])


def test_a_draft_tells_nobody(aid):
    postpone(aid, publish=False)
    work()
    assert deadlines(fresh(aid)) == [MAY]


def test_facts_of_a_scheduled_version_arrive_when_its_time_has_come(aid):
    page = aid.get_latest_revision_as_object()
    page.go_live_at = timezone.now() + datetime.timedelta(days=1)
    page.calls = [Call(deadline=JUNE)]
    page.save_revision().publish()
    work()
    assert deadlines(fresh(aid)) == [MAY]
    with time_machine.travel(timezone.now() + datetime.timedelta(days=2)):
        scheduled.run_once()
        work()
    assert deadlines(fresh(aid)) == [JUNE]


def test_publishing_a_translation_brings_no_old_facts_back(aid):
    stale = fresh(aid).save_revision()
    content = stale.content
    postpone(aid)
    work()
    # A form that stood open, or somebody who publishes an old version from the history.
    stale.content = content
    stale.save()
    stale.publish()
    assert deadlines(fresh(aid)) == [MAY]
    work()
    assert (deadlines(fresh(aid)), deadlines(fresh(aid, "ca"))) == ([JUNE], [JUNE])


def test_wagtail_localize_brings_no_old_facts_back(aid):
    source, _ = TranslationSource.get_or_create_from_instance(fresh(aid, "ca"))
    Translation.objects.create(source=source, target_locale=finder("es").locale)
    postpone(aid)
    work()
    source.create_or_update_translation(finder("es").locale, fallback=True, publish=False)
    assert deadlines(fresh(aid).get_latest_revision_as_object()) == [JUNE]


def test_a_second_copy_changes_nothing_and_ends(aid):
    postpone(aid)
    work()
    entries, last = PageLogEntry.objects.count(), changelog.last_id()
    assert facts.spread(aid) == []
    assert (PageLogEntry.objects.count(), changelog.last_id()) == (entries, last)


def test_a_new_language_gets_the_facts_of_now(aid):
    postpone(aid)
    english = translate_aid(AidPage.objects.get(pk=aid.pk), "en", "Aid")
    AidPage.objects.get(pk=english.pk).calls.update(deadline=MAY)
    facts.spread(aid)
    assert deadlines(fresh(aid, "en")) == [JUNE]


def test_the_history_names_who_published(aid):
    officer = UserFactory()
    officer.groups.add(Group.objects.get(name=OFFICERS))
    postpone(aid, user=officer)
    work()
    entry = PageLogEntry.objects.get(action=facts.ACTION)
    assert (entry.page_id, entry.user, entry.data["facts"]) == (fresh(aid).pk, officer, ["calls"])


def test_a_crash_between_publishing_and_copying_loses_nothing(aid, monkeypatch):
    postpone(aid)
    monkeypatch.setattr(facts, "_copy", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        facts.run_once()
    assert deadlines(fresh(aid)) == [MAY]
    monkeypatch.undo()
    work()
    assert deadlines(fresh(aid)) == [JUNE]


def test_a_save_that_is_rolled_back_leaves_no_change_and_a_kept_one_always_does(aid):
    before = changelog.last_id()
    page = AidPage.objects.get(pk=aid.pk)
    page.save()
    written = [(change.kind, change.uid) for change in changelog.read((0, before))]
    assert ("page", aid.translation_key) in written


def test_the_search_engine_hears_of_the_translation(aid):
    before = changelog.last_id()
    postpone(aid)
    work()
    from cms.aid.documents import KIND, uid_of  # noqa: PLC0415

    assert (KIND, uid_of(fresh(aid))) in {(change.kind, change.uid) for change in changelog.read((0, before))}


def test_other_aid_is_left_alone(aid):
    other = make_aid("Un altre", calls=[{"deadline": MAY}])
    translate_aid(other, "es", "Otro")
    postpone(aid)
    work()
    assert deadlines(fresh(other)) == [MAY]


def test_an_aid_that_was_taken_back_tells_nobody(aid):
    postpone(aid)
    AidPage.objects.get(pk=aid.pk).unpublish()
    work()
    assert deadlines(fresh(aid)) == [MAY]


# --- The form -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def console(client):
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    return client


def test_the_form_of_a_translation_has_no_facts_and_says_where_they_are(console, aid):
    page = console.get(reverse("wagtailadmin_pages:edit", args=[fresh(aid).pk])).content.decode()
    assert 'name="kind"' not in page
    assert "calls-TOTAL_FORMS" not in page
    assert 'name="summary"' in page
    assert reverse("wagtailadmin_pages:edit", args=[aid.pk]) in page
    source = console.get(reverse("wagtailadmin_pages:edit", args=[aid.pk])).content.decode()
    assert 'name="kind"' in source
    assert "calls-TOTAL_FORMS" in source


def test_a_translation_is_saved_without_facts_in_its_form(console, aid):
    spanish = fresh(aid)
    address = reverse("wagtailadmin_pages:edit", args=[spanish.pk])
    form = console.get(address).context["form"]
    data = {name: form.initial.get(name) or "" for name in form.fields} | {
        "title": "Ayuda nueva", "slug": spanish.slug, "summary": "Frase", "kind": "loan", "calls-TOTAL_FORMS": "0",
        "body-count": "0", "how_to_apply-count": "0", "comments-TOTAL_FORMS": "0", "comments-INITIAL_FORMS": "0", "action-publish": "1",
    }  # fmt: skip
    answer = console.post(address, {name: value for name, value in data.items() if isinstance(value, str)})
    assert answer.status_code == 302, answer.context["form"].errors
    saved = fresh(aid)
    assert (saved.title, saved.kind, deadlines(saved)) == ("Ayuda nueva", "grant", [MAY])


def new_form(**sent):
    """The form of a new aid: as it is opened, or as it was sent."""
    form = AidPage.get_edit_handler().get_form_class()
    rows = {f"{name}-{count}_FORMS": "0" for name in (*FACT_ROWS, "related_rows", "comments") for count in ("TOTAL", "INITIAL")}
    return form({**rows, **sent} if sent else None, instance=AidPage(), parent_page=finder(), for_user=UserFactory(is_superuser=True))


def test_a_draft_is_saved_before_anybody_knows_who_pays():
    """Django's first empty row could be saved by nobody, and stayed there when funders were chosen."""
    assert new_form().formsets["funder_rows"].total_form_count() == 0
    rows = {"funder_rows-TOTAL_FORMS": "0"}
    draft = new_form(**rows)
    draft.defer_required_fields()
    assert draft.formsets["funder_rows"].is_valid()
    with translation.override("en"):
        [told] = new_form(**rows).formsets["funder_rows"].non_form_errors()
    assert told == "Say who pays: choose at least one funder."
