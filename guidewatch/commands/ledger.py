"""`guidewatch ledger`: what became of a URL, from found to reported, or of all URLs of a host."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, output
from guidewatch.commands.crawling import Json
from guidewatch.errors import CommandFailedError, UserMistakeError

if TYPE_CHECKING:
    from storage import LedgerRow, Store

_PAGE_ID = re.compile(r"[0-9a-f]{32}")
_DEFANGED = re.compile(r"^h(xx)(ps?://)", re.IGNORECASE)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(ledger)


def ledger(
    name: Annotated[str, typer.Argument(metavar="URL|HOST|PAGE_ID", help="What to look up; defanged ones, too.")],
    data: Annotated[Path | None, typer.Option("--data", help="Data folder; else Elasticsearch.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Of a host: rows to show, the newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """Show what became of a URL: found, fetched, judged, indexed, reviewed, reported, still online, and why.

    Of a host, how many of its URLs ended in which outcome. What is not in the ledger is said, with exit status 1.
    """
    with closing(composition.existing_store(data)) as store:
        wanted = _fanged(name.strip())
        if "/" in wanted or _PAGE_ID.fullmatch(wanted):
            _show_page(store, wanted, as_json=as_json)
        else:
            _show_host(store, wanted, limit, as_json=as_json)


def _show_page(store: Store, wanted: str, *, as_json: bool) -> None:
    from dashboards.defang import defang
    from storage import LedgerQuery

    rows = store.ledger(LedgerQuery(page_id=tuple(_page_ids(wanted)))).rows
    if not rows:
        raise CommandFailedError(f"{defang(wanted)} is not in the ledger")
    for row in rows:
        checks = store.checks(row.page_id)
        if as_json:
            output.emit({"row": row, "checks": checks})
        output.table(defang(row.url), _steps(row))


def _page_ids(wanted: str) -> list[str]:
    """Return the ids of the pages that are meant; where the scheme is left out, of both."""
    from events import page_id

    if _PAGE_ID.fullmatch(wanted):
        return [wanted]
    urls = [wanted] if "://" in wanted else [f"https://{wanted}", f"http://{wanted}"]
    try:
        return [page_id(url) for url in urls]
    except ValueError as error:
        raise UserMistakeError(f"{wanted!r} is neither a URL nor a host nor a page id") from error


def _steps(row: LedgerRow) -> dict[str, Any]:
    """Return the way of a URL, step by step; a step that it has not come to is a dash."""
    outcome = row.outcome.replace("_", " ") + (f": {row.reason}" if row.reason else "")
    judged = " ".join(filter(None, (_said(row.judged_at), _score(row))))
    looked = f", {row.check_state} when looked at {_said(row.checked_at)}" if row.checked_at else ""
    online = {None: "not known", True: "yes", False: "no"}[row.online]
    return {
        "outcome": outcome,
        "found": _said(row.found_at),
        "fetched": _said(row.fetched_at) + (f", status {row.status}" if row.status is not None else ""),
        "judged": judged,
        "indexed": _said(row.indexed_at),
        "reviewed": " ".join(filter(None, (_said(row.reviewed_at), (row.decision or "").replace("_", " ")))),
        "reported": _said(row.reported_at),
        "still online": online + looked,
        "page id": row.page_id,
        "crawl": row.crawl_id,
    } | ({"duplicate of": row.duplicate_of} if row.duplicate_of else {})


def _score(row: LedgerRow) -> str:
    if row.score is None:
        return ""
    look = ", worth a look" if row.worth_a_look else ""
    return f"score {row.score:.2f}{look}, {row.language or 'language not known'}, model {row.model}"


def _show_host(store: Store, wanted: str, limit: int, *, as_json: bool) -> None:
    from dashboards.defang import defang, defang_host
    from events import OUTCOMES, host_key
    from storage import LedgerQuery

    try:
        hosts = tuple(dict.fromkeys(host_key(f"{scheme}://{wanted}") for scheme in ("http", "https")))
    except ValueError as error:
        raise UserMistakeError(f"{wanted!r} is neither a URL nor a host nor a page id") from error
    page = store.ledger(LedgerQuery(host=hosts, limit=limit))
    if not page.total:
        raise CommandFailedError(f"{defang_host(wanted)} is not in the ledger")
    counts = {name: store.ledger(LedgerQuery(host=hosts, outcome=(name,), limit=1)).total for name in OUTCOMES}
    if as_json:
        output.emit({"host": hosts[0], "outcomes": counts, "total": page.total, "rows": page.rows})
    shown = {name.replace("_", " "): count for name, count in counts.items() if count}
    output.table(defang_host(hosts[0]), shown | {"URLs": page.total})
    lines = [
        [defang(row.url), row.outcome.replace("_", " "), row.reason, _said(row.fetched_at or row.found_at)]
        for row in page.rows
    ]
    output.rows("The newest", ["page", "outcome", "reason", "fetched or found"], lines)


def _said(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at is not None else "-"


def _fanged(text: str) -> str:
    """Return an address as it was before `dashboards.defang`."""
    return _DEFANGED.sub(r"htt\2", text).replace("[.]", ".").replace("[:]", ":")
