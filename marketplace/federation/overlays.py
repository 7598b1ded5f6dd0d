"""What a curator lays over a partner's listing: hidden, more keywords, a translation. The origin's text stays below and goes on being kept up to date."""

from collections.abc import Iterable, Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from marketplace.accounts.models import User
from marketplace.listings import federated
from marketplace.listings.enums import State
from marketplace.listings.federated import Arrival
from marketplace.listings.models import Listing

from .models import Overlay, RemoteListing
from .rules import can_look

FIELDS = ("hidden", "reason", "tags", "language", "title", "description")
COVERED = ("title", "description", "language", "keywords")
MAX_KEYWORDS = 200


class StaleOverlayError(ValidationError):
    """The overlay was changed since the form was opened."""


def stamp(overlay: Overlay | None) -> str:
    """By what two versions of an overlay are told apart."""
    return overlay.modified.isoformat() if overlay else ""


def lay(overlay: Overlay | None, listing: Listing) -> Listing:
    """Put the overlay's texts over those that the listing has from its origin, and keep these in the overlay (not yet saved)."""
    if overlay is None:
        return listing
    overlay.original = {name: getattr(listing, name) for name in COVERED}
    if overlay.title or overlay.description:
        listing.title, listing.description = overlay.title or listing.title, overlay.description or listing.description
        listing.language = overlay.language or listing.language
    listing.keywords = _joined(listing.keyword_list, overlay.tags)
    return listing


def keep_originals(overlays: Iterable[Overlay]) -> None:
    """Save what `lay` kept."""
    Overlay.objects.bulk_update(list(overlays), ["original"])


@transaction.atomic
def change(listing: Listing, values: Mapping[str, object], *, by: User, seen: str | None = None) -> Overlay:
    """Write those of FIELDS that are given. `seen`: the stamp of the overlay that the person looked at.

    Raises ValidationError by field, StaleOverlayError when somebody else was quicker, PermissionDenied for who is no curator.
    """
    if not can_look(by):
        raise PermissionDenied
    row = federated.lock([listing.pk]).get(listing.pk)
    remote = RemoteListing.objects.select_related("partner").filter(listing=listing, tombstoned_at=None).first()
    if row is None or remote is None:
        raise ValidationError(_("This listing is gone: the marketplace that it came from took it away."))
    overlay = Overlay.objects.select_for_update().filter(listing=row).first()
    if seen is not None and seen != stamp(overlay):
        raise StaleOverlayError(_("Somebody else changed this while you did. Nothing of yours was saved yet: compare, then save again."), code="stale")
    overlay = overlay or Overlay(listing=row, original={name: getattr(row, name) for name in COVERED})
    was_hidden = overlay.hidden
    for name in FIELDS:
        if name in values:
            setattr(overlay, name, values[name])
    overlay.by = by
    overlay.full_clean(exclude=["listing", "by", "original"])
    if (overlay.title or overlay.description) and not overlay.language:
        raise ValidationError({"language": _("Say in which language the translation is.")})
    for name in COVERED:
        setattr(row, name, overlay.original[name])
    row = lay(overlay, row)
    overlay.save()
    federated.write([Arrival(row, row.state == State.PUBLISHED, row.published_at or row.created)])
    if overlay.hidden and not was_hidden:
        federated.end([row], {row.pk: State.REJECTED}, reason=overlay.reason, by=by)
    elif was_hidden and not overlay.hidden and row.state == State.REJECTED:
        federated.show(row, is_shown=remote.partner.publishes and not remote.held_back, by=by)
    return overlay


def _joined(words: list[str], tags: str) -> str:
    """The origin's keywords, then ours, as many as there is room for; ours first if it is tight, for a curator meant them."""
    more = [tag.strip() for tag in tags.split(",") if tag.strip()]
    kept = list(dict.fromkeys(more))
    for word in words:
        if word not in kept and len(", ".join([*kept, word])) <= MAX_KEYWORDS:
            kept.append(word)
    return ", ".join(kept)
