"""The checker finds what it is there to find."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from events import Evidence, LabelRecorded, PageFound, PoisonError, decode
from tests.chaos.checking import Expected, Found, ItemSeen, Judged, Letter, Observed, judged_id, problems
from tests.chaos.load import READERS, Load, Mix
from tests.chaos.texts import Text

AT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
MODEL = "model-1"
LETTER = Letter("classify", "pages.found", 2, 17)


def label(name: str, minute: int) -> LabelRecorded:
    return LabelRecorded(
        id=name, at=AT + timedelta(minutes=minute), page_id="a", content_id="0" * 32, decision="lawful", analyst="ana"
    )


def expected() -> Expected:
    """A flagged page ``a`` that was fetched twice, a page ``b`` that is not flagged, a page ``c`` of a spider."""
    return Expected(
        model=MODEL,
        sent={"a-old", "a-new", "b"},
        outcomes={"a": "flagged", "b": "not_flagged"},
        items={"a": "text-new"},
        decisions={"a": [label("second", 2), label("first", 1)]},
        evidence={("a", "digest-old"), ("a", "digest-new")},
        letters={LETTER},
        crawled={"c"},
    )


def judged(event_id: str, page_id: str, outcome: str, hours: int = 0) -> Judged:
    at = AT + timedelta(hours=hours)
    return Judged(judged_id(event_id, MODEL), page_id, outcome, (at, at))


def observed() -> Observed:
    return Observed(
        found=[Found("a-new", "a", True), Found("a-old", "a", True), Found("b", "b", True), Found("c-1", "c", False)],
        judged=[
            judged("a-new", "a", "flagged", hours=1),
            judged("a-old", "a", "not_flagged"),
            judged("b", "b", "not_flagged"),
            Judged("c-1", "c", "failed", (AT, AT)),
        ],
        letters=[LETTER],
        ledger=[("a", "flagged"), ("b", "not_flagged"), ("c", "failed")],
        items=[ItemSeen("a", "text-new", ("first", "second"))],
        decisions=["first", "second"],
        evidence={("a", "digest-old"), ("a", "digest-new")},
    )


def test_nothing_is_wrong_where_all_is_there() -> None:
    assert problems(expected(), observed()) == []


FAULTS: dict[str, tuple[Callable[[Observed], object], str]] = {
    "page lost before the topic": (lambda seen: seen.found.pop(2), "1 events that were sent are not on pages.found: b"),
    "page never judged": (lambda seen: seen.judged.pop(2), "1 events of pages.found were never judged"),
    "page judged twice": (
        lambda seen: seen.judged.append(judged("b", "b", "not_flagged")),
        "1 judgements are on pages.judged too often",
    ),
    "ended URL passed on twice": (
        lambda seen: seen.judged.append(Judged("c-1", "c", "failed", (AT, AT))),
        "1 judgements are on pages.judged too often: c-1",
    ),
    "judgement of nothing": (
        lambda seen: seen.judged.append(judged("z", "a", "flagged")),
        "1 judgements are on pages.judged too often",
    ),
    "page of a spider twice": (
        lambda seen: seen.found.append(Found("c-2", "c", False)),
        "1 URLs of a crawl ended twice: c",
    ),
    "page of a spider lost": (
        lambda seen: seen.found.pop(3),
        "1 pages that spiders had to find are not on pages.found: c",
    ),
    "page not in the ledger": (lambda seen: seen.ledger.pop(1), "1 pages are not in the ledger: b"),
    "page of a spider not in the ledger": (lambda seen: seen.ledger.pop(2), "1 pages are not in the ledger: c"),
    "row doubled": (
        lambda seen: seen.ledger.append(("b", "not_flagged")),
        "1 pages are in the ledger twice: b",
    ),
    "row of nothing": (
        lambda seen: seen.ledger.append(("z", "failed")),
        "1 pages are in the ledger that nobody sent: z",
    ),
    "wrong outcome": (
        lambda seen: seen.ledger.__setitem__(1, ("b", "flagged")),
        "1 pages ended in another outcome than they had to: b (flagged)",
    ),
    "wrong outcome of a page of a spider": (
        lambda seen: seen.ledger.__setitem__(2, ("c", "refused")),
        "1 pages ended in another outcome than they had to: c (refused)",
    ),
    "item doubled": (lambda seen: seen.items.append(seen.items[0]), "1 items are there twice: a"),
    "item lost": (lambda seen: seen.items.clear(), "1 flagged pages are no items: a"),
    "item of nothing": (
        lambda seen: seen.items.append(ItemSeen("b", "text", ())),
        "1 pages that are not flagged are items: b",
    ),
    "older text overwrites": (
        lambda seen: seen.items.__setitem__(0, ItemSeen("a", "text-old", ("first", "second"))),
        "1 items have an older text than the newest: a",
    ),
    "decision lost": (lambda seen: seen.decisions.remove("first"), "1 decisions are lost: first"),
    "decision doubled": (lambda seen: seen.decisions.append("first"), "1 decisions are there twice: first"),
    "decision of nobody": (lambda seen: seen.decisions.append("z"), "1 decisions are there that nobody made: z"),
    "decision not on its item": (
        lambda seen: seen.items.__setitem__(0, ItemSeen("a", "text-new", ("second",))),
        "1 items do not show the decisions on them: a",
    ),
    "letter missing": (
        lambda seen: seen.letters.clear(),
        "1 poisoned messages have no dead letter with their origin: pages.found/2@17 by classify",
    ),
    "letter doubled": (
        lambda seen: seen.letters.append(LETTER),
        "1 dead letters are there twice: pages.found/2@17 by classify",
    ),
    "letter of a good message": (
        lambda seen: seen.letters.append(LETTER._replace(offset=18)),
        "1 dead letters are there of messages that are none: pages.found/2@18 by classify",
    ),
    "record missing": (
        lambda seen: seen.evidence.discard(("a", "digest-new")),
        "1 records of flagged pages are not in the vault: a digest-new",
    ),
    "vault changed": (
        lambda seen: seen.vault_changes.append("log.jsonl line 3: torn"),
        "1 things in the vault are not as they were written: log.jsonl line 3: torn",
    ),
}


@pytest.mark.parametrize(("harm", "line"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_found(harm: Callable[[Observed], object], line: str) -> None:
    seen = observed()
    harm(seen)
    assert any(problem.startswith(line) for problem in problems(expected(), seen))


def test_only_some_of_many_are_named() -> None:
    seen = observed()
    wanted = dataclasses.replace(expected(), sent={*expected().sent, *(f"x{number}" for number in range(20))})
    (line,) = problems(wanted, seen)
    assert line == "20 events that were sent are not on pages.found: x0, x1, x10, x11, x12, …"


def load(**mix: float) -> Load:
    texts = {outcome: [Text("Title", f"A {outcome} text.")] for outcome in ("flagged", "not_flagged", "unsupported")}
    made = Mix(poison_every=10, flagged=0.3, fetched_again=0.2)
    return Load(
        7,
        texts,
        lambda body: Evidence(warc="w", offset=1, sha256="0" * 64),
        lambda: AT,
        dataclasses.replace(made, **mix),
    )


def test_the_load_says_what_becomes_of_each_of_its_pages() -> None:
    made = load()
    messages = [message for number in range(400) for message in made.messages(number)]
    pages = [message for message in messages if message.topic == "pages.found" and not message.poison]
    assert len(made.expected.outcomes) == 400
    assert {event.id for event in (decode(one.value) for one in pages)} == made.expected.sent
    assert len(pages) > 400, "some pages are fetched again"
    assert set(made.expected.outcomes.values()) == {"flagged", "not_flagged", "unsupported", "refused", "failed"}
    newest: dict[str, PageFound] = {}
    for event in (decode(one.value) for one in pages):
        if isinstance(event, PageFound) and (
            event.page_id not in newest or event.fetched_at > newest[event.page_id].fetched_at
        ):
            newest[event.page_id] = event
    for page_id, event in newest.items():
        assert made.expected.outcomes[page_id] in event.text
        if page_id in made.expected.items:
            assert made.expected.items[page_id] == event.content_id


def test_every_tenth_message_is_poison_that_no_reader_takes() -> None:
    made = load()
    poison = [message for number in range(400) for message in made.messages(number) if message.poison]
    assert sum(one.topic == "pages.found" for one in poison) == 40
    assert {one.topic for one in poison} == set(READERS)
    for one in poison:
        with pytest.raises(PoisonError):
            decode(one.value, PageFound)


def test_messages_of_older_and_newer_minor_versions_are_among_the_load() -> None:
    made = load(ended=0.0)
    values = [one.value for number in range(400) for one in made.messages(number) if not one.poison]
    for sign in (b'"schema": "page/1"', b'"schema": "page/1.99"'):
        some = [value for value in values if sign in value]
        assert some
        assert all(isinstance(decode(value), PageFound) for value in some)


def test_decisions_come_when_their_time_has_come_and_none_is_left() -> None:
    made = load(decided=0.8)
    come = []
    for number in range(300):
        list(made.messages(number))
        come += made.due(number)
    come += made.due(10**9)
    assert sorted(one.id for one in come) == sorted(
        one.id for labels in made.expected.decisions.values() for one in labels
    )
    assert made.due(10**9) == []
    assert come


def test_the_same_seed_is_the_same_load() -> None:
    def bare(made: Load) -> list[tuple[str, str, bool]]:
        return [(one.topic, one.key, one.poison) for number in range(100) for one in made.messages(number)]

    assert bare(load()) == bare(load())
