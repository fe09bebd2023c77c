"""What the tests of the loop need: pages, a way in, a way to look, and a loop on a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import RetriableError

import classifier
from consumers.connection import Membership
from consumers.counting import Counts, read_counts, summed
from consumers.loop import ConsumeLoop, LoopSettings, Timing
from consumers.reading import BatchLimits
from consumers.stage import Stage
from consumers.status import Summary
from consumers.topics import TopicPlan, ensure_topics
from consumers.transaction import TransactionalWriter
from events import PageFound, Topics, content_id, decode, encode, page_id

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PARTITIONS = 4
WAIT_S = 60.0


def clock() -> datetime:
    return AT + timedelta(hours=1)


def page(number: int, text: str = "A page about a garden.") -> PageFound:
    url = f"http://site.example/{number}"
    return PageFound(
        id=f"{number:032x}",
        at=AT,
        page_id=page_id(url),
        url=url,
        host="site.example",
        crawl_id="crawl-1",
        content_id=content_id(f"{text}{number}"),
        fetched_at=AT,
        title=f"Page {number}",
        text=f"{text} {number}",
    )


class WordClassifier:
    """Flags what contains the word ``flagme``."""

    def judge(self, documents: Sequence[classifier.Document]) -> list[classifier.Verdict]:
        return [
            classifier.Verdict(
                outcome="flagged" if "flagme" in document.text else "not_flagged",
                score=0.9 if "flagme" in document.text else 0.1,
                threshold=0.5,
                language="en",
                model="words-1",
            )
            for document in documents
        ]


def settings(**timing: float) -> LoopSettings:
    patience = {"backoff_base_s": 0.05, "backoff_cap_s": 0.2, "transaction_timeout_s": 5.0} | timing
    return LoopSettings(limits=BatchLimits(records=50, linger_s=0.1), timing=Timing(**patience))


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that must come; fail where it does not."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


@dataclass
class RunningLoop:
    loop: ConsumeLoop
    stop: threading.Event
    thread: threading.Thread
    ended: list[Summary | Exception]

    def end(self) -> Summary:
        self.stop.set()
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()
        (result,) = self.ended
        if isinstance(result, Exception):
            raise result
        return result


class Backbone:
    """One installation: a broker, a topic prefix, a group."""

    def __init__(self, bootstrap: str, topics: Topics, producer: Any, admin: Any) -> None:
        self.options = {"bootstrap_servers": bootstrap}
        self.topics = topics
        self._producer = producer
        self._admin = admin

    @classmethod
    @contextmanager
    def made(cls, bootstrap: str, prefix: str, *, keep: bool = False) -> Iterator[Backbone]:
        """Make the topics where they are missing; delete them afterwards, unless they are to be kept."""
        topics = Topics(prefix)
        ensure_topics({"bootstrap_servers": bootstrap}, topics, TopicPlan(partitions=PARTITIONS))
        producer = KafkaProducer(bootstrap_servers=bootstrap)
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        try:
            yield cls(bootstrap, topics, producer, admin)
        finally:
            producer.close()
            if not keep:
                admin.delete_topics(topics.all())
            admin.close()

    def member(self, instance: str = "0", group: str = "classify", **more: Any) -> Membership:
        return Membership(f"{self.topics.prefix}.{group}", instance, **({"session_timeout_s": 3.0} | more))

    def send(self, topic: str, events: Iterable[Any]) -> None:
        for event in events:
            self.send_bytes(topic, encode(event), event.page_id)
        self._producer.flush()

    def send_bytes(self, topic: str, value: bytes, key: str, headers: Sequence[tuple[str, bytes]] = ()) -> Any:
        """Send one message and return its place (``topic``, ``partition``, ``offset``)."""
        return self._producer.send(topic, value=value, key=key.encode(), headers=list(headers)).get(timeout=10)

    def messages(self, topic: str, isolation: str = "read_committed") -> list[Any]:
        """Return all there is in a topic for such a reader, oldest first in each partition."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.options["bootstrap_servers"],
            isolation_level=isolation,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            ends = consumer.end_offsets(partitions)
            found = []
            while any(consumer.position(one) < ends[one] for one in partitions):
                for messages in consumer.poll(200).values():
                    found.extend(messages)
            return found
        finally:
            consumer.close()

    def events(self, topic: str) -> list[Any]:
        return [decode(message.value) for message in self.messages(topic)]

    def committed(self, topic: str, group: str = "classify") -> int:
        """Return how many offsets a group has committed on a topic, over all partitions; -1 while nobody can tell."""
        name = f"{self.topics.prefix}.{group}"
        try:
            found = self._admin.list_group_offsets({name: None})[name]
        except RetriableError:
            return -1
        return sum(place.offset for partition, place in found.items() if partition.topic == topic)

    def counted(self, topic: str, group: str = "classify") -> Counts:
        """Return what a group has counted on a topic, over all partitions; nothing while nobody can tell."""
        name = f"{self.topics.prefix}.{group}"
        try:
            found = self._admin.list_group_offsets({name: None})[name]
        except RetriableError:
            return Counts()
        counts = [read_counts(place.metadata) for partition, place in found.items() if partition.topic == topic]
        return summed(one for one in counts if one is not None)

    def member_ids(self, group: str) -> list[str]:
        """Return the members that the broker counts in a group."""
        name = f"{self.topics.prefix}.{group}"
        return [member["member_id"] for member in self._admin.describe_groups([name])[name]["members"]]

    @contextmanager
    def running(
        self,
        stage: Stage,
        instance: str = "0",
        *,
        member: Membership | None = None,
        writer: type[TransactionalWriter] = TransactionalWriter,
        **timing: float,
    ) -> Iterator[RunningLoop]:
        """Run a loop on a thread, and end it, whatever happens."""
        member = member or self.member(instance, stage.name)
        loop = ConsumeLoop(stage, self.options, member, clock, settings(**timing))
        loop._writer = writer(self.options, member, timeout_s=10.0, transaction_timeout_s=5.0)
        stop = threading.Event()
        ended: list[Summary | Exception] = []

        def run() -> None:
            try:
                ended.append(loop.run(stop))
            except Exception as error:  # noqa: BLE001 - raised again by `RunningLoop.end`
                ended.append(error)

        thread = threading.Thread(target=run, name=f"loop-{instance}")
        thread.start()
        try:
            yield RunningLoop(loop, stop, thread, ended)
        finally:
            stop.set()
            thread.join(timeout=20)
            assert not thread.is_alive()
