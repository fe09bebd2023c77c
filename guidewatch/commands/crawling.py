"""`guidewatch run` (embedded) and `guidewatch crawl` (distributed)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, data_folder, output
from guidewatch.errors import CommandFailedError

if TYPE_CHECKING:
    from crawlers.plan import CrawlPlan
    from crawlers.progress import CrawlProgress, CrawlSummary
    from events import PageJudged
    from guidewatch.embedded import EmbeddedSink, Judge
    from storage import Store

log = logging.getLogger(__name__)

_CLOSING_S = 0.5
"""How long a stopped run waits for what is being judged; the crawl itself may have taken most of the five seconds."""

Seeds = Annotated[
    list[str], typer.Argument(help="A file with one URL a line (# comments), or URLs.", show_default=False)
]
Data = Annotated[Path, typer.Option("--data", help="Folder for the frontier, the store, WARC files and evidence.")]
Contact = Annotated[
    str | None, typer.Option(help="E-mail or URL of a person, part of the User-Agent; public hosts need it.")
]
MaxPages = Annotated[int | None, typer.Option(min=1, help="Fetch at most so many URLs.")]
MaxDepth = Annotated[int | None, typer.Option(min=0, help="Follow links at most so far from a seed.")]
Delay = Annotated[float | None, typer.Option(min=0, help="Least seconds between two requests to a host.")]
Private = Annotated[bool, typer.Option("--allow-private", help="Allow private, loopback and link-local addresses.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for work in (run, crawl):
        app.command(work.__name__)(_with_options(work))


def run(plan: CrawlPlan, as_json: bool) -> None:
    """Crawl, judge, store and keep evidence, in one process with no server.

    A run that was stopped or killed goes on where it was when it is started again with the same --data.
    Afterwards: `guidewatch review --data DIR`, `guidewatch feed build --data DIR`.
    """
    summary, outcomes = run_embedded(plan)
    close(summary, outcomes, as_json=as_json)


def crawl(plan: CrawlPlan, as_json: bool) -> None:
    """Crawl and publish what is found to Kafka, for `work classify` and `work index` to take up.

    The frontier and the WARC files stay in --data; a crawl that was stopped goes on there.
    """
    from crawlers.publishing import KafkaSink
    from crawlers.run import run_crawl

    data_folder.check_unused(plan.data_dir)
    sink = KafkaSink(composition.kafka_options(), composition.topics())
    try:
        with output.LiveCounters() as counters:
            summary = run_crawl(plan, sink, on_progress=lambda progress: counters.show(crawl_counters(progress)))
    finally:
        sink.close()
    close(summary, {}, as_json=as_json)


def _with_options(work: Callable[[CrawlPlan, bool], None]) -> Callable[..., None]:
    """Return a command that makes its options into a plan for ``work``, and explains itself as ``work`` does."""

    def command(
        seeds: Seeds,
        data: Data = Path("data"),
        contact: Contact = None,
        max_pages: MaxPages = None,
        max_depth: MaxDepth = None,
        delay: Delay = None,
        allow_private: Private = False,
        as_json: Json = False,
    ) -> None:
        given = {"contact": contact, "max_pages": max_pages, "max_depth": max_depth, "delay_s": delay}
        said = {name: value for name, value in given.items() if value is not None}
        work(make_plan(seeds, data, said, allow_private=allow_private), as_json)

    command.__doc__ = work.__doc__
    return command


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
    from crawlers.plan import CrawlPlan
    from crawlers.seeds import read_seeds
    from events import new_id
    from guidewatch import settings

    urls = [url for seed in seeds for url in (read_seeds(Path(seed)) if "://" not in seed else (seed,))]
    return CrawlPlan(
        seeds=tuple(dict.fromkeys(urls)),
        crawl_id=new_id(),
        data_dir=data_folder.opened(data),
        allow_private=frozenset("*") if allow_private else frozenset(),
        **{**settings.load(settings.CrawlSettings).model_dump(), **said},
    )


def run_embedded(plan: CrawlPlan, model: Path | None = None) -> tuple[CrawlSummary, Mapping[str, int]]:
    """Run a whole embedded crawl; return its summary, and the ledger's counts of its outcomes."""
    from crawlers.run import run_crawl

    data_folder.check_unused(plan.data_dir)
    loaded = composition.classifier(model)
    store = composition.sqlite_store(plan.data_dir)
    sink = embedded_sink(composition.judge(loaded), store, plan.data_dir)
    try:
        with output.LiveCounters() as counters:
            summary = run_crawl(
                plan, sink, on_progress=lambda progress: counters.show(crawl_counters(progress, sink.outcomes))
            )
        sink.close(None if summary.finished else _CLOSING_S)
        return summary, store.ledger_counts(summary.crawl_id)
    finally:
        sink.close(0)
        store.close()


def embedded_sink(judge: Judge, store: Store, data: Path) -> EmbeddedSink:
    """Return the sink that judges, stores and keeps evidence in ``data``."""
    from consumers.vault import EvidenceMissingError, EvidenceRefusedError, Vault
    from guidewatch import settings
    from guidewatch.embedded import EmbeddedSink

    vault = Vault(data / "vault", data / "warc")

    def keep(page: PageJudged) -> None:
        if page.evidence is None:
            return
        try:
            vault.keep(page.evidence, page_id=page.page_id, url=page.url, at=datetime.now(UTC))
        except (EvidenceMissingError, EvidenceRefusedError, OSError) as error:
            log.warning("evidence not kept page_id=%s warc=%s: %s", page.page_id, page.evidence.warc, error)

    return EmbeddedSink(
        judge,
        store,
        dead_letters=data / data_folder.DEAD_LETTERS_FILE,
        keep_evidence=keep,
        batch_pages=settings.load(settings.ClassifierSettings).batch_pages,
    )


def crawl_counters(progress: CrawlProgress, outcomes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return what is shown of a running crawl."""
    shown: dict[str, Any] = {"pages": progress.pages, "pages/s": f"{progress.rate:.1f}"}
    if outcomes is not None:
        shown["flagged"] = outcomes.get("flagged", 0)
    return {**shown, "queued": progress.queued, "under way": progress.in_flight, "s": f"{progress.elapsed_s:.0f}"}


def close(summary: CrawlSummary, outcomes: Mapping[str, int], *, as_json: bool) -> None:
    """Print how a crawl ended."""
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
        "left in the queue": summary.left_queued,
    }
    output.table(f"Crawl {summary.crawl_id[:8]}" + (" (taken up again)" if summary.resumed else ""), rows)
    for reason, count in sorted(summary.reasons.items(), key=lambda pair: -pair[1])[:12]:
        output.say(f"  {count:>6,}  {reason}")
    if not summary.finished:
        output.say("Start it again with the same --data to go on.")
    failed = summary.outcomes.get("failed", 0)
    if summary.finished and failed and not summary.pages:
        reasons = ", ".join(reason for reason in summary.reasons if reason.startswith("failed"))
        raise CommandFailedError(f"no page could be fetched: {reasons}")
