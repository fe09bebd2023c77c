from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from kafka.errors import KafkaTimeoutError

from consumers.classify import ClassifyStage
from consumers.connection import BrokerRefusedError, BrokerUnavailableError
from consumers.counting import Counts
from consumers.dead_letters import read_letter
from consumers.index import IndexStage
from consumers.loop import ConsumeLoop
from consumers.stage import Output
from consumers.transaction import Offsets, TransactionalWriter
from events import LabelRecorded, Topics, UrlEnded, encode
from tests.integration.consumers.backbone import AT, Backbone, WordClassifier, clock, page, settings, until
from tests.integration.consumers.stages import BrokenStage, GateStore, SlowClassifier, SometimesUnavailable
from tests.servers.kafka import free_ports


def classify(backbone: Backbone, slice_size: int = 32) -> ClassifyStage:
    return ClassifyStage(WordClassifier(), backbone.topics, clock, slice_size=slice_size)


def judged_pages(backbone: Backbone) -> list[str]:
    return sorted(one.page_id for one in backbone.events(backbone.topics.pages_judged))


def test_each_page_is_judged_exactly_once(backbone: Backbone) -> None:
    pages = [page(number, "flagme" if number % 10 == 0 else "A garden.") for number in range(300)]
    backbone.send(backbone.topics.pages_found, pages)
    with backbone.running(classify(backbone)) as run:
        until(lambda: run.loop.status().summary.records == 300, "all records")
        summary = run.end()

    judged = backbone.events(backbone.topics.pages_judged)
    assert sorted(one.page_id for one in judged) == sorted(one.page_id for one in pages)
    assert sum(one.verdict.flagged for one in judged) == 30
    assert backbone.committed(backbone.topics.pages_found) == 300
    assert (summary.records, summary.outputs, summary.dead_letters) == (300, 300, 0)
    assert sum(run.loop.status().lag.values()) == 0


def refused() -> UrlEnded:
    return UrlEnded(
        id="1", at=AT, page_id="0" * 32, url="http://a.example/", host="a.example", crawl_id="c", outcome="refused",
        reason="robots",
    )  # fmt: skip


def test_ended_urls_pass_through_byte_for_byte_with_their_headers(backbone: Backbone) -> None:
    ended = refused()
    sent = encode(ended)[:-1] + b',"of_a_later_version":1}'
    backbone.send_bytes(backbone.topics.pages_found, sent, ended.page_id, [("traceparent", b"00-abc-def-01")])
    with backbone.running(classify(backbone)) as run:
        until(lambda: run.loop.status().summary.records == 1, "the record")

    (message,) = backbone.messages(backbone.topics.pages_judged)
    assert (message.value, message.key) == (sent, ended.page_id.encode())
    (own, (found_at, _)) = message.headers
    assert own == ("traceparent", b"00-abc-def-01")
    assert found_at == "guidewatch.found_at"


def test_failure_in_the_middle_of_a_batch_shows_no_page_twice_and_loses_none(backbone: Backbone) -> None:
    pages = [page(number) for number in range(120)]
    backbone.send(backbone.topics.pages_found, pages)
    stage = SometimesUnavailable(classify(backbone, slice_size=10), failures={2, 5, 6, 11})
    with backbone.running(stage) as run:
        until(lambda: run.loop.status().summary.records == 120, "all records")
        summary = run.end()

    assert judged_pages(backbone) == sorted(one.page_id for one in pages)
    assert summary.retries == 4
    assert backbone.counted(backbone.topics.pages_found) == Counts(read=120, outcomes={"page": 120}, outputs=120)
    assert backbone.committed(backbone.topics.pages_found) == 120


class AnswerLost(TransactionalWriter):
    """Commits its first transaction and says that it failed, as a connection that breaks during the commit does."""

    lost = False

    def write(self, outputs: Sequence[Output], offsets: Offsets, group: object) -> None:
        super().write(outputs, offsets, group)
        if not self.lost:
            self.lost = True
            raise KafkaTimeoutError("the answer was lost")


def test_commit_whose_answer_was_lost_is_not_done_again(backbone: Backbone) -> None:
    pages = [page(number) for number in range(120)]
    backbone.send(backbone.topics.pages_found, pages)
    with backbone.running(classify(backbone), writer=AnswerLost) as run:
        until(lambda: backbone.committed(backbone.topics.pages_found) == 120, "all records")
        assert run.end().retries == 1
    assert judged_pages(backbone) == sorted(one.page_id for one in pages)
    assert backbone.counted(backbone.topics.pages_found) == Counts(read=120, outcomes={"page": 120}, outputs=120)


def test_poison_goes_to_the_dead_letters_and_the_rest_goes_on(backbone: Backbone) -> None:
    topic = backbone.topics.pages_found
    label = LabelRecorded(
        id="1", at=AT, page_id="0" * 32, content_id="0" * 32, decision="lawful", analyst="somebody"
    )  # fmt: skip
    poison = {b"no json": "1", b'{"schema":"nothing/1"}': "2", encode(label): "3", b"\xff\xfe": "4", b"": "5"}
    backbone.send(topic, [page(1)])
    sent = {value: backbone.send_bytes(topic, value, key, [("traceparent", b"t")]) for value, key in poison.items()}
    backbone.send(topic, [page(2)])
    with backbone.running(classify(backbone)) as run:
        until(lambda: run.loop.status().summary.records == 7, "all records")
        summary = run.end()

    assert judged_pages(backbone) == sorted(one.page_id for one in (page(1), page(2)))
    letters = {message.value: message for message in backbone.messages(backbone.topics.dead_letters(topic))}
    assert summary.dead_letters == len(letters) == 5
    assert backbone.counted(topic) == Counts(read=7, outcomes={"page": 2}, outputs=2, poison=5)
    for value, key in poison.items():
        facts = read_letter(tuple(letters[value].headers))
        place = sent[value]
        assert (facts.topic, facts.partition, facts.offset) == (place.topic, place.partition, place.offset)
        assert (facts.error, facts.stage, facts.at) == ("PoisonError", "classify", clock())
        assert facts.message
        assert letters[value].key == key.encode()
        assert ("traceparent", b"t") in letters[value].headers
    assert backbone.committed(topic) == 7


def test_failing_sink_leaves_the_offset_uncommitted(backbone: Backbone) -> None:
    topic, store = backbone.topics.pages_judged, GateStore()
    backbone.send(backbone.topics.pages_found, [page(number) for number in range(20)])
    with backbone.running(classify(backbone)), backbone.running(IndexStage(store, backbone.topics)) as run:
        until(lambda: run.loop.status().summary.retries >= 3, "three attempts")
        assert backbone.committed(topic, "index") == 0
        assert run.loop.status().state == "waiting"
        assert run.loop.status().failure == "the gate is shut"
        store.open = True
        until(lambda: run.loop.status().summary.records == 20, "all records")
    assert len(store.seen) == 20
    assert backbone.committed(topic, "index") > 0


def test_waiting_worker_stays_in_its_group(backbone: Backbone) -> None:
    store = GateStore()
    backbone.send(backbone.topics.pages_judged, [refused()])
    stage = IndexStage(store, backbone.topics)
    patience = {"backoff_base_s": 5.0, "backoff_cap_s": 5.0}
    member = backbone.member(group="index", max_poll_interval_s=2.0)
    with backbone.running(stage, member=member, **patience) as run:
        until(lambda: run.loop.status().state == "waiting", "the first failure")
        (before,) = backbone.member_ids("index")
        time.sleep(4.0)
        assert backbone.member_ids("index") == [before]
        store.open = True
        until(lambda: run.loop.status().summary.records == 1, "the record")


def test_batch_that_takes_longer_than_the_poll_interval_is_committed_once(backbone: Backbone) -> None:
    backbone.send(backbone.topics.pages_found, [page(number) for number in range(10)])
    stage = ClassifyStage(SlowClassifier(5.0), backbone.topics, clock)
    member = backbone.member(max_poll_interval_s=2.0)
    with backbone.running(stage, member=member, keep_alive_s=0.5) as run:
        until(lambda: run.loop.status().summary.records == 10, "all records")
        assert run.end().retries == 0
    assert len(judged_pages(backbone)) == 10


def test_stop_in_the_middle_of_a_batch_commits_what_is_done_and_no_more(backbone: Backbone) -> None:
    backbone.send(backbone.topics.pages_found, [page(number) for number in range(40)])
    slow = SlowClassifier(0.5)
    with backbone.running(ClassifyStage(slow, backbone.topics, clock, slice_size=4)) as run:
        assert slow.busy.wait(30)
        summary = run.end()
    assert 0 < summary.records < 40
    assert len(judged_pages(backbone)) == backbone.committed(backbone.topics.pages_found) == summary.records


def test_stop_leaves_a_call_that_does_not_return(backbone: Backbone) -> None:
    backbone.send(backbone.topics.pages_found, [page(1)])
    stuck = SlowClassifier(20.0)
    with backbone.running(ClassifyStage(stuck, backbone.topics, clock)) as run:
        assert stuck.busy.wait(30)
        started = time.monotonic()
        summary = run.end()
        assert time.monotonic() - started < 5.0
    assert summary.records == 0
    assert backbone.committed(backbone.topics.pages_found) == 0


def test_unknown_error_ends_the_loop_and_commits_nothing(backbone: Backbone, caplog: pytest.LogCaptureFixture) -> None:
    backbone.send(backbone.topics.pages_found, [page(1)])
    with backbone.running(BrokenStage(backbone.topics)) as run:
        run.thread.join(30)
        with pytest.raises(ZeroDivisionError):
            run.end()
    assert backbone.committed(backbone.topics.pages_found) == 0
    assert sum(record.levelname == "ERROR" and record.name == "consumers.loop" for record in caplog.records) == 1


def test_newer_process_of_the_same_instance_fences_the_older(backbone: Backbone) -> None:
    pages = [page(number) for number in range(100)]
    with backbone.running(classify(backbone), "same") as older:
        until(lambda: len(older.loop.status().lag) == 4, "the first assignment")
        with backbone.running(classify(backbone), "same") as newer:
            until(lambda: len(newer.loop.status().lag) == 2, "the second assignment")
            backbone.send(backbone.topics.pages_found, pages)
            until(lambda: not older.thread.is_alive(), "the end of the older")
            until(lambda: backbone.committed(backbone.topics.pages_found) == 100, "all records")
        with pytest.raises(BrokerRefusedError, match="Fenced"):
            older.end()
    assert judged_pages(backbone) == sorted(one.page_id for one in pages)


def test_static_member_keeps_its_place_over_a_restart(backbone: Backbone) -> None:
    member = backbone.member("0", static=True, session_timeout_s=30.0)
    with backbone.running(classify(backbone), member=member) as first:
        until(lambda: len(first.loop.status().lag) == 4, "the assignment")
        first.end()
    assert len(backbone.member_ids("classify")) == 1
    backbone.send(backbone.topics.pages_found, [page(number) for number in range(20)])
    with backbone.running(classify(backbone), member=member) as second:
        until(lambda: second.loop.status().summary.records == 20, "all records")
        assert len(backbone.member_ids("classify")) == 1


def test_members_of_a_group_share_the_partitions(backbone: Backbone) -> None:
    pages = [page(number) for number in range(200)]
    with backbone.running(classify(backbone), "0") as one, backbone.running(classify(backbone), "1") as two:
        until(lambda: len(one.loop.status().lag) == len(two.loop.status().lag) == 2, "two partitions each")
        assert not one.loop.status().lag.keys() & two.loop.status().lag.keys()
        backbone.send(backbone.topics.pages_found, pages)
        until(lambda: backbone.committed(backbone.topics.pages_found) == 200, "all records")
        counts = [run.end().records for run in (one, two)]
    assert min(counts) > 0
    assert sum(counts) == 200
    assert judged_pages(backbone) == sorted(page.page_id for page in pages)


def test_members_that_come_and_go_show_no_page_twice_and_lose_none(backbone: Backbone) -> None:
    pages = [page(number) for number in range(600)]
    stage = ClassifyStage(SlowClassifier(0.05), backbone.topics, clock, slice_size=5)
    with backbone.running(stage, "0") as first:
        backbone.send(backbone.topics.pages_found, pages[:300])
        until(lambda: first.loop.status().summary.records > 0, "some records")
        with backbone.running(stage, "1"):
            backbone.send(backbone.topics.pages_found, pages[300:])
            first.end()
            with backbone.running(stage, "2"):
                until(lambda: backbone.committed(backbone.topics.pages_found) == 600, "all records")
    assert backbone.counted(backbone.topics.pages_found) == Counts(read=600, outcomes={"page": 600}, outputs=600)
    assert judged_pages(backbone) == sorted(page.page_id for page in pages)


def test_missing_topics_are_refused_with_one_line(kafka_bootstrap: str) -> None:
    topics = Topics("nobody-made-these")
    backbone = Backbone(kafka_bootstrap, topics, None, None)
    loop = ConsumeLoop(classify(backbone), backbone.options, backbone.member(), clock, settings())
    with pytest.raises(BrokerRefusedError, match=r"no topic nobody-made-these\.pages\.found, .*guidewatch setup"):
        loop.run(threading.Event())


def test_absent_broker_is_reported_with_one_line() -> None:
    (port,) = free_ports(1)
    backbone = Backbone(f"127.0.0.1:{port}", Topics("x"), None, None)
    loop = ConsumeLoop(classify(backbone), backbone.options, backbone.member(), clock, settings(start_timeout_s=1.0))
    with pytest.raises(BrokerUnavailableError, match=rf"^Kafka at 127\.0\.0\.1:{port} does not answer: .*$"):
        loop.run(threading.Event())
