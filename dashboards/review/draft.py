"""What stands in the form of a decision, of an item or of a row of the second queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboards.labels import label
from events import CONTEXTS, DECISIONS, SUBJECTS, TECHNIQUES, new_id
from storage.port import Item

LIKELY = 0.5
HOTKEYS = {"of_concern": "c", "lawful": "l", "not_relevant": "n", "unsure": "u"}
CHOICES = {
    "decisions": [(name, label(name).capitalize(), HOTKEYS[name]) for name in DECISIONS],
    "subjects": SUBJECTS,
    "techniques": TECHNIQUES,
    "contexts": CONTEXTS,
}
"""What can be chosen in the form: decisions with their words and keys, and the taxonomy."""


@dataclass(frozen=True)
class Draft:
    """What stands in the decision form."""

    label_id: str = field(default_factory=new_id)
    reason: str = ""
    subjects: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    context: str = ""
    together: bool = False
    """Whether the decision is to be that of the other pages with nearly the same text, too."""
    problem: str = ""

    @classmethod
    def of(cls, item: Item) -> Draft:
        """Return a fresh form: as last corrected, else as the classifier says."""
        last = item.decisions[-1] if item.decisions else None
        return cls(
            subjects=(last.subjects if last else ()) or likely(item.verdict.subjects),
            techniques=(last.techniques if last else ()) or likely(item.verdict.techniques),
            context=(last.context if last else None) or "",
        )


def likely(odds: Mapping[Any, float]) -> tuple[str, ...]:
    """Return the names with a probability of at least 0.5."""
    return tuple(name for name, probability in odds.items() if probability >= LIKELY)
