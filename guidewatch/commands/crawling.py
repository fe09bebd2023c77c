"""`guidewatch run`: an embedded crawl, and the options that crawls have in common."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from guidewatch import composition, data_folder, output
from guidewatch.embedded_view import EmbeddedView
from guidewatch.errors import CommandFailedError
from guidewatch.metrics.serving import shown

if TYPE_CHECKING:
    from crawlers.plan import CrawlPlan
    from crawlers.progress import CrawlProgress, CrawlSummary
    from events import PageJudged
    from guidewatch.embedded import EmbeddedSink, Judge
    from guidewatch.metrics.process import Process
    from storage import Store

log = logging.getLogger(__name__)

CLOSING_S = 0.5
"""How long a stopped run waits for what is being judged; the crawl itself may have taken most of the five seconds."""

Seeds = Annotated[
    list[str],
    typer.Argument(help="A file with one URL a line (# comments), a sources.toml, or URLs.", show_default=False),
]
Data = Annotated[Path, typer.Option("--data", help="Folder for the frontier, the store, WARC files and evidence.")]
Contact = Annotated[
    str | None, typer.Option(help="E-mail or URL of a person, part of the User-Agent; public hosts need it.")
]
MaxPages = Annotated[int | None, typer.Option(min=1, help="Fetch at most so many URLs.")]
MaxDepth = Annotated[int | None, typer.Option(min=0, help="Follow links at most so far from a seed.")]
Delay = Annotated[float | None, typer.Option(min=0, help="Least seconds between two requests to a host.")]
Focus = Annotated[
    Literal["off", "soft", "hard"] | None,
    typer.Option(
        help="Learn from the verdicts which links lead on. soft: take those first; hard: refuse the others; "
        "off: breadth first.",
        show_default="soft",
    ),
]
OffLimits = Annotated[
    Path | None,
    typer.Option(help="A file of hosts and URL patterns (with *) that are never asked, one a line."),
]
Private = Annotated[bool, typer.Option("--allow-private", help="Allow private, loopback and link-local addresses.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(run)


def run(
    seeds: Seeds,
    data: Data = Path("data"),
    contact: Contact = None,
    max_pages: MaxPages = None,
    max_depth: MaxDepth = None,
    delay: Delay = None,
    focus: Focus = None,
    off_limits: OffLimits = None,
    allow_private: Private = False,
    as_json: Json = False,
) -> None:
    """Crawl, judge, store and keep evidence, in one process with no server.

    A run that was stopped or killed goes on where it was when it is started again with the same --data.
    Afterwards: `guidewatch review --data DIR`, `guidewatch feed build --data DIR`.
    """
    given = {"contact": contact, "max_pages": max_pages, "max_depth": max_depth, "delay_s": delay, "focus": focus}
    said = {name: value for name, value in {**given, "off_limits": off_limits}.items() if value is not None}
    if [seed.endswith(".toml") for seed in seeds] == [True]:
        from guidewatch.commands.watching import run_sources

        run_sources(Path(seeds[0]), data, said, allow_private=allow_private, as_json=as_json)
        return
    summary, outcomes = run_embedded(make_plan(seeds, data, said, allow_private=allow_private))
    close(summary, outcomes, as_json=as_json)


def seed_urls(seeds: list[str]) -> tuple[str, ...]:
    """Return the URLs that were given, and those in the files that were; of sources, of those that are not paused."""
    from crawlers.seeds import read_seeds
    from crawlers.sources import read_sources

    urls: dict[str, None] = {}
    for seed in seeds:
        if "://" in seed:
            urls[seed] = None
        elif seed.endswith(".toml"):
            urls |= dict.fromkeys(source.url for source in read_sources(Path(seed)) if not source.paused)
        else:
            urls |= dict.fromkeys(read_seeds(Path(seed)))
    return tuple(urls)


def make_plan(seeds: list[str], data: Path, said: Mapping[str, Any], *, allow_private: bool) -> CrawlPlan:
    """Return the plan of a crawl: settings, overridden by what the command line says.

    Parameters
    ----------
    seeds
        URLs, and paths of files of them.
    data
        Data folder.
    said
        Fields of the plan that the command line gives.
    allow_private
        Whether addresses that are not public may be fetched.
    """
    return plan_of(seed_urls(seeds), data_folder.opened(data), said, allow_private=allow_private)


def plan_of(urls: tuple[str, ...], folder: Path, said: Mapping[str, Any], *, allow_private: bool) -> CrawlPlan:
    """Return the plan of a crawl from these URLs with the data in this folder; see `make_plan`."""
    from crawlers.plan import CrawlPlan
    from events import new_id
    from guidewatch import settings

    return CrawlPlan(
        seeds=urls,
        crawl_id=new_id(),
        data_dir=folder,
        allow_private=frozenset("*") if allow_private else frozenset(),
        **_with_guards({**settings.load(settings.CrawlSettings).model_dump(), **said}),
    )


def _with_guards(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``fields`` with the list that ``off_limits`` names, and with ``ports`` as numbers."""
    return {
        **fields,
        "off_limits": composition.off_limits(fields["off_limits"]),
        "ports": composition.ports(fields["ports"]),
    }


def run_embedded(plan: CrawlPlan, model: Path | None = None) -> tuple[CrawlSummary, Mapping[str, int]]:
    """Run a whole embedded crawl; return its summary, and the ledger's counts of its outcomes."""
    from crawlers.run import run_crawl
    from guidewatch.judge_process import JudgeProcess

    data_folder.check_unused(plan.data_dir)
    view = EmbeddedView()
    with (
        shown(lambda: embedded_process(view)),
        closing(composition.sqlite_store(plan.data_dir)) as store,
        closing(JudgeProcess(model)) as judge,
    ):
        sink = embedded_sink(judge, store, plan.data_dir)
        try:
            with output.LiveCounters() as counters, view.crawling(sink):
                summary = run_crawl(plan, sink, on_progress=lambda progress: seen(progress, view, counters))
            sink.close(None if summary.finished else CLOSING_S)
            return summary, store.ledger_counts(summary.crawl_id)
        finally:
            sink.close(0)


def embedded_sink(judge: Judge, store: Store, data: Path) -> EmbeddedSink:
    """Return the sink that judges, stores and keeps evidence in ``data``."""
    from consumers.vault import EvidenceMissingError, EvidenceRefusedError
    from guidewatch import settings
    from guidewatch.embedded import EmbeddedSink

    vault = composition.vault(data / "vault", data / "warc")

    def keep(page: PageJudged) -> None:
        if page.evidence is None:
            return
        try:
            vault.keep(page.evidence, page_id=page.page_id, url=page.url, at=datetime.now(UTC))
        except (EvidenceMissingError, EvidenceRefusedError, OSError) as error:
            place = {"page_id": page.page_id, "warc": page.evidence.warc}
            log.warning("evidence not kept page_id=%s warc=%s: %s", *place.values(), error, extra=place)

    return EmbeddedSink(
        judge,
        store,
        dead_letters=data / data_folder.DEAD_LETTERS_FILE,
        keep_evidence=keep,
        batch_pages=settings.load(settings.ClassifierSettings).batch_pages,
    )


def embedded_process(view: EmbeddedView) -> Process:
    """Return an embedded installation as metrics and health checks see it."""
    from guidewatch.metrics import processes

    return processes.embedded(view)


def seen(progress: CrawlProgress, view: EmbeddedView, counters: output.LiveCounters) -> None:
    """Take note of how far a crawl is, for people and for metrics."""
    view.note(progress)
    counters.show(crawl_counters(progress, view.outcomes))


def crawl_counters(progress: CrawlProgress, outcomes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return what is shown of a running crawl."""
    shown: dict[str, Any] = {"pages": progress.pages, "pages/s": f"{progress.rate:.1f}"}
    if outcomes is not None:
        shown["flagged"] = outcomes.get("flagged", 0)
    return {**shown, "queued": progress.queued, "under way": progress.in_flight, "s": f"{progress.elapsed_s:.0f}"}


def close(summary: CrawlSummary, outcomes: Mapping[str, int], *, as_json: bool, failing: bool = True) -> None:
    """Print how a crawl ended; ``failing``: one that could fetch no page is a failure of the command.

    Raises
    ------
    CommandFailedError
        It is one, or pages or their evidence could not be kept.
    """
    from crawlers.progress import PAGES

    counts = outcomes or summary.outcomes
    if as_json:
        output.emit({"summary": summary, "outcomes": counts})
    rows: dict[str, Any] = {
        "ended because": summary.ended_because,
        "seconds": f"{summary.elapsed_s:.1f}",
        "URLs per second": f"{summary.rate:.1f}",
        "hosts": summary.hosts,
        **{("pages" if name == PAGES else name.replace("_", " ")): count for name, count in counts.items() if count},
        **({"harvest": f"{summary.harvest:.0%}"} if summary.harvest is not None else {}),
        "left in the queue": summary.left_queued,
        **({"not asked again": summary.not_due} if summary.not_due else {}),
    }
    output.table(f"Crawl {summary.crawl_id[:8]}" + (" (taken up again)" if summary.resumed else ""), rows)
    for reason, count in sorted(summary.reasons.items(), key=lambda pair: -pair[1])[:12]:
        output.say(f"  {count:>6,}  {reason}")
    if not summary.finished:
        output.say("Start it again with the same --data to go on.")
    if summary.cut_off:
        raise CommandFailedError(f"the crawl was cut off: {summary.ended_because}")
    failed = summary.outcomes.get("failed", 0)
    if failing and summary.finished and failed and not summary.pages and not summary.outcomes.get("duplicate", 0):
        reasons = ", ".join(reason for reason in summary.reasons if reason.startswith("failed"))
        raise CommandFailedError(f"no page could be fetched: {reasons}")
