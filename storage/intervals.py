"""Calendar intervals in UTC, and the empty ones between."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from storage.queries import Interval, TimeBucket

_STEP = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def start_of(time: datetime, interval: Interval) -> datetime:
    """Return the start of the interval that ``time`` is in; weeks start on Monday."""
    hour = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if interval == "hour":
        return hour
    day = hour.replace(hour=0)
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def after(start: datetime, interval: Interval) -> datetime:
    """Return the start of the interval after the one that starts at ``start``."""
    if interval == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + _STEP[interval]


def filled(counts: Mapping[datetime, int], interval: Interval) -> list[TimeBucket]:
    """Return a bucket for every interval from the first to the last of ``counts``, oldest first.

    Parameters
    ----------
    counts
        Items by start of interval, without the empty ones.
    """
    buckets: list[TimeBucket] = []
    if not counts:
        return buckets
    start, last = min(counts), max(counts)
    while start <= last:
        buckets.append(TimeBucket(start, counts.get(start, 0)))
        start = after(start, interval)
    return buckets
