"""Which of the links of a page a crawl may follow: those that it does not know, and that lead not too deep."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crawlers.extraction.links import Words
from crawlers.focus.features import features_of
from crawlers.frontier import Kind, Link, Row
from crawlers.guard.bare import bare_url
from crawlers.identity import identify, to_link

_PLACES = 65_536
"""Of links that are known: 1.5 MB."""


class Found(NamedTuple):
    """Links to follow, page ids of those that are known, and how many were left out for depth and length."""

    links: Sequence[Link] = ()
    known: Sequence[str] = ()
    beyond_depth: int = 0
    too_long: int = 0


class _Noted:
    """Page ids of links that lead to known pages, in bounded memory: menus are the same everywhere.

    A link stands at the place that its hash says, until another one with that place is noted.
    """

    def __init__(self) -> None:
        self._hashes = array("q", bytes(8 * _PLACES))
        self._page_ids = bytearray(16 * _PLACES)

    def get(self, url: str) -> str | None:
        hashed = hash(url)
        place = hashed % _PLACES
        return self._page_ids[16 * place : 16 * place + 16].hex() if self._hashes[place] == hashed else None

    def note(self, url: str, page_id: str) -> None:
        hashed = hash(url)
        place = hashed % _PLACES
        self._hashes[place] = hashed
        self._page_ids[16 * place : 16 * place + 16] = bytes.fromhex(page_id)


class Onward:
    """Looks at the links of the pages of one crawl.

    Parameters
    ----------
    max_depth
        Links that lead deeper are only counted.
    knows
        Returns whether a page id is known to the crawl, which it is for good.
    focused
        Whether links are given features.
    """

    def __init__(self, *, max_depth: int, knows: Callable[[str], bool], focused: bool) -> None:
        self._max_depth = max_depth
        self._knows = knows
        self._focused = focused
        self._noted = _Noted()

    def found(self, pages: Sequence[str], sources: Sequence[str], row: Row, words: Sequence[Words] = ()) -> Found:
        """Return what becomes of the links on the page of ``row``; ``words``, if any, are those of ``pages``."""
        if row.depth >= self._max_depth:
            return Found(beyond_depth=len(pages) + len(sources))
        links: list[Link] = []
        known: list[str] = []
        for at, url in enumerate(pages):
            page_id = self._noted.get(url)
            if page_id is not None:
                known.append(page_id)
                continue
            link = self._link(url, row, words[at] if words else Words())
            if isinstance(link, Link):
                links.append(link)
            elif link is not None:
                self._noted.note(url, link)
                known.append(link)
        named = (to_link(url, row.depth, kind=Kind.SOURCE) for url in sources)
        return Found([*links, *(link for link in named if link is not None)], known)

    def _link(self, url: str, row: Row, words: Words) -> Link | str | None:
        """Return the link, the page id of a known page, or None where there is no URL."""
        url = bare_url(url)
        found = identify(url)
        if found is None:
            return None
        if self._knows(found.page_id):
            return found.page_id
        depth = row.depth + 1
        features = features_of(url, *words, same_host=found.host == row.host) if self._focused else b""
        return Link(url, found.page_id, found.host, depth, -float(depth), Kind.PAGE, features)
