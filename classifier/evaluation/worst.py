"""Why the worst errors were made, without the text they were made on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from classifier import examples
from classifier.evaluation.judging import Error
from classifier.model import Classifier
from classifier.normalise import normalise
from classifier.taxonomy import LANGUAGES
from classifier.verdict import Document, Passage, Verdict

_WORD = re.compile(r"[^\W_]+")
Words = tuple[tuple[str, float], ...]
WordsOf = Callable[[Document, Passage], Words]
"""Returns the words of a passage that moved its score, and by how much."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """A passage that decided: where it stands in the text of the page, and what each head said."""

    start: int
    end: int
    score: float
    form: float
    subject: float
    words: Words
    """Words that moved the score, those only that stand in the project's own corpus."""
    words_withheld: int
    """How many more there were: words of the page alone, which are not shown."""


@dataclass(frozen=True, slots=True)
class WorstError:
    """One wrongly judged page, by id."""

    id: str
    file: str
    line: int
    language: str
    kind: str
    stratum: str
    outcome: str
    score: float
    reason: str
    context: str | None
    subjects: dict[str, float] = field(default_factory=dict)
    techniques: dict[str, float] = field(default_factory=dict)
    passages: tuple[Deciding, ...] = ()


def explained(errors: Iterable[Error], words_of: WordsOf) -> tuple[WorstError, ...]:
    """Return the errors with their reasons."""
    return tuple(_explained(error, words_of) for error in errors)


def words_from(classifier: Classifier) -> WordsOf:
    """Return a function that asks the verdict for its words and, where it gives none, the heads."""

    def words(document: Document, passage: Passage) -> Words:
        return passage.words or classifier.heads.words([normalise(document.text[passage.start : passage.end])])[0]

    return words


def _explained(error: Error, words_of: WordsOf) -> WorstError:
    page, verdict = error.judged, error.verdict
    passages = tuple(_deciding(error.document, passage, words_of) for passage in verdict.passages)
    return WorstError(
        id=page.id,
        file=page.file,
        line=page.line,
        language=page.language,
        kind=page.kind,
        stratum=page.stratum,
        outcome=page.outcome,
        score=page.score,
        reason=_reason(verdict, passages),
        context=verdict.context,
        subjects=dict(verdict.subjects),
        techniques=dict(verdict.techniques),
        passages=passages,
    )


def _deciding(document: Document, passage: Passage, words_of: WordsOf) -> Deciding:
    moved = words_of(document, passage)
    shown = tuple((word, effect) for word, effect in moved if published(word))
    return Deciding(
        passage.start,
        passage.end,
        passage.score,
        passage.form,
        passage.subject,
        shown,
        len(moved) - len(shown),
    )


def _reason(verdict: Verdict, passages: Sequence[Deciding]) -> str:
    """Return a sentence made of numbers and words of the taxonomy only."""
    if verdict.outcome == "unsupported":
        return f"taken for {verdict.language}, which is not one of the six languages"
    if not passages:
        return "there was nothing to judge"
    best = passages[0]
    said = f"strongest passage {best.score:.2f}: form of a guide {best.form:.2f}, subject {best.subject:.2f}"
    return f"{said}; reads as {verdict.context.replace('_', ' ')}" if verdict.context else said


def published(word: str) -> bool:
    """Return whether ``word`` stands in the project's training corpus, and so gives nothing of a page away."""
    words, chinese = _corpus_words()
    return word in words or ("\u3400" <= word[:1] <= "\u9fff" and word in chinese)


@lru_cache(maxsize=1)
def _corpus_words() -> tuple[frozenset[str], str]:
    """Return the words of the corpus, and its Chinese text, which has no words."""
    given = examples.corpus(languages=LANGUAGES)
    texts = [normalise(f"{example.title}\n{example.text}").lower() for example in given]
    chinese = "\n".join(text for text, example in zip(texts, given, strict=True) if example.language == "zh")
    return frozenset(word for text in texts for word in _WORD.findall(text)), chinese
