"""Settling dead letters: each with its mark in one transaction, sent back or dropped (ADR 0022)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from kafka.errors import KafkaError, ProducerFencedError

from consumers.background import Call
from consumers.connection import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ClientOptions,
    is_permanent,
    open_producer,
)
from consumers.dead_letter_topics import MARK_PREFIX, DeadLetterReader, Found, Letter, Mark, headers_of
from consumers.dead_letters import as_headers, sent_back
from consumers.stage import Output
from events import Topics

MOST_REPLAYS = 3
_BATCH = 500
_BATCH_BYTES = 16 * 1024 * 1024
_PATIENCE_S = 30.0
"""The client waits for the end of a transaction without a limit of its own, where a connection breaks in it."""


class Choice(NamedTuple):
    """Which letters a replay sends back, and which not."""

    chosen: list[Letter]
    given_up: list[Letter]
    """Those that have come back too often."""
    settled: list[Letter]
    """Those that somebody has sent back or dropped before."""


def to_replay(letters: Iterable[Letter], *, most_replays: int = MOST_REPLAYS, force: bool = False) -> Choice:
    """Return which of the letters are to be sent back.

    Parameters
    ----------
    letters
        Asked for.
    most_replays
        A letter that has been sent back so often stays.
    force
        Send those back, too, and those that were dropped. One that was sent back is never sent again: it is in its
        topic, or is another letter by now.
    """
    choice = Choice([], [], [])
    for letter in letters:
        if letter.settled is not None and not (force and letter.settled.settled == "dropped"):
            choice.settled.append(letter)
        elif letter.replays >= most_replays and not force:
            choice.given_up.append(letter)
        else:
            choice.chosen.append(letter)
    return choice


class Settling(contextlib.AbstractContextManager["Settling"]):
    """Settles letters; of an installation, one at a time: a newer one fences an older one off.

    Parameters
    ----------
    options
        Client options of kafka-python.
    topics
        Names.
    by
        Who does it.
    clock
        Returns now, aware UTC.
    timeout_s
        How long to wait for Kafka.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
    """

    def __init__(
        self,
        options: ClientOptions,
        topics: Topics,
        by: str,
        clock: Callable[[], datetime],
        *,
        timeout_s: float = 10.0,
    ) -> None:
        self._by = by
        self._clock = clock
        name = transactional_id(topics)
        self._producer = open_producer(options, timeout_s=timeout_s, client_id=name, transactional_id=name)
        try:
            with _understood():
                self._producer.init_transactions()
            self._reader = DeadLetterReader(options, topics, timeout_s=timeout_s)
        except BaseException:
            self._producer.close(timeout=0)
            raise

    def __exit__(self, *_: object) -> None:
        self._reader.__exit__()
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=1.0)

    def read(self, on_progress: Callable[[str, int, int], None] | None = None) -> Found:
        """Return all letters; since this was made, nobody else can settle any."""
        return self._reader.read(on_progress)

    def replay(self, letters: Sequence[Letter], on_done: Callable[[int], bool]) -> int:
        """Send letters back to where they were read, and return how many.

        Parameters
        ----------
        letters
            Open ones.
        on_done
            Is told after each transaction how many were settled so far; returns whether to go on.

        Raises
        ------
        BrokerUnavailableError, BrokerRefusedError
            Of the transaction under way all was committed or nothing (where it came to no end in time, the list of
            letters says which, later); those before it were.
        """
        done = 0
        with _understood():
            for batch in _batches(self._reader.messages(letters)):
                outputs = []
                for letter, message in batch:
                    back = sent_back(message.value or b"", message.key, headers_of(message))
                    outputs += [_Sent(back), self._mark(letter, "replayed")]
                self._commit(outputs)
                done += len(batch)
                if not on_done(done):
                    break
        return done

    def drop(self, letters: Sequence[Letter], reason: str, on_done: Callable[[int], bool]) -> int:
        """Mark letters as dropped, for ``reason``, and return how many; else as `replay`."""
        done = 0
        with _understood():
            for start in range(0, len(letters), _BATCH):
                batch = letters[start : start + _BATCH]
                self._commit([self._mark(letter, "dropped", reason) for letter in batch])
                done += len(batch)
                if not on_done(done):
                    break
        return done

    def _mark(self, letter: Letter, settled: Literal["replayed", "dropped"], reason: str = "") -> _Sent:
        facts = letter.facts
        mark = Mark(
            topic=facts.topic,
            partition=facts.partition,
            offset=facts.offset,
            stage=facts.stage,
            settled=settled,
            at=self._clock(),
            by=self._by,
            reason=reason,
        )
        place, _ = letter.place
        return _Sent(Output(place.topic, None, b"", as_headers(MARK_PREFIX, mark)), place.partition)

    def _commit(self, messages: Sequence[_Sent]) -> None:
        call = Call(lambda: self._transact(messages), name="dlq-transaction")
        if not call.wait(_PATIENCE_S):
            raise BrokerUnavailableError(
                f"Kafka has not said within {_PATIENCE_S:.0f} s whether it took the last of this: "
                "in a minute, what `guidewatch dlq list` shows is still open"
            )
        call.result()

    def _transact(self, messages: Sequence[_Sent]) -> None:
        producer = self._producer
        producer.begin_transaction()
        try:
            futures = [
                producer.send(one.topic, value=one.value, key=one.key, headers=list(one.headers), partition=partition)
                for one, partition in messages
            ]
            producer.flush()
            for future in futures:
                future.get(timeout=10)
        except KafkaError as error:
            if not _is_fenced(error):
                with contextlib.suppress(KafkaError):
                    producer.abort_transaction()
            raise
        producer.commit_transaction()


class _Sent(NamedTuple):
    output: Output
    partition: int | None = None


def transactional_id(topics: Topics) -> str:
    """Return the transactional id of whoever settles dead letters of an installation."""
    return f"{topics.prefix}.guidewatch-dlq" if topics.prefix else "guidewatch-dlq"


def _batches(pairs: Iterator[tuple[Letter, Any]]) -> Iterator[list[tuple[Letter, Any]]]:
    batch: list[tuple[Letter, Any]] = []
    size = 0
    for letter, message in pairs:
        batch.append((letter, message))
        size += letter.size_bytes
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _is_fenced(error: KafkaError) -> bool:
    """Return whether somebody else has the transactional id now; a producer that knows says so in another error."""
    return isinstance(error, ProducerFencedError) or any(isinstance(one, ProducerFencedError) for one in error.args)


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        if _is_fenced(error):
            raise BrokerRefusedError("another `guidewatch dlq` has taken over; what this one settled stays") from error
        kind = BrokerRefusedError if is_permanent(error) else BrokerUnavailableError
        raise kind(f"Kafka does not settle the dead letters: {error}") from error
