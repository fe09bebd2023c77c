from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dashboards.feeds.counting import OTHER, grouped, over_time
from dashboards.feeds.edition import Cell
from dashboards.feeds.facts import Facts


def _cells(*texts: int) -> list[Cell]:
    return [Cell(value=str(index), texts=count, pages=count) for index, count in enumerate(sorted(texts)[::-1])]


def _seen(*days: datetime) -> list[list[Facts]]:
    return [
        [
            Facts(
                str(n),
                str(n),
                str(n),
                "",
                "",
                "en",
                "of_concern",
                (),
                (),
                (),
                first_seen_at=at,
                decided_at=None,
                reported_in=(),
            )
        ]
        for n, at in enumerate(days)
    ]


def test_small_numbers_are_put_together() -> None:
    kept = grouped(_cells(9, 5, 2, 2), 3)
    assert [(cell.value, cell.texts, cell.values) for cell in kept] == [("0", 9, 1), ("1", 5, 1), (OTHER, 4, 2)]


def test_one_small_number_takes_the_next_with_it() -> None:
    kept = grouped(_cells(9, 5, 2), 3)
    assert [(cell.value, cell.texts, cell.values) for cell in kept] == [("0", 9, 1), (OTHER, 7, 2)]


def test_a_number_that_stays_small_is_left_out() -> None:
    assert grouped(_cells(2), 3) == (Cell(value=OTHER, texts=None, pages=None),)


@given(st.lists(st.integers(1, 9), max_size=8))
def test_no_small_number_is_told_or_can_be_had_by_subtraction(texts: list[int]) -> None:
    kept = grouped(_cells(*texts), 3)
    told = [cell.texts for cell in kept if cell.texts is not None]
    assert all(count >= 3 for count in told)
    assert sum(told) in (sum(texts), 0)
    if sum(texts) >= 3:
        assert sum(told) == sum(texts)
    assert sum(cell.values for cell in kept) == len(texts)
    hidden = [cell for cell in kept if cell.value == OTHER]
    assert all(cell.values > 1 or cell.texts is None for cell in hidden)


def test_time_is_told_in_weeks_or_months_or_not_at_all() -> None:
    first, second = datetime(2026, 11, 3, tzinfo=UTC), datetime(2026, 11, 18, tzinfo=UTC)
    by_week = over_time(_seen(*[first] * 3, *[second] * 3), 3)
    assert (by_week.by, [interval.texts for interval in by_week.intervals]) == ("week", [3, 0, 3])
    by_month = over_time(_seen(*[first] * 2, *[second] * 2), 3)
    assert (by_month.by, [interval.texts for interval in by_month.intervals]) == ("month", [4])
    assert over_time(_seen(first), 3).intervals == ()
    assert [interval.texts for interval in over_time(_seen(first, second), 1).intervals] == [1, 0, 1]
