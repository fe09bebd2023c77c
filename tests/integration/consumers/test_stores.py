"""The stages that write, on the real broker and a real SQLite store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import classifier
from consumers.classify import ClassifyStage
from consumers.dead_letters import read_letter, sent_back
from consumers.index import IndexStage
from consumers.label import LabelStage
from consumers.labels import LabelNotRecordedError, LabelPublisher
from events import Topics, encode
from storage.sqlite import SqliteStore
from tests.contract.samples import judged, label, later, verdict
from tests.integration.consumers.backbone import Backbone, WordClassifier, clock, page, until
from tests.servers.kafka import free_ports


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.sqlite", clock=clock)
    made.setup()
    yield made
    made.close()


def test_pages_go_through_both_stages_into_the_store(backbone: Backbone, store: SqliteStore) -> None:
    backbone.send(backbone.topics.pages_found, [page(n, "flagme" if n < 10 else "A garden.") for n in range(100)])
    stages = ClassifyStage(WordClassifier(), backbone.topics, clock), IndexStage(store, backbone.topics)
    with backbone.running(stages[0]), backbone.running(stages[1]) as index:
        until(lambda: index.loop.status().summary.records == 100, "all records")
    counts = store.ledger_counts()
    assert (counts["flagged"], counts["not_flagged"], sum(counts.values())) == (10, 90, 100)
    assert store.item(page(3).page_id) is not None


def test_replay_of_old_events_changes_nothing(backbone: Backbone, store: SqliteStore) -> None:
    old, new = judged("one"), judged("one", says=verdict(score=0.8), fetched_at=later(hours=1), at=later(hours=2))
    backbone.send(backbone.topics.pages_judged, [old, new, old, old])
    with backbone.running(IndexStage(store, backbone.topics)) as run:
        until(lambda: run.loop.status().summary.records == 4, "all records")
    item = store.item(old.page_id)
    assert item is not None
    assert item.verdict.score == 0.8


def test_document_that_the_store_rejects_is_a_dead_letter_and_the_ledger_says_so(
    backbone: Backbone, store: SqliteStore
) -> None:
    topic = backbone.topics.pages_judged
    bad = encode(judged("bad")).replace(b'"depth":0', b'"depth":99999999999999999999999')
    backbone.send(topic, [judged("one")])
    backbone.send_bytes(topic, bad, judged("bad").page_id)
    backbone.send(topic, [judged("two")])
    with backbone.running(IndexStage(store, backbone.topics)) as run:
        until(lambda: run.loop.status().summary.records == 3, "all records")
    (message,) = backbone.messages(backbone.topics.dead_letters(topic))
    assert read_letter(tuple(message.headers)).stage == "index"
    assert message.value == bad
    assert store.ledger_counts()["flagged"] == 2


def test_replayed_dead_letter_is_read_like_the_message_it_was(backbone: Backbone, store: SqliteStore) -> None:
    topic = backbone.topics.pages_judged
    backbone.send_bytes(topic, b"{", "1")
    with backbone.running(IndexStage(store, backbone.topics)) as run:
        until(lambda: run.loop.status().summary.records == 1, "the first time")
        (first,) = backbone.messages(backbone.topics.dead_letters(topic))
        again = sent_back(first.value, first.key, tuple(first.headers))
        assert again.topic == topic
        backbone.send_bytes(again.topic, again.value, "1", again.headers)
        until(lambda: run.loop.status().summary.records == 2, "the second time")
    letters = backbone.messages(backbone.topics.dead_letters(topic))
    assert [one.value for one in letters] == [b"{", b"{"]
    assert read_letter(tuple(letters[1].headers)).offset > read_letter(tuple(letters[0].headers)).offset


def test_decision_goes_from_the_publisher_to_the_item(backbone: Backbone, store: SqliteStore) -> None:
    store.upsert([judged("one")])
    publisher = LabelPublisher(backbone.options, backbone.topics)
    try:
        publisher.record(label("one", decision="lawful"))
        publisher.record(label("one", decision="lawful"))
    finally:
        publisher.close()
    with backbone.running(LabelStage(store, backbone.topics)) as run:
        until(lambda: run.loop.status().summary.records == 2, "both messages")
    item = store.item(judged("one").page_id)
    assert item is not None
    assert [one.decision for one in item.decisions] == ["lawful"]


def test_decision_without_a_broker_is_refused_in_time_with_one_line() -> None:
    (port,) = free_ports(1)
    publisher = LabelPublisher({"bootstrap_servers": f"127.0.0.1:{port}"}, Topics(), timeout_s=1.0)
    with pytest.raises(LabelNotRecordedError, match=r"^the decision was not recorded: Kafka at .* does not answer"):
        publisher.record(label("one"))
    publisher.close()


def test_decision_without_a_topic_is_refused_in_time(kafka_bootstrap: str) -> None:
    publisher = LabelPublisher({"bootstrap_servers": kafka_bootstrap}, Topics("nobody-made-these"), timeout_s=2.0)
    with pytest.raises(LabelNotRecordedError):
        publisher.record(label("one", decision="lawful"))
    publisher.close()


def test_shipped_classifier_judges_what_comes_through(backbone: Backbone) -> None:
    backbone.send(backbone.topics.pages_found, [page(1, "A page about pruning apple trees in winter.")])
    with backbone.running(ClassifyStage(classifier.load(), backbone.topics, clock)) as run:
        until(lambda: run.loop.status().summary.records == 1, "the page")
    (one,) = backbone.events(backbone.topics.pages_judged)
    assert (one.page_id, one.verdict.outcome, one.text) == (page(1).page_id, "not_flagged", "")
