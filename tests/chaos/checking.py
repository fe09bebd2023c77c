"""What must be true of an installation after all that was done to it: pure, so that it can be shown to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from events import LabelRecorded

_NAMED = 5
"""How many of the pages that something is wrong with are named."""


class Letter(NamedTuple):
    """A dead letter, by where it came from and who put it aside."""

    stage: str
    topic: str
    partition: int
    offset: int


class Found(NamedTuple):
    """An event of ``pages.found``, as every committed reader sees it."""

    id: str
    page_id: str
    is_page: bool


class Judged(NamedTuple):
    """An event of ``pages.judged``; ``version`` decides which of two of a page is the newer one."""

    id: str
    page_id: str
    outcome: str
    version: tuple[datetime, datetime]
    evidence: str = ""
    """Digest of what the vault must hold of it; empty where that is nothing."""


class ItemSeen(NamedTuple):
    """An item, with the ids of its decisions, oldest first."""

    page_id: str
    content_id: str
    decisions: tuple[str, ...]


@dataclass
class Expected:
    """What was sent, and what must become of it."""

    model: str = ""
    sent: set[str] = field(default_factory=set)
    """Ids of the events that were sent to ``pages.found``."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """By page id; pages of spiders are not among them."""
    items: dict[str, str] = field(default_factory=dict)
    """Content id by page id."""
    decisions: dict[str, list[LabelRecorded]] = field(default_factory=dict)
    """By page id."""
    evidence: set[tuple[str, str]] = field(default_factory=set)
    """Page id and digest."""
    letters: set[Letter] = field(default_factory=set)
    crawled: set[str] = field(default_factory=set)
    """Page ids of what the spiders must have found."""


@dataclass
class Observed:
    """What is there at the end."""

    found: list[Found] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    ledger: list[tuple[str, str]] = field(default_factory=list)
    """Page id and outcome of every row."""
    items: list[ItemSeen] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    """Ids of all decisions in the store."""
    evidence: set[tuple[str, str]] = field(default_factory=set)
    vault_changes: list[str] = field(default_factory=list)
    """What a check of the vault has found."""


def judged_id(event_id: str, model: str) -> str:
    """Return the id of the judgement of a page by a model."""
    return sha256(f"{event_id}/{model}".encode()).hexdigest()[:32]


def problems(expected: Expected, observed: Observed) -> list[str]:
    """Return everything that is wrong, one line each; nothing where all is as it must be."""
    return [line for check in CHECKS for line in check(expected, observed)]


def _sent(expected: Expected, observed: Observed) -> Iterator[str]:
    found = Counter(event.id for event in observed.found)
    yield from _lines("events that were sent are not on pages.found", expected.sent - found.keys())
    yield from _lines("events are on pages.found twice", _doubled(found))
    crawled = Counter(event.page_id for event in observed.found if event.id not in expected.sent)
    yield from _lines("pages that spiders had to find are not on pages.found", expected.crawled - crawled.keys())
    yield from _lines("URLs of a crawl ended twice", _doubled(crawled))


def _exactly_once(expected: Expected, observed: Observed) -> Iterator[str]:
    model = expected.model
    wanted = Counter(judged_id(event.id, model) if event.is_page else event.id for event in observed.found)
    judged = Counter(event.id for event in observed.judged)
    yield from _lines("events of pages.found were never judged", (wanted - judged).keys())
    yield from _lines("judgements are on pages.judged too often", (judged - wanted).keys())


def _outcomes(expected: Expected, observed: Observed) -> Iterator[str]:
    newest: dict[str, Judged] = {}
    for event in observed.judged:
        if event.page_id not in newest or event.version > newest[event.page_id].version:
            newest[event.page_id] = event
    wanted = {page_id: event.outcome for page_id, event in newest.items()} | expected.outcomes
    rows = Counter(page_id for page_id, _ in observed.ledger)
    yield from _lines("pages are not in the ledger", wanted.keys() - rows.keys())
    yield from _lines("pages are in the ledger twice", _doubled(rows))
    yield from _lines("pages are in the ledger that nobody sent", rows.keys() - wanted.keys())
    wrong = [
        f"{page_id} ({outcome})" for page_id, outcome in observed.ledger if wanted.get(page_id, outcome) != outcome
    ]
    yield from _lines("pages ended in another outcome than they had to", wrong)


def _items(expected: Expected, observed: Observed) -> Iterator[str]:
    counted = Counter(item.page_id for item in observed.items)
    contents = {item.page_id: item.content_id for item in observed.items}
    decided = {page_id for page_id, _ in expected.decisions.items()}
    flagged = {page_id for page_id, outcome in observed.ledger if outcome == "flagged"}
    yield from _lines("items are there twice", _doubled(counted))
    yield from _lines("flagged pages are no items", (expected.items.keys() | flagged) - counted.keys())
    yield from _lines("pages that are not flagged are items", counted.keys() - flagged - decided)
    old = [page_id for page_id, content in expected.items.items() if contents.get(page_id, content) != content]
    yield from _lines("items have an older text than the newest", old)


def _decisions(expected: Expected, observed: Observed) -> Iterator[str]:
    wanted = {label.id for labels in expected.decisions.values() for label in labels}
    there = Counter(observed.decisions)
    yield from _lines("decisions are lost", wanted - there.keys())
    yield from _lines("decisions are there twice", _doubled(there))
    yield from _lines("decisions are there that nobody made", there.keys() - wanted)
    shown = {item.page_id: item.decisions for item in observed.items}
    wrong = [
        page_id
        for page_id, labels in expected.decisions.items()
        if page_id in shown
        and shown[page_id] != tuple(one.id for one in sorted(labels, key=lambda one: (one.at, one.id)))
    ]
    yield from _lines("items do not show the decisions on them", wrong)


def _letters(expected: Expected, observed: Observed) -> Iterator[str]:
    there = Counter(observed.letters)
    yield from _lines(
        "poisoned messages have no dead letter with their origin", map(_named, expected.letters - there.keys())
    )
    yield from _lines("dead letters are there twice", map(_named, _doubled(there)))
    yield from _lines("dead letters are there of messages that are none", map(_named, there.keys() - expected.letters))


def _evidence(expected: Expected, observed: Observed) -> Iterator[str]:
    named = {(event.page_id, event.evidence) for event in observed.judged if event.evidence}
    missing = {f"{page_id} {digest[:12]}" for page_id, digest in (expected.evidence | named) - observed.evidence}
    yield from _lines("records of flagged pages are not in the vault", missing)
    yield from _lines("things in the vault are not as they were written", observed.vault_changes)


CHECKS: tuple[Callable[[Expected, Observed], Iterator[str]], ...] = (
    _sent,
    _exactly_once,
    _outcomes,
    _items,
    _decisions,
    _letters,
    _evidence,
)


def _doubled(counted: Mapping[object, int]) -> list[object]:
    return [one for one, count in counted.items() if count > 1]


def _named(letter: object) -> str:
    assert isinstance(letter, Letter)
    return f"{letter.topic}/{letter.partition}@{letter.offset} by {letter.stage}"


def _lines(what: str, which: Iterable[object]) -> Iterator[str]:
    """Yield one line if there are any: how many, what is wrong with them, and some of them."""
    some = sorted(map(str, which))
    if some:
        more = ", …" if len(some) > _NAMED else ""
        yield f"{len(some)} {what}: {', '.join(some[:_NAMED])}{more}"
