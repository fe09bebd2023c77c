"""An edition as one HTML file that needs nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboards.charts import Bar, columns, meter
from dashboards.defang import defang_host
from dashboards.feeds.edition import Cell, Edition, OverTime, StillOnline
from dashboards.labels import day, label, moment


def edition_html(edition: Edition) -> str:
    """Return the page: accessible, printable, without scripts, with nothing fetched from elsewhere."""
    environment = Environment(
        loader=PackageLoader("dashboards.feeds"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(label=label, day=day, moment=moment, defang_host=defang_host)
    environment.globals.update(share=_share, chart=_chart)
    return environment.get_template("edition.html").render(edition=edition, tables=_tables(edition)) + "\n"


def _tables(edition: Edition) -> list[tuple[str, str, tuple[Cell, ...]]]:
    confirmed = edition.confirmed
    found: list[tuple[str, str, tuple[Cell, ...]]] = [
        ("New or known", "Confirmed, by whether an earlier edition had it", edition.newness),
        ("Still online", "Confirmed, by whether it was still there when last checked", edition.online),
        *(_still_online(one) for one in edition.still_online),
        ("Language", "Confirmed, by language", confirmed.language),
        ("Subject", "Confirmed, by subject; a text can have several", confirmed.subject),
        ("Technique", "Confirmed, by technique; a text can have several", confirmed.technique),
        ("Method", "Confirmed, by method where it is evident", confirmed.method),
        ("Host", "Confirmed, by host", edition.host),
        ("Decision", "Everything first seen in the period, by decision", edition.decision),
        ("Awaiting review, by language", "Flagged, and nobody has decided", edition.awaiting_review.language),
        ("Awaiting review, by subject", "Flagged, and nobody has decided", edition.awaiting_review.subject),
    ]
    return [table for table in found if table[2]]


def _still_online(one: StillOnline) -> tuple[str, str, tuple[Cell, ...]]:
    share = f"; of those checked, {100 * one.share:.0f} % are still online" if one.share is not None else ""
    caption = f"All confirmed that were first seen {one.days} days ago or earlier, when last checked{share}"
    return f"Still online after {one.days} days", caption, one.states


def _share(cell: Cell, cells: tuple[Cell, ...]) -> Markup:
    highest = max((one.texts or 0 for one in cells), default=0) or 1
    return meter((cell.texts or 0) / highest)


def _chart(series: OverTime) -> dict[str, Any]:
    first, last = series.intervals[0].start, series.intervals[-1].start
    label_text = f"Confirmed texts first seen, by {series.by}, {day(first)} to {day(last)}"
    bars = [Bar(day(interval.start), interval.texts) for interval in series.intervals]
    end = last + timedelta(days=6) if series.by == "week" else last
    return {"svg": columns(bars, label_text, height=80), "first": first, "last": end}
