"""The work on one batch: decode, hand to the stage in slices, make dead letters."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kafka import TopicPartition

from consumers.counting import Tally
from consumers.dead_letters import letter
from consumers.figures import Figures, figures_of
from consumers.stage import Output, Record, Rejection, Stage
from events import PoisonError, Topics, decode

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Done:
    """What is ready to be committed."""

    records: list[Record] = field(default_factory=list)
    """Those that were handled: of each partition, a beginning of the batch."""
    outputs: list[Output] = field(default_factory=list)
    letters: list[Output] = field(default_factory=list)
    tallies: dict[TopicPartition, Tally] = field(default_factory=dict)
    """What was counted, by partition."""
    figures: Figures = field(default_factory=Figures)
    work_s: float = 0.0
    """Time that the stage took, in seconds."""
    commit_s: float = 0.0
    """Time that the commit took, in seconds."""

    def tally(self, record: Record) -> Tally:
        """Return the counts of the record's partition, to be added to."""
        return self.tallies.setdefault(TopicPartition(record.topic, record.partition), Tally())


class Worker:
    """Turns records into outputs and dead letters.

    Parameters
    ----------
    stage
        Does the work.
    clock
        Returns now, aware UTC.
    """

    def __init__(self, stage: Stage, clock: Callable[[], datetime]) -> None:
        self._stage = stage
        self._clock = clock

    def work(self, records: Sequence[Record], stopping: Callable[[], bool]) -> Done:
        """Return what became of the records; when it is time to stop, of those that were handled by then.

        Raises
        ------
        Exception
            Whatever the stage raises: nothing must be committed then.
        """
        done = Done()
        for some in _slices(records, self._stage.slice_size):
            if stopping():
                break
            decoded, rejected = self._decoded(some)
            if decoded:
                handled = self._stage.handle(decoded)
                done.outputs.extend(handled.outputs)
                done.tally(some[-1]).outputs += len(handled.outputs)
                rejected.extend(handled.rejected)
                done.figures = done.figures.plus(figures_of(handled.settled, self._clock()))
            self._count(done, decoded, rejected)
            done.letters.extend(self._letter(rejection) for rejection in rejected)
            done.records.extend(some)
        return done

    def _count(self, done: Done, decoded: Sequence[Record], rejected: Sequence[Rejection]) -> None:
        for rejection in rejected:
            done.tally(rejection.record).add(rejection.record, self._stage.name, rejected=True)
        left = {_place(rejection.record) for rejection in rejected}
        for record in decoded:
            if _place(record) not in left:
                done.tally(record).add(record, self._stage.name, rejected=False)

    def _decoded(self, records: Sequence[Record]) -> tuple[list[Record], list[Rejection]]:
        decoded, rejected = [], []
        for record in records:
            try:
                decoded.append(dataclasses.replace(record, event=decode(record.value, *self._stage.accepts)))
            except PoisonError as error:
                rejected.append(Rejection(record, "PoisonError", str(error)))
        return decoded, rejected

    def _letter(self, rejection: Rejection) -> Output:
        record = rejection.record
        log.warning("dead letter: %s: %s (%s)", rejection.error, rejection.message, record, extra=record.place)
        topic = Topics().dead_letters(record.topic)
        return letter(rejection, topic, stage=self._stage.name, at=self._clock())


def _place(record: Record) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _slices(records: Sequence[Record], size: int) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), size):
        yield records[start : start + size]
