"""Whether the text of an item is another one than before: pure, and the same in both stores."""

from __future__ import annotations

from typing import Any

from events import PageJudged
from storage.values import Item


def change_of(event: PageJudged, old: Item | None) -> dict[str, Any]:
    """Return the fields of an item that say whether its text is another one than before, and since when."""
    if old is not None and old.content_id == event.content_id:
        names = ("changed_at", "previous_content_id", "changed_share")
        return {name: getattr(old, name) for name in names}
    previous = event.previous_content_id or (old.content_id if old is not None else None)
    if previous is None:
        return {}
    known = event.changed_share if previous == event.previous_content_id else None
    return {"changed_at": event.fetched_at, "previous_content_id": previous, "changed_share": known}
