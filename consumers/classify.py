"""The classify stage: ``pages.found`` → ``pages.judged``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from consumers.dead_letters import dead_page, just_before
from consumers.judging import Judge, judge
from consumers.stage import Handled, Record, Rejection, Settled, same_trace
from events import MAX_MESSAGE_BYTES, PageFound, PageJudged, Topics, UrlEnded, encode


class ClassifyStage:
    """Judges pages; URLs that ended without one pass through, byte for byte.

    Parameters
    ----------
    classifier
        Judges.
    topics
        Names.
    clock
        Returns now, aware UTC.
    slice_size
        Pages judged at once.
    max_message_bytes
        A judgement larger than this goes to the dead letters.
    """

    name: str = "classify"
    accepts: tuple[type, ...] = (PageFound, UrlEnded)

    def __init__(
        self,
        classifier: Judge,
        topics: Topics,
        clock: Callable[[], datetime],
        *,
        slice_size: int = 32,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self.topics: tuple[str, ...] = (topics.pages_found,)
        self.writes: tuple[str, ...] = (topics.pages_judged,)
        self.slice_size = slice_size
        self._classifier = classifier
        self._clock = clock
        self._max_message_bytes = max_message_bytes

    def handle(self, records: Sequence[Record]) -> Handled:
        """Return one output a record, in order: what became of a page comes after what became of it before."""
        pages = [record.event for record in records if isinstance(record.event, PageFound)]
        judged = iter(judge(self._classifier, pages, self._clock))
        handled = Handled()
        for record in records:
            if isinstance(record.event, PageFound):
                self._add(handled, record, next(judged))
            else:
                handled.outputs.append(same_trace(record, self.writes[0], record.event, record.value))
                handled.settled.append(Settled(record, record.event))
        return handled

    def _add(self, handled: Handled, record: Record, judged: PageJudged) -> None:
        value = encode(judged)
        if len(value) > self._max_message_bytes:
            reason = f"the judgement is {len(value)} bytes, the limit {self._max_message_bytes}"
            handled.rejected.append(Rejection(record, "MessageTooLargeError", reason))
            ended = dead_page(judged, reason, just_before(judged))
            handled.outputs.append(same_trace(record, self.writes[0], ended, encode(ended)))
            handled.settled.append(Settled(record, ended))
            return
        handled.outputs.append(same_trace(record, self.writes[0], judged, value))
        handled.settled.append(Settled(record, judged))
