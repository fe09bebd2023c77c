"""Limits that several parts of the crawler keep to."""

from __future__ import annotations

MAX_URL_CHARS = 2_000
"""Longer URLs are neither remembered nor fetched nor told to anyone."""
