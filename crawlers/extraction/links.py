"""The links of a page that a crawl may follow. ``rel=nofollow`` is followed: it speaks of ranking, not of access.

Links longer than `crawlers.limits.MAX_URL_CHARS`, as written or made absolute, are counted and otherwise forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from crawlers.limits import MAX_URL_CHARS

_MAX_LINKS = 5_000
_NEVER = re.compile(
    r"^\s*(#|javascript:|mailto:|tel:|data:|sms:|whatsapp:|ftp:)|\.(?:jpe?g|png|gif|svg|webp|ico|css|js|mp[34]|avi|mov"
    r"|zip|rar|7z|exe|dmg|iso|woff2?|ttf)(?:[?#]|$)",
    re.IGNORECASE,
)
_HREF = re.compile(r"""<(?:a|area)\b[^>]{0,500}?\bhref\s*=\s*["']?([^"'\s>]{1,2001})""", re.IGNORECASE)
_REFRESH = re.compile(r"""^\s*[\d.]+\s*[;,]\s*url\s*=\s*["']?([^"']+)""", re.IGNORECASE)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml")
_SPACES = re.compile(r"[\t\r\n]+")


class Links(NamedTuple):
    """Absolute http(s) URLs, each once, and how many more were too long."""

    urls: tuple[str, ...]
    too_long: int


def links_of(page: LexborHTMLParser, url: str) -> Links:
    """Return the absolute http(s) URLs of anchors, areas, ``rel=next`` and immediate refreshes, each once."""
    return _absolute(_hrefs(page), _base(page, url))


def sources_of(page: LexborHTMLParser, url: str) -> Links:
    """Return the URLs of feeds (``rel=alternate``) and sitemaps (``rel=sitemap``) that the page names."""
    found = []
    for node in page.css("link[rel][href]"):
        rel = (node.attributes.get("rel") or "").lower().split()
        feed = (node.attributes.get("type") or "").lower().strip() in _FEED_TYPES
        if "sitemap" in rel or ("alternate" in rel and feed):
            found.append(node.attributes.get("href"))
    return _absolute(found, _base(page, url))


def loose_links(markup: str, url: str) -> Links:
    """Return links by search alone, for markup that no parser should be given."""
    return _absolute((match.group(1) for match in _HREF.finditer(markup)), url)


def _hrefs(page: LexborHTMLParser) -> Iterator[str | None]:
    for node in page.css("a[href], area[href]"):
        yield node.attributes.get("href")
    for node in page.css("link[rel~=next][href]"):
        yield node.attributes.get("href")
    for node in page.css("meta[http-equiv]"):
        if (node.attributes.get("http-equiv") or "").lower() == "refresh":
            match = _REFRESH.match(node.attributes.get("content") or "")
            yield match.group(1).strip() if match else None


def _base(page: LexborHTMLParser, url: str) -> str:
    node = page.css_first("base[href]")
    base = (node.attributes.get("href") or "").strip() if node is not None else ""
    if not base or len(base) > MAX_URL_CHARS:
        return url
    try:
        return urljoin(url, base)
    except ValueError:
        return url


def _absolute(hrefs: Iterable[str | None], base: str) -> Links:
    found: dict[str, None] = {}
    too_long = 0
    for href in dict.fromkeys(hrefs):
        if not href or _NEVER.search(href[: MAX_URL_CHARS + 1]):
            continue
        if len(href) > MAX_URL_CHARS:
            too_long += 1
            continue
        try:
            link = urljoin(base, _SPACES.sub("", href).strip()).partition("#")[0]
        except ValueError:
            continue
        if len(link) > MAX_URL_CHARS:
            too_long += 1
        elif link.startswith(("http://", "https://")):
            found[link] = None
            if len(found) >= _MAX_LINKS:
                break
    return Links(tuple(found), too_long)
