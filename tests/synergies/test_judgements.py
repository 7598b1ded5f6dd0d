"""What people said of a pair becomes a grade, and all grades a set that the evaluation reads."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from marketplace.listings.enums import State as ListingState
from marketplace.listings.models import Listing
from marketplace.synergies import curating, judgements, operations, outcomes, testset
from marketplace.synergies.models import Judgement, Synergy
from search import evaluation
from tests.factories import CompanyFactory, UserFactory
from tests.synergies.conftest import make_pair, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(db):
    return UserFactory(is_superuser=True)


def yes(pair, *people):
    for person in people:
        operations.express_interest(pair.synergy, by=getattr(pair, person))


def no(pair, person, reason):
    operations.dismiss(pair.synergy, by=getattr(pair, person), reason=reason)


def tell(pair, person, outcome, reason=""):
    outcomes.tell(pair.synergy, by=getattr(pair, person), outcome=outcome, reason=reason)


def grades():
    return [(one.grade, one.source) for one in judgements.graded()]


# --- Grades -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "grade"),
    [
        ([], None),
        ([(yes, "asker")], 1),
        ([(yes, "offerer")], 1),
        ([(yes, "asker", "offerer")], 2),
        # What says nothing about the texts gives no grade, and takes no yes away.
        ([(no, "asker", "known")], None),
        ([(no, "asker", "too_far")], None),
        ([(no, "asker", "timing")], None),
        ([(no, "asker", "other")], None),
        ([(yes, "offerer"), (no, "asker", "timing")], 1),
        ([(yes, "asker", "offerer"), (no, "asker", "known")], 2),
        # About something else: the asking company knows what it needs.
        ([(no, "asker", "other_thing")], 0),
        ([(no, "offerer", "other_thing")], 0),
        ([(yes, "offerer"), (no, "asker", "other_thing")], 0),
        ([(yes, "asker"), (no, "offerer", "other_thing")], 1),
        ([(yes, "asker", "offerer"), (no, "asker", "other_thing")], 1),
        # Outcomes: an agreement counts once both confirm it.
        ([(yes, "asker", "offerer"), (tell, "asker", "agreed")], 2),
        ([(yes, "asker", "offerer"), (tell, "asker", "agreed"), (tell, "offerer", "agreed")], 3),
        ([(yes, "asker", "offerer"), (tell, "asker", "agreed"), (tell, "offerer", "not_agreed", "terms")], 2),
        ([(yes, "asker", "offerer"), (tell, "asker", "not_agreed", "terms"), (tell, "offerer", "not_agreed", "terms")], 2),
        ([(yes, "asker", "offerer"), (tell, "asker", "not_agreed", "not_fitting")], 1),
        ([(yes, "asker", "offerer"), (tell, "offerer", "not_agreed", "not_fitting")], 2),
    ],
)
def test_grade_from_what_the_two_companies_said(pair, steps, grade):
    for step, *values in steps:
        step(pair, *values)
    assert [value for value, _source in grades()] == ([] if grade is None else [grade])


@pytest.mark.parametrize(("verdict", "grade"), [("fits", 2), ("partly", 1), ("not", 0)])
def test_curators_word_counts_before_what_the_companies_pressed(pair, curator, verdict, grade):
    yes(pair, "asker")
    curating.judge(pair.offer, pair.demand, by=curator, verdict=verdict)
    assert grades() == [(grade, "curator")]


def test_confirmed_agreement_counts_before_a_curators_word(pair, curator):
    yes(pair, "asker", "offerer")
    for person in ("asker", "offerer"):
        tell(pair, person, "agreed")
    curating.judge(pair.offer, pair.demand, by=curator, verdict="not")
    assert grades() == [(3, "outcome")]


def test_curators_word_needs_no_suggestion_and_the_newest_of_several_counts(curator):
    offer, demand = publish(), publish(kind="demand")
    curating.judge(offer, demand, by=curator, verdict="fits")
    assert grades() == [(2, "curator")]
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        curating.judge(offer, demand, by=UserFactory(is_superuser=True), verdict="not")
    assert grades() == [(0, "curator")]
    assert Judgement.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        curating.judge(offer, demand, by=curator, verdict="partly")
    assert grades() == [(1, "curator")]
    assert Judgement.objects.count() == 2, "each curator has one say"


def test_reason_of_a_company_that_is_gone_counts_as_the_stronger(pair):
    no(pair, "offerer", "other_thing")
    Synergy.objects.update(dismissed_by=None)
    assert grades() == [(0, "companies")]


def test_grades_cost_the_same_queries_for_one_and_for_three(pairs, django_assert_num_queries):
    for pair in pairs(1):
        yes(pair, "asker")
    with django_assert_num_queries(4):
        assert len(list(judgements.graded())) == 1
    for pair in pairs(2):
        yes(pair, "asker")
    with django_assert_num_queries(4):
        assert len(list(judgements.graded())) == 3


# --- The set ------------------------------------------------------------------------------------------------------------


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def export(folder, *options):
    call_command("export_judgements", str(folder), *options, verbosity=0)
    return folder


def test_evaluation_reads_the_set(pairs, tmp_path):
    several = pairs(3)
    yes(several[0], "asker", "offerer")
    yes(several[1], "asker")
    no(several[2], "offerer", "other_thing")
    folder = export(tmp_path / "own")
    dataset = evaluation.load(folder)
    assert {offer.uid for offer in dataset.offers} == {str(pair.offer.uid) for pair in several}
    assert {demand.uid.removeprefix("query:") for demand in dataset.demands} == {str(pair.demand.uid) for pair in several[:2]}, "only those with a match"
    found = {query.removeprefix("query:"): grades for query, grades in dataset.judgements.items()}
    assert found == {str(pair.demand.uid): {str(pair.offer.uid): grade} for pair, grade in zip(several, (2, 1, 0), strict=True)}
    assert [offer.title for offer in dataset.offers] == [pair.offer.title for pair in sorted(several, key=lambda pair: str(pair.offer.uid))]
    assert {offer.language for offer in dataset.offers} == {"ca"}


def test_set_is_the_same_every_time(pairs, tmp_path):
    for pair in pairs(3):
        yes(pair, "asker")
    one, other = export(tmp_path / "one"), export(tmp_path / "other")
    assert {path.name for path in one.iterdir()} == testset.FILES
    for name in testset.FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize(
    "taken_away",
    [{"state": ListingState.WITHDRAWN}, {"state": ListingState.REJECTED}, {"state": ListingState.CHANGES_REQUESTED}, {"state": ListingState.DRAFT}],
)
def test_set_holds_only_what_was_public_and_not_taken_away(pairs, tmp_path, taken_away):
    kept, gone = pairs(2)
    for pair in (kept, gone):
        yes(pair, "asker")
    Listing.objects.filter(pk=gone.offer.pk).update(**taken_away)
    draft = Listing.objects.get(pk=publish(title="Un esborrany secret").pk)
    Listing.objects.filter(pk=draft.pk).update(state="draft", published_at=None)
    folder = export(tmp_path / "own")
    assert [row["id"] for row in lines(folder / "corpus.jsonl")] == [str(kept.offer.uid)]
    assert str(gone.offer.uid) not in (folder / "qrels.tsv").read_text()


def test_set_leaves_hidden_companies_out(pairs, tmp_path):
    kept, hidden = pairs(2)
    for pair in (kept, hidden):
        yes(pair, "asker")
    type(hidden.offering).objects.filter(pk=hidden.offering.pk).update(hidden=True)
    assert [row["id"] for row in lines(export(tmp_path / "own") / "corpus.jsonl")] == [str(kept.offer.uid)]


@pytest.mark.parametrize("ended", [ListingState.EXPIRED, ListingState.CLOSED])
def test_set_keeps_what_has_ended(pair, tmp_path, ended):
    yes(pair, "asker")
    Listing.objects.filter(pk=pair.offer.pk).update(state=ended)
    assert len(lines(export(tmp_path / "own") / "corpus.jsonl")) == 1


def test_set_holds_the_texts_as_they_were_judged(pair, tmp_path):
    """The naive variant writes the present text and keeps a grade that was given to another one."""
    old = pair.offer.title
    yes(pair, "asker")
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        offer = Listing.objects.get(pk=pair.offer.pk)
        offer.title = "Ara venem una cosa ben diferent"
        offer.save()
        assert [row["title"] for row in lines(export(tmp_path / "own") / "corpus.jsonl")] == [old]


def test_grade_of_an_earlier_text_is_left_out(pair, curator, tmp_path):
    """Two demands judged the same offer, one before and one after its text changed: the set has one text, and what was said of it."""
    yes(pair, "asker")
    other = publish(kind="demand", company=CompanyFactory())
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        offer = Listing.objects.get(pk=pair.offer.pk)
        offer.title = "Ara venem una cosa ben diferent"
        offer.save()
        curating.judge(offer, other, by=curator, verdict="fits")
        made = testset.make()
    assert [row["title"] for row in made.offers.values()] == ["Ara venem una cosa ben diferent"]
    assert [(one.demand, one.grade) for one in made.grades] == [(other.pk, 2)]
    assert made.outdated == 1


SECRETS = (
    "alba@botiga.example",
    "93 734 11 22",
    "+34 600 111 222",
    "600111222",
    "https://botiga.example/alba",
    "B12345674",
    "12345678Z",
    "Alba Asking",
    "Oriol Offering",
)


def test_set_holds_no_contact_data(pair, tmp_path):
    text = "Escriviu a " + ", ".join(SECRETS) + ". Volem 200 pantalles de 1.200 mm, EN 14683, 25 kg, codi 2229, 0,62 € i 10.000 peces, norma UNE 0065:2020."
    for listing in (pair.offer, pair.demand):
        Listing.objects.filter(pk=listing.pk).update(description=text)
        Listing.objects.get(pk=listing.pk).save()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        yes(pair, "asker", "offerer")
        folder = export(tmp_path / "own")
    written = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    own = {"corpus.jsonl": "Oriol Offering", "queries.jsonl": "Alba Asking"}
    for secret in SECRETS[:-2]:
        assert secret not in written
    for name, person in own.items():
        assert person not in (folder / name).read_text(encoding="utf-8"), "each company's own people"
    for harmless in ("200 pantalles", "1.200 mm", "EN 14683", "25 kg", "2229", "0,62 €", "10.000 peces", "UNE 0065:2020"):
        assert harmless in written


def test_set_is_not_written_over_another(pair, tmp_path):
    yes(pair, "asker")
    folder = export(tmp_path / "own")
    before = (folder / "qrels.tsv").read_bytes()
    yes(pair, "offerer")
    with pytest.raises(CommandError, match="--force"):
        export(folder)
    assert (folder / "qrels.tsv").read_bytes() == before
    export(folder, "--force")
    assert (folder / "qrels.tsv").read_bytes() != before


def test_folder_with_other_files_is_never_touched(pair, tmp_path):
    yes(pair, "asker")
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match=r"thesis\.txt"):
        export(tmp_path, "--force")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_set_is_whole_or_not_there(pair, tmp_path, monkeypatch):
    """The naive variant leaves the first file behind when the second one fails."""
    yes(pair, "asker")

    def broken(judged):
        yield testset.CORPUS, ["{}"]
        message = "No space left on device"
        raise OSError(message)

    monkeypatch.setattr(testset, "_files", broken)
    with pytest.raises(CommandError, match="No space left"):
        export(tmp_path / "own")
    assert list(tmp_path.iterdir()) == []


def test_set_that_cannot_take_its_place_leaves_the_old_one(pair, tmp_path, monkeypatch):
    yes(pair, "asker")
    folder = export(tmp_path / "own")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    rename = type(folder).rename

    def refused(self, target):
        if self.name.startswith(".own-") and not self.name.startswith(".own-old-"):
            message = "Read-only file system"
            raise OSError(message)
        return rename(self, target)

    monkeypatch.setattr(type(folder), "rename", refused)
    yes(pair, "offerer")
    with pytest.raises(CommandError, match="Read-only"):
        export(folder, "--force")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_nothing_judged_is_an_error(pair, tmp_path):
    no(pair, "asker", "other_thing")
    with pytest.raises(CommandError, match="nothing to measure"):
        export(tmp_path / "own")
    assert list(tmp_path.iterdir()) == []


def test_pair_of_a_new_company_is_in_the_set(tmp_path):
    pair = make_pair()
    yes(pair, "asker", "offerer")
    assert [row["id"] for row in lines(export(tmp_path / "own") / "queries.jsonl")] == [str(pair.demand.uid)]
