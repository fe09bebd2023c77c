"""From messages of ``crawl.requests`` to requests of known crawls; what cannot be read becomes a dead letter."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any

from crawlers.distributed.ledger import PartitionLedger
from crawlers.distributed.unit import Message, Unit, found_message
from crawlers.identity import event_id
from events import CrawlRequest, PoisonError, Topics, UrlEnded, decode
from events.crawls import UNKNOWN_CRAWL

log = logging.getLogger(__name__)

_PATIENCE_S = 30.0
_LETTER = "guidewatch.dlq."


class Intake:
    """Holds requests until their crawl is known: the two come from different topics.

    Parameters
    ----------
    topics
        Names of the topics.
    clock
        Returns the time as aware UTC.
    """

    def __init__(self, topics: Topics, clock: Callable[[], datetime]) -> None:
        self._topics = topics
        self._clock = clock
        self._waiting: list[tuple[datetime, int, int, int, CrawlRequest]] = []
        self.letters = 0
        """Messages that became dead letters."""

    def take(self, partition: int, messages: Sequence[Any], ledger: PartitionLedger) -> list[Unit]:
        """Note the requests in ``messages`` as open; return the units of what is not one."""
        units = []
        at = self._clock()
        for message in messages:
            try:
                request = decode(message.value or b"", CrawlRequest)
            except PoisonError as error:
                ledger.read(message.offset, "", "")
                units.append(Unit(partition, ledger.epoch, (message.offset,), (self._letter(message, error, at),)))
                continue
            ledger.read(message.offset, request.crawl_id, request.host)
            self._waiting.append((at, partition, ledger.epoch, message.offset, request))
        return units

    def ready(self, crawls: Container[str]) -> dict[tuple[int, int], list[tuple[int, CrawlRequest]]]:
        """Return the requests whose crawls are known by now, with their offsets, by (partition, epoch)."""
        found = defaultdict(list)
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
            _, partition, epoch, offset, request = entry
            if request.crawl_id in crawls:
                found[partition, epoch].append((offset, request))
            else:
                self._waiting.append(entry)
        return found

    def orphans(self) -> list[Unit]:
        """Return the units that end requests of crawls that nobody has started."""
        now = self._clock()
        late = [entry for entry in self._waiting if (now - entry[0]).total_seconds() > _PATIENCE_S]
        self._waiting = [entry for entry in self._waiting if entry not in late] if late else self._waiting
        units = []
        for at, partition, epoch, offset, request in late:
            ended = UrlEnded(
                id=event_id(request.crawl_id, request.page_id),
                at=at,
                page_id=request.page_id,
                url=request.url,
                host=request.host,
                crawl_id=request.crawl_id,
                outcome="refused",
                reason=UNKNOWN_CRAWL,
                depth=request.depth,
                parent_url=request.parent_url,
            )
            units.append(Unit(partition, epoch, (offset,), (found_message(ended, self._topics)[0],)))
        return units

    def drop(self, partition: int) -> None:
        """Forget a partition that has gone."""
        self._waiting = [entry for entry in self._waiting if entry[1] != partition]

    def _letter(self, message: Any, error: PoisonError, at: datetime) -> Message:
        """Return a dead letter, such as the consumers write and replay."""
        self.letters += 1
        place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
        log.warning(
            "dead letter: %s %s", error, " ".join(f"{key}={value}" for key, value in place.items()), extra=place
        )
        facts = {
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "error": "PoisonError",
            "message": str(error)[:1_000],
            "at": at.isoformat(),
            "stage": "spider",
        }
        headers = tuple((_LETTER + name, str(value).encode("utf-8", "replace")) for name, value in facts.items())
        own = tuple((name, value or b"") for name, value in message.headers if not name.startswith(_LETTER))
        return Message(
            self._topics.dead_letters(message.topic), message.key, message.value or b"", headers=(*own, *headers)
        )
