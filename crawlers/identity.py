"""Page id and host of a URL, remembered: menus repeat the same links on every page."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from yarl import URL

from crawlers.frontier import Kind, Link
from crawlers.guard.bare import bare_url
from crawlers.limits import MAX_URL_CHARS
from events import normalise_url


class Identity(NamedTuple):
    """Page id, and host with its port where that is not the default."""

    page_id: str
    host: str


def identify(url: str) -> Identity | None:
    """Return the identity of ``url``, or None where it is not an absolute http(s) URL, or a too long one."""
    return _identify(url) if len(url) <= MAX_URL_CHARS else None


@lru_cache(maxsize=4_096)
def _identify(url: str) -> Identity | None:
    try:
        normal = normalise_url(url)
    except ValueError:
        return None
    return Identity(sha256(normal.encode()).hexdigest()[:32], normal.split("/", 3)[2])


def to_link(url: str, depth: int, *, kind: Kind = Kind.PAGE) -> Link | None:
    """Return ``url`` as the frontier takes it, breadth first, or None where it is no http(s) URL or too long."""
    url = bare_url(url)
    found = identify(url)
    if found is None:
        return None
    return Link(url, found.page_id, found.host, depth, 1.0 if kind is Kind.SOURCE else -float(depth), kind)


def event_id(crawl_id: str, page: str) -> str:
    """Return the id of what this crawl says of a page: the same after a crash, so that repetition shows."""
    return sha256(f"{crawl_id}/{page}".encode()).hexdigest()[:32]


def origin(url: str) -> str:
    """Return scheme, host and port of ``url``, such as ``https://example.org``."""
    return str(URL(url).origin())
