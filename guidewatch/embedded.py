"""The embedded installation: judge and store in two threads beside the crawl, no server."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from consumers.dead_letters import dead_page
from consumers.figures import Histogram
from events import PageFound, PageJudged, UrlEnded, encode
from storage import Store, StoreUnavailableError

Found = PageFound | UrlEnded
Judged = PageJudged | UrlEnded
Judge = Callable[[Sequence[PageFound]], list[PageJudged]]
Batch = list[tuple[Found, Future[float | None]]]


class EmbeddedSink:
    """A `crawlers.sink.PageSink` that judges pages and writes them to a store, in batches.

    Parameters
    ----------
    judge
        Turns pages into judged pages, one for one.
    store
        Where they go.
    dead_letters
        File for events that cannot be judged or stored, one JSON object a line; the ledger counts them.
    keep_evidence
        Called for every flagged page once it is stored; must be idempotent and not raise.
    batch_pages, wait_s
        A batch is closed at so many events, or when the oldest has waited so many seconds.
    retries, pause_s
        How often an unavailable store is tried again, and the first pause between; it doubles.
    """

    def __init__(
        self,
        judge: Judge,
        store: Store,
        *,
        dead_letters: Path,
        keep_evidence: Callable[[PageJudged], None] | None = None,
        batch_pages: int = 64,
        wait_s: float = 0.1,
        retries: int = 5,
        pause_s: float = 0.1,
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        """Events made durable so far, by outcome."""
        self.since_fetched = Histogram()
        """From the download of a page until it was durable."""
        self._judge = judge
        self._store = store
        self._dead_letters = dead_letters
        self._keep_evidence = keep_evidence
        self._batch_pages = batch_pages
        self._wait_s = wait_s
        self._retries = retries
        self._pause_s = pause_s
        self._queue: queue.Queue[tuple[Found, Future[float | None]] | None] = queue.Queue()
        self._idle = threading.Condition()
        self._open = 0
        self._to_store: queue.Queue[tuple[Batch, list[Judged]] | None] = queue.Queue(maxsize=1)
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._judge_batches, "judge"), (self._store_batches, "store"))
        ]
        for thread in self._threads:
            thread.start()

    def put(self, event: Found) -> Future[float | None]:
        """Take one event; the future resolves when it is durable in the store, to the page's score if it was judged."""
        future: Future[float | None] = Future()
        with self._idle:
            self._open += 1
        self._queue.put((event, future))
        return future

    @property
    def unsettled(self) -> int:
        """How many events wait to be judged or stored."""
        return self._open

    def flush(self) -> None:
        """Wait until every event taken so far is settled."""
        with self._idle:
            self._idle.wait_for(self._is_settled)

    def close(self, within_s: float | None = None) -> None:
        """Settle everything and end the threads.

        After ``within_s`` seconds, what is not settled is left: its futures stay open, its pages are fetched again by
        the next run, and the threads end with the process.
        """
        with self._idle:
            self._idle.wait_for(self._is_settled, within_s)
        self._queue.put(None)
        for thread in self._threads:
            thread.join(0.1 if self._open else None)

    def _is_settled(self) -> bool:
        return self._open == 0 or not all(thread.is_alive() for thread in self._threads)

    def _judge_batches(self) -> None:
        """Judge batch after batch, at the most two ahead of the store."""
        while (batch := self._next_batch()) is not None:
            events = [event for event, _ in batch]
            try:
                judged: list[Judged] = [event for event in events if isinstance(event, UrlEnded)]
                judged += self._judged([event for event in events if isinstance(event, PageFound)])
            except Exception as error:  # noqa: BLE001  the edge of the thread: the crawl learns of it and stops
                self._resolve(batch, {}, error)
            else:
                self._to_store.put((batch, judged))
        self._to_store.put(None)

    def _store_batches(self) -> None:
        while (found := self._to_store.get()) is not None:
            batch, judged = found
            try:
                scores = self._settle([event for event, _ in batch], judged)
            except Exception as error:  # noqa: BLE001  the edge of the thread: the crawl learns of it and stops
                self._resolve(batch, {}, error)
            else:
                self._resolve(batch, scores, None)

    def _next_batch(self) -> Batch | None:
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        closes_at = time.monotonic() + self._wait_s
        while len(batch) < self._batch_pages and (left_s := closes_at - time.monotonic()) > 0:
            try:
                following = self._queue.get(timeout=left_s)
            except queue.Empty:
                break
            if following is None:
                self._queue.put(None)
                break
            batch.append(following)
        return batch

    def _resolve(
        self,
        batch: Batch,
        scores: Mapping[str, float],
        error: BaseException | None,
    ) -> None:
        for event, future in batch:
            if error is None:
                future.set_result(scores.get(event.page_id))
            else:
                future.set_exception(error)
        with self._idle:
            self._open -= len(batch)
            self._idle.notify_all()

    def _settle(self, events: Sequence[Found], judged: list[Judged]) -> dict[str, float]:
        """Store what was made of ``events``; return the scores of the pages that were judged, by page id."""
        rejected = dict(self._upsert(judged))
        if rejected:
            originals = {event.page_id: event for event in events}
            ended = [self._dead_letter(originals[page], reason) for page, reason in rejected.items()]
            self._upsert(ended)
            judged = [*(event for event in judged if event.page_id not in rejected), *ended]
        self._measure(judged)
        for event in judged:
            self.outcomes[event.outcome if isinstance(event, UrlEnded) else event.verdict.outcome] += 1
            if self._keep_evidence and isinstance(event, PageJudged) and event.verdict.flagged:
                self._keep_evidence(event)
        return {event.page_id: event.verdict.score for event in judged if isinstance(event, PageJudged)}

    def _measure(self, judged: Sequence[Judged]) -> None:
        at = datetime.now(UTC)
        pages = [event for event in judged if isinstance(event, PageJudged)]
        took = Histogram.of((at - page.fetched_at).total_seconds() for page in pages)
        self.since_fetched = self.since_fetched.plus(took)

    def _judged(self, pages: Sequence[PageFound]) -> list[Judged]:
        """Judge a batch; where that fails, page by page, so that one bad page does not fail the others.

        Where every page fails, it is not the pages: the error is raised, and nothing of the batch is settled.
        """
        if not pages:
            return []
        try:
            return list(self._judge(pages))
        except Exception:  # noqa: BLE001  the edge of the worker: which page it is comes out below
            outcomes = [self._judged_alone(page) for page in pages]
        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if len(errors) == len(pages) > 1:
            raise errors[0]
        return [
            self._dead_letter(page, f"{type(outcome).__name__}: {outcome}")
            if isinstance(outcome, Exception)
            else outcome
            for page, outcome in zip(pages, outcomes, strict=True)
        ]

    def _judged_alone(self, page: PageFound) -> PageJudged | Exception:
        try:
            return self._judge([page])[0]
        except Exception as error:  # noqa: BLE001  returned, and dead-lettered or raised by the caller
            return error

    def _upsert(self, judged: Sequence[Judged]) -> Sequence[tuple[str, str]]:
        pause_s = self._pause_s
        for attempt in range(self._retries + 1):
            try:
                return self._store.upsert(judged).rejected
            except StoreUnavailableError as error:
                if attempt == self._retries:
                    raise
                time.sleep(error.retry_after_s or pause_s)
                pause_s *= 2
        raise AssertionError("unreachable")

    def _dead_letter(self, event: Found, reason: str) -> UrlEnded:
        """Keep an event that cannot go on, and return what the ledger says of it."""
        line = msgspec.json.encode({"reason": reason, "event": msgspec.Raw(encode(event))})
        descriptor = os.open(self._dead_letters, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(descriptor)
        return dead_page(event, reason, datetime.now(UTC))
