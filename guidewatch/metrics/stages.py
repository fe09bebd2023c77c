"""Metrics and health of the stages on Kafka: of `consumers.status.Status` and `crawlers.distributed.SpiderStatus`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import Metric

from guidewatch.metrics.families import counter, gauge, histogram, one_of
from guidewatch.metrics.process import why_stale

if TYPE_CHECKING:
    from consumers.status import Status
    from crawlers.distributed.spider import SpiderStatus

STATES = ("starting", "running", "waiting", "stopped")
SILENT_S = 12.0
"""Without an answer to a heartbeat for so long, Kafka counts as away; healthy ones come every three seconds."""


def stage_families(status: Status, now_s: float) -> Iterator[Metric]:
    """Yield the metric families of a consume loop; ``now_s`` is on the scale of ``time.monotonic``."""
    stage, done = {"stage": status.stage}, status.summary
    yield from _loop_families(status, stage, now_s)
    yield gauge(
        "guidewatch_stage_lag_messages",
        "Messages not read yet, of the partitions that this process has.",
        [
            ({**stage, "topic": topic, "partition": str(partition)}, lag)
            for (topic, partition), lag in sorted(status.lag.items())
        ],
    )
    totals = {
        "records": ("Records read, handled and committed.", done.records),
        "bytes": ("Size of the values of these records.", done.size_bytes),
        "outputs": ("Messages made of them, dead letters aside.", done.outputs),
        "dead_letters": ("Records that could not be handled.", done.dead_letters),
        "retries": ("Attempts that committed nothing and were tried again.", done.retries),
        "work_seconds": ("Time spent on the records.", done.work_s),
        "commit_seconds": ("Time spent on their transactions.", done.commit_s),
    }
    for name, (documentation, value) in totals.items():
        yield counter(f"guidewatch_stage_{name}", documentation, [(stage, value)])
    yield _transactions(stage, done.batches, done.aborted)
    yield counter(
        "guidewatch_stage_outcomes",
        "What became of URLs at this stage.",
        [
            ({**stage, "outcome": outcome, "language": language}, count)
            for (outcome, language), count in sorted(status.figures.outcomes.items())
        ],
    )
    yield histogram(
        "guidewatch_page_latency_seconds",
        "From the download, or from pages.found, until the stage was done with a page; for the index: stored durably.",
        [
            ({**stage, "since": "fetched"}, status.figures.since_fetched),
            ({**stage, "since": "found"}, status.figures.since_found),
        ],
    )


def spider_families(status: SpiderStatus, now_s: float) -> Iterator[Metric]:
    """Yield the metric families of a spider; ``now_s`` is on the scale of ``time.monotonic``."""
    stage, counts = {"stage": "spider"}, status.counts
    yield from _loop_families(status, stage, now_s)
    now = {
        "partitions": ("Partitions of crawl.requests that this spider has.", len(status.partitions)),
        "open_requests": ("Requests read whose URLs have not ended.", status.open),
        "requests_under_way": ("Requests on the wire.", status.under_way),
    }
    for name, (documentation, value) in now.items():
        yield gauge(f"guidewatch_spider_{name}", documentation, [({}, value)])
    totals = {
        "dead_letters": ("Records that could not be handled.", counts["dead_letters"]),
        "retries": (
            "Attempts that committed nothing and were tried again.",
            counts["aborted"] + counts["lost_sessions"],
        ),
    }
    for name, (documentation, value) in totals.items():
        yield counter(f"guidewatch_stage_{name}", documentation, [(stage, value)])
    yield _transactions(stage, counts["transactions"], counts["aborted"])
    yield counter(
        "guidewatch_stage_outcomes",
        "What became of URLs at this stage.",
        [
            ({**stage, "outcome": outcome, "language": ""}, count)
            for outcome, count in sorted(status.outcomes.items())
            if count
        ],
    )


def why_not_alive(status: Status | SpiderStatus, now_s: float) -> str:
    """Return what is wrong with the loop itself, or nothing; ``now_s`` is on the scale of ``time.monotonic``."""
    return "stopped" if status.state == "stopped" else why_stale(status.turned_at_s, now_s)


def why_not_ready(status: Status | SpiderStatus, now_s: float) -> str:
    """Return what keeps the stage from its work, or nothing; ``now_s`` is on the scale of ``time.monotonic``."""
    if wrong := why_not_alive(status, now_s):
        return wrong
    if status.state != "running":
        return f"{status.state}: {status.failure}" if status.failure else status.state
    silent_s = now_s - status.heard_at_s
    if silent_s > SILENT_S:
        since = f"for {silent_s:.0f} s" if silent_s < float("inf") else "yet"
        return f"Kafka's coordinator of the group has not answered {since}"
    return ""


def _loop_families(status: Status | SpiderStatus, stage: dict[str, str], now_s: float) -> Iterator[Metric]:
    yield one_of("guidewatch_stage_state", "1 for the state that the stage is in.", stage, STATES, status.state)
    ages = {
        "turn_age": ("Since the loop last showed that it is alive.", status.turned_at_s),
        "broker_silence": ("Since Kafka's coordinator of the group last answered.", status.heard_at_s),
    }
    for name, (documentation, at_s) in ages.items():
        known = at_s > float("-inf")
        yield gauge(f"guidewatch_stage_{name}_seconds", documentation, [(stage, now_s - at_s)] if known else [])
    yield gauge(
        "guidewatch_stage_last_commit_timestamp_seconds",
        "When something was last committed, in seconds since 1970.",
        _time(stage, status.last_commit_at),
    )


def _transactions(stage: dict[str, str], committed: int, aborted: int) -> Metric:
    return counter(
        "guidewatch_stage_transactions",
        "Transactions by their result.",
        [({**stage, "result": "committed"}, committed), ({**stage, "result": "aborted"}, aborted)],
    )


def _time(labels: dict[str, str], at: datetime | None) -> list[tuple[dict[str, str], float]]:
    return [] if at is None else [(labels, at.timestamp())]
