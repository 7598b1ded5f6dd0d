"""What people do with partners: made, changed, activated, paused, ended; keys; who may, and what is left of it in the history."""

import datetime
import json
import uuid

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from marketplace.accounts.rules import CURATORS
from marketplace.core import sealing
from marketplace.federation import operations
from marketplace.federation.enums import MOVES, PartnerAction, PartnerState
from marketplace.federation.introductions import Introduction, IntroductionError, read
from marketplace.federation.models import Checkpoint, Node, Partner, PartnerEvent, QuarantinedItem, RemoteListing
from marketplace.federation.rules import can_look, can_manage
from marketplace.rest import keys
from tests.factories import RUBI, UserFactory

URL = "https://market.example.org"
SECRET = "a-key-that-they-gave-us-0123456789"


@pytest.fixture
def me(db):
    user = UserFactory(name="Pia Parell")
    user.groups.add(Group.objects.get(name=CURATORS))
    return user


def introduction(url=URL, node=None, name="Other city"):
    node = node or uuid.uuid4()
    return Introduction(node, name, url, ("1",), ("ca",), {}, {"node_id": str(node), "name": name, "base_url": url})


def connect(me, **facts):
    facts = {"name": "Other city", "base_url": URL} | facts
    return operations.create(facts, presented=introduction(facts["base_url"]), by=me)


def actions(partner):
    return list(partner.events.order_by("pk").values_list("action", flat=True))


# --- Who ----------------------------------------------------------------------------------------------------------------


def test_the_innovation_service_looks_after_partners_and_a_curator_without_the_permission_only_looks(me):
    onlooker = UserFactory()
    onlooker.user_permissions.add(Permission.objects.get(codename="curate_listing"))
    assert (can_manage(me), can_look(me)) == (True, True)
    assert (can_manage(onlooker), can_look(onlooker)) == (False, True)
    assert (can_manage(UserFactory()), can_look(UserFactory())) == (False, False)


def test_nobody_else_does_anything(me):
    partner, other = connect(me), UserFactory()
    key, _secret = operations.issue_key(partner, name="production", expires_at=None, by=me)
    before = (Partner.objects.get(), PartnerEvent.objects.count())
    acts = [
        lambda: operations.create({"name": "x", "base_url": "https://x.example.org"}, presented=introduction("https://x.example.org"), by=other),
        lambda: operations.change(partner, {"name": "Mine now"}, seen=partner.version, by=other),
        lambda: operations.introduce(partner, introduction(node=partner.node_uid), by=other),
        lambda: operations.activate(partner, by=other),
        lambda: operations.pause(partner, by=other),
        lambda: operations.resume(partner, by=other),
        lambda: operations.end(partner, by=other),
        lambda: operations.reopen(partner, by=other),
        lambda: operations.set_key(partner, SECRET, by=other),
        lambda: operations.remove_key(partner, by=other),
        lambda: operations.issue_key(partner, name="x", expires_at=None, by=other),
        lambda: operations.rotate_key(partner, key, overlap=datetime.timedelta(), by=other),
        lambda: operations.revoke_key(partner, key, by=other),
        lambda: operations.visit_now(partner, by=other),
        lambda: operations.read_anew(partner, by=other),
        lambda: operations.retry([], by=other),
        lambda: operations.settle([], by=other),
    ]
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
    partner.refresh_from_db()
    assert (partner.name, partner.version, PartnerEvent.objects.count()) == (before[0].name, before[0].version, before[1])
    key.refresh_from_db()
    assert key.is_usable


# --- Making and changing --------------------------------------------------------------------------------------------------


def test_a_new_partner_exchanges_nothing_yet(me):
    partner = connect(me)
    assert (partner.state, partner.gives, partner.sealed_key, partner.client.name) == (PartnerState.NEW, False, "", "Other city")
    assert actions(partner) == [PartnerAction.CREATED]
    assert partner.events.get().by == me


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"base_url": "ftp://market.example.org"}, "base_url"),
        ({"base_url": "nonsense"}, "base_url"),
        ({"name": ""}, "name"),
        ({"reader": "carrier pigeon"}, "reader"),
        ({"contact_email": "nobody"}, "contact_email"),
    ],
)
def test_a_partner_that_is_none_is_not_made(me, facts, field):
    with pytest.raises(ValidationError) as caught:
        connect(me, **facts)
    assert field in caught.value.message_dict
    assert not Partner.objects.exists()


def test_the_same_marketplace_is_connected_once_and_our_own_never(me):
    partner = connect(me)
    with pytest.raises(ValidationError, match="Other city"):
        operations.create({"name": "Again", "base_url": URL}, presented=introduction(node=partner.node_uid), by=me)
    with pytest.raises(ValidationError, match=r"our own|nostre"):
        operations.create({"name": "Us", "base_url": "https://us.example.org"}, presented=introduction("https://us.example.org", Node.own_uid()), by=me)
    assert Partner.objects.count() == 1


def test_a_marketplace_that_was_not_asked_who_it_is_is_not_connected(me):
    for presented in (None, introduction("https://elsewhere.example.org")):
        with pytest.raises(ValidationError):
            operations.create({"name": "Other city", "base_url": URL}, presented=presented, by=me)


def test_a_change_says_what_it_changed_but_no_secret_and_nobodys_data(me):
    partner = connect(me, reader="table")
    operations.change(
        partner,
        {"name": "New name", "contact_email": "pep@other.example", "reader_options": {"url": f"{URL}/x.csv?token=secret"}, "take_sectors": ["C", "62"]},
        seen=partner.version,
        by=me,
    )
    assert partner.events.first().details["changes"] == {
        "name": ["Other city", "New name"],
        "contact_email": None,
        "reader_options": None,
        "take_sectors": [[], ["62", "C"]],
    }
    partner.refresh_from_db()
    assert (partner.name, partner.client.name, partner.version) == ("New name", "New name", 2)


def test_nothing_changed_leaves_no_trace(me):
    partner = connect(me)
    operations.change(partner, {"name": "Other city", "take_places": []}, seen=1, by=me)
    partner.refresh_from_db()
    assert (partner.version, actions(partner)) == (1, [PartnerAction.CREATED])


def test_a_fact_that_does_not_exist_is_an_error_of_ours(me):
    partner = connect(me)
    with pytest.raises(TypeError, match="sealed_key"):
        operations.change(partner, {"sealed_key": "x"}, seen=1, by=me)


def test_who_saw_an_older_version_writes_nothing(me):
    partner = connect(me)
    operations.change(partner, {"name": "Theirs"}, seen=1, by=me)
    with pytest.raises(operations.StaleError):
        operations.change(partner, {"name": "Mine"}, seen=1, by=me)
    partner.refresh_from_db()
    assert partner.name == "Theirs"


@pytest.mark.parametrize("facts", [{"gives": True}, {"give_kinds": ["offer"]}, {"give_sectors": ["C"]}, {"give_places": [RUBI]}])
def test_a_change_of_what_we_give_makes_old_cursors_worthless(me, facts):
    partner = connect(me)
    operations.change(partner, facts, seen=1, by=me)
    partner.refresh_from_db()
    assert partner.gives_version == 2


@pytest.mark.parametrize("facts", [{"take_kinds": ["offer"]}, {"take_sectors": ["C"]}, {"take_places": [RUBI]}, {"default_language": "es"}])
def test_a_change_of_what_we_take_lets_the_next_visit_look_at_everything(me, facts):
    partner = connect(me)
    Checkpoint.objects.create(partner=partner, state={"cursor": "abc"}, next_at=timezone.now() + datetime.timedelta(hours=1))
    RemoteListing.objects.create(partner=partner, uri=f"{URL}/id/listing/1", version=7, digest="sha-256:abc")
    operations.change(partner, facts, seen=1, by=me)
    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.state, checkpoint.next_at <= timezone.now()) == ({}, True)
    # The same item says something new to the next visit, an older one does not.
    assert RemoteListing.objects.values_list("digest", "version").get() == ("", 6)
    partner.refresh_from_db()
    assert partner.gives_version == 1


def test_another_name_asks_for_no_visit(me):
    partner = connect(me)
    Checkpoint.objects.create(partner=partner, state={"cursor": "abc"}, next_at=timezone.now() + datetime.timedelta(hours=1))
    operations.change(partner, {"name": "New", "harvest_minutes": 30}, seen=1, by=me)
    assert Checkpoint.objects.get().state == {"cursor": "abc"}


def test_a_marketplace_moves_only_to_where_it_answers_itself(me):
    partner, new = connect(me), "https://new.example.org"
    for presented in (None, introduction(new), introduction(URL, partner.node_uid)):
        with pytest.raises(ValidationError) as caught:
            operations.change(partner, {"base_url": new}, seen=1, presented=presented, by=me)
        assert "base_url" in caught.value.message_dict
    operations.change(partner, {"base_url": f"{new}/"}, seen=1, presented=introduction(new, partner.node_uid), by=me)
    partner.refresh_from_db()
    assert (partner.base_url, partner.discovery["base_url"]) == (new, new)


def test_another_node_at_the_old_address_is_not_believed(me):
    partner = connect(me)
    with pytest.raises(ValidationError) as caught:
        operations.introduce(partner, introduction(), by=me)
    assert str(partner.node_uid) in str(caught.value)
    operations.introduce(partner, introduction(node=partner.node_uid, name="Renamed"), by=me)
    partner.refresh_from_db()
    assert (partner.discovery["name"], actions(partner)) == ("Renamed", [PartnerAction.CREATED, PartnerAction.INTRODUCED])


# --- Its state -----------------------------------------------------------------------------------------------------------


def test_a_partner_is_active_only_with_all_that_it_needs(me):
    partner = connect(me)
    with pytest.raises(ValidationError):
        operations.activate(partner, by=me)
    operations.set_key(partner, SECRET, by=me)
    partner.refresh_from_db()
    operations.change(partner, {"gives": True}, seen=partner.version, by=me)
    with pytest.raises(ValidationError):
        operations.activate(partner, by=me)
    operations.issue_key(partner, name="production", expires_at=None, by=me)
    assert operations.activate(partner, by=me).state == PartnerState.ACTIVE


def test_a_partner_with_whom_nothing_is_exchanged_is_not_activated(me):
    partner = connect(me, reader="none")
    assert len(operations.missing(partner)) == 1
    operations.change(partner, {"gives": True}, seen=1, by=me)
    operations.issue_key(partner, name="production", expires_at=None, by=me)
    assert operations.activate(partner, by=me).state == PartnerState.ACTIVE


def test_states_follow_the_one_table(me):
    acts = {
        PartnerAction.PAUSED: operations.pause,
        PartnerAction.RESUMED: operations.resume,
        PartnerAction.ENDED: operations.end,
        PartnerAction.REOPENED: operations.reopen,
    }
    for state in PartnerState:
        for action, act in acts.items():
            partner = connect(me, name=f"{state} {action}", base_url=f"https://{state}-{action}.example.org")
            Partner.objects.filter(pk=partner.pk).update(state=state)
            if state in MOVES[action]:
                assert act(partner, by=me).state == MOVES[action][state]
            else:
                with pytest.raises(ValidationError):
                    act(partner, by=me)


def test_an_ended_partnership_leaves_no_key_that_works(me):
    partner = connect(me)
    operations.set_key(partner, SECRET, by=me)
    key, _secret = operations.issue_key(partner, name="production", expires_at=None, by=me)
    operations.activate(partner, by=me)
    operations.end(partner, reason="They stopped", by=me)
    partner.refresh_from_db()
    key.refresh_from_db()
    assert (partner.state, partner.sealed_key, key.is_usable) == (PartnerState.ENDED, "", False)
    assert partner.events.first().details == {"reason": "They stopped"}
    with pytest.raises(ValidationError):
        operations.issue_key(partner, name="again", expires_at=None, by=me)


# --- Keys ----------------------------------------------------------------------------------------------------------------


def test_their_key_is_sealed_and_stands_nowhere_else(me):
    partner = connect(me)
    operations.set_key(partner, f" {SECRET}\n", by=me)
    partner.refresh_from_db()
    assert SECRET not in partner.sealed_key
    assert sealing.unseal(partner.sealed_key) == SECRET
    assert SECRET not in str(list(PartnerEvent.objects.values()))
    operations.remove_key(partner, by=me)
    operations.remove_key(partner, by=me)
    partner.refresh_from_db()
    assert (partner.sealed_key, actions(partner)[1:]) == ("", [PartnerAction.KEY_SET, PartnerAction.KEY_REMOVED])


@pytest.mark.parametrize("typed", ["", "short", "two words that are no key", "ñandú-ñandú-ñandú-ñandú", "x" * 501, "line\nbreak-0123456789"])
def test_what_is_no_key_is_refused(me, typed):
    partner = connect(me)
    with pytest.raises(ValidationError):
        operations.set_key(partner, typed, by=me)


def test_keys_are_made_replaced_and_revoked_with_a_line_for_each(me):
    partner = connect(me)
    key, secret = operations.issue_key(partner, name="production", expires_at=None, by=me)
    assert keys.is_secret_of(secret, key)
    assert key.scopes == ["federation", "interests"]
    successor, _secret = operations.rotate_key(partner, key, overlap=datetime.timedelta(days=7), by=me)
    operations.revoke_key(partner, successor, by=me)
    operations.revoke_key(partner, successor, by=me)
    assert actions(partner)[1:] == [PartnerAction.KEY_ISSUED, PartnerAction.KEY_ROTATED, PartnerAction.KEY_REVOKED]
    assert secret not in str(list(PartnerEvent.objects.values()))


def test_a_key_of_another_partner_is_not_touched(me):
    partner, other = connect(me), connect(me, name="Third", base_url="https://third.example.org")
    key, _secret = operations.issue_key(other, name="production", expires_at=None, by=me)
    with pytest.raises(type(key).DoesNotExist):
        operations.revoke_key(partner, key, by=me)
    key.refresh_from_db()
    assert key.is_usable


# --- Visits --------------------------------------------------------------------------------------------------------------


def test_visits_are_asked_for_of_active_partners_only(me):
    partner = connect(me)
    for ask in (operations.visit_now, operations.read_anew):
        with pytest.raises(ValidationError):
            ask(partner, by=me)
    Partner.objects.update(state=PartnerState.ACTIVE)
    operations.visit_now(partner, by=me)
    Checkpoint.objects.update(state={"cursor": "abc"})
    operations.read_anew(partner, by=me)
    assert (Checkpoint.objects.get().state, actions(partner)[1:]) == ({}, [PartnerAction.VISIT_ASKED, PartnerAction.SNAPSHOT_ASKED])


def test_items_are_tried_again_or_set_aside(me):
    partner = connect(me)
    Checkpoint.objects.create(partner=partner, state={"cursor": "abc"})
    items = [QuarantinedItem.objects.create(partner=partner, key=str(number), code="bad-date", message="No date.") for number in range(3)]
    assert operations.settle(items[:1], by=me) == 1
    assert Checkpoint.objects.get().state == {"cursor": "abc"}
    assert operations.retry(items, by=me) == 2
    assert Checkpoint.objects.get().state == {}
    assert not QuarantinedItem.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize("word", ['"a\\u0000"', '"\\ud800"', "NaN", "1e999"])
def test_an_introduction_that_no_database_takes_is_not_understood(word):
    """Python's reader takes each of these; kept as they are, PostgreSQL refuses them, before the person who typed the address or in the worker."""
    body = json.dumps(introduction().document | {"versions": ["1"], "languages": ["ca"]})
    assert read(body.encode(), base_url=URL).name == "Other city"
    body = f'{body[:-1]}, "more": {word}}}'
    assert "more" in json.loads(body)
    with pytest.raises(IntroductionError) as raised:
        read(body.encode(), base_url=URL)
    assert raised.value.code == "unreadable"
