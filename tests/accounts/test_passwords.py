"""What people are told about their password."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError


def test_a_short_password_is_told_how_long_it_should_be():
    with pytest.raises(ValidationError, match="10"):
        validate_password("grapa nou")
