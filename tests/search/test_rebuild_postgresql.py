"""Rebuilds, once more where several write at a time."""

import pytest

from .test_rebuild import (  # noqa: F401 - collected here again, with the fixtures they use
    LISTINGS,
    backend,
    embedded,
    small_batches,
    test_a_rebuild_without_replay_loses_what_was_written_meanwhile_and_ours_does_not,
    test_changes_of_a_log_that_was_restored_elsewhere_are_not_skipped,
)
from .test_rebuild import test_many_rebuilds_some_of_them_killed_cost_no_read_and_no_update as many_rebuilds

#: At the everyday size one is enough here; both have run on SQLite.
ENGINES = ["embedded"] if LISTINGS < 1_000 else ["embedded", "elasticsearch"]

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("backend", ENGINES, indirect=True)
def test_many_rebuilds_some_of_them_killed_cost_no_read_and_no_update(backend, tmp_path):  # noqa: F811 - the fixture
    many_rebuilds(backend, tmp_path)
