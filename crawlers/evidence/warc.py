"""WARC 1.1 files (ISO 28500:2017), one gzip member a record, written so that a killed process leaves whole records."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import BaseWARCWriter

from events import Evidence

Header = tuple[str, str]
_LEVEL = 1
_REPLACED = {"transfer-encoding": "X-Crawler-Transfer-Encoding", "content-length": "X-Crawler-Content-Length"}


class EvidenceError(Exception):
    """Evidence cannot be written; the crawl must not go on without it."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response, as they were on the wire (the body after transfer decoding)."""

    url: str
    at: datetime
    ip_address: str | None
    request_line: str
    request_headers: Sequence[Header]
    status_line: str
    response_headers: Sequence[Header]
    body: bytes


class WarcFiles:
    """A set of WARC files of one process: ``<name>-00000.warc.gz`` and so on.

    Each exchange is written by a single unbuffered ``write``, so that a crash cuts at most the last one short; no file
    is ever opened again by a later run.

    Parameters
    ----------
    folder
        Made where missing; it and the files are for their owner only.
    name
        First part of the file names, unique to this process start.
    software
        For the ``warcinfo`` record.
    max_bytes
        A new file is begun after this size.
    clock
        Returns the time as aware UTC.

    Raises
    ------
    EvidenceError
        The folder cannot be written to.
    """

    def __init__(
        self, folder: Path, name: str, *, software: str, clock: Callable[[], datetime], max_bytes: int = 500_000_000
    ) -> None:
        self._folder = folder
        self._name = name
        self._software = software
        self._clock = clock
        self._max_bytes = max_bytes
        self._serial = 0
        self._file: BinaryIO | None = None
        self._size = 0
        self._records = _Records(warc_version="WARC/1.1")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, exchange: Exchange) -> Evidence:
        """Write the response and the request of ``exchange`` and return where the response stands.

        Raises
        ------
        EvidenceError
            Disk full, folder gone.
        """
        response, request = self._records.pair(exchange)
        try:
            file = self._current()
            offset = self._size
            _write_all(file, response + request)
        except OSError as error:
            raise self._unwritable(error) from error
        self._size += len(response) + len(request)
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

    def _current(self) -> BinaryIO:
        if self._file is not None and self._size < self._max_bytes:
            return self._file
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
            self._serial += 1
        self._file = _create(self._folder / self._file_name())
        info = self._records.info(self._file_name(), self._software, self._clock())
        _write_all(self._file, info)
        self._size = len(info)
        return self._file


class _Records(BaseWARCWriter):
    """Makes gzipped records in memory, with SHA-256 digests."""

    def __init__(self, warc_version: str) -> None:
        super().__init__(gzip=False, warc_version=warc_version)

    @staticmethod
    def _create_digester() -> Digester:
        return Digester("sha256")

    @staticmethod
    def _create_temp_file() -> BytesIO:
        return BytesIO()

    def info(self, file_name: str, software: str, at: datetime) -> bytes:
        """Return the ``warcinfo`` record that opens a file."""
        record = self.create_warcinfo_record(file_name, {"software": software, "format": "WARC File Format 1.1"})
        record.rec_headers.replace_header("WARC-Date", _date(at))
        return self._packed(record)

    def pair(self, exchange: Exchange) -> tuple[bytes, bytes]:
        """Return the response and the request record."""
        date = _date(exchange.at)
        protocol, _, status = exchange.status_line.partition(" ")
        headers = _fitting(exchange.response_headers, len(exchange.body))
        known = {"WARC-Date": date}
        if exchange.ip_address:
            known["WARC-IP-Address"] = exchange.ip_address
        response = self.create_warc_record(
            exchange.url,
            "response",
            payload=BytesIO(exchange.body),
            http_headers=StatusAndHeaders(status, headers, protocol=protocol),
            warc_headers_dict=known,
        )
        verb, _, rest = exchange.request_line.partition(" ")
        request = self.create_warc_record(
            exchange.url,
            "request",
            http_headers=StatusAndHeaders(f"{verb} {rest}", list(exchange.request_headers), is_http_request=True),
            warc_headers_dict={
                "WARC-Date": date,
                "WARC-Concurrent-To": response.rec_headers.get_header("WARC-Record-ID"),
            },
        )
        return self._packed(response), self._packed(request)

    def _packed(self, record: object) -> bytes:
        plain = BytesIO()
        self._write_warc_record(plain, record)
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        return packer.compress(plain.getbuffer()) + packer.flush()


def _fitting(headers: Sequence[Header], length: int) -> list[Header]:
    """Return the headers as received, save those that no longer fit a body without transfer coding."""
    said = ("Content-Length", str(length))
    if not any(name.lower() == "transfer-encoding" for name, _ in headers) and any(
        name.lower() == "content-length" and value.strip() == said[1] for name, value in headers
    ):
        return list(headers)
    return [*((_REPLACED.get(name.lower(), name), value) for name, value in headers), said]


def _date(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _create(path: Path) -> BinaryIO:
    """Open a new file that only its owner may read; its name is on the disk when this returns."""
    file = open(path, "xb", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
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
