"""The Kafka clients of one session of a spider."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from crawlers.distributed.connection import (
    ClientOptions,
    HonestAssignor,
    Membership,
    check_topics,
    open_member,
    open_producer,
    open_reader,
)
from crawlers.distributed.marks import MarkReader
from crawlers.distributed.verdicts import VerdictReader
from crawlers.distributed.watching import Watch
from crawlers.distributed.writing import TransactionWriter
from events import Topics


@dataclass(frozen=True, slots=True)
class Clients:
    """What a `crawlers.distributed.member.Member` works with, and closes.

    Parameters
    ----------
    consumer, assignor
        Member of the group, and what divides the partitions.
    watch
        Reads ``crawls`` and ``crawl.progress``.
    marks
        Reads ``crawl.ended``.
    verdicts
        Reads ``pages.judged``.
    writer
        Commits.
    """

    consumer: Any
    assignor: HonestAssignor
    watch: Watch
    marks: MarkReader
    verdicts: VerdictReader
    writer: TransactionWriter


def connect(kafka: ClientOptions, topics: Topics, member: Membership) -> Clients:
    """Return connected clients.

    Raises
    ------
    KafkaUnavailableError, KafkaRefusedError
    """
    with contextlib.ExitStack() as undo:
        assignor = HonestAssignor()
        consumer = open_member(kafka, member, assignor)
        undo.callback(consumer.close, autocommit=False, timeout_ms=500)
        check_topics(consumer, topics)
        readers = []
        for committed in (True, False, True, True):
            readers.append(open_reader(kafka, committed=committed))
            undo.callback(readers[-1].close, autocommit=False, timeout_ms=500)
        name = f"{member.group}-{member.instance}"
        producer = open_producer(kafka, name, transaction_timeout_s=member.transaction_timeout_s)
        made = Clients(
            consumer,
            assignor,
            Watch(readers[0], readers[1], topics),
            MarkReader(readers[2], topics.crawl_ended),
            VerdictReader(readers[3], topics),
            TransactionWriter(producer, member.transaction_timeout_s),
        )
        undo.pop_all()
        return made
