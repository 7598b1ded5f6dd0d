"""The database comes back from a backup, in another PostgreSQL cluster; both indices may be gone, older or newer (docs/operations.md)."""

import uuid

import pytest
from django.conf import settings as django_settings
from django.test import override_settings

from marketplace.core import changelog
from search import Query, engine, index
from tests import restoring

from .test_index import change, delete, publish

pytestmark = [pytest.mark.postgresql, pytest.mark.needs("elasticsearch"), pytest.mark.django_db(transaction=True)]

STATES = ("gone", "older", "newer")
#: What happens in three restored databases, each with indices in another state; tells it by state and engine.
AFTERWARDS = """
import io, json
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from marketplace.core import changelog
from marketplace.listings.models import Listing
from search import Query, engine, index

names = {uid: name for name, uid in uids.items()}

def look():
    return {backend.name: [found(backend), drift(backend)] for backend in engine.backends()}

def found(backend):
    return sorted(names[hit.uid] for hit in backend.find(Query(page_size=100)).hits) if backend.exists() else None

def drift(backend):
    if not backend.exists():
        return None
    told = index.check(backend)
    return {kind: sorted(names[uid] for uid in getattr(told, kind)) for kind in ("missing", "extra", "stale") if getattr(told, kind)}

def rename(title):
    with transaction.atomic():
        listing = Listing.objects.select_for_update().get(uid=uids["changed"])
        Listing.objects.filter(pk=listing.pk).update(title=title)
        changelog.append("listing", listing.uid)
    while any(changelog.lag(reader) for reader in index.READERS.values()):
        index.run_once()
    return {backend.name: [bool(backend.find(Query(text=title)).hits), drift(backend)] for backend in engine.backends()}

def story():
    yield "foreign", changelog.is_foreign()
    yield "at first", look()
    yield "renamed", rename("Mascaretes")
    call_command("check_index", "--repair", stdout=io.StringIO())
    yield "repaired", look()
    yield "renamed after repair", rename("Cadires")
    call_command("rebuild_index", stdout=io.StringIO())
    yield "rebuilt", look()
    yield "renamed after rebuild", rename("Pantalles")

seen = {}
for state, database in databases.items():
    connection.close()
    connection.settings_dict["NAME"] = database
    with override_settings(**indices[state]):
        seen[state] = dict(story())
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def restored():
    with restoring.cluster() as restore:
        yield restore


@pytest.fixture
def indices(elasticsearch_url, settings, tmp_path):
    """Of each state, where Elasticsearch's index and the embedded engine's are. Those in use are the ones that will be newer than the backup."""
    settings.ELASTICSEARCH_URL = elasticsearch_url
    places = {state: {"SEARCH_INDEX_PREFIX": f"test-{state}-{uuid.uuid4().hex[:8]}", "EMBEDDED_INDEX_PATH": str(tmp_path / state)} for state in STATES}
    for name, value in places["newer"].items():
        setattr(settings, name, value)
    yield places
    for place in places.values():
        with override_settings(**place):
            for backend in engine.backends():
                backend.remove()


def follow() -> None:
    while any(changelog.lag(reader) for reader in index.READERS.values()):
        index.run_once()


def of_both(*told: object) -> dict[str, list]:
    return {"elasticsearch": list(told), "embedded": list(told)}


EVERYTHING = ["changed", "early", "gone"]
NEWER = {"missing": ["gone"], "extra": ["late"], "stale": ["changed"]}
#: What there is without a rebuild; "renamed": whether a later change is found, and what still differs then.
NAIVE = {
    # The worker builds it anew.
    "gone": {
        "at first": of_both(None, None),
        "renamed": of_both(True, {}),
        "repaired": of_both(EVERYTHING, {}),
        "renamed after repair": of_both(True, {}),
    },
    "older": {
        "at first": of_both(["changed", "gone"], {"missing": ["early"]}),
        "renamed": of_both(True, {"missing": ["early"]}),
        "repaired": of_both(EVERYTHING, {}),
        "renamed after repair": of_both(True, {}),
    },
    # The change has a lower number than what the index holds: refused, and nothing says so. A repair leaves the numbers as they are.
    "newer": {
        "at first": of_both(["changed", "early", "late"], NEWER),
        "renamed": of_both(False, NEWER),
        "repaired": of_both(EVERYTHING, {}),
        "renamed after repair": of_both(False, {"stale": ["changed"]}),
    },
}


def test_restored_database_and_the_index_it_finds(indices, restored, tmp_path):
    listings = {"changed": publish("Gel"), "gone": publish("Guants")}
    follow()
    with override_settings(**indices["older"]):
        for backend in engine.backends():
            backend.create()
            index.index_changes(changelog.read(), backend=backend)
    listings["early"] = publish("Fusta")
    follow()
    restoring.use_up()
    restoring.keep(tmp_path)
    for number in range(5):
        change(listings["changed"], title=f"Gel {number}")
    listings["late"] = publish("Llibres")
    uids = {name: str(listing.uid) for name, listing in listings.items()}
    delete(listings["gone"])
    follow()

    nodes = {state: restored(tmp_path, tmp_path, ELASTICSEARCH_URL=django_settings.ELASTICSEARCH_URL) for state in STATES}
    told = {"uids": uids, "indices": indices, "databases": {state: node.name for state, node in nodes.items()}}
    seen = nodes["gone"].json(f"vars().update({told!r})\n{AFTERWARDS}")

    after = {"foreign": True, "rebuilt": of_both(EVERYTHING, {}), "renamed after rebuild": of_both(True, {})}
    assert seen == {state: without | after for state, without in NAIVE.items()}


def test_steps_of_the_recovery_as_they_are_written(indices, restored, settings, tmp_path):
    """An index newer than the backup, and a picture that was lost."""
    changed, withdrawn = publish("Gel"), publish("Guants")
    uids = {str(changed.uid), str(withdrawn.uid)}
    follow()
    picture = settings.MEDIA_ROOT / "original_images" / "gel.jpg"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(b"a picture")
    restoring.use_up()
    restoring.keep(tmp_path)
    change(changed, title="Sabó")
    delete(withdrawn)
    publish("Llibres")
    follow()

    node = restored(tmp_path, tmp_path, is_filled=False, ELASTICSEARCH_URL=settings.ELASTICSEARCH_URL, **indices["newer"])
    told = node.does(restoring.lines("Recovery"))

    assert "elasticsearch: 2 listings\nembedded: 2 listings\n" in told
    assert told.count(": 0 missing") == told.count(": 0 too much") == told.count(": 0 stale") == 2
    assert (tmp_path / "media/original_images/gel.jpg").read_bytes() == b"a picture"
    assert [{hit.uid for hit in backend.find(Query()).hits} for backend in engine.backends()] == [uids] * 2
