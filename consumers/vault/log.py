"""The log of the vault: a chain of lines, appended by any number of processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from consumers.vault.keys import VaultKeys
from consumers.vault.lines import NO_HEAD, Entry, Kept, LineError, Removed, hash_of, read_line, write_line


@dataclass(frozen=True)
class Held:
    """An object that should be there: the digest of all its bytes, and when a page last named it (aware UTC)."""

    object_sha256: str
    at: datetime


@dataclass
class Contents:
    """What the lines read so far say is in the vault."""

    held: dict[str, Held] = field(default_factory=dict)
    """By the digest of the payload."""
    removed: set[str] = field(default_factory=set)
    pages: set[tuple[str, str]] = field(default_factory=set)
    """Page and digest of the payload."""

    def take(self, entry: Entry) -> None:
        """Take what one more line says."""
        if isinstance(entry, Kept):
            self.held[entry.sha256] = Held(entry.object_sha256, entry.at)
            self.removed.discard(entry.sha256)
            self.pages.add((entry.page_id, entry.sha256))
        elif isinstance(entry, Removed):
            gone = set(entry.sha256)
            for digest in gone:
                self.held.pop(digest, None)
            self.removed |= gone
            self.pages = {known for known in self.pages if known[1] not in gone}


class VaultLog:
    """Appends lines, durable on return.

    Parameters
    ----------
    path
        The file; made with its folder by the first writer, both for their owner alone (0600, 0700).
    keys
        The first signs the lines.
    """

    def __init__(self, path: Path, keys: VaultKeys) -> None:
        self.contents = Contents()
        """As far as it was read."""
        self.last_key: str | None = None
        """Id of the key that signed the last line."""
        self._path = path
        self._keys = keys
        self._file: BinaryIO | None = None
        self._forget()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep all other writers and readers out, and know all that they wrote, until the block ends.

        A line that a killed writer cut short was never answered for, and is taken away.

        Raises
        ------
        OSError
            The file cannot be read or written.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            torn = self._catch_up(file)
            if torn:
                self._mend(file, torn)
            self._file = file
            try:
                yield
            finally:
                self._file = None

    def append(self, entry: Entry) -> None:
        """Append one line; only inside `writing`.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        if self._file is None:
            raise RuntimeError("nothing is appended outside `writing`")
        raw = write_line(entry, self._count + 1, self._head, self._keys.current)
        _to_disk(self._file, raw + b"\n")
        self._take(raw)

    def read(self) -> None:
        """Read what others have appended, without writing."""
        if self._path.exists():
            with self._path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                self._catch_up(file)

    def _forget(self) -> None:
        self.contents = Contents()
        self.last_key = None
        self._read_to = 0
        self._count = 0
        self._head = NO_HEAD

    def _catch_up(self, file: BinaryIO) -> bytes:
        """Read what was appended since the last call; return what of a line at the end was cut short by a crash."""
        if os.fstat(file.fileno()).st_size < self._read_to:
            self._forget()
        file.seek(self._read_to)
        for raw in file:
            if not raw.endswith(b"\n"):
                return raw
            self._take(raw[:-1])
        return b""

    def _take(self, raw: bytes) -> None:
        self._read_to += len(raw) + 1
        self._count += 1
        self._head = hash_of(raw)
        try:
            line = read_line(raw, self._keys)
        except LineError:
            return  # to say so is for `verify`; what comes next is chained to it all the same
        self.last_key = line.key
        self.contents.take(line.entry)

    def _mend(self, file: BinaryIO, torn: bytes) -> None:
        if follows(torn, self._head, self._keys):
            _to_disk(file, b"\n")
            self._take(torn)
        else:
            file.truncate(self._read_to)
            os.fsync(file.fileno())


def follows(raw: bytes, head: str, keys: VaultKeys) -> bool:
    """Return whether ``raw`` is a whole line that follows the one whose hash is ``head``."""
    try:
        return read_line(raw, keys).prev == head
    except LineError:
        return False


def _to_disk(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
