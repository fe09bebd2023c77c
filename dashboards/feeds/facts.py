"""What an edition needs to know of an item, and nothing that it may not tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dashboards.defang import defang
from storage.likely import likely
from storage.port import Item, ItemQuery, LedgerQuery, Store

_PAGE = 200


@dataclass(frozen=True)
class Facts:
    """An item without title and text."""

    page_id: str
    content_id: str
    cluster_id: str
    url: str
    """Defanged."""
    host: str
    language: str
    decision: str
    subjects: tuple[str, ...]
    techniques: tuple[str, ...]
    methods: tuple[str, ...]
    first_seen_at: datetime
    decided_at: datetime | None
    reported_in: tuple[str, ...]
    online: bool | None = None


def facts_of(store: Store, query: ItemQuery) -> Iterator[Facts]:
    """Yield the facts of every item that matches, each once, oldest first."""
    return map(_facts, store.items(query, texts=False))


def online_now(store: Store, page_ids: Iterable[str]) -> dict[str, bool]:
    """Return what the ledger knows of which pages are still there."""
    ids, known = tuple(page_ids), dict[str, bool]()
    for start in range(0, len(ids), _PAGE):
        part = ids[start : start + _PAGE]
        rows = store.ledger(LedgerQuery(page_id=part, limit=len(part))).rows
        known |= {row.page_id: row.online for row in rows if row.online is not None}
    return known


def clusters(facts: Iterable[Facts]) -> list[list[Facts]]:
    """Return the facts with nearly the same text together: oldest first, within and among them."""
    order: Callable[[Facts], tuple[datetime, str]] = lambda one: (one.first_seen_at, one.page_id)  # noqa: E731
    together: dict[str, list[Facts]] = {}
    for one in sorted(facts, key=order):
        together.setdefault(one.cluster_id, []).append(one)
    return list(together.values())


def _facts(item: Item) -> Facts:
    last = item.decisions[-1] if item.decisions else None
    said = {field: tuple(sorted(values)) for field, values in likely(item.verdict).items()}
    return Facts(
        page_id=item.page_id,
        content_id=item.content_id,
        cluster_id=item.cluster_id,
        url=defang(item.url),
        host=item.host,
        language=item.verdict.language,
        decision=item.decision or "open",
        subjects=(last.subjects if last else ()) or said["subject"],
        techniques=(last.techniques if last else ()) or said["technique"],
        methods=said["method"],
        first_seen_at=item.first_seen_at,
        decided_at=item.decided_at,
        reported_in=item.reported_in,
    )
