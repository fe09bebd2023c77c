"""`guidewatch demo`: the main job on the bundled sample web."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, data_folder, output
from guidewatch.commands import crawling, people
from guidewatch.errors import CommandFailedError

if TYPE_CHECKING:
    from crawlers.plan import CrawlPlan
    from guidewatch.demo import SampleWeb
    from storage import Store

LEAST_RECALL = 0.90
MOST_FALSE_POSITIVES = 0.05


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(demo)


def demo(
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Leave the review app running at the end.")] = True,
    data: Annotated[Path | None, typer.Option("--data", help="Folder to keep; default: a new temporary one.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the review app; 0 for a free one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Run the main job on the bundled sample web: crawl, judge, store, keep evidence, report, open the review app."""
    from guidewatch.demo import sample_web

    folder = data_folder.opened(data or Path(tempfile.mkdtemp(prefix="guidewatch-demo-")))
    with sample_web() as web:
        output.say(
            f"The sample web is served at {web.origins['portal']} and {len(web.origins) - 1} more loopback origins."
        )
        summary, outcomes = crawling.run_embedded(demo_plan(web, folder))
        crawling.close(summary, outcomes, as_json=False)
        store = composition.sqlite_store(folder)
        try:
            result = compare(web, store)
            edition = people.write_feed(store, folder / "feeds", restricted=True)
        finally:
            store.close()
    _report(result, folder, edition, as_json=as_json)
    kept = result["recall"] >= LEAST_RECALL and result["false_positive_rate"] <= MOST_FALSE_POSITIVES
    if not kept or result["forbidden_fetched"]:
        raise CommandFailedError("the demo did not reach what it promises; see the table above")
    if serve:
        people.serve(folder, port=port)


def demo_plan(web: SampleWeb, folder: Path) -> CrawlPlan:
    """Return the plan for the sample web: only its own hosts are exempt from the address guard."""
    from crawlers.plan import CrawlPlan
    from events import new_id

    return CrawlPlan(
        seeds=(f"{web.origins['portal']}/",),
        crawl_id=new_id(),
        data_dir=folder,
        contact="demo@localhost.invalid",
        max_pages=2_000,
        max_depth=8,
        delay_s=0.0,
        concurrency_per_host=4,
        allow_private=web.hosts,
    )


def compare(web: SampleWeb, store: Store) -> dict[str, Any]:
    """Return how the ledger agrees with the truth: rates, and what was missed, flagged wrongly or never reached.

    An exact copy of a flagged page counts as found: the ledger leads from it to the item.
    """
    from guidewatch.demo import truth
    from storage import LedgerQuery

    rows = [(place, row) for row in store.ledger(LedgerQuery(limit=10_000)).rows if (place := web.locate(row.url))]
    items = {row.page_id for _, row in rows if row.outcome == "flagged"}
    flagged = {place for place, row in rows if row.page_id in items}
    copies = {place for place, row in rows if row.duplicate_of in items and row.reason != "redirect"}
    pages = {(page.site, page.path): page for page in truth()}
    positives = {place for place, page in pages.items() if page.label == "positive"}
    negatives = {place for place, page in pages.items() if page.label in ("negative", "unsupported")}
    forbidden = {place for place, page in pages.items() if page.label == "forbidden"}
    found = positives & (flagged | copies)
    return {
        "recall": round(len(found) / len(positives), 4),
        "false_positive_rate": round(len(negatives & flagged) / len(negatives), 4),
        "positives": len(positives),
        "negatives": len(negatives),
        "found_by_language": dict(Counter(pages[place].language for place in found)),
        "missed": _names(positives - found),
        "flagged_wrongly": _names(negatives & flagged),
        "not_reached": _names((positives | negatives) - {place for place, _ in rows}),
        "forbidden_fetched": _names(set(web.requests) & forbidden),
    }


def _names(places: set[tuple[str, str]]) -> list[str]:
    return sorted(site + path for site, path in places)


def _report(result: dict[str, Any], folder: Path, edition: Path, *, as_json: bool) -> None:
    if as_json:
        output.emit({**result, "data": str(folder), "edition": str(edition)})
    output.table(
        "Against the truth file",
        {
            "positives flagged": f"{result['recall']:.1%} of {result['positives']}",
            "negatives flagged": f"{result['false_positive_rate']:.1%} of {result['negatives']}",
            "forbidden pages fetched": len(result["forbidden_fetched"]),
        },
    )
    for name in ("missed", "flagged_wrongly", "not_reached", "forbidden_fetched"):
        if result[name]:
            output.say(f"  {name.replace('_', ' ')}: {', '.join(result[name])}")
    output.say(f"Data: {folder}")
    output.say(f"Feed edition: {edition}")
