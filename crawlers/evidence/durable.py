"""Waiting until evidence is on the disk: one ``fsync`` for all who wait, a few times a second."""

from __future__ import annotations

import asyncio

from crawlers.evidence.warc import WarcFiles

_INTERVAL_S = 0.2


class DurableEvidence:
    """For one event loop.

    Parameters
    ----------
    files
        What is written to.
    interval_s
        Least seconds between two ``fsync``.
    """

    def __init__(self, files: WarcFiles, interval_s: float = _INTERVAL_S) -> None:
        self._files = files
        self._interval_s = interval_s
        self._earliest = 0.0
        self._next: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Return when all that was written before the call is on the disk.

        Raises
        ------
        EvidenceError
            The disk does not take it.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._sync())
        await asyncio.shield(self._next)

    async def _sync(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._earliest - loop.time()))
        self._next = None
        self._earliest = loop.time() + self._interval_s
        await asyncio.to_thread(self._files.begin_sync())
