"""`guidewatch status`: what is there, whether it adds up, and whether everything is up."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, output
from guidewatch.errors import CommandFailedError

if TYPE_CHECKING:
    from guidewatch.distributed_status import FlowStatus
    from storage import Store


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(status)


def status(
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else Kafka and Elasticsearch.")] = None,
    uncounted_ok: Annotated[
        bool,
        typer.Option("--uncounted-ok", help="Offsets that were set by hand, or expired, count as read."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as one JSON object.")] = False,
) -> None:
    """Show where every URL is that was found, how the stages come on, and the health of the store.

    Exit status 1 where it does not add up, or something is down; what it is, is said in a line each.
    """
    from guidewatch import settings

    kept_days = settings.load(settings.RetentionSettings).ledger_days
    with closing(composition.existing_store(data)) as store:
        shown, problems = _store(store)
        if data is not None:
            from guidewatch.embedded_status import folder_status

            found = folder_status(data, store, datetime.now(UTC) - timedelta(days=kept_days) if kept_days else None)
            problems += found.pop("problems")
            shown |= found
        else:
            from guidewatch.distributed_status import flow_status

            rows = sum(shown["ledger"].values()) if "ledger" in shown else None
            flow = flow_status(
                composition.kafka_options(),
                composition.topics(),
                lambda: _rows(store, rows),
                uncounted_ok=uncounted_ok,
                ledger_days=kept_days,
            )
            problems += flow.problems
            shown |= {"flow": flow}
    if as_json:
        output.emit(shown | {"problems": problems})
    _print(shown)
    for problem in problems:
        output.say(f"Problem: {problem}")
    if problems:
        raise CommandFailedError(
            f"not all is well: {problems[0]}" + (f", and {len(problems) - 1} more" * (len(problems) > 1))
        )


def _store(store: Store) -> tuple[dict[str, Any], list[str]]:
    """Return what the store says, and what is wrong with it."""
    from storage import ItemQuery, LedgerQuery, StoreRejectedError, StoreUnavailableError

    shown: dict[str, Any] = {"model": {"configured": _configured_model()}}
    try:
        shown["health"] = store.health()
        shown["ledger"] = store.ledger_counts()
        shown["decisions"] = {bucket.value: bucket.count for bucket in store.counts("decision", ItemQuery())}
        shown["checks"] = store.check_counts()
        shown["languages"] = {bucket.value: bucket.count for bucket in store.counts("language", ItemQuery())}
        judged = store.ledger(LedgerQuery(outcome=("flagged", "not_flagged"), limit=1)).rows
        shown["model"]["judged_last"] = judged[0].model if judged else None
    except (StoreUnavailableError, StoreRejectedError) as error:
        return shown, [str(error)]
    return shown, ["the index is red: some of it cannot be read or written"] * shown["health"].startswith("red")


def _rows(store: Store, before: int | None) -> int | None:
    """Return the rows of the ledger now; None where the store has not answered before."""
    from storage import StoreRejectedError, StoreUnavailableError

    if before is None:
        return None
    try:
        return sum(store.ledger_counts().values())
    except (StoreUnavailableError, StoreRejectedError):
        return None


def _configured_model() -> str | None:
    """Return the version in the model folder, without loading the model."""
    from importlib.util import find_spec

    from guidewatch import settings

    folder = settings.load(settings.ClassifierSettings).model
    found = find_spec("classifier")
    if folder is None and found is not None and found.origin is not None:
        folder = Path(found.origin).with_name("shipped")
    try:
        return str(json.loads(((folder or Path()) / "meta.json").read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return None


def _print(shown: dict[str, Any]) -> None:
    ledger = shown.get("ledger")
    rows = {"health": shown.get("health", "not known"), "model": _model(shown["model"])}
    output.table("Store", rows | ({"URLs in the ledger": sum(ledger.values())} if ledger is not None else {}))
    if ledger is not None:
        output.table("URLs by outcome", _named(ledger))
        output.table("Items by decision", shown["decisions"])
        output.table("Items by language", shown["languages"])
        if any(shown["checks"].values()):
            output.table("Pages looked at again, by what was found last", shown["checks"])
    if "flow" in shown:
        _print_flow(shown["flow"])
    if (balance := shown.get("balance")) is not None:
        output.table(
            f"Crawl {balance.crawl_id}",
            {
                "found": balance.found,
                **_named(balance.outcomes),
                "in flight": balance.in_flight,
                "missing": balance.missing,
            },
        )
    if "note" in shown:
        output.say(shown["note"])
    if shown.get("dead_letters"):
        output.say(f"Dead letters in the folder: {shown['dead_letters']:,}")


def _print_flow(flow: FlowStatus) -> None:
    if (balance := flow.balance) is not None:
        known = {name: balance.outcomes.get(name, 0) for name in ("flagged", "not_flagged", "duplicate", "unsupported")}
        output.table(
            "Found",
            {
                "found": balance.found,
                **_named(known | balance.outcomes),
                "dead letter": balance.dead_letter,
                "in flight": balance.in_flight,
                "adds up": "yes" if not balance.failing else "no",
            },
        )
    lines = [
        [
            one.stage,
            one.topic,
            str(one.members),
            f"{one.lag:,}" if one.waiting is None else str(one.waiting),
            "" if one.rate is None else f"{one.rate:,.1f}/s",
            f"{one.dead_letters:,}",
        ]
        for one in flow.stages
    ]
    if lines:
        output.rows("Stages", ["stage", "topic", "workers", "waiting", "rate", "dead letters"], lines)
    if flow.published_rate is not None:
        output.say(f"Spiders: {flow.published_rate:,.1f} URLs/s, {flow.open_requests:,} requests open")
    if (letters := flow.dead_letters) is not None and letters.open:
        output.say(f"Open dead letters: {letters.open:,}; `guidewatch dlq list` has them")


def _model(model: dict[str, Any]) -> str:
    last, configured = model.get("judged_last"), model["configured"]
    said = configured or "not known"
    return said if last in (None, configured) else f"{said}; judged last with {last}"


def _named(counts: dict[str, int]) -> dict[str, int]:
    return {name.replace("_", " "): count for name, count in counts.items()}
