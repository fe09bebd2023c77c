"""What is remembered of a URL, and when it is worth another visit: pure.

The interval follows the page: it shrinks when the page was changed and grows when it was not, between bounds (as in Cho
and Garcia-Molina, "Effective page refresh policies for web crawlers", 2003, without their estimator: two factors need
no history of changes). A change of so few words that it may be a date or a counter does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from crawlers.history.lines import changed_share

FIRST_S = 86_400.0
_SHRINKS = 0.5
_GROWS = 1.5
_MAX_LINKS = 5_000
_MATTERS = 0.02
"""Share of changed words from which a change counts."""


class KnownLink(NamedTuple):
    """A link that a page was the first to name."""

    url: str
    is_source: bool = False


class Bounds(NamedTuple):
    """Shortest and longest seconds between two visits of a page."""

    least_s: float
    most_s: float


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What the visits of a URL have shown. Times are aware UTC.

    ``content_id`` is that of its last text, or of the list of URLs of a sitemap or feed; None where it had none.
    ``links`` are those that it was the first to name in its crawl; None where some were left out, so that only a full
    answer helps.
    """

    page_id: str
    first_at: datetime
    visited_at: datetime
    changed_at: datetime | None = None
    interval_s: float = FIRST_S
    visits: int = 1
    changes: int = 0
    content_id: str | None = None
    etag: str = ""
    last_modified: str = ""
    lines: bytes = b""
    links: tuple[KnownLink, ...] | None = ()

    @property
    def due_at(self) -> datetime:
        """When the next visit is worth it."""
        return self.visited_at + timedelta(seconds=self.interval_s)

    @property
    def can_be_asked(self) -> bool:
        """Whether a server can be asked if the page is still the same (RFC 9110, 13.1)."""
        return self.content_id is not None and bool(self.etag or self.last_modified)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a visit has shown.

    ``what`` is ``content``, ``unmodified`` (the server's word, status 304), or ``nothing`` where there was no answer
    that could be read; then what was known of the page is kept, and the server is asked for all of it next time.
    """

    page_id: str
    at: datetime
    what: Literal["content", "unmodified", "nothing"]
    content_id: str | None = None
    etag: str = ""
    last_modified: str = ""
    lines: bytes = b""
    links: tuple[KnownLink, ...] | None = ()


def visited(before: Visit | None, seen: Seen, bounds: Bounds) -> Visit:
    """Return what is known of a URL after a visit, given what was known before."""
    if before is None:
        first = min(max(FIRST_S, bounds.least_s), bounds.most_s)
        visit = Visit(page_id=seen.page_id, first_at=seen.at, visited_at=seen.at, interval_s=first)
        return _with_content(visit, seen) if seen.what == "content" else replace(visit, links=None)
    visit = replace(before, visited_at=seen.at, visits=before.visits + 1)
    if seen.what != "content":
        visit = replace(visit, interval_s=_next(before, bounds, changed=False))
        return visit if seen.what == "unmodified" else replace(visit, etag="", last_modified="")
    differs = before.content_id is not None and seen.content_id != before.content_id
    if differs:
        visit = replace(visit, changes=before.changes + 1, changed_at=seen.at)
    counts = differs and (not (before.lines and seen.lines) or changed_share(before.lines, seen.lines) >= _MATTERS)
    return _with_content(replace(visit, interval_s=_next(before, bounds, changed=counts)), seen)


def _with_content(visit: Visit, seen: Seen) -> Visit:
    return replace(
        visit,
        content_id=seen.content_id,
        etag=seen.etag,
        last_modified=seen.last_modified,
        lines=seen.lines,
        links=_together(visit.links, seen.links) if seen.content_id == visit.content_id else seen.links,
    )


def _together(before: tuple[KnownLink, ...] | None, now: tuple[KnownLink, ...] | None) -> tuple[KnownLink, ...] | None:
    """Return the links of a page whose text is the same: in a crawl from elsewhere, others may name some first."""
    if before is None or now is None:
        return before if now is None else now
    return tuple(dict.fromkeys((*now, *before)))[:_MAX_LINKS]


def _next(before: Visit, bounds: Bounds, *, changed: bool) -> float:
    factor = _SHRINKS if changed else _GROWS
    return min(max(before.interval_s * factor, bounds.least_s), bounds.most_s)
