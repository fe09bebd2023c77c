"""How a distributed installation does: groups and what waits for them, and whether it all adds up (ADR 0022)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from consumers.balance import Balance, Figures, Letters, Range, balance
from consumers.connection import BrokerRefusedError, BrokerUnavailableError, ClientOptions
from consumers.dead_letter_topics import DeadLetterReader, Found
from consumers.flow import MOST_COUNTED, Flow, GroupLook, Look, Waiting
from crawlers.distributed.client import Crawls
from crawlers.distributed.connection import KafkaRefusedError, KafkaUnavailableError
from events import Topics

_ATTEMPTS = 4
_PAUSE_S = 1.0
_REFRESHED_S = 1.2
"""What index has stored can be counted after a second, unless the index is set to another time."""
_OF_LATE = timedelta(days=30)
_UNREACHABLE = (BrokerUnavailableError, BrokerRefusedError, KafkaUnavailableError, KafkaRefusedError)


class StageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A stage, its group, and how it comes on."""

    stage: str
    group: str
    topic: str
    members: int
    lag: int
    """Offsets to read, marks of transactions included."""
    waiting: Range | None
    """Messages to read; None where nobody has counted them."""
    rate: float | None
    """Records a second, during the look; None where the group does not count."""
    read: int
    dead_letters: int


class FlowStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What Kafka says."""

    stages: tuple[StageStatus, ...] = ()
    balance: Balance | None = None
    dead_letters: Letters | None = None
    published_rate: float | None = None
    """URLs a second that the spiders end, by their own word; None where no crawl is known."""
    open_requests: int = 0
    """Requests of crawls that have not ended."""
    problems: tuple[str, ...] = ()


def groups(topics: Topics) -> dict[str, tuple[str, str]]:
    """Return (group, topic) by stage, as `guidewatch work` names them."""
    reads = {
        "spider": topics.crawl_requests,
        "classify": topics.pages_found,
        "index": topics.pages_judged,
        "label": topics.labels_recorded,
        "evidence": topics.pages_judged,
    }
    names = {stage: ".".join(filter(None, (topics.prefix, f"guidewatch-{stage}"))) for stage in reads}
    return {stage: (names[stage], topic) for stage, topic in reads.items()}


def flow_status(
    options: ClientOptions,
    topics: Topics,
    rows: Callable[[], int | None],
    *,
    uncounted_ok: bool = False,
    ledger_days: int = 0,
) -> FlowStatus:
    """Look at Kafka, again where it does not add up at once: what moves is seen in several places at different times.

    Parameters
    ----------
    options
        Client options of kafka-python.
    topics
        Names.
    rows
        Returns how many rows the ledger has, or None.
    uncounted_ok
        Whether it is no problem that offsets were committed by something that does not count.
    ledger_days
        After so many days, rows of the ledger are removed; 0: never.
    """
    try:
        with Flow(options, groups(topics)) as flow, Crawls(options, topics) as crawls:
            for _ in range(_ATTEMPTS):
                found = _Observer(flow, crawls, options, topics).observe(rows, _late(ledger_days))
                if found.balance is None or not found.balance.failing:
                    break
                time.sleep(_PAUSE_S)
            return msgspec.structs.replace(found, problems=_problems(found, flow.look(), uncounted_ok=uncounted_ok))
    except _UNREACHABLE as error:
        return FlowStatus(problems=(str(error),))


class _Observer:
    """Looks once, in the order that `consumers.balance.Figures` asks for."""

    def __init__(self, flow: Flow, crawls: Crawls, options: ClientOptions, topics: Topics) -> None:
        self._flow = flow
        self._crawls = crawls
        self._options = options
        self._topics = topics

    def observe(self, rows: Callable[[], int | None], since: datetime) -> FlowStatus:
        """Return what there is, without the problems."""
        first, largest = self._published(), self._largest_crawl(since)
        before = self._flow.look()
        waiting = {
            stage: self._flow.waiting(group)
            for stage, group in before.groups.items()
            if stage in ("classify", "index") or (group.lag and not group.members)
        }
        letters = self._letters()
        time.sleep(max(0.0, before.at_s + _REFRESHED_S - time.monotonic()))
        there = rows()
        after = self._flow.look()
        second = self._published()
        figures = Figures(
            published=Range(first, second) if first is not None and second is not None else None,
            before=before.groups,
            after=after.groups,
            waiting=waiting,
            letters=letters,
            rows=there,
            largest_crawl=largest,
        )
        view = self._crawls.view
        totals = [view.totals(crawl_id) for crawl_id in view.crawls if not view.over(crawl_id)]
        return FlowStatus(
            stages=tuple(_stage(group, waiting.get(stage), before, after) for stage, group in before.groups.items()),
            balance=balance(figures),
            dead_letters=letters,
            published_rate=sum(total.rate for total in totals) if view.crawls else None,
            open_requests=sum(total.open for total in totals),
        )

    def _published(self) -> int | None:
        """Return how many URL ends the spiders have published; None where no crawl is known."""
        self._crawls.refresh()
        view = self._crawls.view
        if not view.crawls:
            return None
        return sum(sum(view.totals(crawl_id).outcomes.values()) for crawl_id in view.crawls)

    def _largest_crawl(self, since: datetime) -> int:
        view = self._crawls.view
        late = [crawl_id for crawl_id, state in view.crawls.items() if state.started_at >= since]
        return max((sum(view.totals(crawl_id).outcomes.values()) for crawl_id in late), default=0)

    def _letters(self) -> Letters | None:
        with DeadLetterReader(self._options, self._topics) as reader:
            if reader.size > MOST_COUNTED:
                return None
            return _counted(reader.read(), expired=reader.expired)


def _late(ledger_days: int) -> datetime:
    """Return the time since when every URL has a row still."""
    kept = timedelta(days=ledger_days) if ledger_days else _OF_LATE
    return datetime.now(UTC) - min(kept, _OF_LATE)


def _counted(found: Found, *, expired: bool) -> Letters:
    return Letters(
        written=sum(count for stage, count in found.written.items() if stage != "spider"),
        open=sum(letter.settled is None for letter in found.letters),
        dropped=sum(letter.settled is not None and letter.settled.settled == "dropped" for letter in found.letters),
        replayed=found.replayed,
        expired=expired,
    )


def _stage(group: GroupLook, waits: Waiting | None, before: Look, after: Look) -> StageStatus:
    counts, later = group.counts, after.groups[group.stage].counts
    seconds = max(after.at_s - before.at_s, 0.001)
    counting = any(one.counts is not None for one in group.partitions)
    return StageStatus(
        stage=group.stage,
        group=group.group,
        topic=group.topic,
        members=group.members,
        lag=group.lag,
        waiting=Range(waits.least, waits.most) if waits is not None else None,
        rate=round((later.read - counts.read) / seconds, 1) if counting else None,
        read=counts.read,
        dead_letters=counts.letters,
    )


def _problems(found: FlowStatus, look: Look, *, uncounted_ok: bool) -> tuple[str, ...]:
    problems = [
        f"nobody works in group {one.group}, and {one.waiting} messages of {one.topic} wait"
        for one in found.stages
        if not one.members and one.waiting is not None and one.waiting.most
    ]
    for group in look.groups.values():
        if group.expired:
            problems.append(f"{group.expired:,} offsets of {group.topic} expired before {group.group} had read them")
        if group.uncounted and group.stage != "spider" and not uncounted_ok:
            problems.append(
                f"{group.uncounted:,} offsets of {group.topic} were passed by {group.group} without being counted: "
                "somebody set its offsets, or they expired; --uncounted-ok takes them as read"
            )
    if found.balance is not None:
        problems += [f"it does not balance: {check}" for check in found.balance.failing]
    return tuple(problems)
