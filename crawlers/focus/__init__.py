"""Focused crawling: which links lead on is learnt from the verdicts, while the crawl runs (ADR 0014)."""

from crawlers.focus.focus import OF_CONCERN, Focus, Mode

__all__ = ["OF_CONCERN", "Focus", "Mode"]
