"""What the address of a list says: filters, sort order, page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from events import CONTEXTS, DECISIONS, SUBJECTS, TECHNIQUES
from storage.port import ItemQuery

PAGE_SIZE = 25
MAX_PAGE = 400
MAX_TEXT = 200
MAX_VALUES = 20
_ID = re.compile(r"^[0-9a-f]{32}$")

T = TypeVar("T")

Sort = Literal["score", "newest", "oldest", "host", "relevance"]
SORTS: dict[Sort, str] = {
    "score": "Highest score",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "host": "By host",
    "relevance": "Best match",
}
STATES = ("open", *DECISIONS)
FACETS = ("language", "subject", "technique", "context", "host")
SCORES = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95)

_KNOWN: dict[str, tuple[str, ...]] = {"subject": SUBJECTS, "technique": TECHNIQUES, "context": CONTEXTS}


@dataclass(frozen=True)
class Filters:
    """One list. ``decision`` is empty for items in every state; ``sort`` is None where the reader has not chosen."""

    text: str = ""
    language: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    technique: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    decision: tuple[str, ...] = ("open",)
    min_score: float = 0.0
    since: date | None = None
    until: date | None = None
    """Last day, included."""
    cluster: str = ""
    """Content id that names one cluster; empty for all."""
    every: bool = False
    """A row for every page, in place of one for each cluster; of one cluster there always is."""
    sort: Sort | None = None
    page: int = 1

    @classmethod
    def read(cls, params: QueryParams) -> Filters:
        """Return the filters in an address; what cannot be understood is left out."""
        states = params.getlist("decision")
        decision = tuple(state for state in STATES if state in states)
        sort = params.get("sort")
        return cls(
            text="".join(c if c.isprintable() else " " for c in params.get("q", ""))[:MAX_TEXT].strip(),
            decision=() if "all" in states else decision or ("open",),
            min_score=_parsed(params.get("min_score"), _score, 0.0),
            since=_parsed(params.get("since"), _date, None),
            until=_parsed(params.get("until"), _date, None),
            cluster=params.get("cluster", "") if _ID.match(params.get("cluster", "")) else "",
            every=params.get("rows") == "pages",
            sort=next((known for known in SORTS if known == sort), None),
            page=_parsed(params.get("page"), lambda text: min(MAX_PAGE, max(1, int(text))), 1),
            **{field: _values(params, field) for field in FACETS},
        )

    @property
    def order(self) -> Sort:
        """How the list is sorted: as chosen, or best matches first where words are searched."""
        return self.sort or ("relevance" if self.text else "score")

    def query(self, *, offset: int = 0, limit: int = PAGE_SIZE) -> ItemQuery:
        """Return the query for the store."""
        return ItemQuery(
            text=self.text,
            language=self.language,
            subject=self.subject,
            technique=self.technique,
            context=self.context,
            host=self.host,
            decision=self.decision,
            min_score=self.min_score,
            since=_midnight(self.since),
            until=_midnight(self.until + timedelta(days=1) if self.until else None),
            cluster_id=(self.cluster,) if self.cluster else (),
            one_per_cluster=not self.every and not self.cluster,
            sort=self.order,
            offset=offset,
            limit=limit,
        )

    def fields(self) -> list[tuple[str, str]]:
        """Return name and value of everything that differs from the plain list, in the order of the address."""
        found = [("q", self.text)] if self.text else []
        found += [(field, value) for field in FACETS for value in getattr(self, field)]
        if self.decision != ("open",):
            found += [("decision", state) for state in self.decision or ("all",)]
        found += [("min_score", f"{self.min_score:g}")] if self.min_score else []
        found += [(name, day.isoformat()) for name in ("since", "until") if (day := getattr(self, name))]
        found += [("cluster", self.cluster)] if self.cluster else []
        found += [("rows", "pages")] if self.every else []
        found += [("sort", self.sort)] if self.sort else []
        return found + ([("page", str(self.page))] if self.page > 1 else [])

    def address(self, **extra: object) -> str:
        """Return the query string, with other fields after it."""
        return urlencode([*self.fields(), *((name, str(value)) for name, value in extra.items())])

    def with_(self, **changes: object) -> Filters:
        """Return these filters with changes, from the first page."""
        return replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]

    def toggled(self, field: str, value: str) -> Filters:
        """Return these filters with one value added, or taken out if it is there."""
        values: tuple[str, ...] = getattr(self, field)
        rest = tuple(known for known in values if known != value)
        return self.with_(**{field: rest if value in values else (*values, value)})


def _values(params: QueryParams, field: str) -> tuple[str, ...]:
    known = _KNOWN.get(field)
    values = dict.fromkeys(params.getlist(field))
    return tuple(
        value for value in values if value.isprintable() and 0 < len(value) <= 260 and (not known or value in known)
    )[:MAX_VALUES]


def _parsed(text: str | None, parse: Callable[[str], T], otherwise: T) -> T:
    try:
        return parse(text) if text else otherwise
    except ValueError:
        return otherwise


def _score(text: str) -> float:
    score = float(text)
    return score if 0 <= score <= 1 else 0.0


def _date(text: str) -> date | None:
    day = date.fromisoformat(text)
    return day if 1970 <= day.year < 9999 else None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
