from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.manners import MAX_PAUSE_S, Manners, retry_after_s

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0),
        ("Fri, 02 Jan 2026 03:00:00 GMT", 0.0),
        ("Friday, 02-Jan-26 03:05:05 GMT", 60.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@given(st.text(max_size=80))
def test_no_header_makes_it_raise(value: str) -> None:
    found = retry_after_s(value, NOW)
    assert found is None or found >= 0


def test_pauses_double_and_end_with_an_answer() -> None:
    clock = Clock()
    manners = Manners(1.0, clock)
    pauses = []
    for _ in range(4):
        manners.turned_away("a", None)
        pauses.append(manners.wait_s("a"))
    assert pauses == [5.0, 10.0, 20.0, 40.0]
    clock.now += 40
    assert manners.wait_s("a") == 0
    manners.served("a")
    manners.turned_away("a", None)
    assert manners.wait_s("a") == 5.0


def test_a_host_is_left_as_long_as_it_asks_and_no_other_is() -> None:
    manners = Manners(1.0, Clock())
    manners.turned_away("a", 90.0)
    assert manners.wait_s("a") == 90.0
    assert manners.wait_s("b") == 0
    assert not manners.has_given_up("a")


@pytest.mark.parametrize("times", [[MAX_PAUSE_S + 1], [None] * 6, [1.0] * 6])
def test_a_host_that_asks_for_too_much_is_given_up(times: list[float | None]) -> None:
    manners = Manners(0.0, Clock())
    for asked in times:
        assert not manners.has_given_up("a")
        manners.turned_away("a", asked)
    assert manners.has_given_up("a")
    assert not manners.has_given_up("b")
    assert manners.wait_s("a") <= MAX_PAUSE_S
