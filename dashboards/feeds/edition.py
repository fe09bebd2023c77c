"""What an edition says. The same structs are the JSON that is published."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Audience = Literal["public", "restricted"]
SCHEMA = "guidewatch-edition/1"


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many texts, and at how many addresses, have a value.

    Public editions put small numbers together as ``other`` (``values`` says how many values that is) or leave the
    numbers out (None).
    """

    value: str
    texts: int | None
    pages: int | None
    values: int = 1


class Interval(msgspec.Struct, frozen=True):
    """Texts first seen from ``start`` on."""

    start: datetime
    texts: int


class OverTime(msgspec.Struct, frozen=True, kw_only=True):
    """Texts over time; ``by`` is empty where even months would single out a page."""

    by: Literal["week", "month", ""]
    intervals: tuple[Interval, ...]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a text was found; the URL is defanged."""

    url: str
    first_seen_at: datetime
    decided_at: datetime | None
    online: bool | None
    new: bool


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """One confirmed text with every address it was found at. Restricted editions only."""

    content_id: str
    language: str
    subjects: tuple[str, ...]
    techniques: tuple[str, ...]
    methods: tuple[str, ...]
    addresses: tuple[Address, ...]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over one set of items. ``texts`` and ``pages`` are None where the number is too small to give."""

    texts: int | None
    pages: int | None
    language: tuple[Cell, ...]
    subject: tuple[Cell, ...]
    technique: tuple[Cell, ...]
    method: tuple[Cell, ...]


class Edition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One issue of the feed."""

    schema: str
    id: str
    audience: Audience
    built_at: datetime
    since: datetime | None
    until: datetime
    smallest: int
    """No number of texts below this is given (1 in restricted editions)."""
    confirmed: Section
    awaiting_review: Section
    decision: tuple[Cell, ...]
    """Of all items first seen in the period."""
    newness: tuple[Cell, ...]
    """Confirmed: ``new`` since the last edition for the same audience, or ``known``."""
    online: tuple[Cell, ...]
    """Confirmed: ``online`` at one address at least, ``offline``, or ``not_checked``."""
    over_time: OverTime
    host: tuple[Cell, ...] = ()
    items: tuple[Confirmed, ...] = ()
    page_ids: tuple[str, ...] = ()
    """Every confirmed page that this edition counts; never published, see `public_form`."""

    def public_form(self) -> Edition:
        """Return what may be written: without the page ids, which could be guessed from a list of URLs."""
        return msgspec.structs.replace(self, page_ids=())
