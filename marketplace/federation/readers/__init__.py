"""What partners have for us to read: one reader a file, by the name that `Partner.reader` holds."""

READERS: dict[str, str] = {
    "protocol": "marketplace.federation.readers.protocol.ProtocolReader",
    "table": "marketplace.federation.readers.table.TableReader",
    "feed": "marketplace.federation.readers.feed.FeedReader",
    "json": "marketplace.federation.readers.json_api.JsonReader",
    "web": "marketplace.federation.readers.web_pages.WebReader",
}
