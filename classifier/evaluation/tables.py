"""Count pages by language, kind, subject, technique, source and stratum, and by several of them at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from classifier.evaluation.intervals import Rate, rate
from classifier.evaluation.judging import Judged
from classifier.taxonomy import LANGUAGES, SUBJECTS, TECHNIQUES

NONE = "none"


@dataclass(frozen=True, slots=True)
class Cell:
    """The pages that share ``values``."""

    values: tuple[str, ...]
    pages: int
    of_concern: int
    harmless: int
    flagged: int
    unsupported: int
    """In a language that the model does not judge, or taken for one: in none of the rates, but for guides in one of the
    six, which are missed."""
    undetermined: int
    """With too little text to tell the language: judged, and in the rates."""
    recall: Rate | None
    precision: Rate | None
    false_positive_rate: Rate | None


@dataclass(frozen=True, slots=True)
class CrossTable:
    """Cells by one dimension or more."""

    by: tuple[str, ...]
    cells: tuple[Cell, ...]


DIMENSIONS: dict[str, Callable[[Judged], tuple[str, ...]]] = {
    "language": lambda page: (page.language,),
    "kind": lambda page: (page.kind,),
    "subject": lambda page: page.subjects or (NONE,),
    "technique": lambda page: page.techniques or (NONE,),
    "source": lambda page: (page.source,),
    "stratum": lambda page: (page.stratum,),
}
"""A page of several subjects or techniques counts in the row of each."""

TABLES: tuple[tuple[str, ...], ...] = (
    ("language",),
    ("stratum",),
    ("kind",),
    ("subject",),
    ("technique",),
    ("source",),
    ("language", "stratum"),
    ("language", "kind"),
    ("language", "subject"),
    ("language", "technique"),
    ("language", "source"),
    ("language", "kind", "subject", "technique"),
)

_ORDER = {
    name: rank
    for names in (LANGUAGES, SUBJECTS, TECHNIQUES, ("of concern", "hard", "about firearms", "neutral"))
    for rank, name in enumerate(names)
}


def cell(values: tuple[str, ...], pages: Sequence[Judged]) -> Cell:
    """Return the counts of ``pages``."""
    due = [page for page in pages if page.due]
    flagged = [page for page in due if page.flagged]
    found = sum(page.of_concern for page in flagged)
    guides = sum(page.of_concern for page in due)
    return Cell(
        values=values,
        pages=len(pages),
        of_concern=sum(page.of_concern for page in pages),
        harmless=sum(not page.of_concern for page in pages),
        flagged=len(flagged),
        unsupported=sum(not page.supported for page in pages),
        undetermined=sum(page.undetermined for page in pages),
        recall=rate(found, guides),
        precision=rate(found, len(flagged)),
        false_positive_rate=rate(len(flagged) - found, len(due) - guides),
    )


def table(by: tuple[str, ...], pages: Iterable[Judged]) -> CrossTable:
    """Return the cells that hold pages: languages and labels in the order of the taxonomy, then by name."""
    groups: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    for page in pages:
        for values in product(*(DIMENSIONS[name](page) for name in by)):
            groups[values].append(page)
    return CrossTable(by, tuple(cell(values, groups[values]) for values in sorted(groups, key=_rank)))


def tables(pages: Sequence[Judged]) -> tuple[CrossTable, ...]:
    """Return all of `TABLES`."""
    return tuple(table(by, pages) for by in TABLES)


def _rank(values: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    return tuple((_ORDER.get(value, len(_ORDER) + (value == NONE)), value) for value in values)
