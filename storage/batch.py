"""Keeping account of what becomes of each event of a batch."""

from __future__ import annotations

from storage.port import UpsertReport


class Account:
    """Collects page ids into an `UpsertReport`."""

    def __init__(self, rejected: list[tuple[str, str]]) -> None:
        self._rejected = list(rejected)
        self._written: list[str] = []
        self._unchanged: list[str] = []

    def done(self, page_id: str, *, changed: bool) -> None:
        """Note an event that the store has, newly or as before."""
        (self._written if changed else self._unchanged).append(page_id)

    def rejected(self, page_id: str, reason: str) -> None:
        """Note an event that the store will never take."""
        self._rejected.append((page_id, reason))

    def report(self) -> UpsertReport:
        """Return the account so far."""
        return UpsertReport(
            written=tuple(self._written), unchanged=tuple(self._unchanged), rejected=tuple(self._rejected)
        )
