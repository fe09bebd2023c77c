"""The URLs in sitemaps (sitemaps.org 0.9: index, urlset, text), RSS, Atom (RFC 4287, RFC 5005) and JSON Feed 1.1."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urljoin

import msgspec
from scrapy import Selector

from crawlers.extraction.charset import wide_encoding
from crawlers.extraction.sniff import Format, sniff
from crawlers.limits import MAX_URL_CHARS

_MAX_URLS = 50_000
_ANYWHERE = timedelta(hours=12)
"""A time without its zone may be so much later than it would be in UTC."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?:/[a-z0-9_~=&?%-]*)*", re.IGNORECASE)
"""A URL in which there is nothing to resolve."""
_LINE = re.compile(r"https?://\S+", re.IGNORECASE)


class Source(NamedTuple):
    """What a sitemap or feed names: pages, further sources, how many URLs were too long, and when pages were changed.

    ``modified`` has the latest time (aware UTC) that the source's words allow, of pages of which it says one.
    """

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]
    too_long: int = 0
    modified: Mapping[str, datetime] = {}


class _Named(NamedTuple):
    url: str
    modified: str = ""
    is_source: bool = False


def read_source(body: bytes, url: str, content_type: str = "") -> Source:
    """Return the absolute http(s) URLs in a sitemap or feed; empty where it cannot be read."""
    text = body.decode(wide_encoding(body, content_type) or "utf-8", "replace").replace("\0", "").lstrip("\ufeff")
    start = text[:200].lstrip()
    if start.startswith("{"):
        return _absolute(_json_feed(text), url)
    if not start.startswith("<"):
        return _absolute((_Named(line) for line in text.splitlines() if line.strip()), url)
    try:
        root = Selector(text=text, type="xml").root
    except ValueError:
        return Source((), ())
    return _absolute(_xml(root), url)


def lists_urls(body: bytes) -> bool:
    """Return whether a text is a sitemap: UTF-8, and nothing in it but absolute URLs, one a line."""
    try:
        lines = body.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return False
    found = [line.strip() for line in lines if line.strip()]
    return bool(found) and all(map(_LINE.fullmatch, found))


def unpack(body: bytes, max_bytes: int) -> tuple[bytes, Format]:
    """Return a gzipped sitemap unpacked with its format, or ``b""`` and GZIP where it is none, damaged or too large."""
    try:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        unpacked = stream.decompress(body, max_bytes)
    except zlib.error:
        return b"", Format.GZIP
    kind = sniff(unpacked, "")
    if kind is Format.TEXT and lists_urls(unpacked):
        kind = Format.SITEMAP
    if stream.unconsumed_tail or kind not in (Format.SITEMAP, Format.FEED):
        return b"", Format.GZIP
    return unpacked, kind


def latest(said: str) -> datetime | None:
    """Return the latest time (aware UTC) that a W3C date or RFC 3339 time can mean, or None where it is neither."""
    text = said.strip()
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        if _DAY.fullmatch(text):
            return time.replace(tzinfo=UTC) + timedelta(days=1) + _ANYWHERE
        return time.astimezone(UTC) if time.tzinfo is not None else time.replace(tzinfo=UTC) + _ANYWHERE
    except OverflowError:
        return None


def _xml(root: Any) -> Iterator[_Named]:
    for element in root.iter("{*}sitemap", "{*}url", "{*}item", "{*}entry"):
        parts = [(_name(child), child) for child in element]
        yield from _READERS[_name(element)](parts)
    # RFC 5005: the next page of a feed in pieces; an entry has links of its own.
    for link in root.iter("{*}link"):
        if link.get("rel") in ("next", "prev-archive") and _name(link.getparent()) in ("feed", "channel"):
            yield _Named(link.get("href") or "", is_source=True)


_Parts = list[tuple[str, Any]]


def _sitemap(parts: _Parts) -> Iterator[_Named]:
    yield from (_Named(_text(part), is_source=True) for name, part in parts if name == "loc")


def _url(parts: _Parts) -> Iterator[_Named]:
    """Yield a page and its versions in other languages; images and videos have their addresses one level deeper."""
    modified = next((_text(part) for name, part in parts if name == "lastmod"), "")
    for name, part in parts:
        if name == "loc":
            yield _Named(_text(part), modified)
        elif name == "link" and part.get("rel") == "alternate" and part.get("hreflang"):
            yield _Named(part.get("href") or "")


def _item(parts: _Parts) -> Iterator[_Named]:
    """Yield the page of an RSS item; ``pubDate`` says when it was new, not when it was changed."""
    links = [_text(part) for name, part in parts if name == "link"]
    guids = [_text(part) for name, part in parts if name == "guid" and part.get("isPermaLink", "true") != "false"]
    urls = [url for url in links if url] or [guid for guid in guids if _LINE.fullmatch(guid)]
    yield from map(_Named, urls)


def _entry(parts: _Parts) -> Iterator[_Named]:
    modified = next((_text(part) for name, part in parts if name == "updated"), "")
    for name, part in parts:
        if name == "link" and part.get("rel", "alternate") == "alternate":
            yield _Named(part.get("href") or "", modified)


_READERS = {"sitemap": _sitemap, "url": _url, "item": _item, "entry": _entry}


def _json_feed(text: str) -> Iterator[_Named]:
    try:
        feed = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.MsgspecError, RecursionError):
        return
    items = feed.get("items") if isinstance(feed, dict) else None
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield _Named(_said(item, "url") or _said(item, "external_url"), _said(item, "date_modified"))
    yield _Named(_said(feed, "next_url") if isinstance(feed, dict) else "", is_source=True)


def _said(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _name(element: Any) -> str:
    tag = element.tag if element is not None else ""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _text(element: Any) -> str:
    return ((element.text or "") if not len(element) else "".join(element.itertext())).strip()


def _absolute(named: Iterable[_Named], base: str) -> Source:
    pages: dict[str, None] = {}
    sources: dict[str, None] = {}
    modified: dict[str, datetime] = {}
    too_long = 0
    for one in named:
        if len(pages) >= _MAX_URLS or len(sources) >= _MAX_URLS:
            break
        if not one.url:
            continue
        url = _joined(one.url, base)
        if len(url) > MAX_URL_CHARS:
            too_long += 1
        elif url.startswith(("http://", "https://")):
            (sources if one.is_source else pages)[url] = None
            if (at := latest(one.modified)) is not None:
                modified[url] = at
    return Source(tuple(pages), tuple(sources), too_long, modified)


def _joined(url: str, base: str) -> str:
    """Return ``url`` made absolute without fragment; a too long one as it is, and none at all where it is no URL."""
    if len(url) > MAX_URL_CHARS:
        return url
    if _PLAIN.fullmatch(url):
        return url
    try:
        return urljoin(base, url.strip()).partition("#")[0]
    except ValueError:
        return ""
