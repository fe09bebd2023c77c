"""The messages of a run, and what must become of each: all of it follows from the seed, but for times and ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from events import Evidence, LabelRecorded, PageFound, UrlEnded, content_id, encode, host_key, new_id, page_id
from tests.chaos.checking import Expected
from tests.chaos.texts import Text, numbered

CRAWL = "chaos"
DECISIONS = ("of_concern", "lawful", "not_relevant", "unsure")
Topic = Literal["pages.found", "pages.judged", "labels.recorded"]
READERS: dict[str, tuple[str, ...]] = {
    "pages.found": ("classify",),
    "pages.judged": ("index", "evidence"),
    "labels.recorded": ("label",),
}
"""Stages that read a topic: each of them puts what it cannot read aside."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to send."""

    topic: Topic
    key: str
    value: bytes
    poison: bool = False


@dataclass(frozen=True, slots=True)
class Mix:
    """How often something is in the load.

    Parameters
    ----------
    poison_every
        Messages of each topic that carries pages, after which comes one that nobody can read.
    """

    poison_every: int = 500
    flagged: float = 0.12
    unsupported: float = 0.02
    ended: float = 0.04
    fetched_again: float = 0.03
    decided: float = 0.3


@dataclass
class Load:
    """Makes the messages of one page after the other, and notes what is to become of them.

    Parameters
    ----------
    seed
        Another seed, another load.
    texts
        By outcome.
    keep
        Puts a body into a WARC file and says where.
    clock
        Returns now, aware UTC.
    """

    seed: int
    texts: dict[str, list[Text]]
    keep: Callable[[bytes], Evidence]
    clock: Callable[[], datetime]
    mix: Mix = field(default_factory=Mix)
    expected: Expected = field(default_factory=Expected)
    decisions: list[tuple[int, LabelRecorded]] = field(default_factory=list)
    """What analysts decide, and after which page they do."""

    def messages(self, number: int) -> Iterator[Message]:
        """Yield what is sent for the page with this number, and poison where it is time for some."""
        rng = Random(f"{self.seed}/page/{number}")
        events = [self._ended(rng, number)] if rng.random() < self.mix.ended else self._pages(rng, number)
        for event in events:
            yield Message("pages.found", event.page_id, _aged(rng, event))
        if (number + 1) % self.mix.poison_every == 0:
            yield from self._poison(rng, (number + 1) // self.mix.poison_every)

    def _pages(self, rng: Random, number: int) -> list[PageFound]:
        """Return the page; some are fetched again with another text, and come in the wrong order."""
        first = self._page(rng, number, age=timedelta(0))
        if rng.random() >= self.mix.fetched_again:
            self._expect(rng, number, first)
            return [first[0]]
        older = self._page(rng, number, age=timedelta(hours=1))
        self._expect(rng, number, first)
        self._expect_evidence(*older)
        return [first[0], older[0]] if rng.random() < 0.5 else [older[0], first[0]]

    def _page(self, rng: Random, number: int, age: timedelta) -> tuple[PageFound, str]:
        outcome = self._outcome(rng)
        chosen = rng.choice(self.texts[outcome])
        text = numbered(chosen, number)
        url = f"http://site{number % 97}.example/{number}"
        at = self.clock() - age
        event = PageFound(
            id=new_id(),
            at=at,
            page_id=page_id(url),
            url=url,
            host=host_key(url),
            crawl_id=CRAWL,
            content_id=content_id(text),
            fetched_at=at,
            title=chosen.title,
            text=text,
            evidence=self.keep(text.encode()) if outcome == "flagged" else None,
        )
        self.expected.sent.add(event.id)
        return event, outcome

    def _outcome(self, rng: Random) -> str:
        chance = rng.random()
        if chance < self.mix.flagged:
            return "flagged"
        rare = chance < self.mix.flagged + self.mix.unsupported and self.texts["unsupported"]
        return "unsupported" if rare else "not_flagged"

    def _ended(self, rng: Random, number: int) -> UrlEnded:
        url = f"http://site{number % 97}.example/{number}"
        outcome, reason = rng.choice((("refused", "robots"), ("failed", "timeout"), ("unsupported", "media type")))
        at = self.clock()
        event = UrlEnded(
            id=new_id(),
            at=at,
            page_id=page_id(url),
            url=url,
            host=host_key(url),
            crawl_id=CRAWL,
            outcome=outcome,  # type: ignore[arg-type]
            reason=reason,
        )
        self.expected.sent.add(event.id)
        self.expected.outcomes[event.page_id] = outcome
        return event

    def _expect(self, rng: Random, number: int, page: tuple[PageFound, str]) -> None:
        event, outcome = page
        self.expected.outcomes[event.page_id] = outcome
        self._expect_evidence(event, outcome)
        if outcome == "flagged":
            self.expected.items[event.page_id] = event.content_id
        share = self.mix.decided if outcome == "flagged" else self.mix.decided / 50
        if rng.random() < share:
            self._decide(rng, number, event)

    def _expect_evidence(self, event: PageFound, outcome: str) -> None:
        if outcome == "flagged" and event.evidence is not None:
            self.expected.evidence.add((event.page_id, event.evidence.sha256))

    def _decide(self, rng: Random, number: int, event: PageFound) -> None:
        """Plan one or two decisions, some of them before the page itself is there."""
        for _ in range(1 + (rng.random() < 0.2)):
            label = LabelRecorded(
                id=new_id(),
                at=self.clock() + timedelta(microseconds=rng.randrange(1_000_000)),
                page_id=event.page_id,
                content_id=event.content_id,
                decision=rng.choice(DECISIONS),  # type: ignore[arg-type]
                analyst=rng.choice(("ana", "bo", "chen")),
            )
            self.decisions.append((number + rng.choice((0, 1, 20, 200)), label))
            self.expected.decisions.setdefault(event.page_id, []).append(label)

    def _poison(self, rng: Random, number: int) -> Iterator[Message]:
        bad = _POISON[number % len(_POISON)](rng)
        yield Message("pages.found", f"poison-{number}", bad, poison=True)
        if number % 4 == 0:
            yield Message("pages.judged", f"poison-{number}", bad, poison=True)
            yield Message("labels.recorded", f"poison-{number}", bad, poison=True)

    def due(self, number: int) -> Sequence[LabelRecorded]:
        """Return the decisions whose time has come, and forget them."""
        come = [label for after, label in self.decisions if after <= number]
        self.decisions = [one for one in self.decisions if one[0] > number]
        return come


def _aged(rng: Random, event: PageFound | UrlEnded) -> bytes:
    """Return the event as this version writes it, or as an older or a newer minor version does."""
    value = encode(event)
    chance = rng.random()
    if chance >= 0.1 or not isinstance(event, PageFound):
        return value
    fields = json.loads(value)
    if chance < 0.05:
        older = ("previous_content_id", "changed_share")
        return json.dumps({**{k: v for k, v in fields.items() if k not in older}, "schema": "page/1"}).encode()
    return json.dumps({**fields, "schema": "page/1.99", "of_a_later_version": {"a": [1]}}).encode()


def _other_major(rng: Random) -> bytes:
    return b'{"schema":"page/2","id":"%d","text":"of another major version"}' % rng.randrange(10**9)


def _cut_short(rng: Random) -> bytes:
    return b'{"schema":"page/1","id":"%d","ti' % rng.randrange(10**9)


def _no_event(rng: Random) -> bytes:
    return b"\xff\xfe" + rng.randbytes(200)


def _other_event(rng: Random) -> bytes:
    return b'{"schema":"request/1","id":"%d"}' % rng.randrange(10**9)


_POISON = (_other_major, _cut_short, _no_event, _other_event)
