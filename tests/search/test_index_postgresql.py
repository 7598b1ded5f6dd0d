"""What happens between transactions, once more where several write at a time."""

import pytest

from .test_index import (  # noqa: F401 - collected here again, with the fixtures they use
    backend,
    embedded,
    test_a_reader_killed_in_its_work_loses_nothing,
    test_rebuild_while_others_write_loses_nothing_and_searches_see_no_gap,
    test_the_naive_way_of_indexing_in_the_request_loses_a_killed_one,
)

pytestmark = pytest.mark.postgresql
