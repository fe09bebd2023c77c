"""The words of the taxonomy (DESIGN §5, from article 3 of the Firearms Protocol), in the order of the heads."""

from __future__ import annotations

SUBJECTS = ("firearm", "part_or_component", "ammunition")
TECHNIQUES = ("manufacture", "assembly", "conversion", "reactivation", "repair", "ammunition_making")
METHODS = ("additive", "workshop", "kit", "improvised")
CONTEXTS = (
    "news",
    "law_policy",
    "research",
    "museum_history",
    "hunting",
    "sport_shooting",
    "safety_storage",
    "licensed_trade_repair",
    "fiction_game",
    "benign_howto",
    "other",
)
LANGUAGES = ("ar", "zh", "en", "fr", "ru", "es")
"""ISO 639-1 codes of the six official languages of the United Nations."""
