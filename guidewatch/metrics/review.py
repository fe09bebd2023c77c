"""Metrics of the review app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import Metric

from guidewatch.metrics.families import counter

if TYPE_CHECKING:
    from dashboards.review.tally import Recorder, Tally


def review_families(tally: Tally, recorder: Recorder) -> Iterator[Metric]:
    """Yield the metric families of a review app."""
    yield counter(
        "guidewatch_review_requests",
        "Requests answered, by status.",
        [({"status": status}, count) for status, count in sorted(tally.requests.copy().items())],
    )
    yield counter("guidewatch_review_request_seconds", "Time that these requests took.", [({}, tally.seconds)])
    yield counter(
        "guidewatch_review_decisions",
        "Decisions taken by analysts.",
        [({"decision": decision}, count) for decision, count in sorted(recorder.decisions.copy().items())],
    )
