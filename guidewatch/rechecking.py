"""Looking at the items of a store again: which are due, and a sink that notes what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import islice

import msgspec

from crawlers.recheck import Finding, finding_of, found_dns, found_elsewhere
from crawlers.sink import PageSink
from events import PageFound, UrlEnded
from storage import Check, Item, ItemQuery, LedgerQuery, LedgerRow, Store

_AT_ONCE = 200


def due_items(store: Store, before: datetime, limit: int | None = None) -> list[Item]:
    """Return items without texts and histories that nobody has looked at since ``before``, the longest unseen first."""
    found = []
    walk = store.items(ItemQuery(), texts=False)
    while some := [_small(item) for item in islice(walk, _AT_ONCE)]:
        query = LedgerQuery(page_id=tuple(item.page_id for item in some), limit=len(some))
        rows = {row.page_id: row for row in store.ledger(query).rows}
        found += [(_last_seen(item, rows.get(item.page_id)), item) for item in some]
    due = sorted(((at, item) for at, item in found if at <= before), key=lambda pair: pair[0])
    return [item for _, item in due[:limit]]


def _small(item: Item) -> Item:
    return msgspec.structs.replace(item, minhash="", decisions=())


def _last_seen(item: Item, row: LedgerRow | None) -> datetime:
    return row.checked_at if row is not None and row.checked_at is not None else item.fetched_at


class RecheckSink:
    """A `crawlers.sink.PageSink` that notes a check of every item whose URL ends; a thread of its own does the work.

    Changed pages, and pages that items redirect to, are handed on to be judged and stored anew; nothing else of a
    recheck changes what is stored of a page.

    Parameters
    ----------
    store
        Has the items, and takes the checks.
    changed
        Returns the sink for changed pages; called once, when the first of them comes.
    """

    def __init__(self, store: Store, changed: Callable[[], PageSink]) -> None:
        self.states: Counter[str] = Counter()
        """Items checked so far, by state."""
        self.reasons: Counter[str] = Counter()
        """Items that are not online, by ``state: reason``."""
        self._store = store
        self._make_changed = changed
        self._changed: PageSink | None = None
        self._answered = False
        self._found: dict[str, Finding | None] = {}
        self._leading: dict[str, list[tuple[Item, datetime]]] = {}
        self._unresolved: list[tuple[Item, datetime]] = []
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recheck")

    def put(self, event: PageFound | UrlEnded) -> Future[float | None]:
        """Take the end of a URL; the future resolves when its check is in the store."""
        return self._worker.submit(self._take, event)

    def flush(self) -> None:
        """Wait until every event taken so far is settled."""
        self._worker.submit(lambda: None).result()

    def close(self) -> None:
        """Note the hosts whose names did not resolve, settle everything, and end the thread."""
        self._worker.submit(self._note_unresolved).result()
        self._worker.shutdown()
        if self._changed is not None:
            self._changed.close()

    def _take(self, event: PageFound | UrlEnded) -> None:
        self._answered |= event.status is not None
        item = self._store.item(event.page_id)
        if isinstance(event, UrlEnded) and event.reason == "dns":
            self._unresolved += [(one, event.at) for one in self._waiting(event, item)]
            return
        if isinstance(event, UrlEnded) and event.outcome == "duplicate" and event.reason == "redirect":
            if item is not None and event.duplicate_of is not None:
                self._lead(item, event.duplicate_of, event.at)
            return
        twin = self._twin(event.duplicate_of) if isinstance(event, UrlEnded) and event.duplicate_of else None
        last = self._last(item.page_id) if item is not None else None
        finding = finding_of(event, item.content_id if item else None, last, twin)
        self._found[event.page_id] = finding
        if isinstance(event, PageFound) and finding is not None and finding.state == "changed":
            self._hand_on(event)
        if item is not None and finding is not None:
            self._note(item, event.at, finding)
        for led, at in self._leading.pop(event.page_id, ()):
            self._note_elsewhere(led, at, finding)

    def _waiting(self, event: UrlEnded, item: Item | None) -> Iterator[Item]:
        if item is not None:
            yield item
        yield from (led for led, _ in self._leading.pop(event.page_id, ()))

    def _lead(self, item: Item, target: str, at: datetime) -> None:
        if target in self._found:
            self._note_elsewhere(item, at, self._found[target])
        else:
            self._leading.setdefault(target, []).append((item, at))

    def _note_elsewhere(self, item: Item, at: datetime, target: Finding | None) -> None:
        """Note what was found at the address that an item redirects to; there it is compared with the item's text."""
        if target is not None and target.content_id == item.content_id and target.state == "changed":
            target = target._replace(state="online")
        if (finding := found_elsewhere(target)) is not None:
            self._note(item, at, finding)

    def _hand_on(self, page: PageFound) -> None:
        if self._changed is None:
            self._changed = self._make_changed()
        self._changed.put(page).result()

    def _twin(self, page_id: str) -> Finding | None:
        """Return what was found at another page, by this process or by one that was stopped."""
        return self._found[page_id] if page_id in self._found else self._last(page_id)

    def _last(self, page_id: str) -> Finding | None:
        checks = self._store.checks(page_id, 1)
        return Finding(checks[0].state, checks[0].reason, checks[0].status, checks[0].content_id) if checks else None

    def _note_unresolved(self) -> None:
        for item, at in self._unresolved:
            self._note(item, at, found_dns(others_answer=self._answered))
        self._unresolved = []

    def _note(self, item: Item, at: datetime, finding: Finding) -> None:
        check = Check(page_id=item.page_id, at=at, **finding._asdict())
        self._store.record_checks([check])
        self.states[finding.state] += 1
        if finding.state != "online":
            self.reasons[f"{finding.state}: {finding.reason}" if finding.reason else finding.state] += 1
