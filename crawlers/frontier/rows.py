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
    """A URL to be added. ``priority``: higher is fetched earlier."""

    url: str
    page_id: str
    host: str
    depth: int
    priority: float
    kind: Kind = Kind.PAGE


class Row(NamedTuple):
    """A URL on its way. ``id`` is the number of its row."""

    id: int
    page_id: str
    url: str
    host: str
    depth: int
    parent_url: str | None
    kind: Kind
