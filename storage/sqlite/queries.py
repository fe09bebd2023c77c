"""SQL of the port's queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.queries import CountField, ItemQuery, LedgerQuery
from storage.sqlite.rows import ITEM_COLUMNS, stamp
from storage.words import phrases

_COLUMNS = ("language", "context", "host", "crawl_id", "content_id", "cluster_id")
_VALUES = ("subject", "technique")
_OLDEST_FIRST = "items.first_seen_at, items.page_id"
_ORDER = {
    "score": "items.score DESC, items.page_id",
    "newest": "items.first_seen_at DESC, items.page_id",
    "oldest": _OLDEST_FIRST,
    "host": "items.host, items.score DESC, items.page_id",
}
LEDGER_ORDER = {"newest": "found_at DESC, page_id", "score": "score DESC, page_id"}
_TEXTS = ("title", "text")
_WITHOUT_TEXTS = ", ".join(f"'' AS {name}" if name in _TEXTS else f"items.{name}" for name in ITEM_COLUMNS)
_BEST_FIRST = "bm25(item_words, 3.0, 1.0), items.page_id"


class Where:
    """Conditions joined with AND, and their parameters."""

    def __init__(self) -> None:
        self.tables = ""
        self.parameters: list[Any] = []
        self._conditions: list[str] = []

    def add(self, condition: str, *parameters: Any) -> None:
        """Require ``condition``."""
        self._conditions.append(condition)
        self.parameters.extend(parameters)

    def any_of(self, column: str, values: Sequence[str]) -> None:
        """Require one of ``values``, if there are any."""
        if values:
            self.add(f"{column} IN ({', '.join('?' * len(values))})", *values)

    def __str__(self) -> str:
        return " AND ".join(self._conditions) or "1"


def items_where(query: ItemQuery) -> Where:
    """Return which items match."""
    where = Where()
    where.tables = "items"
    if query.text.strip():
        where.tables = "items JOIN item_words ON item_words.rowid = items.number"
        where.add("item_words MATCH ?", _match(query.text)) if phrases(query.text) else where.add("0")
    for column in _COLUMNS:
        where.any_of(f"items.{column}", getattr(query, column))
    for field in _VALUES:
        if values := getattr(query, field):
            marks = ", ".join("?" * len(values))
            where.add(
                f"EXISTS (SELECT 1 FROM item_values WHERE item = number AND field = ? AND value IN ({marks}))",  # noqa: S608
                field,
                *values,
            )
    where.any_of("coalesce(items.decision, 'open')", query.decision)
    if query.min_score > 0:
        where.add("items.score >= ?", query.min_score)
    if query.since is not None:
        where.add("items.first_seen_at >= ?", stamp(query.since))
    if query.until is not None:
        where.add("items.first_seen_at < ?", stamp(query.until))
    return where


def walk(where: Where, *, texts: bool) -> str:
    """Return the statement for so many items, oldest first: its last parameter is their number."""
    columns = "items.*" if texts else _WITHOUT_TEXTS
    return f"SELECT {columns} FROM {where.tables} WHERE {where} ORDER BY {_OLDEST_FIRST} LIMIT ?"  # noqa: S608


def order(query: ItemQuery) -> str:
    """Return the ORDER BY of the query; without words, relevance is the score."""
    if query.sort == "relevance":
        return _BEST_FIRST if phrases(query.text) else _ORDER["score"]
    return _ORDER[query.sort]


def search(query: ItemQuery, where: Where) -> tuple[str, str]:
    """Return the SQL that selects what the query finds (with LIMIT and OFFSET left open), and that which counts it."""
    if not query.one_per_cluster:
        return (
            f"SELECT items.* FROM {where.tables} WHERE {where} ORDER BY {order(query)} LIMIT ? OFFSET ?",  # noqa: S608
            f"SELECT count(*) FROM {where.tables} WHERE {where}",  # noqa: S608
        )
    # That index has every column that lists go by; without it, SQLite would read the texts.
    tables = "items INDEXED BY items_by_cluster" if where.tables == "items" else where.tables
    # A bare column beside min() is of the row that has the minimum (sqlite.org/lang_select.html).
    return (
        f"WITH placed AS (SELECT items.number, items.cluster_id, row_number() OVER (ORDER BY {order(query)}) AS place "  # noqa: S608
        f"FROM {tables} WHERE {where}), "
        "first AS (SELECT number, min(place) AS at FROM placed GROUP BY cluster_id ORDER BY 2 LIMIT ? OFFSET ?) "
        "SELECT items.* FROM first JOIN items USING (number) ORDER BY at",
        f"SELECT count(DISTINCT items.cluster_id) FROM {where.tables} WHERE {where}",  # noqa: S608
    )


def counts(field: CountField, where: Where) -> str:
    """Return the SQL that counts items by ``field``."""
    tables, value = where.tables, f"items.{field}"
    if field in ("subject", "technique", "method"):
        tables += f" JOIN item_values ON item_values.item = items.number AND item_values.field = '{field}'"
        value = "item_values.value"
    elif field == "decision":
        value = "coalesce(items.decision, 'open')"
    return (
        f"SELECT {value} AS value, count(*) AS count FROM {tables} WHERE {where} AND {value} IS NOT NULL "  # noqa: S608
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
    )


def ledger_where(query: LedgerQuery) -> Where:
    """Return which ledger rows match."""
    where = Where()
    for column in ("page_id", "host", "outcome", "crawl_id", "content_id"):
        where.any_of(column, getattr(query, column))
    if query.worth_a_look is not None:
        # Written out, and not as a parameter, so that the partial index serves it.
        where.add(f"worth_a_look = {int(query.worth_a_look)}")
    if query.reviewed is not None:
        where.add(f"reviewed_at IS {'NOT ' if query.reviewed else ''}NULL")
    return where


def _match(text: str) -> str:
    return " AND ".join(f'"{" ".join(words)}"' for words in phrases(text))
