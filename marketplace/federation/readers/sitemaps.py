"""Sitemaps (sitemaps.org): lists of a site's pages, also as an index of several and packed with gzip."""

import gzip
import io
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from marketplace.federation.items import HarvestError

from .visits import MEGABYTE, UNKNOWN_TYPES, Visit, absolute

TYPES = ("application/xml", "text/xml", "application/gzip", "application/x-gzip", "text/plain", *UNKNOWN_TYPES)
#: The protocol's own limits: 50 MB unpacked. 50,000 pages are more than we read, see web_pages.LIMITS.
MAX_UNPACKED = 50 * MEGABYTE
MAX_DEPTH = 2
MAX_SITEMAPS = 50


def pages(visit: Visit, url: str, *, depth: int = 0, read: set[str] | None = None) -> Iterator[tuple[str, str]]:
    """(address, lastmod or "") of each page that the sitemap or those of its index name; raises HarvestError."""
    read = set() if read is None else read
    if url in read:
        return
    read.add(url)
    if len(read) > MAX_SITEMAPS or depth > MAX_DEPTH:
        raise HarvestError("too-many-pages", _("The sitemap leads to more than %(limit)d others, or too deep.") % {"limit": MAX_SITEMAPS})
    root = _root(visit.get(url, TYPES, expected=_("a sitemap")).body, url)
    is_index = _name(root.tag) == "sitemapindex"
    if not is_index and _name(root.tag) != "urlset":
        raise HarvestError("not-a-sitemap", _("At %(url)s lies no sitemap: it begins with <%(tag)s>.") % {"url": url, "tag": _name(root.tag)[:40]})
    for node in root:
        told = {_name(child.tag): (child.text or "").strip() for child in node}
        if not told.get("loc"):
            continue
        address = absolute(url, told["loc"], _("a page"))
        if is_index:
            yield from pages(visit, address, depth=depth + 1, read=read)
        else:
            yield address, told.get("lastmod", "")


def _root(content: bytes, url: str):
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content, url)
    if not content.strip():
        raise HarvestError("empty", _("The answer is empty. As this is seldom meant, nothing was changed here."))
    try:
        return fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise HarvestError(
            "entities", _("%(url)s declares a document type or entities of its own, which can be made to grow without bounds. It is not read.") % {"url": url}
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise HarvestError("not-a-sitemap", _("At %(url)s lies no valid XML: %(error)s") % {"url": url, "error": error}) from error


def _unpacked(content: bytes, url: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise HarvestError("not-a-sitemap", _("%(url)s is no whole gzip file: %(error)s") % {"url": url, "error": error}) from error
    if len(unpacked) > MAX_UNPACKED:
        raise HarvestError("too_large", _("%(url)s unpacks to more than %(megabytes)d MB.") % {"url": url, "megabytes": MAX_UNPACKED // MEGABYTE})
    return unpacked


def _name(tag: object) -> str:
    return str(tag).rpartition("}")[2]
