"""What commands print: results to standard output, progress and closing tables to standard error."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_LINE_EVERY_S = 5.0
_HALF = re.compile(r"[\ud800-\udfff]")


@cache
def console() -> Console:
    """Return the console on standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def whole(text: str) -> str:
    """Return ``text`` with U+FFFD for each half of a character, which no encoding of Unicode can write."""
    return _HALF.sub("\ufffd", text)


def emit(value: Any) -> None:
    """Write one JSON object on a line of its own to standard output."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Write one line to standard error, unstyled."""
    console().print(whole(text), markup=False, soft_wrap=True)


def table(title: str, rows: Mapping[str, Any]) -> None:
    """Print a closing table of names and values to standard error."""
    from rich.table import Table

    made = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    made.add_column(style="bold")
    made.add_column(justify="right", overflow="fold")
    for name, value in rows.items():
        made.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    console().print(made)


def rows(title: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table of several columns to standard error."""
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    for line in lines:
        made.add_row(*(Text(whole(cell)) for cell in line))
    console().print(made)


class LiveCounters:
    """A line of counters that renews itself on a terminal, and is printed every five seconds elsewhere."""

    def __init__(self) -> None:
        from rich.live import Live

        drawn = console().is_terminal
        self._live = Live(console=console(), refresh_per_second=4, transient=True) if drawn else None
        self._last_line_at = time.monotonic()

    def __enter__(self) -> LiveCounters:
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        if self._live:
            self._live.__exit__(*details)

    def show(self, counters: Mapping[str, Any]) -> None:
        """Show counters, such as ``{"pages": 12, "pages/s": "3.1"}``."""
        if self._live:
            from rich.table import Table

            grid = Table.grid(padding=(0, 3))
            grid.add_row(*(f"[bold]{value}[/] {name}" for name, value in counters.items()))
            self._live.update(grid)
        elif time.monotonic() - self._last_line_at >= _LINE_EVERY_S:
            self._last_line_at = time.monotonic()
            say(" · ".join(f"{value} {name}" for name, value in counters.items()))


@contextmanager
def progress_bar() -> Iterator[Any]:
    """Yield a callable ``(what, done, total)`` that draws a progress bar on standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(), disable=not console().is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield report
