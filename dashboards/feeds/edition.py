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
    """One confirmed text with every address where it, or nearly the same text, was found. Restricted editions only."""

    content_id: str
    """Of the oldest of these texts."""
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


class StillOnline(msgspec.Struct, frozen=True, kw_only=True):
    """Confirmed texts first seen at least ``days`` days before, by whether they are still there.

    ``online``: a check that long after found one of its addresses; ``offline``: none is online any more; else
    ``not_checked``. ``share`` is that of the online ones in those that were checked, 0 to 1, or None where there is
    none or a number is too small to give.
    """

    days: int
    states: tuple[Cell, ...]
    share: float | None


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
    still_online: tuple[StillOnline, ...] = ()
    """Of all that was ever confirmed, in this period or before."""
    host: tuple[Cell, ...] = ()
    items: tuple[Confirmed, ...] = ()
    page_ids: tuple[str, ...] = ()
    """Every confirmed page that this edition counts; never published, see `public_form`."""

    def public_form(self) -> Edition:
        """Return what may be written: without the page ids, which could be guessed from a list of URLs."""
        return msgspec.structs.replace(self, page_ids=())
