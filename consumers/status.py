"""What a loop says of itself, while it runs and when it ends."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from datetime import datetime

from consumers.figures import Figures
from consumers.work import Done


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
    aborted: int = 0
    """Transactions that were begun and came to nothing; each batch is one that was committed."""
    size_bytes: int = 0
    """Values of the records."""
    work_s: float = 0.0
    """Time that the stage worked on what was committed, in seconds."""
    commit_s: float = 0.0
    """Time that the commits took, in seconds."""

    def after(self, done: Done, aborted: int) -> Summary:
        """Return what is committed once ``done`` is, too, and ``aborted`` transactions have come to nothing."""
        return dataclasses.replace(
            self,
            records=self.records + len(done.records),
            outputs=self.outputs + len(done.outputs),
            dead_letters=self.dead_letters + len(done.letters),
            batches=self.batches + 1,
            aborted=aborted,
            size_bytes=self.size_bytes + sum(len(record.value) for record in done.records),
            work_s=self.work_s + done.work_s,
            commit_s=self.commit_s + done.commit_s,
        )

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
    heard_at_s: float = float("-inf")
    """When the group's coordinator last answered, on the scale of `time.monotonic`, in seconds."""
    failure: str = ""
    """Why the loop is waiting."""
    summary: Summary = field(default_factory=Summary)
    figures: Figures = field(default_factory=Figures)
    """What became of the pages of what was committed."""
