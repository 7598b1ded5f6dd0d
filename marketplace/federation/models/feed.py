"""What this node gives to its partners: a log with one entry a listing, its newest state."""

import uuid
from collections.abc import Iterator

from django.db import connection, models
from django.db.models import Q

from marketplace.core import transactions
from marketplace.federation.enums import Reason

#: A place in the log: (transaction, id), as in the change log (core.changelog).
Position = tuple[int, int]
BEGINNING: Position = (0, 0)


class Op(models.TextChoices):
    """What an entry tells. The words are those of the protocol."""

    UPSERT = "upsert", "upsert"
    TOMBSTONE = "tombstone", "tombstone"


class FeedEntryQuerySet(models.QuerySet):
    """Entries of the log."""

    def after(self, position: Position) -> "FeedEntryQuerySet":
        """Those behind a place of the log."""
        return self.filter(transactions.later_than(position))

    def up_to(self, position: Position) -> "FeedEntryQuerySet":
        """The others: those up to a place of the log, and that place's own."""
        transaction, pk = position
        return self.filter(Q(transaction__lt=transaction) | Q(transaction=transaction, id__lte=pk))

    def settled(self) -> "FeedEntryQuerySet":
        """Those before which nothing can appear any more: a transaction that is still open could commit an earlier entry later."""
        return self.filter(transaction__lt=transactions.OldestOpenTransaction()) if connection.vendor == "postgresql" else self

    def in_order(self) -> "FeedEntryQuerySet":
        """As a reader gets them."""
        return self.order_by("transaction", "id")

    def behind(self, uid: uuid.UUID | None) -> "FeedEntryQuerySet":
        """In the order of listings, those behind one of them: this order stays while entries change."""
        return (self if uid is None else self.filter(uid__gt=uid)).order_by("uid")

    def texts(self, chunk: int) -> Iterator[list[str]]:
        """All texts, so many at once. Each chunk is a query of its own: no transaction stays open for as long as a slow reader takes."""
        last, is_full = None, True
        while is_full:
            rows = list(self.behind(last).values_list("uid", "text")[:chunk])
            yield [text for _uid, text in rows]
            is_full = len(rows) == chunk
            last = rows[-1][0] if rows else None

    def last_position(self) -> Position:
        """The place of the last of them; the beginning if there is none."""
        return self.order_by("-transaction", "-id").values_list("transaction", "id").first() or BEGINNING


class FeedEntry(models.Model):
    """The newest state of a listing that was exported at least once.

    When it changes, the row is deleted and another one inserted: the id rises, and a reader at any cursor sees it once more.
    """

    id = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField(default=0)
    uid = models.UUIDField(unique=True)
    uri = models.CharField(max_length=500)
    op = models.CharField(max_length=10, choices=Op)
    reason = models.CharField(max_length=10, choices=Reason, blank=True)
    version = models.BigIntegerField()
    updated_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=80, blank=True)
    # For the choice of what a partner is given; empty in a tombstone.
    kind = models.CharField(max_length=6, blank=True)
    sector_path = models.CharField(max_length=20, blank=True)
    place = models.CharField(max_length=6, blank=True)
    # The whole item as JSON, ready to be sent.
    text = models.TextField()

    objects = FeedEntryQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["transaction", "id"], name="feed_order"), models.Index(fields=["op", "uid"], name="feed_snapshot")]

    def __str__(self) -> str:
        return f"{self.op} {self.uri} {self.version}"


class FeedLog(models.Model):
    """What is known of the log as a whole: one row."""

    # Up to where tombstones may have been thrown away.
    pruned_transaction = models.BigIntegerField(default=0)
    pruned_id = models.BigIntegerField(default=0)
    # How often a backup was put back, as far as we know: cursors of before are worth nothing.
    renumbered = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"pruned up to {self.pruned}"

    @classmethod
    def current(cls) -> "FeedLog":
        """The row, or one as it would be made."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    @property
    def pruned(self) -> Position:
        """The place up to which tombstones may have been thrown away."""
        return self.pruned_transaction, self.pruned_id
