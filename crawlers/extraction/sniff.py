"""What a body is, by its first bytes and what its server says."""

from __future__ import annotations

import re
from enum import Enum

from crawlers.extraction.charset import wide_encoding

_MARKUP = re.compile(rb"<(!doctype\s+html|html|head|body|title|meta|div|p|h1|table|a|script|link|article|main)\b", re.I)
_FEED = re.compile(rb"<(rss|feed|rdf:RDF)[\s>]", re.I)
_SITEMAP = re.compile(rb"<(?:\w+:)?(urlset|sitemapindex)[\s>]", re.I)
_JSON_FEED = re.compile(rb'"version"\s*:\s*"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version', re.I)
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
_DOCUMENT = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.I)
_MARKDOWN_TYPES = frozenset({"text/markdown", "text/x-markdown"})
_MARKDOWN_NAMES = (".md", ".markdown", ".mkd")
_UNSAID = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-unknown"})
_HEAD_BYTES = 2_048


class Format(Enum):
    """The formats that the crawler reads."""

    HTML = "html"
    TEXT = "text"
    MARKDOWN = "markdown"
    PDF = "pdf"
    FEED = "feed"
    SITEMAP = "sitemap"
    GZIP = "gzip"
    OTHER = "other"


def media_type(content_type: str) -> str:
    """Return the bare, lower-case media type of a Content-Type header."""
    return content_type.partition(";")[0].strip().lower()


def is_markdown(url: str, content_type: str) -> bool:
    """Return whether a text is Markdown: by its media type, or as plain text by the end of its URL's path."""
    kind = media_type(content_type)
    path = url.partition("#")[0].partition("?")[0].lower()
    return kind in _MARKDOWN_TYPES or (kind in ("", "text/plain") and path.endswith(_MARKDOWN_NAMES))


def sniff(body: bytes, content_type: str, url: str = "") -> Format:
    """Return the format of ``body``; evidence in the bytes outweighs the header, since headers lie."""
    kind, head = media_type(content_type), _head(body, content_type)
    if head.startswith(b"%PDF-"):
        return Format.PDF
    if head.startswith(b"\x1f\x8b"):
        return Format.GZIP
    if kind == "application/feed+json" or (head.startswith(b"{") and _JSON_FEED.search(head)):
        return Format.FEED
    if head.startswith(b"<") and (xml := _xml_format(head)) is not None:
        return xml
    if kind in _HTML_TYPES:
        return Format.OTHER if _is_binary(head) else Format.HTML
    if is_markdown(url, content_type) and not _is_binary(head):
        return Format.HTML if _DOCUMENT.match(head) else Format.MARKDOWN
    if head.startswith(b"<") and (_MARKUP.search(head) is not None) and not kind.startswith("image/"):
        return Format.HTML
    if kind == "text/plain" or kind in _UNSAID:
        if _is_binary(head):
            return Format.OTHER
        return Format.HTML if kind in _UNSAID and _MARKUP.search(head) else Format.TEXT
    return Format.OTHER


def _head(body: bytes, content_type: str) -> bytes:
    """Return the first bytes, without byte order mark and white space, as UTF-8 where they are in UTF-16 or UTF-32."""
    head = body[:_HEAD_BYTES]
    wide = wide_encoding(body, content_type)
    if wide is not None:
        head = head.decode(wide, "ignore").encode("utf-8", "ignore")
    return head.lstrip(b"\xef\xbb\xbf\t\r\n ")


def _xml_format(head: bytes) -> Format | None:
    if _SITEMAP.search(head):
        return Format.SITEMAP
    if _FEED.search(head) and not _MARKUP.match(head):
        return Format.FEED
    return None


def _is_binary(head: bytes) -> bool:
    return head.count(b"\0") > len(head) // 3 or head[:4] in (b"\x89PNG", b"GIF8", b"PK\x03\x04", b"\xff\xd8\xff\xe0")
