"""What goes into the classifier and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Document:
    """A page to judge.

    Parameters
    ----------
    text
        Main text, of any length, any characters.
    title
        Title; may be empty.
    """

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A training passage that a passage resembles.

    Parameters
    ----------
    id
        Of the training passage: of the corpus, or of the analyst's decision that it came from.
    similarity
        Cosine of the two embeddings, in [0, 1].
    of_concern
        What training was told of it.
    """

    id: str
    similarity: float
    of_concern: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A scored stretch of the main text.

    Parameters
    ----------
    start, end
        Half-open character offsets into ``Document.text``.
    score
        Probability that this passage is how-to of concern.
    form, subject
        Probabilities that it has the form of a guide, and that it is about firearms, parts or ammunition.
    words
        Words and by how much each moved the log-odds, largest effect first.
    contexts
        The likeliest contexts, context to probability, likeliest first.
    nearest
        The training passages that it resembles most, nearest first.
    """

    start: int
    end: int
    score: float
    form: float
    subject: float
    words: tuple[tuple[str, float], ...] = ()
    contexts: dict[str, float] = field(default_factory=dict)
    nearest: tuple[Nearest, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the classifier says of one page; all probabilities in [0, 1], rounded to six decimals."""

    outcome: Literal["flagged", "not_flagged", "unsupported"]
    score: float
    threshold: float
    language: str
    """ISO 639-1 code, or ``und`` where there is too little text to tell."""
    model: str
    subjects: dict[str, float] = field(default_factory=dict)
    techniques: dict[str, float] = field(default_factory=dict)
    methods: dict[str, float] = field(default_factory=dict)
    context: str | None = None
    passages: tuple[Passage, ...] = ()
    reason: str = ""
    worth_a_look: bool = False
    """Not flagged, yet likely enough for a second queue of pages that an analyst may look at when there is time."""

    @property
    def flagged(self) -> bool:
        """Whether the score is at or above the threshold."""
        return self.outcome == "flagged"
