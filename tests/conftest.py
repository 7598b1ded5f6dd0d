"""What every test stands on: the closed network, the databases, the search server, and what to do where one is missing."""

import os
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import TransactionTestCase
from django.utils import translation

from search import vocabulary
from tests import browser as chromium
from tests import database, network
from tests.browser import browser, new_page, page  # noqa: F401 - fixtures
from tests.elasticsearch import node
from tests.nodes import nodes  # noqa: F401 - fixture
from tests.smtp import smtp  # noqa: F401 - fixture

CI = os.environ.get("CI") == "true"
MISSING = "missing: "
#: Fixtures that need something which a machine may lack.
NEEDED_BY_FIXTURE = {"elasticsearch_url": "elasticsearch", "browser": "chromium"}

network.close()


# --- What may be missing ------------------------------------------------------------------------------------------------


def _missing() -> dict[str, str]:
    """Why each of them is not here; empty for what is."""
    return {
        "elasticsearch": "" if os.environ.get("TEST_ELASTICSEARCH_URL") else node.missing(),
        "chromium": chromium.missing(),
        # Set by `python -m tests` for its second pass; otherwise such tests are left out or run.
        "postgresql": os.environ.get("TEST_POSTGRESQL_MISSING", ""),
    }


def _on_postgresql() -> bool:
    return django_settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"


def _needs(item) -> set[str]:
    marked = {name for marker in item.iter_markers("needs") for name in marker.args}
    if item.get_closest_marker("postgresql"):
        marked.add("postgresql")
    return marked | {NEEDED_BY_FIXTURE[name] for name in getattr(item, "fixturenames", ()) if name in NEEDED_BY_FIXTURE}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Leave PostgreSQL's tests out of a run on SQLite; mark what cannot run here."""
    missing = _missing()
    chosen, left_out = [], []
    for item in items:
        needs = _needs(item)
        if unknown := needs - missing.keys():
            raise pytest.UsageError(f"{item.nodeid} needs {', '.join(sorted(unknown))}; known are {', '.join(missing)}")
        if "postgresql" in needs:
            item.add_marker("postgresql")
            if not _on_postgresql() and not missing["postgresql"]:
                left_out.append(item)
                continue
        chosen.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = chosen


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skip a test whose needs are not met; in CI that is a failure."""
    reasons = [f"{name}: {why}" for name, why in _missing_once(item.config).items() if why and name in _needs(item)]
    if reasons:
        outcome = pytest.fail if CI else pytest.skip
        outcome(MISSING + "; ".join(reasons), **({"pytrace": False} if CI else {}))


_KEY = pytest.StashKey[dict]()


def _missing_once(config) -> dict[str, str]:
    if _KEY not in config.stash:
        config.stash[_KEY] = _missing()
    return config.stash[_KEY]


def pytest_terminal_summary(terminalreporter):
    """Name loudly, at the end, what was not tested and why."""
    tests = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if MISSING in reason:
            tests[reason.partition(MISSING)[2]].append(report.nodeid)
    for reason, names in tests.items():
        terminalreporter.section(f"NOT TESTED: {len(names)} tests. {reason}", sep="!", red=True, bold=True)
        for name in names:
            terminalreporter.line(name)


# --- Database -----------------------------------------------------------------------------------------------------------


def _test_file() -> Path | None:
    default = django_settings.DATABASES["default"]
    return None if _on_postgresql() else Path(default["TEST"]["NAME"])


@pytest.fixture(scope="session")
def django_db_keepdb(request, django_db_modify_db_settings):
    """Start from a copy of a migrated database where there is one: 1 s instead of 16."""
    file = _test_file()
    if request.config.getvalue("create_db"):
        return False
    if file is None:
        return request.config.getvalue("reuse_db")
    return database.copy_template(file)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, django_db_keepdb):
    """Keep the migrated database for the next run, and what its migrations wrote for tests that commit."""
    with django_db_blocker.unblock():
        if _test_file() and not django_db_keepdb:
            database.keep_template(_test_file())
        snapshot = database.Snapshot("default")
    with pytest.MonkeyPatch.context() as patch:
        # Django's own way leaves the tables empty, sectors and places included, and writes permissions anew (2 s).
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: snapshot.restore())
        yield


@pytest.fixture(autouse=True)
def _first_language():
    """The language of one test's last request is nothing to the next: Django's test client leaves it on."""
    translation.activate(django_settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _empty_cache():
    """What one test cached, such as the address of a page since rolled back, is nothing to the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def _vocabulary():
    """No curator's words: a process asks for them every few seconds, so that queries could not be counted."""
    with vocabulary.using(vocabulary.EMPTY):
        yield


# --- Search server ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def elasticsearch_url():
    """The address of a real Elasticsearch: TEST_ELASTICSEARCH_URL, or a node of our own for this run."""
    url = os.environ.get("TEST_ELASTICSEARCH_URL")
    if url:
        yield url
        return
    started = node.start()
    yield started.url
    started.stop()
