import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cms.comments import conversations, operations
from cms.comments.enums import Complaint, Held, Moderation, State
from cms.comments.models import Block, Comment
from cms.pages.rules import OFFICERS
from marketplace.core.models import Mail
from tests.factories import UserFactory

LISTS = ("console_comments", "console_comments_reported", "console_comments_unread", "console_comments_all")


@pytest.fixture
def console(client, moderator):
    client.force_login(moderator)
    return client


@pytest.fixture
def waiting(page):
    """Make comments that wait, each of an author of its own."""

    def make(count=1, **facts):
        return [operations.post(page, by=UserFactory(language="es"), text=f"Comentari {number} que espera", **facts) for number in range(count)]

    return make


def one(comment):
    return reverse("console_comment", args=[comment.uid])


def bulk(action, comments):
    ids = "&".join(f"id={comment.pk}" for comment in comments)
    return reverse("wagtail_bulk_action", args=["comments", "comment", action]) + f"?{ids}"


def states(comments):
    return [Comment.objects.get(pk=comment.pk).state for comment in comments]


# --- Who may ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*LISTS, "console_comment_kinds"])
def test_pages_open_for_moderators_only(client, db, moderator, name):
    client.force_login(moderator)
    assert client.get(reverse(name)).status_code == 200
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    assert client.get(reverse(name)).url == reverse("wagtailadmin_home")
    client.logout()
    assert client.get(reverse(name)).url.startswith(reverse("account_login"))


def test_officers_moderate(client, waiting):
    officer = UserFactory()
    officer.groups.add(Group.objects.get(name=OFFICERS))
    (comment,) = waiting()
    client.force_login(officer)
    client.post(one(comment), {"decision": "approve", "seen": comment.version})
    assert states([comment]) == [State.APPROVED]


def test_others_decide_nothing(client, waiting):
    (comment,) = waiting()
    editor = UserFactory()
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    client.post(one(comment), {"decision": "approve", "seen": comment.version})
    client.post(bulk("approve", [comment]))
    assert states([comment]) == [State.WAITING]


def test_menu_tells_how_many_need_eyes(console, waiting, open_page, known):
    def menu():
        return console.get(reverse("wagtailadmin_home")).content.decode()

    assert "Comentaris (" not in menu()
    assert "Comments (" not in menu()
    comments = waiting(2)
    operations.refuse(comments[0], by=UserFactory(is_superuser=True), reason="No")
    operations.post(open_page, by=known, text="Públic i no llegit")
    assert "(2)" in menu()


# --- Lists --------------------------------------------------------------------------------------------------------------------


def test_lists_hold_what_their_names_say(console, waiting, open_page, known):
    (held,) = waiting()
    unread = operations.post(open_page, by=known, text="Públic i no llegit")
    operations.report(unread, by=UserFactory(), reason=Complaint.FALSE)
    approved = Comment.objects.get(text="El meu primer comentari")
    found = {name: {comment.pk for comment in console.get(reverse(name)).context["object_list"]} for name in LISTS}
    assert found == {
        "console_comments": {held.pk},
        "console_comments_reported": {unread.pk},
        "console_comments_unread": {unread.pk},
        "console_comments_all": {held.pk, unread.pk, approved.pk},
    }
    assert [number for _label, _url, number, _here in console.get(reverse(LISTS[0])).context["tabs"]] == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("held=links", 1),
        ("held=first", 3),
        ("q=Comentari", 2),
        ("signed=Person", 3),
        ("page=noves", 3),
        ("page=altres", 0),
        ("age=7", 0),
        ("state=waiting", 3),
        ("state=approved", 0),
        ("complaint=spam", 0),
    ],
)
def test_waiting_ones_can_be_filtered(console, waiting, page, query, number):
    waiting(2)
    operations.post(page, by=UserFactory(), text=" ".join(f"https://spam{n}.example" for n in range(5)))
    assert len(console.get(f"{reverse('console_comments')}?{query}").context["object_list"]) == number


@pytest.mark.parametrize("name", LISTS)
def test_list_costs_the_same_for_one_and_three(console, waiting, moderator, name):
    def prepare(comments):
        Comment.objects.filter(pk__in=[comment.pk for comment in comments]).update(open_reports=1)
        if name == "console_comments_unread":
            Comment.objects.filter(pk__in=[comment.pk for comment in comments]).update(state=State.SHOWN)

    prepare(waiting(1))
    console.get(reverse(name))
    with CaptureQueriesContext(connection) as few:
        assert len(console.get(reverse(name)).context["object_list"]) == 1
    prepare(waiting(2))
    with CaptureQueriesContext(connection) as many:
        assert len(console.get(reverse(name)).context["object_list"]) == 3
    assert len(few) == len(many)


# --- One comment --------------------------------------------------------------------------------------------------------------


def test_approving_leads_to_the_next_one(console, waiting):
    first, second = waiting(2)
    answer = console.post(one(first), {"decision": "approve", "seen": first.version})
    assert answer.url == one(second)
    assert states([first, second]) == [State.APPROVED, State.WAITING]


def test_refusal_in_the_authors_language(console, waiting):
    (comment,) = waiting()
    assert console.post(one(comment), {"decision": "refuse", "seen": 1}).status_code == 200
    assert states([comment]) == [State.WAITING]
    console.post(one(comment), {"decision": "refuse", "seen": 1, "refuse-ready": "spam"})
    assert states([comment]) == [State.REFUSED]
    assert Mail.objects.get().to == comment.author.email


def test_decision_on_an_older_text_is_refused(console, waiting):
    (comment,) = waiting()
    operations.edit(comment, by=comment.author, text="Ara amb un altre text")
    answer = console.post(one(comment), {"decision": "approve", "seen": 1}, follow=True)
    assert states([comment]) == [State.WAITING]
    assert len(answer.context["messages"]) == 1


def test_comment_page_shows_reports_with_words_and_history(console, waiting, moderator):
    (comment,) = waiting()
    operations.approve(comment, by=moderator)
    operations.report(comment, by=UserFactory(name="Quim Queixa"), reason=Complaint.OTHER, words="No és així <b>")
    page = console.get(one(comment)).content.decode()
    for text in ("Quim Queixa", "No és així &lt;b&gt;", "Olga Oficina"):
        assert text in page


def test_script_stays_text_in_the_console(console, page):
    comment = operations.post(page, by=UserFactory(), text="<script>alert(1)</script>")
    for address in (one(comment), reverse("console_comments"), bulk("approve", [comment])):
        assert "<script>alert" not in console.get(address).content.decode()


def test_author_is_blocked_and_let_in_again(console, waiting):
    (comment,) = waiting()
    assert 'value="unblock"' not in console.get(one(comment)).content.decode()
    console.post(one(comment), {"decision": "block", "block-reason": "Publicitat"})
    assert Block.objects.get().person == comment.author
    assert 'value="unblock"' in console.get(one(comment)).content.decode()
    console.post(one(comment), {"decision": "unblock"})
    assert not Block.objects.exists()


def test_comment_of_a_closed_account_can_be_decided(console, waiting):
    (comment,) = waiting()
    Comment.objects.filter(pk=comment.pk).update(author=None)
    assert console.get(one(comment)).status_code == 200
    console.post(one(comment), {"decision": "refuse", "seen": 1, "refuse-ready": "spam"})
    assert states([comment]) == [State.REFUSED]


# --- Many ---------------------------------------------------------------------------------------------------------------------


def test_bulk_asks_first_and_leaves_out_ones_own(console, waiting, page, moderator):
    comments = [*waiting(2), operations.post(page, by=moderator, text="De l'oficina")]
    answer = console.get(bulk("refuse", comments))
    assert [item["item"].pk for item in answer.context["items"]] == [comment.pk for comment in comments[:2]]
    assert states(comments) == [State.WAITING, State.WAITING, State.APPROVED]


def test_bulk_decides_on_each_and_mails_the_reason(console, waiting):
    comments = waiting(3)
    console.post(bulk("approve", comments[:1]))
    console.post(bulk("refuse", comments[1:]), {"reason": "No hi té res a veure."})
    assert states(comments) == [State.APPROVED, State.REFUSED, State.REFUSED]
    assert [mail.text.count("No hi té res a veure.") for mail in Mail.objects.order_by("pk")] == [0, 1, 1]


def test_bulk_leaves_a_text_changed_meanwhile_as_it_is(console, waiting):
    one_, other = waiting(2)
    operations.edit(one_, by=one_.author, text="Ara amb un altre text")
    answer = console.post(bulk("approve", [one_, other]), {f"seen-{one_.pk}": "1", f"seen-{other.pk}": "1"})
    assert states([one_, other]) == [State.WAITING, State.APPROVED]
    assert [bool(result.error) for result in answer.context["results"]] == [True, False]


def test_bulk_of_all_takes_only_what_waits(console, waiting, page, known):
    comments = waiting(2)
    public = Comment.objects.get(text="El meu primer comentari")
    console.post(reverse("wagtail_bulk_action", args=["comments", "comment", "refuse"]) + "?id=all", {"ready": "spam"})
    assert states([*comments, public]) == [State.REFUSED, State.REFUSED, State.APPROVED]


# --- Settings -----------------------------------------------------------------------------------------------------------------


def test_kinds_are_set_one_by_one(console, page):
    form = console.get(reverse("console_comment_kinds")).context["form"]
    data = {name: form[name].value() for name in form.fields} | {"pages_standardpage": "after"}
    console.post(reverse("console_comment_kinds"), data)
    assert conversations.of(page).moderation == Moderation.AFTER


def test_page_has_its_own_setting(console, page):
    address = reverse("console_comment_page", args=[page.translation_key])
    console.post(address, {"moderation": "closed"})
    assert conversations.of(page).moderation == Moderation.CLOSED
    assert str(page.title) in console.get(reverse("console_comment_kinds")).content.decode()
    console.post(address, {"moderation": ""})
    assert conversations.of(page).moderation == Moderation.BEFORE


def test_page_of_another_kind_has_none(console, page):
    home = page.get_parent()
    assert console.get(reverse("console_comment_page", args=[home.translation_key])).status_code == 404


def test_held_reasons_are_no_part_of_each_other():
    assert not [(a, b) for a in Held.values for b in Held.values if a != b and f'"{a}"' in f'"{b}"']
