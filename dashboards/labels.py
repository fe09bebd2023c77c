"""How the words of the taxonomy read in English."""

from __future__ import annotations

from datetime import datetime

LANGUAGES = {
    "ar": "Arabic",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "ru": "Russian",
    "zh": "Chinese",
    "und": "undetermined",
}

_OWN = {
    "law_policy": "law and policy",
    "museum_history": "museum and history",
    "safety_storage": "safe storage",
    "licensed_trade_repair": "licensed trade or repair",
    "fiction_game": "fiction or game",
    "benign_howto": "harmless how-to",
    "part_or_component": "part or component",
    "ammunition_making": "ammunition making",
}


def label(value: str) -> str:
    """Return how a value of the taxonomy, a decision or a language code reads."""
    return _OWN.get(value) or LANGUAGES.get(value) or value.replace("_", " ")


def day(at: datetime) -> str:
    """Return a date such as ``7 Nov 2026``."""
    return f"{at.day} {at:%b %Y}"


def moment(at: datetime) -> str:
    """Return a time such as ``7 Nov 2026, 14:05 UTC``."""
    return f"{day(at)}, {at:%H:%M} UTC"
