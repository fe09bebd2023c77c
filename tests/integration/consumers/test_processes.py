from __future__ import annotations

import time

import pytest

from consumers.classify import ClassifyStage
from consumers.counting import Counts
from tests.integration.consumers.backbone import Backbone, WordClassifier, clock, page, until
from tests.integration.consumers.processes import wait_for, worker


def visible(backbone: Backbone) -> int:
    return len(backbone.messages(backbone.topics.pages_judged))


@pytest.mark.parametrize(
    ("how", "successor"), [("judging", "other"), ("sent", "other"), ("sent", "same")], ids=lambda value: value
)
def test_killed_worker_is_followed_by_one_that_finishes_its_batch(backbone: Backbone, how: str, successor: str) -> None:
    pages = [page(number) for number in range(200)]
    backbone.send(backbone.topics.pages_found, pages)
    with worker(backbone, "same", how) as first:
        wait_for(first, "hangs")
        first.kill()
        assert first.wait(10) == -9
    until(lambda: visible(backbone) == backbone.committed(backbone.topics.pages_found) > 0, "what was committed")
    before = visible(backbone)
    assert before < 200
    in_log = len(backbone.messages(backbone.topics.pages_judged, "read_uncommitted"))
    assert (in_log > before) == (how == "sent")

    with backbone.running(ClassifyStage(WordClassifier(), backbone.topics, clock), successor) as second:
        until(lambda: backbone.committed(backbone.topics.pages_found) == 200, "all records")
        assert second.end().records == 200 - before
    until(lambda: visible(backbone) >= 200, "all judgements")
    judged = sorted(one.page_id for one in backbone.events(backbone.topics.pages_judged))
    assert judged == sorted(one.page_id for one in pages)
    assert backbone.counted(backbone.topics.pages_found) == Counts(read=200, outcomes={"page": 200}, outputs=200)


@pytest.mark.parametrize("how", ["never", "judging"])
def test_sigterm_ends_a_worker_within_five_seconds_with_a_summary(backbone: Backbone, how: str) -> None:
    backbone.send(backbone.topics.pages_found, [page(number) for number in range(100)])
    with worker(backbone, "0", how) as process:
        if how == "never":
            until(lambda: backbone.committed(backbone.topics.pages_found) == 100, "all records")
        else:
            wait_for(process, "hangs")
        started = time.monotonic()
        process.terminate()
        line = wait_for(process, "ended")
        assert process.wait(10) == 0
        assert time.monotonic() - started < 5.0
    committed = backbone.committed(backbone.topics.pages_found)
    assert line.startswith(f"ended: {committed} records, {committed} outputs, 0 dead letters")
    assert (committed == 100) == (how == "never")
