from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from kafka import TopicPartition

from crawlers.distributed.verdicts import Judged, VerdictReader
from events import PageJudged, Topics, UrlEnded, Verdict, content_id, encode, page_id

AT = datetime(2026, 3, 1, tzinfo=UTC)
TOPICS = Topics("t")
ENDED = UrlEnded(
    id="0", at=AT, page_id=page_id("http://h/"), url="http://h/", host="h", crawl_id="c", outcome="failed", reason="dns"
)
PAGE = PageJudged(
    id="0",
    at=AT,
    page_id=page_id("http://h/p"),
    url="http://h/p",
    host="h",
    crawl_id="c",
    content_id=content_id("x"),
    fetched_at=AT,
    verdict=Verdict(flagged=True, score=0.75, threshold=0.5, language="en", outcome="flagged", model="m"),
)


class Consumer:
    def __init__(self, *values: bytes) -> None:
        self.values = values
        self.at_end: tuple[TopicPartition, ...] = ()

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1}

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = places

    def seek_to_end(self, *places: TopicPartition) -> None:
        self.at_end = places

    def poll(self, *_: Any, **__: Any) -> dict[TopicPartition, list[Any]]:
        values, self.values = self.values, ()
        return {TopicPartition(TOPICS.pages_judged, 0): [SimpleNamespace(value=value) for value in values]}


def test_scores_of_pages_are_read_from_the_end_and_all_else_is_passed_over() -> None:
    consumer = Consumer(encode(ENDED), b"{broken", encode(PAGE))
    reader = VerdictReader(consumer, TOPICS)
    assert reader.read() == [Judged("c", PAGE.page_id, 0.75)]
    assert reader.read() == []
    assert sorted(consumer.at_end) == [TopicPartition(TOPICS.pages_judged, number) for number in (0, 1)]
