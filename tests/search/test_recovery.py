"""The database comes back from a backup, in another PostgreSQL cluster; both indices may be gone, older or newer (docs/operations.md)."""

import json
import shutil
import uuid

import pytest

from marketplace.core import changelog
from search import Query, engine, index
from tests import restoring

from .test_index import change, delete, publish

pytestmark = [pytest.mark.postgresql, pytest.mark.needs("elasticsearch"), pytest.mark.django_db(transaction=True)]

#: What happens in the restored marketplace; tells it by the engine's name.
AFTERWARDS = """
import io, json
from django.core.management import call_command
from django.db import transaction
from marketplace.core import changelog
from marketplace.listings.models import Listing
from search import Query, engine, index

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

names = {uid: name for name, uid in uids.items()}
seen = {"foreign": changelog.is_foreign(), "at first": look(), "renamed": rename("Mascaretes")}
call_command("check_index", "--repair", stdout=io.StringIO())
seen |= {"repaired": look(), "renamed after repair": rename("Cadires")}
call_command("rebuild_index", stdout=io.StringIO())
seen |= {"rebuilt": look(), "renamed after rebuild": rename("Pantalles")}
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def restored():
    with restoring.cluster() as restore:
        yield restore


@pytest.fixture
def both(elasticsearch_url, settings, tmp_path):
    """Elasticsearch and the embedded engine beside it."""
    settings.ELASTICSEARCH_URL = elasticsearch_url
    settings.EMBEDDED_INDEX_PATH = tmp_path / "index"
    settings.SEARCH_INDEX_PREFIX = f"test-{uuid.uuid4().hex[:12]}"
    chosen, stand_in = engine.backends()
    yield chosen, stand_in
    chosen.remove()


def surroundings(settings) -> dict[str, str]:
    """With these a program finds the indices of this test."""
    names = ("ELASTICSEARCH_URL", "EMBEDDED_INDEX_PATH", "SEARCH_INDEX_PREFIX")
    return {name: str(getattr(settings, name)) for name in names}


def follow() -> None:
    while any(changelog.lag(reader) for reader in index.READERS.values()):
        index.run_once()


def of_both(*told: object) -> dict[str, list]:
    return {"elasticsearch": list(told), "embedded": list(told)}


@pytest.mark.parametrize("state", ["gone", "older", "newer"])
def test_restored_database_and_the_index_it_finds(both, restored, settings, tmp_path, state):
    chosen, stand_in = both
    listings = {"changed": publish("Gel"), "gone": publish("Guants")}
    follow()
    older, older_folder = chosen.stage(), tmp_path / "older"
    index.index_changes(changelog.read(), backend=older)
    shutil.copytree(stand_in.path, older_folder)
    listings["early"] = publish("Fusta")
    follow()
    restoring.use_up()
    restoring.keep(tmp_path)

    if state == "newer":
        for number in range(5):
            change(listings["changed"], title=f"Gel {number}")
        listings["late"] = publish("Llibres")
        delete(listings["gone"])
        follow()
    elif state == "older":
        chosen.swap(older)
        shutil.rmtree(stand_in.path)
        older_folder.rename(stand_in.path)
    else:
        chosen.remove()
        shutil.rmtree(stand_in.path)

    program = f"uids = {json.dumps({name: str(listing.uid) for name, listing in listings.items()})}\n" + AFTERWARDS
    seen = restored(tmp_path, tmp_path, **surroundings(settings)).json(program)

    everything = ["changed", "early", "gone"]
    assert seen.pop("foreign")
    assert seen == {
        "gone": {
            "at first": of_both(None, None),
            # The worker builds it anew.
            "renamed": of_both(True, {}),
            "repaired": of_both(everything, {}),
            "renamed after repair": of_both(True, {}),
        },
        "older": {
            "at first": of_both(["changed", "gone"], {"missing": ["early"]}),
            "renamed": of_both(True, {"missing": ["early"]}),
            "repaired": of_both(everything, {}),
            "renamed after repair": of_both(True, {}),
        },
        "newer": {
            "at first": of_both(["changed", "early", "late"], {"missing": ["gone"], "extra": ["late"], "stale": ["changed"]}),
            # The change has a lower number than what the index holds: refused, and nothing says so.
            "renamed": of_both(False, {"missing": ["gone"], "extra": ["late"], "stale": ["changed"]}),
            "repaired": of_both(everything, {}),
            "renamed after repair": of_both(False, {"stale": ["changed"]}),
        },
    }[state] | {"rebuilt": of_both(everything, {}), "renamed after rebuild": of_both(True, {})}


def test_steps_of_the_recovery_as_they_are_written(both, restored, settings, tmp_path):
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

    node = restored(tmp_path, tmp_path, is_filled=False, **surroundings(settings))
    told = node.does(restoring.lines("Recovery"))

    assert "elasticsearch: 2 listings\nembedded: 2 listings\n" in told
    assert told.count(": 0 missing") == told.count(": 0 too much") == told.count(": 0 stale") == 2
    assert (tmp_path / "media/original_images/gel.jpg").read_bytes() == b"a picture"
    assert [{hit.uid for hit in backend.find(Query()).hits} for backend in both] == [uids] * 2
