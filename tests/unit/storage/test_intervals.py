from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from storage.intervals import filled, start_of
from storage.port import Interval, TimeBucket

MOMENT = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("interval", "start"),
    [
        ("hour", datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("day", datetime(2026, 2, 28, tzinfo=UTC)),
        ("week", datetime(2026, 2, 23, tzinfo=UTC)),
        ("month", datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_intervals_start_in_utc_and_weeks_on_monday(interval: Interval, start: datetime) -> None:
    assert start_of(MOMENT, interval) == start


def test_months_of_every_length_are_filled() -> None:
    counts = {datetime(2025, 12, 1, tzinfo=UTC): 2, datetime(2026, 4, 1, tzinfo=UTC): 1}
    months = [(2025, 12, 2), (2026, 1, 0), (2026, 2, 0), (2026, 3, 0), (2026, 4, 1)]
    assert filled(counts, "month") == [TimeBucket(datetime(y, m, 1, tzinfo=UTC), n) for y, m, n in months]


def test_nothing_has_no_intervals() -> None:
    assert filled({}, "hour") == []
