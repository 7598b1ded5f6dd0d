"""Names of stored files: what a person typed decides no path, and two files never meet."""

from pathlib import PurePath

from django.utils.crypto import get_random_string
from django.utils.text import slugify

LONGEST_STEM = 60
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def safe_stem(name: str) -> str:
    """The readable part of a file's name in ASCII, with an ending that nobody can guess: "Guia d'ajuts.pdf" → "guia-dajuts-k3x9…"."""
    readable = slugify(PurePath(name.replace("\\", "/")).stem)[:LONGEST_STEM].strip("-_")
    return f"{readable or 'file'}-{get_random_string(8, ALPHABET)}"
