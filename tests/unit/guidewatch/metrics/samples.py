"""Every kind of process with something to show, and what the metrics of one say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from prometheus_client import Metric

from consumers.figures import Figures, Histogram
from consumers.status import Status, Summary
from crawlers.distributed.spider import SpiderStatus
from crawlers.progress import CrawlProgress
from guidewatch.embedded_view import EmbeddedView
from guidewatch.metrics import processes
from guidewatch.metrics.process import Process
from tests.contract.samples import NOON


def status(**fields: Any) -> Status:
    now_s = time.monotonic()
    usual: dict[str, Any] = {
        "stage": "index",
        "group": "g",
        "instance": "0",
        "state": "running",
        "lag": {("pages.judged", 0): 7, ("pages.judged", 3): 0},
        "last_commit_at": NOON,
        "turned_at_s": now_s,
        "heard_at_s": now_s,
        "summary": Summary(records=5, outputs=1, dead_letters=2, batches=3, retries=4, aborted=1, size_bytes=900),
        "figures": Figures({("flagged", "fr"): 2, ("failed", ""): 1}, Histogram.of([0.2, 4.0]), Histogram.of([90.0])),
    }
    return Status(**usual | fields)


def spider_status(**fields: Any) -> SpiderStatus:
    now_s = time.monotonic()
    usual: dict[str, Any] = {
        "state": "running",
        "partitions": (0, 4),
        "under_way": 3,
        "open": 12,
        "outcomes": Counter(page=9, failed=2, duplicate=0),
        "counts": Counter(transactions=6, aborted=1, dead_letters=2, lost_sessions=1),
        "last_commit_at": NOON,
        "turned_at_s": now_s,
        "heard_at_s": now_s,
    }
    return SpiderStatus(**usual | fields)


def view(clock_s: Any = time.monotonic) -> EmbeddedView:
    sink: Any = SimpleNamespace(outcomes=Counter(flagged=2), unsettled=4, since_fetched=Histogram.of([1.0]))
    made = EmbeddedView(clock_s)
    with made.crawling(sink):
        made.note(CrawlProgress(pages=1, outcomes={}, queued=40, in_flight=5, rate=1.0, elapsed_s=1.0))
    return made


def every_process() -> list[Process]:
    tally: Any = SimpleNamespace(requests=Counter({"2xx": 3}), seconds=0.5)
    recorder: Any = SimpleNamespace(decisions=Counter(lawful=1))
    return [
        processes.consumer(status, health=lambda: "green, 3 items"),
        processes.consumer(lambda: status(stage="classify"), model="2026.11-1a2b3c4d"),
        processes.spider(spider_status),
        processes.embedded(view()),
        processes.review(tally, recorder, lambda: "ok, 3 items in x"),
    ]


def values(families: Iterable[Metric]) -> dict[tuple[str, ...], float]:
    """Return the value of each sample by its name and the values of its labels, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }
