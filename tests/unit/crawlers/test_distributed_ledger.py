from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.distributed.ledger import PartitionLedger
from crawlers.distributed.unit import Unit
from events import RequestDone, page_id


def done(number: int, outcome: str = "page", **values: object) -> RequestDone:
    url = f"http://example.org/{number}"
    given = {"crawl_id": "c", "page_id": page_id(url), "host": "example.org", "counts": True} | values
    return RequestDone(outcome=outcome, **given)


def ledger_with(*offsets: int, position: int = 0) -> PartitionLedger:
    ledger = PartitionLedger(position)
    for offset in offsets:
        ledger.read(offset, "c", "example.org")
    return ledger


def test_the_low_water_is_the_first_request_that_is_open() -> None:
    ledger = ledger_with(3, 5, 6, 9, position=3)
    assert (ledger.low_water(), ledger.open) == (3, 4)
    ledger.settle(Unit(0, 0, [5, 6]))
    assert (ledger.low_water(), ledger.open) == (3, 2)
    ledger.settle(Unit(0, 0, [3]))
    assert ledger.low_water() == 9
    ledger.settle(Unit(0, 0, [9]))
    assert ledger.low_water() == 10


def test_where_nothing_is_open_the_low_water_is_the_position_past_what_was_aborted() -> None:
    ledger = ledger_with(4)
    ledger.settle(Unit(0, 0, [4]))
    ledger.position = 17
    assert ledger.low_water() == 17


def test_a_unit_that_was_not_committed_is_open_again() -> None:
    ledger = ledger_with(1, 2)
    unit = Unit(0, 0, [1], done=[done(1, requested=4)])
    before = ledger.shares(0.0, {})
    ended = ledger.settle(unit)
    assert ledger.low_water() == 2
    assert ledger.shares(0.0, {})["c"].requested == 4
    ledger.unsettle(unit, ended)
    assert ledger.low_water() == 1
    assert ledger.shares(0.0, {}) == before


def test_counts_are_the_same_whether_they_were_made_here_or_restored() -> None:
    marks = [
        done(1, requested=3, counts=True),
        done(2, "failed", reason="status 404", counts=True),
        done(3, "refused", reason="robots", counts=False, host="other.example"),
    ]
    here = ledger_with(1, 2, 3)
    here.settle(Unit(0, 0, [1, 2, 3], done=marks))
    there = PartitionLedger(4)
    for mark in marks:
        there.restore(mark)
    share = here.shares(0.0, {})["c"]
    assert share == there.shares(0.0, {})["c"]
    assert (share.open, share.requested, share.ended_spent, share.hosts) == (0, 3, 2, 2)
    assert share.outcomes == {"page": 1, "failed": 1, "refused": 1}
    assert share.reasons == {"failed: status 404": 1, "refused: robots": 1}


def test_what_is_under_way_is_spent_too() -> None:
    ledger = ledger_with(1, 2)
    assert ledger.shares(0.0, {"c": 2})["c"].spent == 2
    ledger.settle(Unit(0, 0, [1, 2], done=[done(1), done(2)]))
    assert ledger.shares(0.0, {})["c"].spent == 2


def test_the_rate_is_taken_over_some_seconds() -> None:
    ledger = ledger_with(*range(20))
    assert ledger.shares(100.0, {})["c"].rate == 0.0
    ledger.settle(Unit(0, 0, range(20), done=[done(number) for number in range(20)]))
    assert ledger.shares(102.0, {})["c"].rate == 0.0
    assert ledger.shares(110.0, {})["c"].rate == 2.0


def test_marks_of_crawls_that_are_over_need_not_be_read_again() -> None:
    ledger = ledger_with(1)
    assert not ledger.has_marks
    ledger.settle(Unit(0, 0, [1], done=[done(1)]))
    assert ledger.has_marks
    ledger.forget("c")
    assert not ledger.has_marks
    assert ledger.shares(0.0, {}) == {}


def test_a_crawl_with_an_open_request_is_not_forgotten() -> None:
    ledger = ledger_with(1)
    ledger.forget("c")
    ledger.settle(Unit(0, 0, [1]))
    assert ledger.low_water() == 2


def test_an_offset_ends_once() -> None:
    ledger = ledger_with(1)
    ledger.settle(Unit(0, 0, [1]))
    with pytest.raises(KeyError):
        ledger.settle(Unit(0, 0, [1]))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=60))
def test_the_low_water_never_passes_an_open_request_and_reaches_the_end_with_the_last(steps: list) -> None:
    ledger = PartitionLedger(0)
    still_open: set[int] = set()
    reads = 0
    for reads_one, pick in steps:
        if reads_one:
            ledger.read(reads, "c", "example.org")
            still_open.add(reads)
            reads += 1
        elif still_open:
            offset = sorted(still_open)[pick % len(still_open)]
            unit = Unit(0, 0, [offset])
            if pick % 3 == 0:
                ledger.unsettle(unit, ledger.settle(unit))
            else:
                ledger.settle(unit)
                still_open.discard(offset)
        assert ledger.low_water() == min(still_open, default=reads)
