"""WARC 1.1 files (ISO 28500:2017), one gzip member a record, written so that a killed process leaves whole records."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from yarl import URL

from crawlers.evidence.records import Exchange, Place, Resolution, WarcRecords, host_of
from events import Evidence


class EvidenceError(Exception):
    """Evidence cannot be written; the crawl must not go on without it."""


@dataclass(frozen=True, kw_only=True)
class FileLimit:
    """A new file is begun after this size, or this time."""

    max_bytes: int = 500_000_000
    max_age: timedelta = timedelta(hours=6)


_LIMIT = FileLimit()


class WarcFiles:
    """A set of WARC files of one process: ``<name>-00000.warc.gz`` and so on.

    Each exchange is written by a single unbuffered ``write``, so that a crash cuts at most the last one short; no file
    is ever opened again by a later run. The file under way is locked (``flock``, shared) for as long as the process
    lives, which is how `old_files` knows it.

    Parameters
    ----------
    folder
        Made where missing; it and the files are for their owner only.
    name
        First part of the file names, unique to this process start.
    software
        For the ``warcinfo`` record.
    clock
        Returns the time as aware UTC.
    limit
        When a new file is begun.

    Raises
    ------
    EvidenceError
        The folder cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        software: str,
        clock: Callable[[], datetime],
        limit: FileLimit = _LIMIT,
    ) -> None:
        self._folder = folder
        self._name = name
        self._software = software
        self._clock = clock
        self._limit = limit
        self._serial = 0
        self._file: BinaryIO | None = None
        self._size = 0
        self._begun_at = clock()
        self._resolutions: dict[tuple[str, str], Resolution] = {}
        self._older: dict[tuple[str, str], Resolution] = {}
        self._placed: dict[Resolution, Place] = {}
        self._records = WarcRecords(warc_version="WARC/1.1")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise self._unwritable(error) from error

    def note(self, resolution: Resolution) -> None:
        """Remember how a name resolved; it is written with the first response that came from one of the addresses."""
        for address in resolution.addresses:
            self._resolutions[resolution.host, address] = resolution

    def write(self, exchange: Exchange) -> Evidence:
        """Write the response and the request of ``exchange`` and return where the response stands.

        The resolution of its host goes before them where the file does not have it yet.

        Raises
        ------
        EvidenceError
            Disk full, folder gone.
        """
        try:
            file = self._current()
            dns, place = self._dns(exchange)
            response, request = self._records.pair(exchange, place)
            data = dns + response + request
            offset = self._size + len(dns)
            _write_all(file, data)
        except OSError as error:
            raise self._unwritable(error) from error
        self._size += len(data)
        return Evidence(warc=self._file_name(), offset=offset, sha256=sha256(exchange.body).hexdigest())

    def begin_sync(self) -> Callable[[], None]:
        """Return a function that brings what has been written so far onto the disk; it may run in another thread.

        Raises
        ------
        EvidenceError
            Also by the function: the disk does not take it.
        """
        if self._file is None:
            return _nothing
        try:
            number = os.dup(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

        def sync() -> None:
            try:
                os.fsync(number)
            except OSError as error:
                raise self._unwritable(error) from error
            finally:
                os.close(number)

        return sync

    def close(self) -> None:
        """Bring the file under way onto the disk, as far as it goes, and close it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def _unwritable(self, error: OSError) -> EvidenceError:
        return EvidenceError(f"{self._folder} cannot be written to: {error.strerror or error}")

    def _file_name(self) -> str:
        return f"{self._name}-{self._serial:05d}.warc.gz"

    def _dns(self, exchange: Exchange) -> tuple[bytes, Place | None]:
        """Return what is to be written of the resolution that led to the exchange, and where it will be or is."""
        led_by = host_of(URL(exchange.url).raw_host or ""), exchange.ip_address or ""
        resolution = self._resolutions.get(led_by) or self._older.get(led_by)
        if resolution is None:
            return b"", None
        self._resolutions[led_by] = resolution
        place = self._placed.get(resolution)
        if place is not None:
            return b"", place
        record_id, record = self._records.dns(resolution)
        place = self._placed[resolution] = Place(record_id=record_id, offset=self._size)
        return record, place

    def _current(self) -> BinaryIO:
        now = self._clock()
        limit = self._limit
        if self._file is not None and self._size < limit.max_bytes and now - self._begun_at < limit.max_age:
            return self._file
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            self._serial += 1
            self._older, self._resolutions = self._resolutions, {}  # unused by a whole file: forgotten
        self._placed.clear()
        self._begun_at = now
        self._file = _create(self._folder / self._file_name())
        info = self._records.info(self._file_name(), self._software, now)
        _write_all(self._file, info)
        self._size = len(info)
        return self._file


def _create(path: Path) -> BinaryIO:
    """Open a new file that only its owner may read; its name is on the disk when this returns."""
    file = open(path, "xb", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
    with contextlib.suppress(OSError):  # where there are no locks, retention goes by age alone
        fcntl.flock(file, fcntl.LOCK_SH)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return file


def _nothing() -> None:
    """Nothing has been written."""


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
