"""A field for what our blocks hold."""

from wagtail.fields import StreamField


class BodyField(StreamField):
    """A StreamField whose migrations do not repeat its blocks: they are no part of the database, and a new help text needs no migration in every app.

    Who ever writes a data migration with wagtail.blocks.migrations names the blocks there.
    """

    def deconstruct(self) -> tuple[str, str, list, dict]:
        """As a StreamField of nothing."""
        name, path, _args, kwargs = super().deconstruct()
        del kwargs["block_lookup"]
        return name, path, [[]], kwargs
