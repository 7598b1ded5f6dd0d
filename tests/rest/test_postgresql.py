"""What several do at once, once more on a database where they really do."""

import pytest

from tests.rest.test_keys import client_of_keys, test_two_who_replace_a_key_at_once_make_one  # noqa: F401 - collected here again
from tests.rest.test_throttling import (  # noqa: F401 - as above
    _clock,
    any_cache,
    test_two_at_once_never_get_the_same_number,
)
from tests.rest.test_usage import (  # noqa: F401 - as above
    _nothing_pending,
    test_sums_are_exact_with_threads_that_count_and_write,
)

pytestmark = [pytest.mark.postgresql, pytest.mark.urls("tests.rest.doors")]
