"""What `guidewatch status` says of a real Kafka: that all is there, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.structs import OffsetAndMetadata

from consumers.balance import Range
from consumers.classify import ClassifyStage
from consumers.connection import Membership
from consumers.index import IndexStage
from consumers.settling_letters import Settling
from consumers.stage import Handled, Record, Stage
from events import CrawlState, Topics, encode
from guidewatch import distributed_status
from guidewatch.distributed_status import FlowStatus, flow_status
from storage.sqlite import SqliteStore
from tests.e2e import processes
from tests.integration.consumers.backbone import Backbone, WordClassifier, clock, page, until
from tests.servers.kafka import free_ports


@pytest.fixture(autouse=True)
def few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed_status, "_ATTEMPTS", 2)
    monkeypatch.setattr(distributed_status, "_PAUSE_S", 0.2)
    monkeypatch.setattr(distributed_status, "_REFRESHED_S", 0.2)


class Installation:
    """Pages that spiders say they have published, the two stages, and a store."""

    def __init__(self, backbone: Backbone, store: SqliteStore) -> None:
        self.backbone = backbone
        self.store = store
        self.found, self.judged = backbone.topics.pages_found, backbone.topics.pages_judged
        self._published = 0

    def publish(self, count: int) -> None:
        numbers = range(self._published, self._published + count)
        self.backbone.send(self.found, [page(n, "flagme" if n % 10 == 0 else "A garden.") for n in numbers])
        self._published += count
        self.say(self._published)

    def say(self, published: int) -> None:
        """Say as a spider does how many pages the crawl has published."""
        state = CrawlState(
            id="1", at=clock(), crawl_id="c", started_at=datetime.now(UTC), contact="",
            user_agent="", max_pages=1, max_pages_per_host=1, max_depth=1, delay_s=1, timeout_s=1, max_bytes=1,
            phase="ended", outcomes={"page": published},
        )  # fmt: skip
        self.backbone.send_bytes(self.backbone.topics.crawls, encode(state), "c")

    def run(self, name: str, records: int, stage: Stage | None = None) -> None:
        """Run a stage until it has read so many records in all."""
        made: Stage = stage or (
            ClassifyStage(WordClassifier(), self.backbone.topics, clock)
            if name == "classify"
            else IndexStage(self.store, self.backbone.topics)
        )
        topic = self.found if name == "classify" else self.judged
        group = f"guidewatch-{name}"
        member = Membership(f"{self.backbone.topics.prefix}.{group}", "0", session_timeout_s=3.0)
        with self.backbone.running(made, member=member):
            until(lambda: self.backbone.counted(topic, group).read == records, f"{records} records")

    def status(self, *, rows: int | None = None, **how: Any) -> FlowStatus:
        there = rows if rows is not None else sum(self.store.ledger_counts().values())
        return flow_status(self.backbone.options, self.backbone.topics, lambda: there, **how)


@pytest.fixture
def installation(kafka_bootstrap: str, kafka_prefix: str, tmp_path: Path) -> Iterator[Installation]:
    store = SqliteStore(tmp_path / "store.sqlite", clock=clock)
    store.setup()
    with Backbone.made(kafka_bootstrap, kafka_prefix) as backbone:
        yield Installation(backbone, store)
    store.close()


@pytest.fixture
def admin(kafka_bootstrap: str) -> Iterator[KafkaAdminClient]:
    made = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    yield made
    made.close()


def differences(status: FlowStatus) -> list[str]:
    """Return the problems, without those of groups that nobody works in: no stage runs while these tests look."""
    return [problem for problem in status.problems if not problem.startswith("nobody works")]


def test_every_page_is_somewhere_on_its_way(installation: Installation) -> None:
    installation.publish(40)
    waiting = installation.status()
    assert waiting.balance is not None
    assert (waiting.balance.found, waiting.balance.in_flight, differences(waiting)) == (40, Range(40, 40), [])
    prefix = installation.backbone.topics.prefix
    assert waiting.problems == (
        f"nobody works in group {prefix}.guidewatch-classify, and 40 messages of {installation.found} wait",
    )

    installation.run("classify", 40)
    between = installation.status()
    assert between.balance is not None
    assert (between.balance.in_flight, differences(between)) == (Range(40, 40), [])

    installation.run("index", 40)
    through = installation.status()
    assert through.balance is not None
    assert differences(through) == []
    assert (through.balance.outcomes, through.balance.in_flight) == ({"flagged": 4, "not_flagged": 36}, Range(0, 0))
    assert through.balance.dead_letter == 0
    (classify,) = [one for one in through.stages if one.stage == "classify"]
    assert (classify.read, classify.members, classify.waiting) == (40, 0, Range(0, 0))


def test_a_group_with_a_worker_may_have_messages_waiting(installation: Installation) -> None:
    stage = ClassifyStage(WordClassifier(), installation.backbone.topics, clock)
    member = Membership(f"{installation.backbone.topics.prefix}.guidewatch-classify", "0", session_timeout_s=3.0)
    with installation.backbone.running(stage, member=member) as run:
        until(lambda: len(run.loop.status().lag) == 4, "the assignment")
        status = installation.status()
    assert status.problems == ()
    assert [one.members for one in status.stages if one.stage == "classify"] == [1]


def test_a_page_that_was_published_twice_or_never_is_a_difference(installation: Installation) -> None:
    installation.publish(10)
    installation.run("classify", 10)
    installation.run("index", 10)
    assert differences(installation.status()) == []
    for said in (9, 11):
        installation.say(said)
        first, second, *_ = differences(installation.status())
        assert (
            first == f"it does not balance: published by the spiders, and read by classify or in flight: {said} and 10"
        )
        assert second.endswith(f"{said} and 10")


class Swallowing:
    """Classifies, and loses the first page."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        for name in ("name", "topics", "writes", "accepts", "slice_size"):
            setattr(self, name, getattr(stage, name))

    def handle(self, records: Sequence[Record]) -> Handled:
        handled = self._stage.handle(records)
        handled.outputs.pop(0)
        return handled


def test_a_page_that_a_stage_loses_is_a_difference(installation: Installation) -> None:
    installation.publish(10)
    stage: Any = Swallowing(ClassifyStage(WordClassifier(), installation.backbone.topics, clock, slice_size=500))
    installation.run("classify", 10, stage)
    lost = differences(installation.status())
    assert any("made by it: 10 and" in problem for problem in lost)


def test_judgements_that_expire_before_they_are_read_are_a_difference(
    installation: Installation, admin: KafkaAdminClient
) -> None:
    installation.publish(20)
    installation.run("classify", 20)
    ends = dict.fromkeys((TopicPartition(installation.judged, number) for number in range(4)), 1)
    admin.delete_records(ends)
    gone = differences(installation.status())
    assert any(problem.startswith("it does not balance: made by classify") for problem in gone)
    assert any(problem.startswith("4 offsets of") and "expired before" in problem for problem in gone)


def test_offsets_that_were_set_by_hand_are_said_until_they_are_accepted(
    installation: Installation, admin: KafkaAdminClient
) -> None:
    installation.publish(10)
    installation.run("classify", 10)
    installation.run("index", 10)
    group = f"{installation.backbone.topics.prefix}.guidewatch-index"
    offsets = admin.list_group_offsets({group: None})[group]
    admin.alter_group_offsets(group, {place: OffsetAndMetadata(one.offset, "", -1) for place, one in offsets.items()})
    said = differences(installation.status())
    assert any("were passed by" in problem and "--uncounted-ok" in problem for problem in said)
    assert differences(installation.status(uncounted_ok=True)) == []


def test_a_row_that_is_gone_from_the_ledger_is_a_difference(installation: Installation) -> None:
    installation.publish(10)
    installation.run("classify", 10)
    installation.run("index", 10)
    (gone,) = differences(installation.status(rows=9))
    assert gone.startswith("it does not balance: rows of the ledger")


def test_dead_letters_are_in_the_balance_wherever_they_are(installation: Installation) -> None:
    installation.publish(5)
    installation.backbone.send_bytes(installation.found, b"poison", "1")
    installation.say(6)
    installation.run("classify", 6)
    installation.run("index", 5)

    def looked() -> tuple[int, list[str]]:
        status = installation.status()
        assert status.balance is not None
        return status.balance.dead_letter, differences(status)

    assert looked() == (1, [])
    with Settling(installation.backbone.options, installation.backbone.topics, "ana", clock) as settling:
        settling.replay(settling.read().letters, lambda _: True)
    assert looked() == (1, [])
    installation.run("classify", 7)
    assert looked() == (1, [])
    with Settling(installation.backbone.options, installation.backbone.topics, "ana", clock) as settling:
        settling.drop([one for one in settling.read().letters if one.settled is None], "no page", lambda _: True)
    assert looked() == (1, [])


def test_absent_kafka_is_said_in_one_line() -> None:
    (port,) = free_ports(1)
    status = flow_status({"bootstrap_servers": f"127.0.0.1:{port}"}, Topics("x"), lambda: None)
    (problem,) = status.problems
    assert problem.startswith(f"Kafka at 127.0.0.1:{port} does not answer")


def test_missing_topics_are_said_in_one_line(kafka_bootstrap: str) -> None:
    status = flow_status({"bootstrap_servers": kafka_bootstrap}, Topics("nobody-made-these"), lambda: None)
    assert "run `guidewatch setup` first" in status.problems[0]


def test_command_says_what_is_down_and_shows_what_is_up(installation: Installation) -> None:
    (port,) = free_ports(1)
    installation.publish(3)
    extra = {
        "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": installation.backbone.options["bootstrap_servers"],
        "GUIDEWATCH_KAFKA_TOPIC_PREFIX": installation.backbone.topics.prefix,
        "GUIDEWATCH_ELASTICSEARCH_HOSTS": f"http://127.0.0.1:{port}",
    }
    done = processes.run("status", "--json", extra=extra)
    assert done.returncode == 1
    shown = json.loads(done.stdout)
    assert shown["flow"]["balance"]["found"] == 3
    assert any("Elasticsearch" in problem for problem in shown["problems"])
    assert "Traceback" not in done.stderr
    assert "guidewatch: not all is well: " in done.stderr
