"""The scores of pages that were judged since this spider began, for crawls whose links learn from them (ADR 0014)."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from kafka import TopicPartition

from events import Topics


class Judged(NamedTuple):
    """The score of a page of a crawl."""

    crawl_id: str
    page_id: str
    score: float


class _Verdict(msgspec.Struct):
    score: float


class _Event(msgspec.Struct):
    """As much of a `events.PageJudged` as is needed here; a URL that is no page has no verdict."""

    crawl_id: str
    page_id: str
    verdict: _Verdict | None = None


class VerdictReader:
    """Follows ``pages.judged`` from its end: what was judged before is nothing that this spider waits for.

    Parameters
    ----------
    consumer
        Of committed messages, outside of any group.
    topics
        Names of the topics.
    """

    def __init__(self, consumer: Any, topics: Topics) -> None:
        self._consumer = consumer
        self._decoder = msgspec.json.Decoder(_Event)
        numbers = consumer.partitions_for_topic(topics.pages_judged) or ()
        places = [TopicPartition(topics.pages_judged, number) for number in numbers]
        consumer.assign(places)
        if places:
            consumer.seek_to_end(*places)

    def read(self) -> list[Judged]:
        """Return the scores that have come."""
        found = []
        for messages in self._consumer.poll(0, max_records=2_000).values():
            for message in messages:
                try:
                    event = self._decoder.decode(message.value or b"")
                except msgspec.DecodeError:  # its own consumers make a dead letter of it
                    continue
                if event.verdict is not None:
                    found.append(Judged(event.crawl_id, event.page_id, event.verdict.score))
        return found

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close(autocommit=False, timeout_ms=500)
