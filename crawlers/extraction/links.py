"""The links of a page that a crawl may follow. ``rel=nofollow`` is followed: it speaks of ranking, not of access.

Links longer than `crawlers.limits.MAX_URL_CHARS`, as written or made absolute, are counted and otherwise forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlers.limits import MAX_URL_CHARS

MAX_ANCHOR_CHARS = 120
MAX_AROUND_CHARS = 200
_MAX_LINKS = 5_000
_SIBLINGS = 2
"""So many on each side of a link are looked at, so that no text is read more than a few times."""
_SIBLING_CHARS = 2_000
_NO_PAGE = re.compile(r"\s*(?:#|javascript:|mailto:|tel:|data:|sms:|whatsapp:|ftp:)", re.IGNORECASE)
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|svg|webp|ico|css|js|mp[34]|avi|mov|zip|rar|7z|exe|dmg|iso|woff2?|ttf)(?:[?#]|$)",
    re.IGNORECASE,
)
_HREF = re.compile(r"""<(?:a|area)\b[^>]{0,500}?\bhref\s*=\s*["']?([^"'\s>]{1,2001})""", re.IGNORECASE)
_REFRESH = re.compile(r"""^\s*[\d.]+\s*[;,]\s*url\s*=\s*["']?([^"']+)""", re.IGNORECASE)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json")
_SPACES = re.compile(r"[\t\r\n]+")
_PLAIN = re.compile(r"(https?://[a-z0-9.-]+(?::\d{1,5})?)?/(?!/)[^\s\x00-\x20;#\[\]\\]*")
"""A URL, or a path of the same host, that needs no parsing to be made absolute, unless it has dots to resolve."""


class Words(NamedTuple):
    """What a page says of a link: its anchor text, and what stands before and after it in the same block."""

    anchor: str = ""
    around: str = ""


class Links(NamedTuple):
    """Absolute http(s) URLs, each once, how many more were too long, and the words of each where they are known."""

    urls: tuple[str, ...]
    too_long: int
    words: tuple[Words, ...] = ()


_NO_WORDS = Words()
_Href = tuple[str | None, LexborNode | None]


def links_of(page: LexborHTMLParser, url: str, *, words: bool = True) -> Links:
    """Return the absolute http(s) URLs of anchors, areas, ``rel=next`` and immediate refreshes, each once."""
    return _absolute(_hrefs(page), _base(page, url), words=words)


def sources_of(page: LexborHTMLParser, url: str) -> Links:
    """Return the URLs of feeds (``rel=alternate``) and sitemaps (``rel=sitemap``) that the page names."""
    found = []
    for node in page.css("link[rel][href]"):
        rel = (node.attributes.get("rel") or "").lower().split()
        feed = (node.attributes.get("type") or "").lower().strip() in _FEED_TYPES
        if "sitemap" in rel or ("alternate" in rel and feed):
            found.append((node.attributes.get("href"), None))
    return _absolute(found, _base(page, url), words=False)


def loose_links(markup: str, url: str) -> Links:
    """Return links by search alone, for markup that no parser should be given."""
    return _absolute(((match.group(1), None) for match in _HREF.finditer(markup)), url, words=False)


def _hrefs(page: LexborHTMLParser) -> Iterator[_Href]:
    for node in page.css("a[href], area[href]"):
        yield node.attributes.get("href"), node
    for node in page.css("link[rel~=next][href]"):
        yield node.attributes.get("href"), None
    for node in page.css("meta[http-equiv]"):
        if (node.attributes.get("http-equiv") or "").lower() == "refresh":
            match = _REFRESH.match(node.attributes.get("content") or "")
            yield (match.group(1).strip() if match else None), None


def _words(node: LexborNode) -> Words:
    """Return the words of a link; where it fills its block alone, what stands beside the block."""
    anchor = _folded(node.text(deep=True), MAX_ANCHOR_CHARS) or _folded(node.attributes.get("title"), MAX_ANCHOR_CHARS)
    block = node
    if node.prev is None and node.next is None and node.parent is not None:
        block = node.parent
    before, after = [], []
    prev, following = block.prev, block.next
    for _ in range(_SIBLINGS):
        if prev is not None:
            before.append(_said(prev)[-_SIBLING_CHARS:])
            prev = prev.prev
        if following is not None:
            after.append(_said(following)[:_SIBLING_CHARS])
            following = following.next
    behind = _folded(" ".join(after), MAX_AROUND_CHARS)
    ahead = " ".join(" ".join(reversed(before)).split())
    room = MAX_AROUND_CHARS - len(behind) - 1
    return Words(anchor, f"{ahead[-room:]} {behind}".strip() if ahead and room > 0 else behind)


def _said(node: LexborNode) -> str:
    """Return the text of a node beside a link, unless it is, or begins with, another link."""
    return "" if node.tag in ("a", "script", "style") else node.text(deep=True) or ""


def _folded(text: str | None, most: int) -> str:
    return " ".join(text[: 4 * most].split())[:most] if text else ""


def _base(page: LexborHTMLParser, url: str) -> str:
    node = page.css_first("base[href]")
    base = (node.attributes.get("href") or "").strip() if node is not None else ""
    if not base or len(base) > MAX_URL_CHARS:
        return url
    try:
        return urljoin(url, base)
    except ValueError:
        return url


def _absolute(hrefs: Iterable[_Href], base: str, *, words: bool) -> Links:
    found: dict[str, LexborNode | None] = {}
    too_long = 0
    home = _PLAIN.match(base)
    origin = home.group(1) if home else None
    for href, node in _distinct(hrefs, words=words):
        if _NO_PAGE.match(href) or _FILE.search(href[: MAX_URL_CHARS + 1]):
            continue
        if len(href) > MAX_URL_CHARS:
            too_long += 1
            continue
        link = _joined(href, base, origin)
        if len(link) > MAX_URL_CHARS:
            too_long += 1
        elif link.startswith(("http://", "https://")) and link not in found:
            found[link] = node
            if len(found) >= _MAX_LINKS:
                break
    if not words:
        return Links(tuple(found), too_long)
    return Links(tuple(found), too_long, tuple(_NO_WORDS if node is None else _words(node) for node in found.values()))


def _distinct(hrefs: Iterable[_Href], *, words: bool) -> Iterable[tuple[str, LexborNode | None]]:
    """Return each href once, with the link that has the first words for it where ``words`` are wanted."""
    found: dict[str, LexborNode | None] = {}
    for href, node in hrefs:
        if href and (href not in found or (words and node is not None and _is_silent(found[href]))):
            found[href] = node
    return found.items()


def _is_silent(node: LexborNode | None) -> bool:
    return node is None or not (node.text(deep=True) or "").strip()


def _joined(href: str, base: str, origin: str | None) -> str:
    """Return ``href`` made absolute without fragment, or ``""`` where that is not possible."""
    plain = _PLAIN.fullmatch(href)
    if plain and "/." not in href and href[-1] != "?" and (plain.group(1) or origin):
        return href if plain.group(1) else f"{origin}{href}"
    try:
        return urljoin(base, _SPACES.sub("", href).strip()).partition("#")[0]
    except ValueError:
        return ""
