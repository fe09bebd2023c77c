"""Whether the data folder of an embedded installation adds up: every URL that has ended is in the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from guidewatch import data_folder
from storage import LedgerQuery, Store

_AT_ONCE = 500


class FolderBalance(msgspec.Struct, frozen=True, kw_only=True):
    """Where the URLs of the last crawl are."""

    crawl_id: str
    found: int
    outcomes: dict[str, int]
    """Of those that have ended, by what the ledger says of them."""
    in_flight: int
    """Queued, or cut off by a kill; the next run goes on with them."""
    missing: int
    """Have ended, and are not in the ledger."""


def folder_status(data: Path, store: Store, kept_since: datetime | None = None) -> dict[str, Any]:
    """Return ``balance`` of the last crawl, ``note`` where it cannot be told, ``dead_letters`` and ``problems``.

    Rows of the ledger from before ``kept_since`` may have been removed.
    """
    from crawlers.frontier import FrontierError, FrontierFailedError
    from crawlers.frontier.looking import look

    found: dict[str, Any] = {"problems": [], "dead_letters": _lines(data / data_folder.DEAD_LETTERS_FILE)}
    path = data / "crawl" / "frontier.sqlite"
    if not path.is_file():
        return found
    try:
        seen = look(path)
    except FrontierFailedError as error:
        return found | {"problems": [str(error)]}
    except FrontierError as error:
        return found | {"note": f"the balance is told when the crawl has ended: {error}"}
    if seen is None or (kept_since is not None and seen.started_at < kept_since):
        return found
    outcomes = _outcomes(store, seen.ended)
    balance = FolderBalance(
        crawl_id=seen.crawl_id,
        found=len(seen.ended) + seen.waiting,
        outcomes=dict(outcomes),
        in_flight=seen.waiting,
        missing=len(seen.ended) - outcomes.total(),
    )
    if balance.missing:
        gone = f"{balance.missing:,} URLs of crawl {seen.crawl_id} have ended and are not in the ledger"
        found["problems"].append(f"it does not balance: {gone}")
    return found | {"balance": balance}


def _outcomes(store: Store, page_ids: Sequence[str]) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for start in range(0, len(page_ids), _AT_ONCE):
        query = LedgerQuery(page_id=tuple(page_ids[start : start + _AT_ONCE]), limit=_AT_ONCE)
        outcomes.update(row.outcome for row in store.ledger(query).rows)
    return outcomes


def _lines(path: Path) -> int:
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)
