"""`guidewatch status`: what is there, and whether it adds up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from guidewatch import composition, output


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(status)


def status(
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else Elasticsearch.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as one JSON object.")] = False,
) -> None:
    """Show how many URLs ended in which outcome, how many items are open, and the health of the store."""
    from storage import ItemQuery

    store = composition.existing_store(data)
    try:
        health = store.health()
        outcomes = store.ledger_counts()
        decisions = {bucket.value: bucket.count for bucket in store.counts("decision", ItemQuery())}
        checks = store.check_counts()
        languages = {bucket.value: bucket.count for bucket in store.counts("language", ItemQuery())}
    finally:
        store.close()
    if as_json:
        output.emit(
            {"health": health, "ledger": outcomes, "decisions": decisions, "checks": checks, "languages": languages}
        )
        return
    output.table("Store", {"health": health, "URLs in the ledger": sum(outcomes.values())})
    output.table("URLs by outcome", {name.replace("_", " "): count for name, count in outcomes.items()})
    output.table("Items by decision", decisions)
    output.table("Items by language", languages)
    if any(checks.values()):
        output.table("Pages looked at again, by what was found last", checks)
