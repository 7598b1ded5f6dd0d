"""The figures, once more from PostgreSQL: comparisons of places in the log, ages by its clock, open transactions."""

import pytest

from .test_metrics import (  # noqa: F401 - collected here again, with the fixture they use
    scrape,
    test_mails_that_nobody_sends_are_seen,
    test_reader_that_is_stuck_is_seen_in_changes_and_in_seconds,
    test_worker_that_was_killed_is_seen,
)
from .test_views import test_details_tell_every_part, test_health_says_ok_and_nothing_else  # noqa: F401 - as above

pytestmark = pytest.mark.postgresql
