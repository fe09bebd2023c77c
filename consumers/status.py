"""What a loop says of itself, while it runs and when it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """What a loop has committed."""

    records: int = 0
    """Records read, handled and committed."""
    outputs: int = 0
    dead_letters: int = 0
    batches: int = 0
    retries: int = 0
    """Attempts that committed nothing."""

    def __str__(self) -> str:
        return (
            f"{self.records} records, {self.outputs} outputs, {self.dead_letters} dead letters, "
            f"{self.batches} batches, {self.retries} retries"
        )


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot of a running loop, for health checks and metrics; immutable, so any thread may read it."""

    stage: str
    group: str
    instance: str
    state: str = "starting"
    """``starting``, ``running``, ``waiting`` (after a transient failure) or ``stopped``."""
    lag: dict[tuple[str, int], int] = field(default_factory=dict)
    """Messages not yet committed, by topic and partition; of the partitions this member has, where known."""
    last_commit_at: datetime | None = None
    """When a batch was last committed (aware UTC)."""
    turned_at_s: float = field(default_factory=time.monotonic)
    """When the loop last showed that it is alive, on the scale of `time.monotonic`, in seconds.

    It is renewed with every turn, several times a second: while there is nothing to read, while a batch is worked on,
    and while the loop waits after a transient failure. It stands still where the loop itself is stuck, and after its
    end. It does not say whether a batch comes forward: ``last_commit_at`` and ``lag`` do.
    """
    failure: str = ""
    """Why the loop is waiting."""
    summary: Summary = field(default_factory=Summary)
