"""Which source is due when: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from crawlers.sources.file import WatchedSource
from crawlers.sources.runs import SourceRun

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""When a source is due that was never crawled, or whose crawl was cut off."""


def due_at(source: WatchedSource, run: SourceRun | None) -> datetime | None:
    """Return when ``source`` is due, given its last crawl; None where it is paused."""
    if source.paused:
        return None
    return run.started_at + source.every if run is not None and run.finished else AT_ONCE


def in_order(sources: Iterable[WatchedSource], runs: Mapping[str, SourceRun]) -> list[tuple[datetime, WatchedSource]]:
    """Return the sources that are not paused with their due times, next one first.

    One whose crawl was cut off goes before all others: its frontier is still there.
    """
    found = [(at, source) for source in sources if (at := due_at(source, runs.get(source.key))) is not None]
    return sorted(found, key=lambda pair: (not _is_cut_off(runs.get(pair[1].key)), pair[0]))


def _is_cut_off(run: SourceRun | None) -> bool:
    return run is not None and not run.finished
