"""Rows of the tables from the values of the port, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from events import LabelRecorded
from events.messages import Evidence, Verdict
from storage.likely import likely
from storage.merge import LedgerState, decision_record, ordered
from storage.values import Item, LedgerRow

_ROW_FIELDS = LedgerRow.__struct_fields__
LEDGER_COLUMNS = (
    *_ROW_FIELDS,
    "version_fetched_at",
    "version_at",
    "judged_version_fetched_at",
    "judged_version_at",
    "judged_flagged",
)
_ITEM_FIELDS = tuple(name for name in Item.__struct_fields__ if name not in ("decisions", "reported_in"))
ITEM_COLUMNS = (*_ITEM_FIELDS, "score", "language", "context", "model")
_label = msgspec.json.Decoder(LabelRecorded)
_verdict = msgspec.json.Decoder(Verdict)
_evidence = msgspec.json.Decoder(Evidence)


def stamp(time: datetime) -> str:
    """Return ``time`` in UTC with microseconds, so that the order of the text is that of the times."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat("T", "microseconds") + "Z"


def _cell(value: Any) -> Any:
    return stamp(value) if isinstance(value, datetime) else value


def _values(cells: sqlite3.Row, names: Iterable[str]) -> dict[str, Any]:
    found = {name: cells[name] for name in names}
    return {name: _time(cell) if name.endswith(("_at", "_since")) else cell for name, cell in found.items()}


def _time(cell: str | None) -> datetime | None:
    return datetime.fromisoformat(cell) if cell else None


def ledger_cells(state: LedgerState) -> list[Any]:
    """Return the cells of `LEDGER_COLUMNS`."""
    row = [getattr(state.row, name) for name in _ROW_FIELDS]
    return [_cell(v) for v in (*row, *state.version, *(state.judged_version or (None, None)), state.judged_flagged)]


def ledger_row(cells: sqlite3.Row) -> LedgerRow:
    """Return the row that people see."""
    values = _values(cells, _ROW_FIELDS)
    values["online"] = None if cells["online"] is None else bool(cells["online"])
    values["worth_a_look"] = bool(cells["worth_a_look"])
    return LedgerRow(**values)


def ledger_state(cells: sqlite3.Row, reported_in: tuple[str, ...]) -> LedgerState:
    """Return the row with what the store keeps beside it."""
    judged_fetched_at, judged_at = _time(cells["judged_version_fetched_at"]), _time(cells["judged_version_at"])
    return LedgerState(
        row=ledger_row(cells),
        version=(datetime.fromisoformat(cells["version_fetched_at"]), datetime.fromisoformat(cells["version_at"])),
        judged_version=(judged_fetched_at, judged_at) if judged_fetched_at and judged_at else None,
        judged_flagged=bool(cells["judged_flagged"]),
        reported_in=reported_in,
    )


def item_cells(item: Item) -> list[Any]:
    """Return the cells of `ITEM_COLUMNS`."""
    verdict = item.verdict
    special = {
        "score": verdict.score,
        "language": verdict.language,
        "context": verdict.context,
        "model": verdict.model,
        "verdict": msgspec.json.encode(verdict).decode(),
        "evidence": msgspec.json.encode(item.evidence).decode() if item.evidence else None,
    }
    return [_cell(special[name] if name in special else getattr(item, name)) for name in ITEM_COLUMNS]


def item_values(item: Item) -> list[tuple[str, str]]:
    """Return (field, value) of every subject, technique and method that is likely."""
    return [(field, value) for field, values in likely(item.verdict).items() for value in values]


def item(cells: sqlite3.Row, labels: tuple[LabelRecorded, ...], reported_in: tuple[str, ...]) -> Item:
    """Return the item with its history."""
    values = _values(cells, _ITEM_FIELDS)
    values |= {
        "text_truncated": bool(cells["text_truncated"]),
        "verdict": _verdict.decode(cells["verdict"]),
        "evidence": _evidence.decode(cells["evidence"]) if cells["evidence"] else None,
        "decisions": tuple(decision_record(label) for label in labels),
        "reported_in": reported_in,
    }
    return Item(**values)


def labels_of(cells: Iterable[sqlite3.Row]) -> tuple[LabelRecorded, ...]:
    """Return the decisions in rows of one page, oldest first."""
    return ordered(_label.decode(row["label"]) for row in cells)
