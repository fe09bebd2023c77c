"""The log of the vault: one JSON line for each page and record, appended by any number of processes."""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

_encoder = msgspec.json.Encoder()


class VaultLine(msgspec.Struct, frozen=True, kw_only=True):
    """Which page named which record, and when it was kept (aware UTC)."""

    at: datetime
    page_id: str
    url: str
    sha256: str
    warc: str
    offset: int


_decoder = msgspec.json.Decoder(VaultLine)


class VaultLog:
    """Appends lines, each page and digest once, durable on return.

    Parameters
    ----------
    path
        The file; made with its folder at the first line, both for their owner alone (0600, 0700).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[tuple[str, str]] = set()
        self._read_to = 0

    def add(self, line: VaultLine) -> bool:
        """Append the line unless its page and digest are there; return whether it was appended.

        Raises
        ------
        OSError
            The file cannot be read or written.
        """
        key = (line.page_id, line.sha256)
        if key in self._known:
            return False
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            torn = self._catch_up(file)
            if key in self._known:
                return False
            file.write((b"\n" if torn else b"") + _encoder.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._catch_up(file)
        return True

    def _catch_up(self, file: BinaryIO) -> bool:
        """Read what was appended since the last call; return whether a line at the end was cut short by a crash."""
        file.seek(self._read_to)
        for line in file:
            if not line.endswith(b"\n"):
                return True
            self._read_to += len(line)
            try:
                found = _decoder.decode(line)
            except msgspec.MsgspecError:
                continue
            self._known.add((found.page_id, found.sha256))
        return False
