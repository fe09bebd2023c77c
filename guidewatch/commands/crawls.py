"""`guidewatch crawl`: the crawls of a distributed installation, which `work spider` processes carry out."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, output
from guidewatch.commands.crawling import Contact, Delay, Focus, Json, MaxDepth, MaxPages, Seeds, seed_urls
from guidewatch.errors import CommandFailedError, UserMistakeError
from guidewatch.stopping import stop_on_signals

if TYPE_CHECKING:
    from crawlers.distributed.client import Crawls
    from crawlers.distributed.view import CrawlsView
    from crawlers.plan import CrawlPlan
    from events import CrawlState

_FRESH = timedelta(seconds=15)
"""A partition that has said nothing for so long has no spider."""
_PATIENCE_S = 6.0
_STOPPING_S = 15.0
_REASONS = 12
_OF_A_CRAWL = (
    "contact",
    "user_agent",
    "max_pages",
    "max_pages_per_host",
    "max_depth",
    "delay_s",
    "timeout_s",
    "max_bytes",
    "focus",
)
"""Settings that go with a crawl; the others are each spider's own."""

Id = Annotated[str, typer.Argument(help="Id of the crawl, or its beginning.", show_default=False)]
crawl = typer.Typer(
    no_args_is_help=True,
    help="Start crawls on Kafka, add seeds, look at them, stop them; `work spider` processes carry them out.",
)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(crawl, name="crawl")


@crawl.command()
def start(
    seeds: Seeds,
    name: Annotated[
        str | None, typer.Option("--id", help="Id of the crawl; of one that runs, to add seeds. Default: a new one.")
    ] = None,
    follow: Annotated[bool, typer.Option(help="Stay until the crawl has ended; it goes on without you.")] = True,
    contact: Contact = None,
    max_pages: MaxPages = None,
    max_depth: MaxDepth = None,
    delay: Delay = None,
    focus: Focus = None,
    as_json: Json = False,
) -> None:
    """Start a crawl, or add seeds to one that runs, whose limits stay.

    Ctrl-C only ends the following. `crawl info` shows how it goes, `crawl stop` ends it.
    """
    given = {"contact": contact, "max_pages": max_pages, "max_depth": max_depth, "delay_s": delay, "focus": focus}
    plan = _plan(seeds, name, {key: value for key, value in given.items() if value is not None})
    with _crawls() as crawls:
        state = crawls.start(plan, datetime.now(UTC))
        output.say(f"Crawl {state.crawl_id}: seeds added: {len(plan.seeds)}, in all: {state.requested}")
        if not follow:
            if as_json:
                output.emit(_shown(state, crawls.view))
            return
        ended = _follow(crawls, state.crawl_id)
        if ended is None:
            output.say(
                f"It goes on: `guidewatch crawl info {state.crawl_id}`, `guidewatch crawl stop {state.crawl_id}`."
            )
            return
        _print(ended, crawls.view, as_json=as_json)
        if ended.outcomes.get("failed") and not ended.outcomes.get("page"):
            failed = ", ".join(reason for reason in ended.reasons if reason.startswith("failed"))
            raise CommandFailedError(f"no page could be fetched: {failed}")


@crawl.command()
def info(
    name: Annotated[str | None, typer.Argument(help="Id of a crawl, or its beginning; none: all.")] = None,
    as_json: Json = False,
) -> None:
    """Show how crawls go: pages, outcomes, what is open, hosts, rate, spiders."""
    with _crawls() as crawls:
        if name is not None:
            _print(crawls.named(name), crawls.view, as_json=as_json)
            return
        states = sorted(crawls.view.crawls.values(), key=lambda state: state.started_at)
        shown = [_shown(state, crawls.view) for state in states]
        if as_json:
            output.emit({"crawls": shown, "spiders": _spiders(crawls.view)})
            return
        rows = {
            one["id"]: f"{one['phase']} · {one['outcomes'].get('page', 0):,} pages · {one['open']:,} open"
            for one in shown
        }
        output.table("Crawls", rows or {"none": "start one with `guidewatch crawl start`"})
        output.say(f"Spiders at work: {', '.join(_spiders(crawls.view)) or 'none'}")


@crawl.command()
def stop(name: Id, as_json: Json = False) -> None:
    """End a crawl: nothing more of it is fetched, and what is open ends as refused, `stopped`."""
    with _crawls() as crawls:
        state = crawls.stop(crawls.named(name), datetime.now(UTC))
        ended = _follow(crawls, state.crawl_id, _STOPPING_S)
        if ended is None:
            raise CommandFailedError(
                f"crawl {state.crawl_id} is told to stop; it has ended when `guidewatch crawl info` says so"
            )
        _print(ended, crawls.view, as_json=as_json)


def _crawls() -> Crawls:
    from crawlers.distributed.client import Crawls

    return Crawls(composition.kafka_options(), composition.topics())


def _plan(seeds: list[str], name: str | None, said: dict[str, Any]) -> CrawlPlan:
    from crawlers.plan import CrawlPlan
    from events import new_id
    from events.crawls import CRAWL_ID
    from guidewatch import settings

    if name is not None and not re.match(CRAWL_ID, name):
        raise UserMistakeError(f"--id takes up to 64 letters, digits, dots, dashes and underscores, not {name!r}")
    chosen = settings.load(settings.CrawlSettings)
    limits = {key: getattr(chosen, key) for key in _OF_A_CRAWL} | said
    return CrawlPlan(seeds=seed_urls(seeds), crawl_id=name or new_id()[:12], data_dir=Path(), **limits)


def _follow(crawls: Crawls, crawl_id: str, most_s: float | None = None) -> CrawlState | None:
    """Show how a crawl goes until it has ended, and return its last state; None where that was not waited for."""
    began = time.monotonic()
    warned = False
    with stop_on_signals() as leave, output.LiveCounters() as counters:
        while not leave.is_set() and (most_s is None or time.monotonic() - began < most_s):
            crawls.refresh()
            if crawls.view.over(crawl_id):
                return crawls.view.crawls[crawl_id]
            spiders = _spiders(crawls.view)
            if not spiders and not warned and time.monotonic() - began > _PATIENCE_S:
                warned = True
                output.say("No spider is at work: start one with `guidewatch work spider`.")
            totals = crawls.view.totals(crawl_id)
            counters.show(
                {
                    "pages": totals.outcomes.get("page", 0),
                    "pages/s": f"{totals.rate:.1f}",
                    "open": totals.open,
                    "hosts": totals.hosts,
                    "spiders": len(spiders),
                    "s": f"{time.monotonic() - began:.0f}",
                }
            )
    return None


def _spiders(view: CrawlsView) -> list[str]:
    """Return the spiders that have said something lately."""
    now = datetime.now(UTC)
    return sorted({progress.spider for progress in view.progress.values() if now - progress.at < _FRESH})


def _shown(state: CrawlState, view: CrawlsView) -> dict[str, Any]:
    totals = view.totals(state.crawl_id)
    return {
        "id": state.crawl_id,
        "phase": state.phase,
        "because": state.because,
        "started_at": state.started_at,
        "ended_at": state.ended_at,
        "seeds": state.requested,
        "outcomes": dict(totals.outcomes),
        "reasons": dict(totals.reasons),
        "open": totals.open,
        "hosts": totals.hosts,
        "rate": round(totals.rate, 1),
        "max_pages": state.max_pages,
        "spiders": _spiders(view) if state.phase != "ended" else [],
    }


def _print(state: CrawlState, view: CrawlsView, *, as_json: bool) -> None:
    shown = _shown(state, view)
    if as_json:
        output.emit(shown)
    lasted = (state.ended_at or datetime.now(UTC)) - state.started_at
    ended = state.phase == "ended"
    rows: dict[str, Any] = {
        "ended because" if ended else state.phase: state.because or "at work",
        "seconds": f"{lasted.total_seconds():.0f}",
        "seeds": state.requested,
        "hosts": shown["hosts"],
        **{("pages" if key == "page" else key.replace("_", " ")): count for key, count in shown["outcomes"].items()},
    }
    if not ended:
        rows |= {
            "open": shown["open"],
            "URLs per second": shown["rate"],
            "spiders": ", ".join(shown["spiders"]) or "none",
        }
    output.table(f"Crawl {state.crawl_id}", rows)
    for reason, count in sorted(shown["reasons"].items(), key=lambda pair: -pair[1])[:_REASONS]:
        output.say(f"  {count:>6,}  {reason}")
