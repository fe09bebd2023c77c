"""What of a dead letter may be shown to people: never a text of a page (DESIGN §2)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from consumers.dead_letter_topics import headers_of

_SHOWN = frozenset(
    {
        "schema", "id", "at", "page_id", "crawl_id", "content_id", "fetched_at", "outcome", "status", "depth",
        "media_type", "text_truncated", "flagged", "score", "threshold", "language", "model", "decision",
        "duplicate_of",
    }
)  # fmt: skip
"""Fields that no text of a page gets into."""
_MOST_CHARS = 200
_PREVIEW = re.compile(r"Preview of field's value: '.*?'(?=$|[.,;)\]}])", re.DOTALL)
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


def message_shown(value: bytes) -> dict[str, Any]:
    """Return what is known of the bytes of a message, and the fields of its event that may be shown.

    Of a text, only its length.
    """
    facts: dict[str, Any] = {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    try:
        event = msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return facts | {"json": False}
    return facts | {"json": True, "fields": _fields(event) if isinstance(event, dict) else {}}


def headers_shown(message: Any) -> dict[str, str]:
    """Return the headers of a message, those that are not plain text by their length."""
    shown = {}
    for name, value in headers_of(message):
        text = value.decode("ascii", "replace")
        plain = _PRINTABLE.fullmatch(text) and len(text) <= _MOST_CHARS
        shown[without_preview(name)[:_MOST_CHARS]] = without_preview(text) if plain else f"{len(value)} bytes"
    return shown


def without_preview(reason: str) -> str:
    """Return a reason without the value that Elasticsearch quotes in it, in one line."""
    return " ".join(_PREVIEW.sub("Preview left out", reason).split())


def _fields(event: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in event.items():
        if name == "verdict" and isinstance(value, dict):
            fields["verdict"] = _fields(value)
        elif name in _SHOWN and (value is None or isinstance(value, str | int | float | bool)):
            fields[name] = value[:_MOST_CHARS] if isinstance(value, str) else value
        elif name in ("title", "text") and isinstance(value, str):
            fields[f"{name}_chars"] = len(value)
    return fields
