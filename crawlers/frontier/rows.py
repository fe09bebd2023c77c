"""The values that cross the frontier's door."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class State(IntEnum):
    """Where a URL stands."""

    QUEUED = 0
    IN_FLIGHT = 1
    DONE = 2


class Kind(IntEnum):
    """What a URL is expected to be; only pages count against the budgets."""

    PAGE = 0
    SOURCE = 1
    """A sitemap or feed: fetched for its links."""


class Link(NamedTuple):
    """A URL to be added. ``priority``: higher is fetched earlier.

    ``features`` are its words (`crawlers.focus.features`), ``distance`` the pages since the last one of concern; both
    only in a focused crawl.
    """

    url: str
    page_id: str
    host: str
    depth: int
    priority: float
    kind: Kind = Kind.PAGE
    features: bytes = b""
    distance: int = 0


class Row(NamedTuple):
    """A URL on its way. ``id`` is the number of its row."""

    id: int
    page_id: str
    url: str
    host: str
    depth: int
    parent_url: str | None
    kind: Kind


class Prospect(NamedTuple):
    """A queued URL as a focused crawl sees it.

    ``citing`` judged pages link to it, and ``cited`` is the sum of their scores.
    """

    id: int
    host: str
    priority: float
    features: bytes
    distance: int
    cited: float = 0.0
    citing: int = 0


class Lesson(NamedTuple):
    """A judged page, and what was known of the link to it."""

    host: str
    features: bytes
    distance: int
    cited: float
    citing: int
    score: float
