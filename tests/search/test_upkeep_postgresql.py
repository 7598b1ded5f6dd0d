"""Work on a whole index, once more where several look for it at a time."""

import pytest

from .test_upkeep import (  # noqa: F401 - collected here again, with the fixture they use
    embedded,
    test_request_of_a_killed_worker_is_taken_over_when_its_lease_is_out,
    test_two_workers_do_it_once,
)

pytestmark = pytest.mark.postgresql
