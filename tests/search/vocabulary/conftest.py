"""Tests in which curators' words hold, instead of none as elsewhere."""

import pytest

from search import vocabulary


@pytest.fixture(autouse=True)
def _vocabulary():
    """As in a process that has just begun."""
    vocabulary.forget()
    yield
    vocabulary.forget()
