import datetime
import json
import re

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.models import Locale

from cms.comments import limits, operations
from cms.comments.enums import Held, Moderation, State
from cms.comments.models import Comment, Report
from marketplace.core import attempts
from tests.factories import MembershipFactory, UserFactory

HTMX = {"headers": {"HX-Request": "true"}}
FIVE_LINKS = " ".join(f"https://spam{number}.example" for number in range(5))


@pytest.fixture
def address(page):
    return reverse("comments:conversation", args=[page.translation_key])


@pytest.fixture
def send(client, page):
    """Send a comment as the form does, a minute after the page was opened; returns the answer."""

    def send(text, *, to=None, after=60, **more):
        where = to or reverse("comments:post", args=[page.translation_key])
        form = client.get(to or reverse("comments:conversation", args=[page.translation_key])).context["form"]
        data = {name: form[name].value() or "" for name in ("signature", "started", "submission_key")}
        options = more.pop("options", {})
        with time_machine.travel(timezone.now() + datetime.timedelta(seconds=after)):
            return client.post(where, data | {"text": text} | more, **options)

    return send


def text_of(answer):
    return answer.content.decode()


# --- Reading ------------------------------------------------------------------------------------------------------------------


def test_page_of_its_own_shows_comments_oldest_first(client, address, page, known, moderator):
    operations.post(page, by=moderator, text="El segon")
    answer = client.get(address)
    assert [shown.comment.text for shown in answer.context["threads"].items] == ["El meu primer comentari", "El segon"]
    assert answer.context["threads"].number == 2
    assert "Anna" in text_of(answer)
    assert known.email not in text_of(answer)
    assert "Puig" not in text_of(answer)


def test_htmx_gets_the_part_alone(client, address, known):
    answer = client.get(address, **HTMX)
    assert "<html" not in text_of(answer)
    assert 'id="comments-body"' in text_of(answer)
    assert "HX-Request" in answer["Vary"]
    assert "private" in answer["Cache-Control"]


def test_visitor_gets_no_form_no_token_and_no_cookie(client, address, page, known):
    answer = client.get(address)
    assert "csrfmiddlewaretoken" not in text_of(answer)
    assert answer.cookies == {}
    assert f"{reverse('account_login')}?next=" in text_of(answer)


def test_waiting_comment_is_seen_by_its_author_alone(client, address, page, author):
    operations.post(page, by=author, text="Encara no llegit")
    assert "Encara no llegit" not in text_of(client.get(address))
    client.force_login(author)
    assert "Encara no llegit" in text_of(client.get(address))
    client.force_login(UserFactory())
    assert "Encara no llegit" not in text_of(client.get(address))


def test_refused_and_hidden_comments_are_not_shown(client, address, page, known, moderator):
    one, two = (operations.post(page, by=known, text=f"Comentari {n}") for n in (1, 2))
    operations.refuse(one, by=moderator, reason="No")
    Comment.objects.filter(pk=two.pk).update(state=State.HIDDEN)
    answer = text_of(client.get(address))
    assert "Comentari 1" not in answer
    assert "Comentari 2" not in answer
    assert client.get(one.get_absolute_url()).status_code == 404
    assert client.get(two.get_absolute_url()).status_code == 404


def test_comments_come_in_portions(client, address, page, moderator):
    comments = [operations.post(page, by=moderator, text=f"Nota {count}") for count in range(23)]
    assert len(client.get(address).context["threads"].items) == 20
    assert len(client.get(f"{address}?page=2").context["threads"].items) == 3
    assert client.get(f"{address}?page=x").status_code == 200
    assert client.get(comments[22].get_absolute_url()).url == f"{address}?page=2#{comments[22].anchor}"
    assert client.get(comments[2].get_absolute_url()).url == f"{address}#{comments[2].anchor}"


def test_conversation_costs_the_same_for_one_and_three(client, address, page, known, moderator):
    client.force_login(known)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for count in range(2):
        first = operations.post(page, by=moderator, text=f"Nota {count}")
        operations.post(page, by=moderator, text=f"Resposta {count}", reply_to=first)
        operations.report(first, by=UserFactory(), reason="spam")
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few) <= 19


def test_conversation_speaks_the_language_of_its_page(client, page, known):
    spanish = page.copy_for_translation(Locale.objects.get(language_code="es"))
    spanish.slug, spanish.title, spanish.live = "nuevas-ayudas", "Nuevas ayudas", True
    spanish.save()
    with translation.override("es"):
        address = reverse("comments:conversation", args=[page.translation_key])
    answer = client.get(address)
    assert "Nuevas ayudas" in text_of(answer)
    assert "El meu primer comentari" in text_of(answer)


@pytest.mark.parametrize("change", [{"live": False}, {"translation_key": "00000000-0000-7000-8000-000000000000"}])
def test_conversation_goes_with_its_page(client, address, page, known, change):
    type(page).objects.filter(pk=page.pk).update(**change)
    assert client.get(address).status_code == 404
    assert client.get(Comment.objects.get().get_absolute_url()).status_code == 404


def test_conversation_of_a_private_page_is_closed(client, address, page, known):
    page.view_restrictions.create(restriction_type="login")
    assert client.get(address).status_code == 404


def test_page_without_comments_has_no_conversation(client, address, page, known, moderator):
    operations.set_moderation(page, Moderation.OFF, by=moderator)
    assert client.get(address).status_code == 404


def test_closed_conversation_can_be_read(client, address, page, known, moderator):
    operations.set_moderation(page, Moderation.CLOSED, by=moderator)
    client.force_login(known)
    answer = client.get(address)
    assert answer.context["form"] is None
    assert "El meu primer comentari" in text_of(answer)


# --- Writing ------------------------------------------------------------------------------------------------------------------


def test_comment_waits_and_its_author_is_told(client, address, page, author, send):
    client.force_login(author)
    answer = send("Moltes gràcies")
    comment = Comment.objects.get()
    assert (answer.status_code, answer.url) == (302, f"{address}#{comment.anchor}")
    assert (comment.state, comment.held_for, comment.language) == (State.WAITING, [Held.PAGE, Held.FIRST], "ca")
    assert len(client.get(address).context["messages"]) == 1


def test_htmx_gets_the_conversation_with_the_new_comment_and_its_announcement(client, page, author, send):
    client.force_login(author)
    answer = send("Moltes gràcies", options=HTMX)
    assert answer["HX-Retarget"] == "#comments-body"
    assert 'id="comments-said" hx-swap-oob="innerHTML"' in text_of(answer)
    assert re.search(r'<article class="comment waiting"[^>]* tabindex="-1" autofocus', text_of(answer))


def test_script_stays_text(client, address, open_page, known, send):
    client.force_login(known)
    send("<script>alert(1)</script> <b>fort</b>")
    answer = text_of(client.get(address))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;b&gt;fort&lt;/b&gt;" in answer
    assert "<script>alert" not in answer


def test_links_can_be_followed_once_approved(client, address, open_page, known, moderator):
    comment = operations.post(open_page, by=known, text="Mireu https://a.example/x")
    assert "https://a.example/x" in text_of(client.get(address))
    assert 'href="https://a.example/x"' not in text_of(client.get(address))
    operations.approve(comment, by=moderator)
    assert '<a href="https://a.example/x" rel="nofollow ugc noopener">' in text_of(client.get(address))


def test_five_links_are_held(client, open_page, known, send):
    client.force_login(known)
    send(FIVE_LINKS)
    comment = Comment.objects.get(text=FIVE_LINKS)
    assert (comment.state, comment.held_for) == (State.WAITING, [Held.LINKS])


@pytest.mark.parametrize(
    ("more", "after", "held"),
    [
        ({}, 60, []),
        ({}, 1, [Held.FAST]),
        ({"website": "https://spam.example"}, 60, [Held.TRAP]),
        ({"started": ""}, 60, [Held.FAST]),
        ({"started": "1:forged"}, 60, [Held.FAST]),
    ],
)
@pytest.mark.usefixtures("open_page")
def test_programs_are_noticed_and_nothing_is_lost(client, known, send, *, more, after, held):
    client.force_login(known)
    send("Un comentari", after=after, **more)
    assert Comment.objects.get(text="Un comentari").held_for == held


@pytest.mark.parametrize("options", [{}, HTMX])
@pytest.mark.parametrize("text", ["x" * 3001, "???", "https://s.example " * 25, "El meu primer comentari"])
def test_what_was_typed_is_kept_on_every_error(client, known, send, text, options):
    client.force_login(known)
    answer = send(text, options=options)
    assert answer.status_code == 422
    assert answer.context["form"]["text"].value() == text
    assert answer.context["form"].errors
    assert 'class="errors"' in text_of(answer)


def test_flood_is_answered_with_429_and_the_text(client, open_page, known, send):
    client.force_login(known)
    for count in range(limits.PERSON[0][0] - 1):
        operations.post(open_page, by=known, text=f"Comentari {count}")
    answer = send("Un més", options=HTMX)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert answer.context["form"]["text"].value() == "Un més"


def test_flood_from_one_address_is_answered_with_429(client, page, monkeypatch, send):
    monkeypatch.setattr(limits, "ADDRESS", (3, limits.ADDRESS[1]))
    cache.clear()
    answers = []
    with time_machine.travel("2026-11-22T10:00:05Z", tick=False):
        for _ in range(4):
            client.force_login(UserFactory())
            answers.append(client.post(reverse("comments:post", args=[page.translation_key]), {"text": "Hola", "signature": "person"}))
    assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
    assert answers[3].context["form"]["text"].value() == "Hola"


def test_networks_of_ipv6_count_as_one_address(rf):
    one, two = (attempts.network(rf.get("/", REMOTE_ADDR=address)) for address in ("2001:db8::1", "2001:db8::ffff"))
    assert one == two
    assert attempts.network(rf.get("/", REMOTE_ADDR="2001:db8:0:1::1")) != one


def test_form_sent_twice_makes_one_comment(client, page, author):
    client.force_login(author)
    data = {"text": "Un cop", "signature": "person", "submission_key": "01890000-0000-7000-8000-000000000001"}
    where = reverse("comments:post", args=[page.translation_key])
    assert client.post(where, data).url == client.post(where, data).url
    assert Comment.objects.count() == 1


def test_text_survives_a_session_that_ended(client, page, address, author):
    answer = client.post(reverse("comments:post", args=[page.translation_key]), {"text": "El que havia escrit"})
    assert (answer.status_code, answer.url) == (302, f"{reverse('account_login')}?next={address}")
    client.force_login(author)
    assert client.get(address).context["form"]["text"].value() == "El que havia escrit"
    assert not client.get(address).context["form"]["text"].value()


def test_htmx_is_sent_to_the_log_in_page_as_a_whole(client, page):
    answer = client.post(reverse("comments:post", args=[page.translation_key]), {"text": "Text"}, **HTMX)
    assert answer["HX-Redirect"].startswith(reverse("account_login"))


def test_person_chooses_whom_to_sign_for(client, address, page, author, send):
    company = MembershipFactory(user=author, company__name="Tecnoplàstics, SL").company
    client.force_login(author)
    assert [name for _key, name in client.get(address).context["form"].fields["signature"].choices] == ["Anna", "Tecnoplàstics, SL"]
    send("Text", signature=str(company.uid))
    assert Comment.objects.get().shown_name == "Tecnoplàstics, SL"


def test_person_with_an_address_for_a_name_can_write(client, address, page, send):
    client.force_login(UserFactory(name="anna@firm.example"))
    send("Text")
    assert Comment.objects.get().shown_name == ""
    assert "anna@firm.example" not in text_of(client.get(address)).partition("<main")[2]


def test_blocked_person_sees_why_there_is_no_form(client, address, page, known, moderator):
    operations.block(known, by=moderator, reason="Publicitat")
    client.force_login(known)
    answer = client.get(address)
    assert answer.context["form"] is None
    assert client.post(reverse("comments:post", args=[page.translation_key]), {"text": "Text", "signature": "person"}).status_code == 422


# --- What one does with a comment ---------------------------------------------------------------------------------------------


@pytest.fixture
def shown(open_page, known):
    return operations.post(open_page, by=known, text="És una bona notícia")


@pytest.mark.parametrize("name", ["reply", "edit", "delete", "report"])
def test_actions_ask_visitors_to_sign_in(client, shown, name):
    where = reverse(f"comments:{name}", args=[shown.uid])
    assert client.get(where).url == f"{reverse('account_login')}?next={where}"


@pytest.mark.parametrize("name", ["edit", "delete"])
def test_actions_on_what_others_wrote_are_refused(client, shown, name):
    client.force_login(UserFactory())
    where = reverse(f"comments:{name}", args=[shown.uid])
    assert (client.get(where).status_code, client.post(where, {"text": "Altre"}).status_code) == (403, 403)
    shown.refresh_from_db()
    assert shown.text == "És una bona notícia"


@pytest.mark.parametrize("name", ["reply", "edit", "delete", "report"])
def test_get_changes_nothing(client, shown, known, name):
    client.force_login(known if name in ("edit", "delete") else UserFactory())
    answer = client.get(reverse(f"comments:{name}", args=[shown.uid]), **HTMX)
    assert answer.status_code == 200
    assert "<html" not in text_of(answer)
    assert (Comment.objects.count(), Report.objects.count(), Comment.objects.get(pk=shown.pk).state) == (2, 0, State.SHOWN)


def test_reply_edit_and_delete_by_their_pages(client, address, shown, known, send):
    client.force_login(known)
    assert send("I tant", to=reverse("comments:reply", args=[shown.uid])).status_code == 302
    reply = Comment.objects.get(parent=shown)
    assert client.post(reverse("comments:edit", args=[reply.uid]), {"text": "I tant que sí"}).url == f"{address}#{reply.anchor}"
    assert "I tant que sí" in text_of(client.get(address))
    assert client.post(reverse("comments:delete", args=[shown.uid])).status_code == 302
    answer = text_of(client.get(address))
    assert "És una bona notícia" not in answer
    assert "I tant que sí" in answer


def test_report_needs_a_reason_and_keeps_the_words(client, shown):
    client.force_login(UserFactory())
    where = reverse("comments:report", args=[shown.uid])
    answer = client.post(where, {"words": "Això no és cert"})
    assert (answer.status_code, answer.context["form"]["words"].value()) == (422, "Això no és cert")
    assert client.post(where, {"reason": "false", "words": "Això no és cert"}).status_code == 302
    assert Report.objects.get().words == "Això no és cert"


def test_reported_comment_disappears_after_three_reports(client, address, shown):
    for _ in range(3):
        assert "És una bona notícia" in text_of(client.get(address))
        client.force_login(UserFactory())
        client.post(reverse("comments:report", args=[shown.uid]), {"reason": "insult"})
    assert "És una bona notícia" not in text_of(client.get(address))


def test_edit_too_late_keeps_the_text(client, shown, known):
    client.force_login(known)
    with time_machine.travel(shown.created + datetime.timedelta(minutes=16)):
        answer = client.post(reverse("comments:edit", args=[shown.uid]), {"text": "Massa tard"})
        assert client.get(reverse("comments:edit", args=[shown.uid])).status_code == 302
    assert (answer.status_code, answer.context["form"]["text"].value()) == (422, "Massa tard")


# --- On the pages -------------------------------------------------------------------------------------------------------------


def tag(page, rf, source):
    from django.template import Context, Template  # noqa: PLC0415 - only here

    return Template("{% load comments_tags %}" + source).render(Context({"page": page, "request": rf.get("/")}))


def test_tag_prints_the_number_and_a_link_that_works_alone(page, known, address, rf, django_assert_num_queries):
    with django_assert_num_queries(3):
        printed = tag(page, rf, "{% comments page %}")
    assert f'hx-get="{address}"' in printed
    assert f'<a class="button quiet" href="{address}">' in printed
    assert "csrf" not in printed


def test_tag_prints_nothing_where_there_are_no_comments(page, moderator, rf):
    operations.set_moderation(page, Moderation.OFF, by=moderator)
    assert tag(page, rf, "{% comments page %}").strip() == ""


def test_share_links_are_plain_and_tell_nobody_before(page, rf):
    page.title = 'Ajudes "noves" & més'
    printed = tag(page, rf, "{% share page %}")
    hosts = re.findall(r'<a class="chip" href="https://([^/?#]+)[^"]*" rel="noopener noreferrer nofollow">', printed)
    assert hosts == ["wa.me", "t.me", "share.joinmastodon.org", "www.linkedin.com"]
    assert "Ajudes%20%22noves%22%20%26%20m%C3%A9s%20http%3A%2F%2Ftestserver%2Fnoves-ajudes%2F" in printed
    assert 'href="mailto:?subject=Ajudes' in printed
    assert re.findall(r'<(?:script|img|iframe)[^>]*(?:src)="([^"]*)"', printed) == ["/static/comments/share.js"]
    assert 'value="http://testserver/noves-ajudes/"' in printed


# --- Privacy ------------------------------------------------------------------------------------------------------------------


def test_copy_of_a_persons_data_holds_their_comments(page, known):
    from marketplace.accounts import privacy  # noqa: PLC0415 - only here

    copy = privacy.export(known)["comments"]
    assert json.loads(json.dumps(copy))["written"][0] | {"created": ""} == {
        "page": "Noves ajudes",
        "text": "El meu primer comentari",
        "signed": "Anna",
        "state": "approved",
        "public": True,
        "created": "",
        "changed": None,
    }


def test_closed_account_takes_its_words_along_and_leaves_answers_of_others(page, known, moderator):
    from marketplace.accounts import privacy  # noqa: PLC0415 - only here

    first = Comment.objects.get()
    answer = operations.post(page, by=moderator, text="Gràcies per escriure", reply_to=first)
    operations.post(page, by=known, text="A vosaltres", reply_to=answer.parent)
    operations.post(page, by=known, text="Un altre")
    privacy.erase(known)
    left = Comment.objects.order_by("pk")
    assert [(comment.text, comment.shown_name, comment.state, comment.author_id) for comment in left] == [
        ("", "", State.DELETED, None),
        ("Gràcies per escriure", "Marketplace Terrassa", State.APPROVED, moderator.pk),
    ]
