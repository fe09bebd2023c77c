from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from events import LabelRecorded, PageJudged, UrlEnded
from storage.merge import Held, settled, with_event, with_labels, with_report
from tests.contract.samples import NOON, ended, judged, label, later, near, unflagged, verdict


def judgement(hour: int, flagged: bool) -> PageJudged:
    make = judged if flagged else unflagged
    return make(id=f"at-{hour}-{flagged}", fetched_at=later(hours=hour), at=later(hours=hour))


HISTORIES = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=7, unique_by=lambda p: p[0])


def after(*happenings: PageJudged | UrlEnded | LabelRecorded) -> Held:
    held = Held()
    for one in happenings:
        held = with_labels(held, [one]) if isinstance(one, LabelRecorded) else with_event(held, one, NOON)
    return held


@given(HISTORIES, st.randoms())
def test_judgements_lead_to_the_same_whatever_order_they_arrive_in(pairs, random) -> None:  # type: ignore[no-untyped-def]
    events = [judgement(*pair) for pair in sorted(pairs)]
    shuffled = random.sample(events, len(events))
    straight, other = after(*events), after(*shuffled)
    assert other.ledger == straight.ledger
    assert (other.item is None) == (straight.item is None)
    assert (straight.item is not None) == events[-1].verdict.flagged


@given(HISTORIES, st.integers(0, 7))
def test_replaying_everything_changes_nothing(pairs, when) -> None:  # type: ignore[no-untyped-def]
    happenings = [judgement(*pair) for pair in sorted(pairs)]
    held = with_report(after(*happenings[:when], label(), *happenings[when:]), "edition", NOON)
    again = held
    for one in happenings:
        assert with_event(again, one, later(days=1)) is again
    assert with_labels(again, [label()]) == again
    assert with_report(again, "edition", later(days=1)) is again
    assert settled(again) is again


def test_arguments_are_not_changed() -> None:
    held = after(judged())
    copy = msgspec.convert(msgspec.to_builtins(held), Held)
    with_event(held, judgement(5, False), NOON)
    with_labels(held, [label()])
    with_report(held, "edition", NOON)
    assert held == copy


def test_item_that_a_slow_writer_made_after_it_was_unflagged_is_settled_away() -> None:
    item = after(judged()).item
    ledger = after(judgement(1, False)).ledger
    assert settled(Held(ledger=ledger, item=item)).item is None
    kept = settled(Held(ledger=ledger, item=item, labels=(label(),))).item
    assert kept is not None
    assert kept.decision == "of_concern"


def test_item_of_a_judgement_that_the_ledger_does_not_know_yet_is_left() -> None:
    item = after(judgement(2, True)).item
    ledger = after(judgement(1, False)).ledger
    assert settled(Held(ledger=ledger, item=item)).item is not None


def test_item_lost_between_ledger_and_item_is_written_by_the_replay() -> None:
    held = msgspec.structs.replace(after(judged()), item=None)
    assert with_event(held, judged(), NOON).item == after(judged()).item


def test_passages_of_another_text_are_dropped_from_a_kept_item() -> None:
    said = verdict(flagged=False)
    same = after(judged(), label(), judged(says=said, fetched_at=NOON, at=NOON)).item
    other = after(judged(), label(), judged(says=said, fetched_at=NOON, at=NOON, content_id="f" * 32)).item
    assert same is not None
    assert other is not None
    assert (len(same.verdict.passages), len(other.verdict.passages)) == (1, 0)


def test_row_keeps_the_newest_outcome_and_the_last_judgement() -> None:
    for happenings in ([judged(), ended(at=NOON)], [ended(at=NOON), judged()]):
        ledger = after(*happenings).ledger
        assert ledger is not None
        assert (ledger.row.outcome, ledger.row.status, ledger.row.score) == ("failed", 404, 0.9)
        assert ledger.row.fetched_at == judged().fetched_at


def test_late_judgement_after_a_failure_still_says_whether_the_page_is_worth_a_look() -> None:
    first = near(fetched_at=later(hours=1), at=later(hours=1))
    cleared = unflagged(fetched_at=later(hours=2), at=later(hours=2))
    for happenings, expected in (([first], True), ([first, cleared], False)):
        ledger = after(ended(at=later(hours=9)), *happenings).ledger
        assert ledger is not None
        assert (ledger.row.outcome, ledger.row.worth_a_look) == ("failed", expected)


def test_row_decided_by_an_earlier_version_learns_the_decision_at_the_next_change() -> None:
    held = after(near(), label())
    assert held.ledger is not None
    old = msgspec.structs.replace(held.ledger, row=msgspec.structs.replace(held.ledger.row, decision=None))
    assert settled(msgspec.structs.replace(held, ledger=old)) == held
