import datetime
import uuid

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from wagtail.models import Locale

from cms.comments import conversations, kinds, limits, operations, signatures
from cms.comments.enums import Complaint, Held, Moderation, Move, State
from cms.comments.models import Comment, Conversation, Report
from cms.pages.models import HomePage
from marketplace.core.models import Change, Mail
from tests.concurrency import at_once
from tests.concurrency import kinds as kinds_of
from tests.factories import CompanyFactory, MembershipFactory, UserFactory

FIVE_LINKS = " ".join(f"https://spam{number}.example" for number in range(5))


@pytest.fixture
def shown(open_page, known):
    """A comment that is public before anybody read it."""
    return operations.post(open_page, by=known, text="És una bona notícia per al barri")


def readers(page):
    return list(Comment.objects.readable().filter(conversation__translation_key=page.translation_key).values_list("text", flat=True))


# --- Posting ------------------------------------------------------------------------------------------------------------------


def test_comment_waits_where_comments_are_read_first(page, known):
    comment = operations.post(page, by=known, text="Moltes gràcies per la informació")
    assert (comment.state, comment.held_for) == (State.WAITING, [Held.PAGE])
    assert comment.text not in readers(page)


def test_comment_is_public_at_once_where_it_is_read_later(shown):
    assert (shown.state, shown.held_for) == (State.SHOWN, [])


def test_first_comment_of_an_author_waits_everywhere(open_page, author):
    comment = operations.post(open_page, by=author, text="Bon dia")
    assert (comment.state, comment.held_for) == (State.WAITING, [Held.FIRST])


def test_refused_comment_makes_nobody_known(open_page, author, moderator):
    operations.refuse(operations.post(open_page, by=author, text="Bon dia"), by=moderator, reason="No")
    assert operations.post(open_page, by=author, text="Bona tarda").state == State.WAITING


def test_comment_with_five_links_is_held(open_page, known):
    comment = operations.post(open_page, by=known, text=FIVE_LINKS)
    assert (comment.state, comment.held_for) == (State.WAITING, [Held.LINKS])


def test_comment_full_of_links_is_refused_with_the_number(open_page, known):
    with pytest.raises(ValidationError) as refused:
        operations.post(open_page, by=known, text=" ".join(f"https://spam{number}.example" for number in range(25)))
    assert "25" in str(refused.value.message_dict["text"])


def test_text_that_somebody_posted_before_is_held(open_page, known, moderator):
    text = "Compreu els nostres productes, són els millors"
    assert operations.post(open_page, by=known, text=text).state == State.SHOWN
    other = UserFactory()
    operations.approve(operations.post(open_page, by=other, text="El primer"), by=moderator)
    again = operations.post(open_page, by=other, text=text.upper() + "!!!")
    assert (again.state, again.held_for) == (State.WAITING, [Held.REPEATED])


def test_same_text_twice_on_a_page_is_refused(shown, open_page, known):
    with pytest.raises(ValidationError):
        operations.post(open_page, by=known, text=shown.text)


def test_what_the_form_noticed_holds_a_comment(open_page, known):
    comment = operations.post(open_page, by=known, text="Text", suspicions=[Held.TRAP, Held.FAST])
    assert (comment.state, comment.held_for) == (State.WAITING, [Held.TRAP, Held.FAST])


def test_form_sent_twice_makes_one_comment(open_page, known):
    key = uuid.uuid4()
    first = operations.post(open_page, by=known, text="Un cop", submission_key=key)
    assert operations.post(open_page, by=known, text="Un cop", submission_key=key) == first
    assert Comment.objects.filter(text="Un cop").count() == 1


@pytest.mark.parametrize("text", ["", "   \n", "\u200b\u202e", "!!! ... ---"])
def test_comment_needs_words(open_page, known, text):
    with pytest.raises(ValidationError):
        operations.post(open_page, by=known, text=text)


def test_comment_longer_than_the_limit_is_refused(open_page, known):
    with pytest.raises(ValidationError):
        operations.post(open_page, by=known, text="a" * 3001)


@pytest.mark.parametrize("moderation", [Moderation.OFF, Moderation.CLOSED])
def test_nothing_can_be_written_where_comments_are_closed(page, known, moderator, moderation):
    operations.set_moderation(page, moderation, by=moderator)
    with pytest.raises(ValidationError):
        operations.post(page, by=known, text="Bon dia")


def test_pages_of_other_kinds_take_no_comments(db, author):
    with pytest.raises(ValidationError):
        operations.post(HomePage.objects.first(), by=author, text="Bon dia")


def test_moderators_comment_is_public_and_official(page, moderator):
    comment = operations.post(page, by=moderator, text="El termini acaba divendres. https://a.example https://b.example https://c.example")
    assert (comment.state, comment.official, comment.held_for) == (State.APPROVED, True, [])


# --- Names --------------------------------------------------------------------------------------------------------------------


def test_comment_is_signed_with_the_first_name(page, known):
    assert operations.post(page, by=known, text="Text").shown_name == "Anna"


def test_comment_is_signed_with_a_company_of_the_person(page, known):
    company = MembershipFactory(user=known, company__name="Tecnoplàstics, SL").company
    assert operations.post(page, by=known, text="Text", signature=str(company.uid)).shown_name == "Tecnoplàstics, SL"


def test_nobody_signs_for_a_company_that_is_not_theirs(page, known):
    assert operations.post(page, by=known, text="Text", signature=str(CompanyFactory().uid)).shown_name == "Anna"


def test_moderators_sign_for_the_site(page, moderator):
    assert operations.post(page, by=moderator, text="Text").shown_name == "Marketplace Terrassa"


def test_person_named_like_their_company_signs_with_its_whole_name(page, known):
    company = MembershipFactory(user=known, company__name=known.name).company
    assert operations.post(page, by=known, text="Text").shown_name == company.name


def test_hidden_company_signs_nothing(page, known):
    MembershipFactory(user=known, company__hidden=True)
    assert signatures.choices(known) == [("person", "Anna")]


@pytest.mark.parametrize("name", ["", "anna@firm.example", "anna@firm.example Puig"])
def test_address_of_a_mailbox_is_never_shown(page, name):
    assert "@" not in operations.post(page, by=UserFactory(name=name), text="Text").shown_name


# --- Replies ------------------------------------------------------------------------------------------------------------------


def test_reply_stands_under_its_comment(open_page, shown, known):
    reply = operations.post(open_page, by=known, text="I tant", reply_to=shown)
    assert (reply.parent, reply.state) == (shown, State.SHOWN)


def test_replies_have_no_replies(open_page, shown, known):
    reply = operations.post(open_page, by=known, text="I tant", reply_to=shown)
    with pytest.raises(ValidationError):
        operations.post(open_page, by=known, text="Doncs sí", reply_to=reply)


def test_reply_to_something_refused_meanwhile_is_not_possible(open_page, shown, known, moderator):
    operations.refuse(shown, by=moderator, reason="No")
    with pytest.raises(ValidationError):
        operations.post(open_page, by=known, text="I tant", reply_to=shown)


def test_reply_stays_on_its_page(open_page, shown, known):
    other = open_page.get_parent().add_child(instance=type(open_page)(title="Altra", slug="altra", body="", locale=open_page.locale))
    with pytest.raises(ValidationError):
        operations.post(other, by=known, text="I tant", reply_to=shown)


def test_replies_go_out_of_sight_with_their_comment(open_page, shown, known, moderator):
    operations.post(open_page, by=known, text="I tant", reply_to=shown)
    operations.refuse(shown, by=moderator, reason="No")
    assert readers(open_page) == ["El meu primer comentari"]


# --- Limits -------------------------------------------------------------------------------------------------------------------


def test_flood_of_one_person_is_stopped_and_ends(open_page, known):
    start = timezone.now() + datetime.timedelta(hours=1)
    number, period = limits.PERSON[0]
    with time_machine.travel(start, tick=False):
        for count in range(number):
            operations.post(open_page, by=known, text=f"Comentari {count}")
        with pytest.raises(limits.TooManyError) as refused:
            operations.post(open_page, by=known, text="Un més")
    assert refused.value.retry_after == period.total_seconds()
    with time_machine.travel(start + period, tick=False):
        operations.post(open_page, by=known, text="Un més")


def test_flood_over_a_day_is_stopped(open_page, known):
    start = timezone.now() + datetime.timedelta(hours=1)
    # One was written when the author became known.
    number = limits.PERSON[1][0] - 1
    for count in range(number):
        with time_machine.travel(start + count * datetime.timedelta(minutes=11), tick=False):
            operations.post(open_page, by=known, text=f"Comentari {count}")
    with time_machine.travel(start + number * datetime.timedelta(minutes=11), tick=False), pytest.raises(limits.TooManyError):
        operations.post(open_page, by=known, text="Un més")


def test_newcomer_waits_for_an_answer_before_writing_more(page, author):
    for count in range(limits.NEWCOMER):
        operations.post(page, by=author, text=f"Comentari {count}")
    with pytest.raises(limits.TooManyError):
        operations.post(page, by=author, text="Un més")


# --- Changing and deleting ----------------------------------------------------------------------------------------------------


def test_author_changes_the_text_for_a_quarter_of_an_hour(shown, known):
    with time_machine.travel(shown.created + datetime.timedelta(minutes=14)):
        assert operations.edit(shown, by=known, text="Millor així").text == "Millor així"
    with time_machine.travel(shown.created + datetime.timedelta(minutes=15)), pytest.raises(operations.IllegalMoveError):
        operations.edit(shown, by=known, text="Massa tard")


def test_approval_does_not_vouch_for_a_changed_text(page, known, moderator):
    comment = operations.approve(operations.post(page, by=known, text="Innocent"), by=moderator)
    assert operations.edit(comment, by=known, text="Compreu aquí").state == State.WAITING


def test_links_put_in_later_hold_a_comment_too(shown, known):
    edited = operations.edit(shown, by=known, text=FIVE_LINKS)
    assert (edited.state, edited.held_for) == (State.WAITING, [Held.LINKS])


def test_reported_text_cannot_be_changed(shown, known):
    operations.report(shown, by=UserFactory(), reason=Complaint.SPAM)
    with pytest.raises(operations.IllegalMoveError):
        operations.edit(shown, by=known, text="Jo no he dit res")


def test_nobody_changes_or_deletes_what_others_wrote(shown, moderator):
    with pytest.raises(PermissionDenied):
        operations.edit(shown, by=moderator, text="Una altra cosa")
    with pytest.raises(PermissionDenied):
        operations.delete(shown, by=moderator)


def test_deleted_comment_loses_its_words_and_name(shown, known):
    deleted = operations.delete(shown, by=known)
    deleted.refresh_from_db()
    assert (deleted.state, deleted.text, deleted.shown_name) == (State.DELETED, "", "")


def test_deleted_comment_leaves_an_empty_place_only_where_somebody_answered(open_page, shown, known, moderator):
    other = operations.post(open_page, by=known, text="Un altre")
    operations.post(open_page, by=moderator, text="Gràcies", reply_to=shown)
    operations.delete(shown, by=known)
    operations.delete(other, by=known)
    seen = shown.conversation.comments.threads_for(moderator)
    assert [comment.state for comment in seen] == [State.APPROVED, State.DELETED]
    assert "Gràcies" in readers(open_page)


# --- Reports ------------------------------------------------------------------------------------------------------------------


def test_reports_of_three_people_hide_a_comment(open_page, shown):
    for count in range(operations.REPORTS_THAT_HIDE):
        assert shown.text in readers(open_page)
        operations.report(shown, by=UserFactory(), reason=Complaint.INSULT, words=f"{count}")
    shown.refresh_from_db()
    assert (shown.state, shown.open_reports) == (State.HIDDEN, 3)
    assert shown.text not in readers(open_page)


def test_reports_of_one_person_count_once(shown):
    person = UserFactory()
    for reason in (Complaint.SPAM, Complaint.INSULT, Complaint.OTHER):
        operations.report(shown, by=person, reason=reason)
    shown.refresh_from_db()
    assert (shown.state, shown.open_reports) == (State.SHOWN, 1)
    assert Report.objects.get().reason == Complaint.OTHER


def test_comment_kept_by_a_moderator_is_not_hidden_by_new_reports(shown, moderator):
    for _ in range(3):
        operations.report(shown, by=UserFactory(), reason=Complaint.FALSE)
    operations.approve(shown, by=moderator)
    for _ in range(3):
        operations.report(shown, by=UserFactory(), reason=Complaint.FALSE)
    shown.refresh_from_db()
    assert (shown.state, shown.open_reports) == (State.APPROVED, 3)
    assert list(Comment.objects.reported()) == [shown]


def test_nobody_reports_their_own_comment(shown, known):
    with pytest.raises(PermissionDenied):
        operations.report(shown, by=known, reason=Complaint.SPAM)


def test_reports_of_one_person_are_limited(open_page, moderator):
    person = UserFactory()
    comments = [operations.post(open_page, by=moderator, text=f"Nota {count}") for count in range(limits.REPORTS[0] + 1)]
    for comment in comments[:-1]:
        operations.report(comment, by=person, reason=Complaint.SPAM)
    with pytest.raises(limits.TooManyError):
        operations.report(comments[-1], by=person, reason=Complaint.SPAM)


# --- Decisions ----------------------------------------------------------------------------------------------------------------


def test_approval_makes_public_and_tells_the_author(page, author, moderator):
    comment = operations.approve(operations.post(page, by=author, text="Bon dia"), by=moderator)
    assert readers(page) == ["Bon dia"]
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == (author.email, "Your comment is public")
    assert f"http://testserver/en/comments/comment/{comment.uid}/" in mail.text
    assert [(step.move, step.by) for step in comment.steps.all()] == [(Move.APPROVE, moderator), (Move.POST, author)]


def test_refusal_tells_the_author_why_and_what_they_wrote(page, author, moderator):
    operations.refuse(operations.post(page, by=author, text="El meu text"), by=moderator, reason="Insulta el veí.")
    mail = Mail.objects.get()
    assert "Insulta el veí." in mail.text
    assert "El meu text" in mail.text
    assert readers(page) == []


def test_refusal_needs_a_reason(page, author, moderator):
    comment = operations.post(page, by=author, text="Text")
    with pytest.raises(ValidationError):
        operations.refuse(comment, by=moderator, reason="  ")


def test_second_moderator_hears_who_was_faster(page, author, moderator):
    comment = operations.post(page, by=author, text="Text")
    operations.refuse(comment, by=moderator, reason="No")
    with pytest.raises(operations.IllegalMoveError) as refused:
        operations.refuse(comment, by=UserFactory(is_superuser=True), reason="Tampoc")
    assert "Olga Oficina" in str(refused.value)
    assert Mail.objects.count() == 1


def test_text_changed_while_a_moderator_reads_is_not_approved(page, author, moderator):
    comment = operations.post(page, by=author, text="Innocent")
    operations.edit(comment, by=author, text="Ara ja no")
    with pytest.raises(operations.StaleError):
        operations.approve(comment, by=moderator, seen=comment.version)
    assert readers(page) == []


def test_nobody_judges_in_their_own_cause(page, moderator):
    comment = operations.post(page, by=moderator, text="Text")
    operations.report(comment, by=UserFactory(), reason=Complaint.FALSE)
    with pytest.raises(PermissionDenied):
        operations.approve(comment, by=moderator)


@pytest.mark.parametrize("decide", [operations.approve, lambda comment, by: operations.refuse(comment, by=by, reason="No")])
def test_only_moderators_decide(page, author, decide):
    comment = operations.post(page, by=author, text="Text")
    with pytest.raises(PermissionDenied):
        decide(comment, by=UserFactory())


def test_blocked_person_cannot_write_and_was_told_why(page, known, moderator):
    operations.block(known, by=moderator, reason="Tres cops publicitat")
    operations.block(known, by=moderator, reason="Un altre cop")
    with pytest.raises(ValidationError):
        operations.post(page, by=known, text="Text")
    assert [mail.text.count("Tres cops publicitat") for mail in Mail.objects.filter(subject="You cannot comment any more")] == [1]
    operations.unblock(known, by=moderator)
    operations.post(page, by=known, text="Text")


def test_moderators_are_not_blocked(moderator):
    with pytest.raises(ValidationError):
        operations.block(moderator, by=UserFactory(is_superuser=True), reason="No")


# --- Pages --------------------------------------------------------------------------------------------------------------------


def test_language_versions_share_one_conversation(page, known):
    operations.post(page, by=known, text="Un altre")
    spanish = page.copy_for_translation(Locale.objects.get(language_code="es"))
    assert conversations.of(spanish).conversation == conversations.of(page).conversation
    assert Conversation.objects.count() == 1


def test_moved_page_keeps_its_comments(page, known):
    target = page.get_parent().add_child(instance=type(page)(title="Arxiu", slug="arxiu", body="", locale=page.locale))
    page.move(target, pos="last-child")
    assert readers(type(page).objects.get(pk=page.pk)) == ["El meu primer comentari"]


def test_conversation_goes_with_the_last_language_of_its_page(page, known):
    spanish = page.copy_for_translation(Locale.objects.get(language_code="es"))
    page.delete()
    assert operations.forget_deleted_pages() == 0
    spanish.delete()
    assert operations.forget_deleted_pages() == 1
    assert not Comment.objects.exists()


def test_setting_of_a_page_goes_before_that_of_its_kind(page, moderator):
    assert conversations.of(page).moderation == Moderation.BEFORE
    operations.set_policy("pages.standardpage", Moderation.AFTER, by=moderator)
    assert conversations.of(page).moderation == Moderation.AFTER
    operations.set_moderation(page, Moderation.CLOSED, by=moderator)
    assert conversations.of(page).moderation == Moderation.CLOSED
    operations.set_moderation(page, "", by=moderator)
    assert conversations.of(page).moderation == Moderation.AFTER


def test_kind_known_to_nobody_gets_no_setting(moderator):
    with pytest.raises(ValueError, match=r"auth\.user"):
        operations.set_policy("auth.user", Moderation.AFTER, by=moderator)


def test_only_moderators_set_what_holds(page):
    with pytest.raises(PermissionDenied):
        operations.set_moderation(page, Moderation.OFF, by=UserFactory())
    with pytest.raises(PermissionDenied):
        operations.set_policy("pages.standardpage", Moderation.OFF, by=UserFactory())


def test_change_log_tells_what_the_public_sees(page, author, moderator):
    def changes():
        return Change.objects.filter(kind="comment", uid=page.translation_key).count()

    comment = operations.post(page, by=author, text="Text")
    assert changes() == 0
    operations.approve(comment, by=moderator)
    assert changes() == 1
    operations.delete(comment, by=author)
    assert changes() == 2
    operations.set_moderation(page, Moderation.OFF, by=moderator)
    assert changes() == 3
    operations.set_policy("pages.standardpage", Moderation.OFF, by=moderator)
    assert changes() == 4


def test_counts_of_many_pages_are_one_query(page, known, django_assert_num_queries):
    other = page.get_parent().add_child(instance=type(page)(title="Altra", slug="altra", body="", locale=page.locale))
    with django_assert_num_queries(1):
        assert conversations.counts([page, other]) == {page.translation_key: 1}


def test_every_kind_with_comments_is_a_page_model_in_lower_case():
    assert all(kind == kind.lower() and "." in kind for kind in kinds.KINDS)


# --- Two at once --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_moderators_at_once_decide_once(page, author, moderator):
    comment = operations.post(page, by=author, text="Text")
    second = UserFactory(is_superuser=True)
    results = at_once(
        lambda: operations.refuse(Comment.objects.get(pk=comment.pk), by=moderator, reason="No"),
        lambda: operations.refuse(Comment.objects.get(pk=comment.pk), by=second, reason="No, gràcies"),
    )
    assert kinds_of(results) == ["Comment", "IllegalMoveError"]
    assert Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_form_sent_twice_at_once_makes_one_comment(page, author):
    key = uuid.uuid4()
    results = at_once(*[lambda: operations.post(page, by=author, text="Un cop", submission_key=key)] * 3)
    assert kinds_of(results) == ["Comment"] * 3
    assert Comment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_limit_is_not_passed_by_many_windows(page, author):
    calls = [lambda number=number: operations.post(page, by=author, text=f"Comentari {number}") for number in range(limits.NEWCOMER + 2)]
    assert kinds_of(at_once(*calls)) == ["Comment"] * limits.NEWCOMER + ["TooManyError"] * 2


@pytest.mark.django_db(transaction=True)
def test_three_reports_at_once_hide_a_comment(open_page, known):
    comment = operations.post(open_page, by=known, text="Text")
    people = [UserFactory() for _ in range(3)]
    at_once(*[lambda person=person: operations.report(comment, by=person, reason=Complaint.SPAM) for person in people])
    comment.refresh_from_db()
    assert (comment.state, comment.open_reports) == (State.HIDDEN, 3)
