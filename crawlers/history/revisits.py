"""What a running crawl makes of what earlier crawls have seen: whom to ask how, and what need not be asked at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from crawlers.frontier import Kind, Link
from crawlers.history.table import History, NoHistory
from crawlers.history.visits import Bounds, Seen, Visit, visited
from crawlers.identity import identify, to_link
from events import PageFound, UrlEnded

_HEADERS = ("If-None-Match", "If-Modified-Since")


class Revisits:
    """The history of a data folder, as one crawl uses it.

    A page that is not fetched, since it was not modified or is not due, still leads to the links that it was the first
    to name when it was read, so that what lies behind it is reached all the same.

    Parameters
    ----------
    history
        What earlier crawls have seen.
    bounds
        Of the interval between two visits.
    max_depth
        Links that lead deeper are not followed.
    due_only
        Whether pages are left that are not due yet.
    clock
        Returns the time as aware UTC.
    """

    def __init__(
        self,
        history: History | NoHistory,
        bounds: Bounds,
        *,
        max_depth: int,
        due_only: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._history = history
        self._bounds = bounds
        self._max_depth = max_depth
        self._due_only = due_only
        self._clock = clock
        self._left: set[str] = set()

    @property
    def left(self) -> int:
        """How many URLs were not fetched, since they were not due or their source says that they are the same."""
        return len(self._left)

    def visit(self, page_id: str) -> Visit | None:
        """Return what is known of a URL, or None."""
        return self._history.visit(page_id)

    def conditions(self, page_id: str, depth: int) -> dict[str, str]:
        """Return the headers that ask a server for a page only if it is not the one that is known."""
        visit = self.visit(page_id)
        if visit is None or not visit.can_be_asked or (visit.links is None and depth < self._max_depth):
            return {}
        return {name: value for name, value in zip(_HEADERS, (visit.etag, visit.last_modified), strict=True) if value}

    def unchanged_since(self, page_id: str, modified: datetime) -> bool:
        """Return whether a page need not be asked whose source says that it was last changed at ``modified``.

        A source may be wrong: after the longest interval the page is asked all the same.
        """
        visit = self.visit(page_id)
        if visit is None or visit.content_id is None or visit.links is None or modified >= visit.visited_at:
            return False
        return (self._clock() - visit.visited_at).total_seconds() < self._bounds.most_s

    def unchanged(self, modified: Mapping[str, datetime]) -> set[str]:
        """Return the URLs of pages that need not be asked, given when their source says that they were changed."""
        named = ((url, found.page_id, at) for url, at in modified.items() if (found := identify(url)) is not None)
        return {url for url, page_id, at in named if self.unchanged_since(page_id, at)}

    def behind(self, page_id: str, depth: int) -> list[Link]:
        """Return the links that a page at ``depth`` was the first to name, as far as they may be followed."""
        visit = self.visit(page_id)
        if visit is None or visit.links is None:
            return []
        kept = (link for link in visit.links if link.is_source or depth < self._max_depth)
        made = (
            to_link(url, depth if is_source else depth + 1, kind=Kind.SOURCE if is_source else Kind.PAGE)
            for url, is_source in kept
        )
        return [link for link in made if link is not None]

    def wanted(self, links: Iterable[Link]) -> list[Link]:
        """Return ``links`` with those that are not due replaced by what lies behind them."""
        if not self._due_only:
            return list(links)
        now = self._clock()
        kept: list[Link] = []
        waiting = list(reversed(list(links)))
        while waiting:
            link = waiting.pop()
            if link.page_id in self._left:
                continue
            visit = self.visit(link.page_id)
            if visit is None or visit.due_at <= now or visit.links is None:
                kept.append(link)
            else:
                self._left.add(link.page_id)
                waiting += reversed(self.behind(link.page_id, link.depth))
        return kept

    def leave(self, links: Sequence[Link]) -> list[Link]:
        """Leave pages whose source says that they are the same; return what lies behind them."""
        found: list[Link] = []
        for link in links:
            if link.page_id not in self._left:
                self._left.add(link.page_id)
                found += self.behind(link.page_id, link.depth)
        return found

    def note(self, seen: Seen) -> None:
        """Remember what a visit has shown."""
        self._history.note(visited(self.visit(seen.page_id), seen, self._bounds))

    def take_in(self, event: PageFound | UrlEnded, seen: Seen | None) -> None:
        """Note the visit of a page by how it has ended, and by what was ``seen``, if anything was.

        One whose text another page has is asked for all of it next time.
        """
        if isinstance(event, UrlEnded) and event.outcome == "failed":
            self.note(Seen(page_id=event.page_id, at=event.at, what="nothing"))
        elif seen is None:
            self.doubt([event.page_id])
        elif isinstance(event, UrlEnded) and event.reason == "same text":
            self.note(replace(seen, etag="", last_modified=""))
        else:
            self.note(seen)

    def doubt(self, page_ids: Iterable[str]) -> None:
        """Have these pages sent in full next time: what the ledger says of them is not what they last were."""
        self._history.doubt(page_ids)

    def commit(self) -> None:
        """Make all that was noted survive the process."""
        self._history.commit()
