"""Clocks that jump by a day, forwards and back: nothing is lost, and no older version overwrites a newer one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import tests.integration.consumers.backbone
from consumers.classify import ClassifyStage
from consumers.index import IndexStage
from events import encode
from storage.sqlite import SqliteStore
from tests.contract.samples import NOON, Clock, judged, verdict
from tests.integration.consumers.backbone import Backbone, WordClassifier, page, until

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.sqlite", clock=clock)
    made.setup()
    yield made
    made.close()


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forwards", "backwards"])
def test_pages_go_through_both_stages_while_the_clock_jumps(
    backbone: Backbone, store: SqliteStore, clock: Clock, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tests.integration.consumers.backbone, "clock", clock)
    stages = ClassifyStage(WordClassifier(), backbone.topics, clock), IndexStage(store, backbone.topics)
    with backbone.running(stages[0]), backbone.running(stages[1]) as index:
        backbone.send(backbone.topics.pages_found, [page(number) for number in range(50)])
        until(lambda: index.loop.status().summary.records == 50, "the first half")
        clock.now += jump
        backbone.send(backbone.topics.pages_found, [page(number) for number in range(50, 100)])
        until(lambda: index.loop.status().summary.records == 100, "the second half")
        assert index.loop.status().last_commit_at == clock.now
        assert index.loop.status().summary.retries == 0
    assert store.ledger_counts()["not_flagged"] == 100


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)], ids=str)
def test_the_newest_fetch_stays_in_whatever_order_and_whatever_the_clock_of_the_index_says(
    backbone: Backbone, store: SqliteStore, clock: Clock, order: tuple[int, ...]
) -> None:
    versions = [
        judged("one", says=verdict(score=0.6 + number / 10), fetched_at=NOON + number * DAY, at=NOON + number * DAY)
        for number in range(3)
    ]
    with backbone.running(IndexStage(store, backbone.topics)) as run:
        for count, number in enumerate(order, 1):
            clock.now += DAY if number % 2 else -DAY
            backbone.send(backbone.topics.pages_judged, [versions[number]])
            until(lambda count=count: run.loop.status().summary.records == count, "the version")
    item = store.item(versions[0].page_id)
    assert item is not None
    assert (item.verdict.score, item.fetched_at) == (0.8, NOON + 2 * DAY)


@pytest.mark.parametrize("jump", [DAY, -10 * DAY, 365 * DAY], ids=["a day ahead", "ten days late", "a year ahead"])
def test_topics_take_messages_of_producers_whose_clock_is_wrong(backbone: Backbone, jump: timedelta) -> None:
    now = datetime.now(NOON.tzinfo)
    topic = backbone.topics.pages_found
    sent = backbone._producer.send(
        topic,
        value=encode(page(1)),
        key=page(1).page_id.encode(),
        timestamp_ms=int((now + jump).timestamp() * 1000),
    )
    sent.get(timeout=10)
    (message,) = backbone.messages(topic)
    assert abs(message.timestamp / 1000 - now.timestamp()) < 3600, "the time is that of the broker"
