"""Tests of the marketplace; `python -m tests` runs them all."""
