"""What can be wrong with a file as a whole."""

from django.core.exceptions import ValidationError


class FileError(ValidationError):
    """The file cannot be read; the message says what to do."""


class MappingError(ValidationError):
    """The columns are not enough to make listings from."""
