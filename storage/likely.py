"""Which subjects, techniques and methods of a verdict count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from events import Verdict

LIKELY = 0.5
"""A subject, technique or method counts from this probability on."""


def likely(verdict: Verdict) -> dict[str, list[str]]:
    """Return what is likely, by field of a query: ``subject``, ``technique``, ``method``."""
    odds: dict[str, Mapping[Any, float]] = {
        "subject": verdict.subjects,
        "technique": verdict.techniques,
        "method": verdict.methods,
    }
    return {field: [name for name, p in named.items() if p >= LIKELY] for field, named in odds.items()}
