from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from crawlers.distributed.intake import Intake
from crawlers.distributed.ledger import PartitionLedger
from events import CrawlRequest, Topics, UrlEnded, decode, encode, new_id, page_id

AT = datetime(2026, 3, 1, tzinfo=UTC)
TOPICS = Topics("t")


class Clock:
    now = AT

    def __call__(self) -> datetime:
        return self.now


def request(number: int, crawl_id: str = "c") -> CrawlRequest:
    url = f"http://example.org/{number}"
    return CrawlRequest(id=new_id(), at=AT, url=url, page_id=page_id(url), host="example.org", crawl_id=crawl_id)


def message(offset: int, value: bytes, headers: tuple[tuple[str, bytes], ...] = ()) -> Any:
    return SimpleNamespace(
        topic=TOPICS.crawl_requests, partition=2, offset=offset, key=b"example.org", value=value, headers=headers
    )


def test_requests_wait_for_their_crawl_and_are_open_meanwhile() -> None:
    intake, ledger = Intake(TOPICS, Clock()), PartitionLedger(0, epoch=7)
    wanted = request(1)
    assert intake.take(2, [message(5, encode(wanted))], ledger) == []
    assert intake.ready({}) == {}
    assert ledger.low_water() == 5
    assert intake.ready({"c": object()}) == {(2, 7): [(5, wanted)]}
    assert intake.ready({"c": object()}) == {}


def test_what_cannot_be_read_becomes_a_dead_letter_with_its_origin() -> None:
    intake, ledger = Intake(TOPICS, Clock()), PartitionLedger(0)
    (unit,) = intake.take(2, [message(5, b"{broken", (("trace", b"1"), ("guidewatch.dlq.error", b"old")))], ledger)
    (letter,) = unit.messages
    headers = dict(letter.headers)
    assert (letter.topic, letter.value, letter.key) == (f"{TOPICS.crawl_requests}.dlq", b"{broken", b"example.org")
    assert headers["trace"] == b"1"
    assert headers["guidewatch.dlq.error"] == b"PoisonError"
    assert (headers["guidewatch.dlq.partition"], headers["guidewatch.dlq.offset"]) == (b"2", b"5")
    assert intake.letters == 1
    ledger.settle(unit)
    assert ledger.low_water() == 6


def test_a_request_of_a_crawl_that_nobody_starts_ends_as_refused() -> None:
    clock = Clock()
    intake, ledger = Intake(TOPICS, clock), PartitionLedger(0)
    intake.take(2, [message(5, encode(request(1, "nobody's")))], ledger)
    assert intake.orphans() == []
    clock.now = AT + timedelta(minutes=1)
    (unit,) = intake.orphans()
    event = decode(unit.messages[0].value, UrlEnded)
    assert (event.outcome, event.reason, unit.offsets) == ("refused", "unknown crawl", (5,))
    assert intake.orphans() == []


def test_a_partition_that_goes_is_forgotten() -> None:
    intake, ledger = Intake(TOPICS, Clock()), PartitionLedger(0)
    intake.take(2, [message(5, encode(request(1)))], ledger)
    intake.drop(2)
    assert intake.ready({"c": object()}) == {}
