"""Signs of life, once more by the clock of PostgreSQL."""

import pytest

from .test_heartbeats import (  # noqa: F401 - collected here again, with the fixture they use
    beating,
    test_dead_worker_that_another_one_of_its_host_replaced_is_no_news,
    test_heart_beats_by_itself_and_takes_its_rows_along,
    test_host_whose_clock_is_wrong_is_not_dead,
    test_step_that_hangs_is_told_while_the_heart_beats_on,
    test_worker_tells_what_it_does_and_did,
    test_worker_that_is_silent_for_a_minute_is_dead_and_forgotten_after_a_day,
)

pytestmark = pytest.mark.postgresql
