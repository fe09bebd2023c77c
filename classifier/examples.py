"""The training passages: the corpus that ships with the project, and what analysts decided."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.taxonomy import CONTEXTS, LANGUAGES, METHODS, SUBJECTS, TECHNIQUES

CORPUS = Path(__file__).parent / "corpus"

_UNIT = re.compile(
    r"(?<![^\W_])\d+(?:[.,]\d+)?\s*(?:[×x]\s*\d|mm|cm|m|km|kg|g|mg|gr|grains?|ml|cl|l|oz|lbs?|inch(?:es)?|ft|psi|bar|volts?|°|º|"
    r"rpm|min(?:utes?|utos?)?|h|hours?|heures?|horas?|sec(?:onds?)?|мм|см|м|кг|г|гр|мл|л|мин(?:ут[аы]?)?|час(?:а|ов)?|градус\w*|"
    r"毫米|厘米|公分|克|公斤|毫升|升|度|分钟|分鐘|小时|小時|寸|英寸|ملم|مم|سم|غرام\w*|جرام\w*|كغ|لتر|دقيق\w*|ساع\w*|درج\w*|بوص\w*)"
    r"(?![^\W_])|\d+\s*%",
    re.IGNORECASE,
)


class CorpusError(ValueError):
    """A line of a corpus is wrong; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled passage; see `classifier/corpus/README.md` for the fields."""

    id: str
    language: str
    group: str
    register: str
    text: str
    title: str
    of_concern: bool
    guide: bool
    subjects: tuple[str, ...]
    techniques: tuple[str, ...]
    method: str | None
    context: str | None
    pair: str | None = None


def quantity_with_unit(text: str) -> str | None:
    """Return the first digit-and-unit in ``text``, which no positive may carry (DESIGN §2), or None."""
    found = _UNIT.search(text)
    return found.group() if found else None


def parse(record: dict[str, Any], language: str) -> Example:
    """Return the example of one JSON object.

    Raises
    ------
    CorpusError
        A field is missing or outside the taxonomy, or a positive breaks the rule.
    """
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in record.items()
        if key in Example.__slots__ and key != "language"
    }
    try:
        example = Example(language=language, **fields)
    except TypeError as error:
        raise CorpusError(f"missing field: {error}") from error
    for value, allowed in (
        (example.subjects, SUBJECTS),
        (example.techniques, TECHNIQUES),
        ((example.method,) if example.method else (), METHODS),
        ((example.context,) if example.context else (), CONTEXTS),
        ((language,), LANGUAGES),
    ):
        if unknown := set(value) - set(allowed):
            raise CorpusError(f"not in the taxonomy: {', '.join(sorted(unknown))}")
    if example.of_concern == bool(example.context):
        raise CorpusError("an example has a context exactly when it is not of concern")
    if example.of_concern and (quantity := quantity_with_unit(f"{example.title} {example.text}")):
        raise CorpusError(f"a positive carries a quantity with a unit: {quantity!r}")
    if not example.text.strip():
        raise CorpusError("empty text")
    return example


def read(path: Path, language: str | None = None) -> list[Example]:
    """Return the examples of one JSON Lines file; the language is the file's name unless given."""
    examples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            examples.append(parse(json.loads(line), language or path.stem))
        except (json.JSONDecodeError, CorpusError) as error:
            raise CorpusError(f"{path.name}, line {number}: {error}") from error
    return examples


def corpus(folder: Path = CORPUS, languages: Sequence[str] = LANGUAGES) -> list[Example]:
    """Return the shipped corpus, language by language in the order of the taxonomy."""
    return [example for language in languages for example in read(folder / f"{language}.jsonl")]


def duplicates(examples: Iterable[Example]) -> list[tuple[str, str]]:
    """Return pairs of ids whose texts are the same but for white space and case."""
    seen: dict[str, str] = {}
    pairs = []
    for example in examples:
        key = " ".join(example.text.casefold().split())
        if key in seen:
            pairs.append((seen[key], example.id))
        seen.setdefault(key, example.id)
    return pairs


def themes(examples: Sequence[Example]) -> list[str]:
    """Return the theme of each example, for grouped folds: its group, joined with groups that share a pair with it."""
    leader = {example.group: example.group for example in examples}

    def root(group: str) -> str:
        while leader[group] != group:
            group = leader[group]
        return group

    first: dict[str, str] = {}
    for example in examples:
        if example.pair:
            leader[root(example.group)] = root(first.setdefault(example.pair, example.group))
    return [root(example.group) for example in examples]
