"""Tests derived from the given guides: hidden in long harmless pages, and with their words disguised."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from classifier.evaluation.disguise import disguise, kinds
from classifier.evaluation.hiding import TIMES, Background
from classifier.evaluation.intervals import Rate, rate
from classifier.evaluation.judging import Judge, Progress, judged
from classifier.evaluation.rows import DataFile, Row, read
from classifier.taxonomy import LANGUAGES
from classifier.verdict import Document

HIDDEN = "hidden"
DISGUISED = "disguised"
ALL = "all"
SHARES = (0.5, 1.0)
"""Of the words that are disguised."""


@dataclass(frozen=True, slots=True)
class Derived:
    """How many guides are still found when something is done to them."""

    test: str
    """``hidden`` or ``disguised``."""
    kind: str
    language: str
    """One of the six, or ``all``."""
    recall: Rate
    plain_recall: float
    """Of the same guides as they are; one that is hidden twice counts twice."""
    cost_points: float
    """Percentage points of recall that are lost."""
    unsupported: int
    """Taken for a language that the model does not judge; missed."""


@dataclass(frozen=True, slots=True)
class DerivedTests:
    """All derived tests, and the guides that could not be hidden for want of texts in their language."""

    times: int
    without_background: int
    tests: tuple[Derived, ...]


@dataclass(frozen=True, slots=True)
class _Key:
    test: str
    kind: str
    language: str
    plain: bool


Variants = Callable[[Row], Iterator[tuple[str, str, Document]]]
"""Yields test, kind and document of each variant of a guide."""


def derived_tests(
    judge: Judge, files: Sequence[DataFile], variants: Sequence[Variants], progress: Progress, *, times: int = TIMES
) -> DerivedTests:
    """Return the recall of each variant of each guide in one of the six languages.

    Parameters
    ----------
    variants
        What is done to each guide: `hidden` and `disguised`.
    """
    total = sum(file.positives for file in files)
    outcomes: dict[_Key, list[tuple[str, bool]]] = defaultdict(list)
    unhidden = 0
    guides = (row for row in read(files) if row.of_concern and row.language in LANGUAGES)
    for number, row in enumerate(guides, 1):
        made = [variant for make in variants for variant in make(row)]
        unhidden += sum(not document.text for _, _, document in made)
        made = [variant for variant in made if variant[2].text]
        items = [(None, Document(row.text, row.title)), *((variant[:2], variant[2]) for variant in made)]
        plain = False
        for what, _, verdict in judged(judge, items):
            if what is None:
                plain = verdict.flagged
                continue
            key = _Key(*what, str(row.language), plain)
            outcomes[key].append((verdict.outcome, verdict.flagged))
        progress("judging hidden and disguised guides", number, total)
    progress("judging hidden and disguised guides", total, total)
    return DerivedTests(times, unhidden, tuple(_summaries(outcomes)))


def hidden(background: Background, seed: int, times: int = TIMES) -> Variants:
    """Return what hides a guide; one for which there is no harmless text yields an empty page."""

    def variants(row: Row) -> Iterator[tuple[str, str, Document]]:
        random = _random(seed, HIDDEN, row)
        yield HIDDEN, HIDDEN, background.hide(row, random, times) or Document("")

    return variants


def disguised(seed: int, shares: Sequence[float] = SHARES) -> Variants:
    """Return what disguises a guide in every way that its language allows, title and text."""

    def variants(row: Row) -> Iterator[tuple[str, str, Document]]:
        for kind in kinds(str(row.language)):
            for share in shares if kind != "chinese_variant" else (1.0,):
                random = _random(seed, f"{kind} {share}", row)
                title = disguise(row.title, kind, random, share=share)
                yield DISGUISED, _name(kind, share), Document(disguise(row.text, kind, random, share=share), title)

    return variants


def _name(kind: str, share: float) -> str:
    return f"{kind.replace('_', ' ')}, {'every word' if share == 1 else f'{share:.0%} of the words'}"


def _random(seed: int, what: str, row: Row) -> Random:
    """Return randomness that does not depend on which pages came before."""
    return Random(f"{seed} {what} {row.file} {row.line}")  # noqa: S311


def _summaries(outcomes: dict[_Key, list[tuple[str, bool]]]) -> Iterator[Derived]:
    """Yield each test as a whole, kind by kind, and language by language."""
    tests = list(dict.fromkeys(key.test for key in outcomes))
    for test in sorted(tests, reverse=True):
        own = {key: value for key, value in outcomes.items() if key.test == test}
        by_kind = sorted({key.kind for key in own})
        if len(by_kind) > 1:
            yield _summary(test, ALL, ALL, own)
        for kind in by_kind:
            yield _summary(test, kind, ALL, {key: value for key, value in own.items() if key.kind == kind})
        for language in LANGUAGES:
            spoken = {key: value for key, value in own.items() if key.language == language}
            if spoken:
                yield _summary(test, ALL if len(by_kind) > 1 else by_kind[0], language, spoken)


def _summary(test: str, kind: str, language: str, outcomes: dict[_Key, list[tuple[str, bool]]]) -> Derived:
    every = [(key.plain, outcome, flagged) for key, found in outcomes.items() for outcome, flagged in found]
    recall = rate(sum(flagged for *_, flagged in every), len(every))
    if recall is None:
        raise ValueError("a test without a guide")
    plain = sum(was for was, *_ in every) / len(every)
    unsupported = sum(outcome == "unsupported" for _, outcome, _ in every)
    return Derived(test, kind, language, recall, plain, 100 * (plain - recall.value), unsupported)
