"""What the end of a request means for the crawl: how each URL on the way ends, and which links are queued."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crawlers.endings import Ending
from crawlers.focus import Focus
from crawlers.frontier import Frontier, Kind, Link, Row
from crawlers.frontier.budgets import HostBudgets
from crawlers.frontier.traps import Traps
from crawlers.history.revisits import Revisits
from crawlers.identity import identify
from crawlers.progress import PAGES
from crawlers.reading import Reader
from events import PageFound, UrlEnded

Ended = tuple[Row, PageFound | UrlEnded, bool]
"""A row, its event, and whether it is a fetch that the page budgets count."""


def outcome_of(event: PageFound | UrlEnded) -> str:
    """Return the key under which an event is counted."""
    return PAGES if isinstance(event, PageFound) else event.outcome


class Decisions:
    """Decides for one crawl.

    Parameters
    ----------
    frontier, budgets, reader, traps, revisits, focus
        Those of the crawl; no focus where it is breadth first.
    add
        Queues links of a row, and returns those that are new.
    """

    def __init__(
        self,
        frontier: Frontier,
        budgets: HostBudgets[Any],
        reader: Reader,
        *,
        traps: Traps,
        revisits: Revisits,
        focus: Focus | None,
        add: Callable[[Iterable[Link], int], list[Link]],
    ) -> None:
        self._frontier = frontier
        self._budgets = budgets
        self._reader = reader
        self._traps = traps
        self._revisits = revisits
        self._focus = focus
        self._add = add

    def on(self, ending: Ending) -> list[Ended]:
        """Return how the row of ``ending`` ends, and with it the URLs that redirected; queue its links.

        Raises
        ------
        FrontierError
            The frontier cannot be read or written.
        """
        row, event = ending.row, ending.event
        ended: list[Ended] = []
        owner: Row | None = row
        if event.page_id != row.page_id:
            owner = self._claim(event.url, row)
            ended.append((row, self._reader.redirect(row, event.page_id, event.at), False))
        passed = self._hops(ending.chain[1:], ending)
        ended += [(hop, self._reader.redirect(hop, event.page_id, event.at), False) for hop in passed]
        given_up = self._hops(ending.given_up, ending)
        ended += [(hop, self._reader.alike(hop, event), False) for hop in given_up]
        if row.kind is Kind.PAGE and (owner is not row or not ending.counts):
            self._budgets.refund(row.host)
        if self._focus is not None:
            self._focus.reach(row, owner or row)
        new = self._add([*ending.links, *self._revisits.leave(ending.unchanged)], (owner or row).id)
        if owner is None:
            return ended
        counts = ending.counts and owner.kind is Kind.PAGE
        if owner is not row and counts:
            self._budgets.spend(owner.host, 1)
        return [*ended, (owner, self._taken_in(owner, ending, new), counts)]

    def _taken_in(self, owner: Row, ending: Ending, new: Sequence[Link]) -> PageFound | UrlEnded:
        """Return the event of a page, which is that of a repetition where its text is known."""
        event = ending.event
        if not isinstance(event, PageFound):
            self._traps.learn_end(event.host, event.outcome, event.reason, leads_on=bool(new))
            if event.reason == "not modified" and event.content_id is not None:
                self._frontier.first_with(event.content_id, event.page_id)
            return event
        if self._focus is not None:
            self._focus.read(owner, ending.known, event.title, event.text)
        first = self._frontier.first_with(event.content_id, event.page_id)
        links = [link.url for link in new]
        self._traps.learn(event.host, event.url, ending.words, links, repeated=first is not None)
        return event if first is None else self._reader.repeated(event, first)

    def _hops(self, urls: Sequence[str], ending: Ending) -> list[Row]:
        """Return the rows of the URLs passed on the way, as far as they are ours to end."""
        hops: dict[str, Row | None] = {ending.event.page_id: None, ending.row.page_id: None}
        for url in urls:
            found = identify(url)
            if found is not None and found.page_id not in hops:
                hops[found.page_id] = self._claim(url, ending.row)
        return [hop for hop in hops.values() if hop is not None]

    def _claim(self, url: str, row: Row) -> Row | None:
        """Take the row of a URL that ``row`` redirected to, unless it has its own way to an end."""
        found = identify(url)
        if found is None:
            return None
        known = self._frontier.knows(found.page_id)
        link = Link(url, found.page_id, found.host, row.depth, -float(row.depth), row.kind)
        claimed = self._frontier.claim(link, row.id)
        if claimed is not None and known:
            self._budgets.drop(found.host)
        return claimed
