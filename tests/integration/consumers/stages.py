"""Stages and stores that fail on purpose."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import classifier
from consumers.stage import Handled, Record, StageUnavailableError
from events import PageJudged, Topics, UrlEnded
from storage.port import StoreUnavailableError, UpsertReport
from tests.integration.consumers.backbone import WordClassifier


class SometimesUnavailable:
    """Passes on to a stage, but fails on some calls."""

    def __init__(self, stage: object, failures: set[int]) -> None:
        self._stage = stage
        self._failures = failures
        self.calls = 0
        for name in ("name", "topics", "writes", "accepts", "slice_size"):
            setattr(self, name, getattr(stage, name))

    def handle(self, records: Sequence[Record]) -> Handled:
        self.calls += 1
        if self.calls in self._failures:
            raise StageUnavailableError(f"call {self.calls}")
        return self._stage.handle(records)


class SlowClassifier(WordClassifier):
    """Takes so many seconds a call."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.busy = threading.Event()

    def judge(self, documents: Sequence[classifier.Document]) -> list[classifier.Verdict]:
        self.busy.set()
        time.sleep(self._seconds)
        return super().judge(documents)


class GateStore:
    """A store in memory that is unavailable until its gate is opened."""

    def __init__(self) -> None:
        self.open = False
        self.seen: dict[str, PageJudged | UrlEnded] = {}

    def upsert(self, judged: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        if not self.open:
            raise StoreUnavailableError("the gate is shut")
        self.seen.update({one.page_id: one for one in judged})
        return UpsertReport(written=tuple(one.page_id for one in judged))


class BrokenStage:
    """Fails in a way that nobody foresaw."""

    name = "classify"
    writes = ()
    accepts = (object,)
    slice_size = 10

    def __init__(self, topics: Topics) -> None:
        self.topics = (topics.pages_found,)

    def handle(self, records: Sequence[Record]) -> Handled:
        raise ZeroDivisionError("nobody foresaw this")
