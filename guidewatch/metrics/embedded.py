"""Metrics and health of an embedded installation: of the crawl under way, and of what judges and stores beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import Metric

from guidewatch.metrics.families import counter, gauge, histogram, one_of
from guidewatch.metrics.process import why_stale

if TYPE_CHECKING:
    from guidewatch.embedded_view import EmbeddedView

STATES = ("starting", "crawling", "idle")


def embedded_families(view: EmbeddedView) -> Iterator[Metric]:
    """Yield the metric families."""
    stage, progress, sink = {"stage": "embedded"}, view.progress, view.sink
    yield one_of("guidewatch_stage_state", "1 for the state that the stage is in.", stage, STATES, view.state)
    if progress is not None:
        yield gauge("guidewatch_crawl_queued_urls", "URLs known and not fetched.", [({}, progress.queued)])
        yield gauge("guidewatch_crawl_requests_under_way", "Requests on the wire.", [({}, progress.in_flight)])
    if sink is None:
        return
    waiting = "Pages and ends that wait to be judged or stored."
    yield gauge("guidewatch_crawl_unsettled_events", waiting, [({}, sink.unsettled)])
    yield counter(
        "guidewatch_stage_outcomes",
        "What became of URLs at this stage.",
        [
            ({**stage, "outcome": outcome, "language": ""}, count)
            for outcome, count in sorted(sink.outcomes.copy().items())
        ],
    )
    yield histogram(
        "guidewatch_page_latency_seconds",
        "From the download until the page was stored durably.",
        [({**stage, "since": "fetched"}, sink.since_fetched)],
    )


def why_not_alive(view: EmbeddedView, now_s: float) -> str:
    """Return what is wrong with the crawl under way, or nothing; where none is, all is well."""
    return why_stale(view.noted_at_s, now_s) if view.state == "crawling" else ""


def why_not_ready(view: EmbeddedView, now_s: float) -> str:
    """Return what keeps the process from crawling, or nothing."""
    return "starting" if view.sink is None else why_not_alive(view, now_s)
