"""`guidewatch retention`: remove what is older than it may be, from store, vault and WARC files."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, output
from guidewatch.errors import UserMistakeError

if TYPE_CHECKING:
    from storage import Retention, Store

_CLOCK = timedelta(days=1)
"""The newest document may be so far in the future."""


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(retention)


def retention(
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else Elasticsearch and the vault.")] = None,
    text_days: Annotated[
        int | None,
        typer.Option(min=0, help="Days for texts and evidence; default: GUIDEWATCH_RETENTION_TEXT_DAYS; 0 keeps."),
    ] = None,
    ledger_days: Annotated[
        int | None,
        typer.Option(min=0, help="Days for rows of the ledger; default: GUIDEWATCH_RETENTION_LEDGER_DAYS; 0 keeps."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Go on also if even the newest would go; the clock is right.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Remove texts, evidence and rows of the ledger that are too old. Run it daily; it goes on where it was stopped.

    A text is as old as the last fetch that found it, a row as the last that was heard of its page. Decisions stay;
    train on them before their texts go.
    """
    now = datetime.now(UTC)
    ages = _ages(text_days, ledger_days)
    rule = _rule(ages, now)
    with closing(composition.existing_store(data, to_write="retention removes from it")) as store:
        store.refresh()
        _check_clock(store, rule, now, everything=everything)
        removed = store.remove_old(rule, now, dry_run=dry_run)
    result: dict[str, Any] = {
        "texts": removed.texts,
        "rows of the ledger": removed.rows,
        "months": list(removed.months),
    }
    evidence = _evidence(data, ages[0], now, dry_run=dry_run)
    if as_json:
        output.emit(result | {"evidence": evidence})
    shown = result | {"months": ", ".join(removed.months) or "none"} | evidence
    output.table("Would be removed" if dry_run else "Removed", shown)


def _ages(text_days: int | None, ledger_days: int | None) -> tuple[timedelta, timedelta]:
    from guidewatch import settings

    chosen = settings.load(settings.RetentionSettings)
    text = timedelta(days=chosen.text_days if text_days is None else text_days)
    ledger = timedelta(days=chosen.ledger_days if ledger_days is None else ledger_days)
    if not text and not ledger:
        raise UserMistakeError(
            "nothing is ever too old: set GUIDEWATCH_RETENTION_TEXT_DAYS or GUIDEWATCH_RETENTION_LEDGER_DAYS"
        )
    if ledger and (not text or ledger < text):
        raise UserMistakeError("a row takes its item along, text and all: keep rows at least as long as texts")
    return text, ledger


def _rule(ages: tuple[timedelta, timedelta], now: datetime) -> Retention:
    from storage import Retention

    text, ledger = ages
    return Retention(text_before=now - text if text else None, ledger_before=now - ledger if ledger else None)


def _check_clock(store: Store, rule: Retention, now: datetime, *, everything: bool) -> None:
    """Raise unless the clock and the store agree on what time it is, more or less."""
    newest = store.newest()
    if newest is None:
        return
    if newest > now + _CLOCK:
        raise UserMistakeError(
            f"the clock says {now:%Y-%m-%d}, and the store has heard of a page on {newest:%Y-%m-%d}: "
            "nothing was removed; set the clock, or wait until then"
        )
    before = rule.text_before or rule.ledger_before
    if before is not None and newest < before and not everything:
        raise UserMistakeError(
            f"the clock says {now:%Y-%m-%d}, and by that even the newest page, of {newest:%Y-%m-%d}, is too old: "
            "nothing was removed; if the clock is right, say --everything"
        )


def _evidence(data: Path | None, age: timedelta, now: datetime, *, dry_run: bool) -> dict[str, int]:
    """Remove WARC files and records of the vault, where this machine has them."""
    from guidewatch.commands.evidence import Purge, places

    folders = places(data)
    if not age or not (folders.warc.is_dir() or folders.vault.is_dir()):
        return {}
    result = Purge(folders, now, dry_run=dry_run).run(age, age)
    return result["warc"] | result["vault"]
