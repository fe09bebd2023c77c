"""`guidewatch watch`: crawl the sources of a file on their schedules; and `guidewatch run` with such a file."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, data_folder, output
from guidewatch.commands.crawling import (
    CLOSING_S,
    Contact,
    Data,
    Delay,
    MaxDepth,
    MaxPages,
    Private,
    close,
    embedded_process,
    embedded_sink,
    plan_of,
    seen,
)
from guidewatch.embedded_view import EmbeddedView
from guidewatch.metrics.serving import shown
from guidewatch.stopping import stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crawlers.plan import CrawlPlan
    from crawlers.progress import CrawlSummary
    from crawlers.sources import RunBook, WatchedSource
    from guidewatch.embedded import EmbeddedSink

Sources = Annotated[Path, typer.Argument(help="A sources.toml.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(watch)


def watch(
    sources: Sources,
    data: Data = Path("data"),
    contact: Contact = None,
    max_pages: MaxPages = None,
    max_depth: MaxDepth = None,
    delay: Delay = None,
    allow_private: Private = False,
    once: Annotated[bool, typer.Option("--once", help="Crawl what is due now, and end.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="Show the sources and when each is due, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list or --once: one JSON object a line.")] = False,
) -> None:
    """Crawl each source of a sources.toml when it is due, for ever, in one process with no server.

    A source:  [[source]]  url = "https://example.org/feed.xml"  every = "6h"  (30m, 6h, 1d, 2w; default 1d).
    Further keys: kind = "page" | "sitemap" | "feed" (default: told from the answer), max_depth, max_pages,
    focus = "off" | "soft" | "hard", label, paused = true. The file is read again while the watch runs.

    Pages that earlier crawls have seen are left until they are due themselves: sooner where they change, later where
    they do not. SIGTERM and Ctrl-C end the watch within seconds; started again, it goes on where it was.
    """
    from crawlers.sources import RunBook, read_sources
    from guidewatch.watching import RUNS_FILE, Watch, only_one

    found = read_sources(sources)
    if list_only:
        show(found, RunBook(data / RUNS_FILE), as_json=as_json)
        return
    given = {"contact": contact, "max_pages": max_pages, "max_depth": max_depth, "delay_s": delay}
    said = {name: value for name, value in given.items() if value is not None} | {"due_only": True}
    folder = data_folder.opened(data)

    def load() -> Sequence[WatchedSource]:
        again = read_sources(sources)
        for source in again:
            source_plan(source, "check", folder, said, allow_private=allow_private)
        return again

    with only_one(folder), stop_on_signals() as stop, embedded(folder, stop) as crawl:
        made = Watch(
            load,
            RunBook(folder / RUNS_FILE),
            lambda source, name: crawl(source_plan(source, name, folder, said, allow_private=allow_private)),
            clock=lambda: datetime.now(UTC),
            wait=stop.wait,
            say=lambda line: output.say(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z {line}"),
        )
        if once:
            report(made.once(), as_json=as_json)
        else:
            made.forever()
            output.say("The watch has ended; start it again with the same --data to go on.")


def run_sources(path: Path, data: Path, said: Mapping[str, Any], *, allow_private: bool, as_json: bool) -> None:
    """Crawl every source of a file that is not paused, now, each within its own limits."""
    from crawlers.sources import RunBook, in_order, read_sources
    from guidewatch.watching import RUNS_FILE, Watch, only_one

    folder = data_folder.opened(data)
    found = read_sources(path)
    plans = {one.key: source_plan(one, "check", folder, said, allow_private=allow_private) for one in found}
    with only_one(folder), stop_on_signals() as stop, embedded(folder, stop) as crawl:
        book = RunBook(folder / RUNS_FILE)
        made = Watch(
            lambda: found,
            book,
            lambda source, name: crawl(_named(plans[source.key], name)),
            clock=lambda: datetime.now(UTC),
            wait=stop.wait,
            say=output.say,
        )
        report(made.all_of([source for _, source in in_order(found, book.runs)]), as_json=as_json)


def source_plan(
    source: WatchedSource, crawl_id: str, folder: Path, said: Mapping[str, Any], *, allow_private: bool
) -> CrawlPlan:
    """Return the plan of a crawl of one source; what the source says outweighs the command line."""
    is_source = source.kind in ("sitemap", "feed")
    fields = {**said, **source.limits(), "source_seeds": frozenset([source.url] if is_source else [])}
    return _named(plan_of((source.url,), folder, fields, allow_private=allow_private), crawl_id)


def _named(plan: CrawlPlan, crawl_id: str) -> CrawlPlan:
    from dataclasses import replace

    return replace(plan, crawl_id=crawl_id)


@contextmanager
def embedded(data: Path, stop: threading.Event) -> Iterator[Callable[[CrawlPlan], CrawlSummary]]:
    """Yield what carries out one plan after another; the model is loaded for the first, and stays."""
    from crawlers.options import RunOptions
    from crawlers.run import run_crawl
    from guidewatch.judge_process import JudgeProcess

    with ExitStack() as stack:
        sinks: list[EmbeddedSink] = []
        view = EmbeddedView()
        stack.enter_context(shown(lambda: embedded_process(view)))

        def crawl(plan: CrawlPlan) -> CrawlSummary:
            if not sinks:
                store = stack.enter_context(closing(composition.sqlite_store(data)))
                judge = stack.enter_context(closing(JudgeProcess()))
                sinks.append(embedded_sink(judge, store, data))
                stack.callback(lambda: sinks[0].close(CLOSING_S))
            with output.LiveCounters() as counters, view.crawling(sinks[0]):
                options = RunOptions(
                    on_progress=lambda progress: seen(progress, view, counters), stop=stop, handle_signals=False
                )
                summary = run_crawl(plan, sinks[0], options=options)
            if summary.finished:
                sinks[0].flush()
            return summary

        yield crawl


def report(summaries: Sequence[CrawlSummary], *, as_json: bool) -> None:
    """Print how each crawl ended."""
    for summary in summaries:
        close(summary, {}, as_json=as_json, failing=False)
    if not summaries:
        output.say("Nothing is due.")


def show(sources: Sequence[WatchedSource], book: RunBook, *, as_json: bool) -> None:
    """Print each source, its last crawl and when it is due, to standard output."""
    from crawlers.sources import due_at

    now = datetime.now(UTC)
    for source in sources:
        run, at = book.runs.get(source.key), due_at(source, book.runs.get(source.key))
        due = "paused" if at is None else "now" if at <= now else f"{at:%Y-%m-%d %H:%M} UTC"
        if as_json:
            output.emit(
                {
                    "url": source.url,
                    "label": source.label,
                    "every_s": source.every.total_seconds(),
                    "paused": source.paused,
                    "due_at": max(at, now) if at is not None else None,
                    "last": run,
                }
            )
            continue
        last = f"last {run.started_at:%Y-%m-%d %H:%M} UTC, {run.pages} pages" if run is not None else "never crawled"
        typer.echo(
            output.whole(f"{due:<22} {source.name}  ({last}{'' if run is None or run.finished else ', cut off'})")
        )
