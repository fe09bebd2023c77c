"""Each kind of process as `guidewatch.metrics.process.Process` sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import Metric

from guidewatch.metrics import embedded as embedded_metrics
from guidewatch.metrics import stages
from guidewatch.metrics.families import gauge
from guidewatch.metrics.process import Process
from guidewatch.metrics.review import review_families
from guidewatch.metrics.store_probe import StoreProbe

if TYPE_CHECKING:
    from consumers.status import Status
    from crawlers.distributed.spider import SpiderStatus
    from dashboards.review.tally import Recorder, Tally
    from guidewatch.embedded_view import EmbeddedView


def consumer(status: Callable[[], Status], *, health: Callable[[], str] | None = None, model: str = "") -> Process:
    """Return a stage on the consume loop.

    Parameters
    ----------
    status
        `consumers.loop.ConsumeLoop.status`.
    health
        `storage.Store.health` of the store that the stage writes to; None where it has none.
    model
        Version of the model that judges; empty where none does.
    """
    stage = status().stage
    return Process(
        stage=stage,
        why_not_alive=lambda: stages.why_not_alive(status(), time.monotonic()),
        why_not_ready=lambda: stages.why_not_ready(status(), time.monotonic()),
        families=[
            lambda: stages.stage_families(status(), time.monotonic()),
            *([partial(_model, model)] if model else []),
        ],
        store=StoreProbe(stage, health) if health is not None else None,
    )


def spider(status: Callable[[], SpiderStatus]) -> Process:
    """Return a spider; ``status`` is `crawlers.distributed.spider.Spider.status`."""
    return Process(
        stage="spider",
        why_not_alive=lambda: stages.why_not_alive(status(), time.monotonic()),
        why_not_ready=lambda: stages.why_not_ready(status(), time.monotonic()),
        families=[lambda: stages.spider_families(status(), time.monotonic())],
    )


def review(tally: Tally, recorder: Recorder, health: Callable[[], str]) -> Process:
    """Return a review app with its counts, and `storage.Store.health` of its store; it answers as long as it lives."""
    return Process(
        stage="review",
        why_not_alive=lambda: "",
        why_not_ready=lambda: "",
        families=[lambda: review_families(tally, recorder)],
        store=StoreProbe("review", health),
    )


def embedded(view: EmbeddedView) -> Process:
    """Return an embedded installation."""
    return Process(
        stage="embedded",
        why_not_alive=lambda: embedded_metrics.why_not_alive(view, time.monotonic()),
        why_not_ready=lambda: embedded_metrics.why_not_ready(view, time.monotonic()),
        families=[lambda: embedded_metrics.embedded_families(view)],
    )


def _model(version: str) -> Iterator[Metric]:
    yield gauge("guidewatch_classifier_info", "Version of the model that judges.", [({"model": version}, 1)])
