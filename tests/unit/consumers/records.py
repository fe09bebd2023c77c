"""Records as the loop would hand them to a stage."""

from __future__ import annotations

from typing import Any

from consumers.stage import Record
from events import encode


def record(event: Any, offset: int = 0, *, topic: str = "t", partition: int = 0, **fields: Any) -> Record:
    return Record(topic, partition, offset, event.page_id.encode(), encode(event), event=event, **fields)
