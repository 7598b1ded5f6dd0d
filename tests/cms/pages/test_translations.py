"""Translations: made as drafts, told from what they translate when they are older, editable either way."""

import datetime

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone
from wagtail.models import Locale, Page
from wagtail_localize.models import StringSegment, StringTranslation, Translation, TranslationContext, TranslationSource

from cms.pages import translations
from cms.pages.models import FormPage, HomePage, StandardPage
from cms.pages.rules import EDITORS
from tests.cms.aid.factories import make_aid, translate_aid
from tests.cms.pages.factories import KINDS, make_form
from tests.cms.pages.factories import make_page as make_page_of
from tests.cms.pages.test_blocks import every_block
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
OLD = "version in Catalan has changed since"


def locale(language):
    return Locale.objects.get(language_code=language)


@pytest.fixture
def moment():
    """Publications a day apart."""
    start = timezone.now()

    def day(number):
        return time_machine.travel(start + datetime.timedelta(days=number), tick=True)

    return day


@pytest.fixture
def pair(moment):
    """A page in Catalan and its English translation of a day later."""
    page = StandardPage(title="Ajuts", live=False, lead="Què hi ha")
    HomePage.objects.get(locale__language_code="ca").add_child(instance=page)
    with moment(0):
        page.save_revision().publish()
    with moment(1):
        english = StandardPage.objects.get(pk=page.pk).copy_for_translation(locale("en"))
        english.title, english.slug, english.lead = "Aid", "aid-en", "What there is"
        english.save_revision().publish()
    return StandardPage.objects.get(pk=page.pk), StandardPage.objects.get(pk=english.pk)


def publish(page, **changes):
    page = StandardPage.objects.get(pk=page.pk).get_latest_revision_as_object()
    for name, value in changes.items():
        setattr(page, name, value)
    page.save_revision().publish()


def texts(pair):
    page, english = (StandardPage.objects.get(pk=one.pk) for one in pair)
    found = translations.outdated([(english, page)])
    return [one.texts for one in found]


def test_a_translation_of_a_later_day_is_not_outdated(pair):
    assert texts(pair) == []


def test_a_text_that_changed_makes_the_translation_outdated_and_is_named(pair, moment):
    with moment(2):
        publish(pair[0], lead="Què hi ha ara")
    (names,) = texts(pair)
    assert len(names) == 1
    with moment(3):
        publish(pair[0], title="Ajuts nous", body=[("text", "<p>Text</p>")])
    (names,) = texts(pair)
    assert len(names) == 3


def test_publishing_the_same_text_again_makes_nothing_outdated(pair, moment):
    with moment(2):
        publish(pair[0], show_in_menus=True, slug="ajuts-2")
    assert texts(pair) == []


def test_a_draft_of_the_source_makes_nothing_outdated(pair, moment):
    with moment(2):
        page = StandardPage.objects.get(pk=pair[0].pk)
        page.lead = "Encara no"
        page.save_revision()
    assert texts(pair) == []


def test_publishing_the_translation_again_says_that_it_is_right(pair, moment):
    with moment(2):
        publish(pair[0], lead="Què hi ha ara")
    with moment(3):
        publish(pair[1])
    assert texts(pair) == []


def test_a_text_put_back_to_what_the_translation_knows_makes_it_right_again(pair, moment):
    with moment(2):
        publish(pair[0], lead="Què hi ha ara")
    with moment(3):
        publish(pair[0], lead="Què hi ha")
    assert texts(pair) == []


def test_a_page_made_without_versions_is_outdated_after_its_first_edit(moment):
    page = StandardPage.objects.filter(locale__language_code="ca", latest_revision=None).first()
    english = page.get_translation(locale("en"))
    with moment(2):
        publish(page, lead="Nou")
    assert texts((page, english)) == [None]


def test_facts_make_no_translation_outdated(moment):
    with moment(0):
        aid = make_aid("Ajut")
    with moment(1):
        english = translate_aid(aid, "en", "Aid")
    with moment(2):
        page = aid.get_latest_revision_as_object()
        page.amount_max = 500
        page.save_revision().publish()
    assert translations.newer_source(Page.objects.get(pk=english.pk)) is None
    with moment(3):
        page = type(aid).objects.get(pk=aid.pk).get_latest_revision_as_object()
        page.summary = "Una altra frase"
        page.save_revision().publish()
    assert translations.newer_source(Page.objects.get(pk=english.pk)).pk == aid.pk


def test_readers_of_an_outdated_translation_find_the_newer_version(client, pair, moment, django_capture_on_commit_callbacks):
    address = pair[1].get_url()
    assert OLD not in client.get(address).content.decode()
    with moment(2), django_capture_on_commit_callbacks(execute=True):
        publish(pair[0], lead="Què hi ha ara")
    text = client.get(address).content.decode()
    assert OLD in text
    assert f'href="{pair[0].get_url()}" hreflang="ca"' in text
    assert OLD not in client.get(pair[0].get_url()).content.decode()


def test_readers_are_sent_to_no_page_that_was_taken_back(client, pair, moment):
    with moment(2):
        publish(pair[0], lead="Què hi ha ara")
        StandardPage.objects.get(pk=pair[0].pk).unpublish()
    assert OLD not in client.get(pair[1].get_url()).content.decode()


def test_a_page_that_is_no_outdated_translation_costs_one_query(pair, django_assert_num_queries):
    page = Page.objects.get(pk=pair[1].pk)
    with django_assert_num_queries(1):
        assert translations.newer_source(page) is None


# --- In the console -----------------------------------------------------------------------------------------------------


@pytest.fixture
def console(client):
    editor = UserFactory(language="en")
    editor.groups.add(Group.objects.get(name=EDITORS))
    client.force_login(editor)
    return client


def test_the_console_lists_outdated_translations_with_what_changed(console, pair, moment):
    with moment(2):
        publish(pair[0], lead="Què hi ha ara")
    text = console.get(reverse("console_translations")).content.decode()
    assert "Aid</a>" in text
    assert "Opening sentence" in text
    versions = pair[0].revisions.order_by("pk").values_list("pk", flat=True)
    compare = reverse("wagtailadmin_pages:revisions_compare", args=[pair[0].pk, versions[0], versions[1]])
    assert compare in text
    assert console.get(compare).status_code == 200


def test_the_console_lists_what_is_not_translated(console):
    page = StandardPage(title="Només en català", live=True)
    HomePage.objects.get(locale__language_code="ca").add_child(instance=page)
    text = console.get(reverse("console_translations") + "?show=missing").content.decode()
    assert "Només en català" in text
    assert reverse("wagtail_localize:submit_page_translation", args=[page.pk]) in text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_for_one_row_and_three(console, moment, django_assert_max_num_queries, rows):
    home = HomePage.objects.get(locale__language_code="ca")
    for number in range(rows):
        page = StandardPage(title=f"Pàgina {number}", live=False)
        home.add_child(instance=page)
        with moment(0):
            page.save_revision().publish()
        with moment(1):
            StandardPage.objects.get(pk=page.pk).copy_for_translation(locale("en")).save_revision().publish()
        with moment(2):
            publish(page, lead="Nou")
    console.get(reverse("console_translations"))
    with django_assert_max_num_queries(22):
        assert console.get(reverse("console_translations")).context["outdated_count"] == rows


# --- wagtail-localize ---------------------------------------------------------------------------------------------------


def translate(console, page, *languages):
    data = {"locales": [locale(language).pk for language in languages]}
    return console.post(reverse("wagtail_localize:submit_page_translation", args=[page.pk]), data)


def test_translate_this_page_makes_drafts_below_the_other_home_pages(console):
    page = StandardPage(title="Ajuts", live=False, lead="Què hi ha")
    HomePage.objects.get(locale__language_code="ca").add_child(instance=page)
    page.save_revision().publish()
    assert translate(console, page, "es", "en").status_code == 302
    for language in ("es", "en"):
        made = StandardPage.objects.get(translation_key=page.translation_key, locale=locale(language))
        assert (made.live, made.lead, made.get_parent().pk) == (False, "Què hi ha", HomePage.objects.get(locale=locale(language)).pk)
        answer = console.get(reverse("wagtailadmin_pages:edit", args=[made.pk]))
        assert 'name="lead"' in answer.content.decode()


def test_pages_that_the_migration_made_stay_editable(console):
    for page in StandardPage.objects.exclude(locale__language_code="ca"):
        assert 'name="lead"' in console.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).content.decode()


def test_a_synced_translation_takes_the_texts_as_segments_and_keeps_facts_out():
    aid = make_aid("Ajut", summary="Una frase", legal_base="Llei 1", procedure_url="https://tramits.example/")
    source, _ = TranslationSource.get_or_create_from_instance(aid)
    paths = set(StringSegment.objects.filter(source=source).values_list("context__path", flat=True))
    assert paths == {"title", "slug", "summary", "legal_base"}
    Translation.objects.create(source=source, target_locale=locale("en"))
    segment = StringSegment.objects.get(source=source, context__path="summary")
    context = TranslationContext.objects.get(path="summary", object=source.object)
    StringTranslation.objects.create(translation_of=segment.string, locale=locale("en"), context=context, data="One sentence")
    source.create_or_update_translation(locale("en"), fallback=True, publish=False)
    english = aid.get_translation(locale("en"))
    assert english.get_latest_revision_as_object().summary == "One sentence"
    assert [call.deadline for call in english.calls.all()] == [call.deadline for call in aid.calls.all()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_can_be_translated_sentence_by_sentence(kind):
    page = make_page_of(kind, body=every_block()) if hasattr(kind, "body") else make_page_of(kind)
    source, _ = TranslationSource.get_or_create_from_instance(page.specific)
    Translation.objects.create(source=source, target_locale=locale("en"))
    made, _ = source.create_or_update_translation(locale("en"), publish=False, copy_parent_pages=True, fallback=True)
    assert (made.locale.language_code, made.live) == ("en", False)
    # What is no text is the same.
    if hasattr(kind, "body"):
        assert [one.block_type for one in made.specific.body] == [one.block_type for one in page.body]


def test_questions_of_a_translated_form_stay_translated():
    page = make_form()
    source, _ = TranslationSource.get_or_create_from_instance(page)
    Translation.objects.create(source=source, target_locale=locale("en"))
    source.create_or_update_translation(locale("en"), publish=False, copy_parent_pages=True, fallback=True)
    english = FormPage.objects.get(translation_key=page.translation_key, locale=locale("en"))
    english.form_fields.update(label="Your name")
    source.update_from_db()
    source.create_or_update_translation(locale("en"), publish=False, fallback=True)
    assert set(FormPage.objects.get(pk=english.pk).form_fields.values_list("label", flat=True)) == {"Your name"}
