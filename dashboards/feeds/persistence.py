"""How many confirmed texts are still online, days after they were first seen: the Working Group's outcome figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from dashboards.feeds.counting import OTHER, Cluster, table
from dashboards.feeds.edition import Cell, StillOnline
from dashboards.feeds.facts import Facts
from storage.port import LedgerQuery, LedgerRow, Store

DAYS = (7, 30, 90)
_PAGE = 200


def still_online(
    together: Iterable[Cluster], rows: Mapping[str, LedgerRow], now: datetime, smallest: int
) -> tuple[StillOnline, ...]:
    """Return the figures for 7, 30 and 90 days; none for a number of days that no text is old enough for.

    A text is online if a check so many days after it was first seen found one of its addresses online, offline if none
    of them is online any more, and else not checked.

    Parameters
    ----------
    together
        Confirmed items by text.
    rows
        Ledger rows of their pages, by page id.
    now
        When the edition is built, aware.
    smallest
        No smaller number of texts is given; where one is left out, so is the share.
    """
    found = []
    clusters = list(together)
    for days in DAYS:
        span = timedelta(days=days)
        old = [cluster for cluster in clusters if _first_seen(cluster) <= now - span]
        states = {one.page_id: _state(cluster, rows, span) for cluster in old for one in cluster}
        cells = table(old, lambda one, states=states: (states[one.page_id],), smallest)  # type: ignore[misc]
        if cells:
            found.append(StillOnline(days=days, states=cells, share=_share(cells)))
    return tuple(found)


def rows_of(store: Store, facts: Sequence[Facts]) -> dict[str, LedgerRow]:
    """Return the ledger rows of these pages, by page id."""
    return {row.page_id: row for row in _rows(store, [one.page_id for one in facts])}


def _rows(store: Store, page_ids: Sequence[str]) -> Iterator[LedgerRow]:
    for start in range(0, len(page_ids), _PAGE):
        part = tuple(page_ids[start : start + _PAGE])
        yield from store.ledger(LedgerQuery(page_id=part, limit=len(part))).rows


def _first_seen(cluster: Cluster) -> datetime:
    return min(one.first_seen_at for one in cluster)


def _state(cluster: Cluster, rows: Mapping[str, LedgerRow], span: timedelta) -> str:
    known = [row for one in cluster if (row := rows.get(one.page_id)) is not None]
    since = _first_seen(cluster) + span
    if any(_is_there(row) and row.checked_at is not None and row.checked_at >= since for row in known):
        return "online"
    return "offline" if len(known) == len(cluster) and all(row.online is False for row in known) else "not_checked"


def _is_there(row: LedgerRow) -> bool:
    """Return whether the last check found the page; one that could not tell leaves ``online`` as it was before."""
    return bool(row.online) and row.check_state in ("online", "changed")


def _share(cells: Sequence[Cell]) -> float | None:
    """Return which share of the texts that were checked is online, unless a number is left out."""
    texts = {cell.value: cell.texts or 0 for cell in cells}
    checked = texts.get("online", 0) + texts.get("offline", 0)
    return round(texts.get("online", 0) / checked, 4) if checked and OTHER not in texts else None
