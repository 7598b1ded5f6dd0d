"""Marketplaces with both engines, and how much of each fault is tried."""

import os
import random
import uuid

import pytest
import urllib3

from tests.search.life import comparing, forks

#: LIFE_SIZE=full tries every fault as often as is promised; otherwise a part of it, so that the tests take seconds.
FULL = os.environ.get("LIFE_SIZE") == "full"


@pytest.fixture
def seed():
    """Printed, so that a failure can be run again."""
    chosen = int(os.environ.get("LIFE_SEED") or random.SystemRandom().randrange(10**6))
    print(f"\nLIFE_SEED={chosen}")
    return chosen


@pytest.fixture(scope="session")
def _parent(tmp_path_factory):
    """One process that has everything loaded, for all tests; a marketplace's own settings are put on by its children."""
    made = []

    def parent(node) -> forks.Parent:
        if not made:
            made.append(forks.Parent(node.env, tmp_path_factory.mktemp("forks") / "parent.log"))
        return made[0]

    yield parent
    for one in made:
        one.close()


@pytest.fixture
def marketplace(nodes, elasticsearch_url, _parent):
    """Make a marketplace with both engines, whose processes are forked: `marketplace(EMBEDDED_FALLBACK=False)` gives its Forks."""
    made = []

    def make(**changed: object) -> forks.Forks:
        [node] = nodes(1, start=False)
        changed = {"ELASTICSEARCH_URL": elasticsearch_url, "SEARCH_INDEX_PREFIX": f"life-{uuid.uuid4().hex[:12]}", "EMBEDDED_FALLBACK": True} | changed
        node.env |= {name: str(value) for name, value in changed.items()}
        made.append(forks.Forks(node, _parent(node), changed | {"SITE_URL": node.url}))
        return made[-1]

    yield make
    for one in made:
        one.close()
        prefix = one.node.env["SEARCH_INDEX_PREFIX"]
        for name in urllib3.request("GET", f"{elasticsearch_url}/{prefix}-*?features=aliases").json():
            urllib3.request("DELETE", f"{elasticsearch_url}/{name}")


@pytest.fixture
def differences():
    """How each engine's index of a marketplace differs from its database."""
    return lambda node, **options: {backend.name: comparing.difference(node, backend, **options) for backend in comparing.backends(node)}
