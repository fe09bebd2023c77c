"""The one consume loop: read a batch, let the stage work, commit outputs, dead letters and offsets in one transaction.

Failures are of three kinds (DESIGN §7). Poison: the record goes to the dead letters and the batch goes on. Transient:
nothing is committed, the partitions are paused, the group is kept alive, and the batch is read again later. So too
where the store refuses: a password that was changed, or an index that was set read-only, is put right by a person, for
whom the batch can wait. Unknown: it is logged once and raised, and the supervisor starts the process anew.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from kafka.errors import CommitFailedError, KafkaError

from consumers.background import Call
from consumers.backoff import Backoff
from consumers.connection import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ClientOptions,
    Membership,
    is_permanent,
    open_consumer,
)
from consumers.reading import Batch, BatchLimits, Reader
from consumers.stage import Stage, StageUnavailableError
from consumers.status import Status, Summary
from consumers.transaction import TransactionalWriter
from consumers.work import Done, Worker
from events import Topics
from storage.port import StoreRejectedError, StoreUnavailableError

log = logging.getLogger(__name__)

Result = TypeVar("Result")
_UNAVAILABLE = (StoreUnavailableError, StageUnavailableError)
_TRANSIENT = (*_UNAVAILABLE, StoreRejectedError, BrokerUnavailableError, KafkaError)


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a loop is, in seconds.

    Parameters
    ----------
    start_timeout_s
        For Kafka to answer at the start.
    backoff_base_s, backoff_cap_s
        First and longest wait after a transient failure.
    transaction_timeout_s
        What a killed worker leaves open keeps readers waiting so long.
    keep_alive_s
        While a batch takes longer than this, the group is told that the worker lives.
    grace_s
        How long a batch may go on after a stop; then it is left, and done again later.
    """

    start_timeout_s: float = 10.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 30.0
    transaction_timeout_s: float = 30.0
    keep_alive_s: float = 60.0
    grace_s: float = 1.5


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What an installation decides."""

    limits: BatchLimits = field(default_factory=BatchLimits)
    timing: Timing = field(default_factory=Timing)
    attempts: int = 10
    """Failures in a row that Kafka calls final but that a new attempt may cure, before the process ends."""


class ConsumeLoop:
    """Runs a stage as a member of a consumer group.

    Parameters
    ----------
    stage
        What to do with the records.
    options
        Client options of kafka-python, such as ``bootstrap_servers``.
    member
        Group and instance.
    clock
        Returns now, aware UTC.
    settings
        Sizes and times.
    """

    def __init__(
        self,
        stage: Stage,
        options: ClientOptions,
        member: Membership,
        clock: Callable[[], datetime],
        settings: LoopSettings | None = None,
    ) -> None:
        self._stage = stage
        self._options = options
        self._member = member
        self._clock = clock
        self._settings = settings or LoopSettings()
        self._timing = self._settings.timing
        self._worker = Worker(stage, clock)
        self._writer = TransactionalWriter(
            options,
            member,
            timeout_s=self._timing.start_timeout_s,
            transaction_timeout_s=self._timing.transaction_timeout_s,
        )
        self._backoff = Backoff(self._timing.backoff_base_s, self._timing.backoff_cap_s)
        self._reader: Reader | None = None
        self._aborted = 0
        self._at_hand: Batch | None = None
        self._status = Status(stage=stage.name, group=member.group, instance=member.instance)

    def status(self) -> Status:
        """Return how the loop is doing; from any thread."""
        return self._status

    def run(self, stop: threading.Event) -> Summary:
        """Work until ``stop`` is set, then return within seconds what was committed.

        Raises
        ------
        BrokerUnavailableError
            Kafka does not answer at the start.
        BrokerRefusedError
            It refuses us, or a topic is missing, or a newer process of this instance has taken over.
        Exception
            Unknown, and logged: the process must end with a status that is not zero.
        """
        try:
            reader = self._aside(self._open, stop)
            if reader is not None:
                self._change(state="running")
            while reader is not None and not stop.is_set():
                self._turn(reader, stop)
        except (BrokerUnavailableError, BrokerRefusedError):
            raise
        except Exception:
            at_hand = self._at_hand.whence if self._at_hand is not None else "nothing"
            log.exception("%s ends on an error that it does not know, with %s at hand", self._stage.name, at_hand)
            raise
        finally:
            self._close()
        log.info("%s stopped: %s", self._stage.name, self._status.summary)
        return self._status.summary

    def _open(self) -> Reader:
        consumer = open_consumer(self._options, self._member, timeout_s=self._timing.start_timeout_s)
        self._reader = reader = Reader(consumer, self._settings.limits)
        needed = {*self._stage.topics, *self._stage.writes, *map(Topics().dead_letters, self._stage.topics)}
        if missing := sorted(needed - consumer.topics()):
            raise BrokerRefusedError(f"Kafka has no topic {', '.join(missing)}: run `guidewatch setup` first")
        try:
            self._writer.open()
        except KafkaError as error:
            kind = BrokerRefusedError if is_permanent(error) else BrokerUnavailableError
            raise kind(f"Kafka opens no transactions for {self._member.transactional_id}: {error}") from error
        reader.subscribe(self._stage.topics)
        return reader

    def _turn(self, reader: Reader, stop: threading.Event) -> None:
        batch: Batch | None = None
        self._show_alive()
        try:
            batch = reader.read(stop.is_set)
            if batch is None:
                self._rest(reader.lag())
                return
            current = self._at_hand = batch
            done = self._aside(lambda: self._attempt(current, stop), stop, reader)
        except _TRANSIENT as error:
            if batch is not None:
                reader.give_back(batch.records)
            self._wait(error, reader, stop)
            return
        if done is not None and done.records:
            reader.done(batch, done.tallies)
            self._count(done, reader)

    def _rest(self, lag: dict[tuple[str, int], int]) -> None:
        """Note that nothing came; where nothing is left either, what failed before matters no more."""
        self._change(lag=lag)
        if self._status.state == "waiting" and not any(lag.values()):
            self._change(state="running", failure="")

    def _attempt(self, batch: Batch, stop: threading.Event) -> Done:
        began_s = time.monotonic()
        done = self._worker.work(batch.records, stop.is_set)
        worked_s = time.monotonic()
        if done.records:
            offsets = batch.offsets(done.records, done.tallies)
            try:
                self._writer.write([*done.outputs, *done.letters], offsets, batch.group)
            except KafkaError:
                self._aborted += 1
                raise
        done.work_s, done.commit_s = worked_s - began_s, time.monotonic() - worked_s
        return done

    def _aside(
        self, function: Callable[[], Result], stop: threading.Event, reader: Reader | None = None
    ) -> Result | None:
        """Return the result of ``function``, staying in the group meanwhile; None if the stop did not wait for it."""
        call = Call(function, name=f"{self._stage.name}-work")
        alive_at = time.monotonic()
        while not call.wait(0.05 if stop.is_set() else 0.2):
            self._show_alive()
            if stop.is_set():
                if call.wait(self._timing.grace_s):
                    break
                log.warning("%s leaves work that does not end; what is not committed is done again", self._stage.name)
                return None
            if reader is not None and time.monotonic() - alive_at > self._timing.keep_alive_s:
                self._keep_alive(reader)
                alive_at = time.monotonic()
        if reader is not None:
            reader.resume()
        return call.result()

    def _keep_alive(self, reader: Reader) -> None:
        """Stay in the group while a call goes on.

        A failure does not end the call, so it must not end the wait for it either: a second attempt beside the first
        could commit the same records twice. If the membership is lost, the broker refuses the commit of the call.
        """
        try:
            reader.stay(0)
        except KafkaError as error:
            log.warning("%s cannot tell its group that it lives, and works on: %s", self._stage.name, error)

    def _count(self, done: Done, reader: Reader) -> None:
        self._backoff.reset()
        self._change(
            state="running",
            failure="",
            summary=self._status.summary.after(done, self._aborted),
            figures=self._status.figures.plus(done.figures),
            last_commit_at=self._clock(),
            lag=reader.lag(),
        )

    def _wait(self, error: Exception, reader: Reader, stop: threading.Event) -> None:
        """Back off from a transient failure; raise what is not one after all."""
        self._raise_if_final(error)
        hint_s = error.retry_after_s if isinstance(error, _UNAVAILABLE) else None
        seconds = self._backoff.next_s(hint_s)
        place = error.place if isinstance(error, StageUnavailableError) else {}
        log.warning("%s tries again in %.1f s: %s", self._stage.name, seconds, error, extra=place)
        summary = self._status.summary
        retries = dataclasses.replace(summary, retries=summary.retries + 1, aborted=self._aborted)
        self._change(state="waiting", failure=str(error), summary=retries)
        deadline = time.monotonic() + seconds
        while not stop.is_set() and (left_s := deadline - time.monotonic()) > 0:
            self._show_alive()
            try:
                reader.stay(min(left_s, 0.2))
            except KafkaError as second:
                self._raise_if_final(second)
                stop.wait(0.2)
        reader.resume()

    def _raise_if_final(self, error: Exception) -> None:
        if not isinstance(error, KafkaError) or isinstance(error, CommitFailedError):
            return
        if is_permanent(error):
            raise BrokerRefusedError(f"Kafka refuses {self._member.transactional_id}: {error}") from error
        if not error.retriable and self._backoff.failures >= self._settings.attempts:
            raise error

    def _show_alive(self) -> None:
        heard_at_s = self._reader.heard_at_s() if self._reader is not None else float("-inf")
        self._change(turned_at_s=time.monotonic(), heard_at_s=heard_at_s)

    def _change(self, **values: object) -> None:
        self._status = dataclasses.replace(self._status, **values)  # type: ignore[arg-type]

    def _close(self) -> None:
        self._change(state="stopped")
        self._writer.close(timeout_s=1.0)
        if self._reader is not None:
            try:
                self._reader.close(timeout_s=1.0)
            except KafkaError as error:
                log.warning("%s did not leave its group in good order: %s", self._stage.name, error)
