"""`guidewatch recheck`: whether the items are still online."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, data_folder, output
from guidewatch.commands.crawling import (
    Contact,
    Delay,
    Json,
    Private,
    crawl_counters,
    embedded_sink,
    plan_of,
)
from guidewatch.errors import CommandFailedError, UserMistakeError

if TYPE_CHECKING:
    from crawlers.progress import CrawlSummary
    from crawlers.sink import PageSink
    from guidewatch.rechecking import RecheckSink
    from storage import Item, Store

_AGE = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(recheck)


def recheck(
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else Elasticsearch.")] = None,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="Items not looked at for so long: 30m, 6h, 7d, 2w; 0d.")
    ] = "7d",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many, the longest unseen first.")] = None,
    work: Annotated[
        Path, typer.Option("--work", help="Without --data: folder for the frontier, WARC files and evidence.")
    ] = Path("data"),
    contact: Contact = None,
    delay: Delay = None,
    allow_private: Private = False,
    as_json: Json = False,
) -> None:
    """Look at the items again: online, changed, gone, unreachable or refused; each keeps a history.

    Gone is a page that answers 404, 410 or 451, whose host's name does not resolve any more, or whose host is parked. A
    time-out or an error of the server is unreachable, which is not gone yet. A changed page is judged anew.
    """
    from guidewatch.rechecking import due_items

    before = datetime.now(UTC) - age(older_than)
    with closing(composition.existing_store(data, to_write="recheck notes there what it finds")) as store:
        items = due_items(store, before, limit)
        if not items:
            finish(store, None, None, as_json=as_json)
            return
        given = {"contact": contact, "delay_s": delay}
        said = {name: value for name, value in given.items() if value is not None}
        summary, sink = look_again(items, store, data, work=work, said=said | {"allow_private_too": allow_private})
        finish(store, summary, sink, as_json=as_json)


def look_again(
    items: Sequence[Item], store: Store, data: Path | None, *, work: Path, said: dict[str, Any]
) -> tuple[CrawlSummary, RecheckSink]:
    """Crawl the URLs of the items, and nothing else; return how that ended."""
    from crawlers.run import run_crawl
    from guidewatch.rechecking import RecheckSink

    allow_private = said.pop("allow_private_too")
    folder = data_folder.opened(data if data is not None else work)
    limits = {"max_depth": 0, "max_pages": len(items), "max_pages_per_host": len(items)}
    kind = {"focus": "off", "frontier": "recheck"}
    plan = plan_of(
        tuple(seed_of(item.url) for item in items), folder, {**said, **limits, **kind}, allow_private=allow_private
    )
    with (
        ExitStack() as judges,
        closing(RecheckSink(store, lambda: _changed_sink(judges, store, folder))) as sink,
        output.LiveCounters() as counters,
    ):
        summary = run_crawl(
            plan, sink, on_progress=lambda progress: counters.show(crawl_counters(progress) | dict(sink.states))
        )
    return summary, sink


def seed_of(url: str) -> str:
    """Return the URL of an item as a seed may be written: links on pages may have spaces in them."""
    from yarl import URL

    return url if url.isprintable() and not any(map(str.isspace, url)) else str(URL(url))


def _changed_sink(judges: ExitStack, store: Store, folder: Path) -> PageSink:
    """Return where changed pages are judged and stored; writing them is idempotent, also beside the workers."""
    from guidewatch.judge_process import JudgeProcess

    return embedded_sink(judges.enter_context(closing(JudgeProcess())), store, folder)


def age(text: str) -> timedelta:
    """Return an age such as ``7d``.

    Raises
    ------
    UserMistakeError
        It is none.
    """
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UserMistakeError(f"--older-than {text[:40]!r}: write 30m, 6h, 7d or 2w, or 0d for every item")
    return timedelta(**{_UNIT[found.group(2)]: int(found.group(1))})


def finish(store: Store, summary: CrawlSummary | None, sink: RecheckSink | None, *, as_json: bool) -> None:
    """Print what was found."""
    store.refresh()
    states: dict[str, int] = dict(sink.states) if sink is not None else {}
    if as_json:
        output.emit({"checked": states, "reasons": dict(sink.reasons) if sink is not None else {}, "summary": summary})
    if summary is None or sink is None:
        output.say("No item is that long unseen.")
        return
    output.table("Items looked at again", {"ended because": summary.ended_because, **states})
    for reason, count in sink.reasons.most_common(12):
        output.say(f"  {count:>6,}  {reason}")
    if not summary.finished:
        if summary.cut_off:
            raise CommandFailedError(f"recheck stopped: {summary.ended_because}")
        output.say("Start it again to go on.")
