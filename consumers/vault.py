"""The vault: WARC records of flagged pages, kept apart from the crawl's files. Knows nothing of Kafka."""

from __future__ import annotations

import os
import re
import tempfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from consumers.vault_log import VaultLine, VaultLog
from events import Evidence

_CHUNK = 64 * 1024
_DIGEST = re.compile("[0-9a-f]{64}")


_UNREADABLE = (ArchiveLoadFailed, AttributeError, EOFError, LookupError, TypeError, ValueError, zlib.error)
"""What warcio raises on records without the headers that it counts on."""


class EvidenceMissingError(Exception):
    """The record is not where the event says it is, or not whole: it may come later."""


class EvidenceRefusedError(Exception):
    """What is there is not what the event says: it will never be."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the record is in the vault, and whether this call put it there."""

    path: Path
    fresh: bool


class Vault:
    """Copies records into ``<folder>/ab/cdef….warc.gz``, named after the digest of their payload.

    Each page that names a record has one line in ``<folder>/log.jsonl``. Several processes may share a vault.

    Parameters
    ----------
    folder
        The vault; made where missing, for its owner alone (0700, files 0600).
    warc_folder
        Where the WARC files of the crawlers are.
    max_bytes
        Largest record, unpacked.
    """

    def __init__(self, folder: Path, warc_folder: Path, *, max_bytes: int = 256 * 1024 * 1024) -> None:
        self._folder = folder
        self._warc_folder = warc_folder
        self._max_bytes = max_bytes
        self._log = VaultLog(folder / "log.jsonl")

    def keep(self, evidence: Evidence, *, page_id: str, url: str, at: datetime) -> Kept:
        """Copy one record, verify its payload, and log it; durable on return, idempotent.

        Parameters
        ----------
        evidence
            Names the record.
        page_id, url
            For the log.
        at
            Now, aware UTC.

        Raises
        ------
        EvidenceMissingError
            No such file, or it ends before the record does.
        EvidenceRefusedError
            The record is not a WARC response, is too large, has another digest, or its name leads out of the folder.
        OSError
            The vault cannot be written to, or the WARC folder cannot be read.
        """
        if not _DIGEST.fullmatch(evidence.sha256):
            raise EvidenceRefusedError("the digest is not a SHA-256 in hexadecimal")
        target = self._folder / evidence.sha256[:2] / f"{evidence.sha256[2:]}.warc.gz"
        fresh = not target.exists()
        if fresh:
            self._copy(evidence, target)
        self._log.add(
            VaultLine(
                at=at, page_id=page_id, url=url, sha256=evidence.sha256, warc=evidence.warc, offset=evidence.offset
            )
        )
        return Kept(target, fresh)

    def _copy(self, evidence: Evidence, target: Path) -> None:
        source = self._source(evidence)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as copy:
            try:
                with source.open("rb") as file:
                    file.seek(evidence.offset)
                    self._copy_member(file, copy.file)
                copy.flush()
                _verify(Path(copy.name), evidence.sha256)
                os.fsync(copy.fileno())
                Path(copy.name).rename(target)
            except BaseException:
                Path(copy.name).unlink(missing_ok=True)
                raise
        _sync_folder(target.parent)

    def _source(self, evidence: Evidence) -> Path:
        folder = self._warc_folder.resolve()
        source = (folder / evidence.warc).resolve()
        if source == folder or not source.is_relative_to(folder) or evidence.offset < 0:
            raise EvidenceRefusedError(f"{evidence.warc!r} at {evidence.offset} is not a place in the WARC folder")
        if not source.exists():
            if not folder.is_dir():
                raise FileNotFoundError(2, "there is no WARC folder", str(folder))
            raise EvidenceMissingError(f"{evidence.warc} is not in the WARC folder")
        return source

    def _copy_member(self, source: IO[bytes], copy: IO[bytes]) -> None:
        """Copy one gzip member, byte for byte."""
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        unpacked = 0
        while not member.eof:
            data = member.unconsumed_tail or source.read(_CHUNK)
            if not data:
                raise EvidenceMissingError("the WARC file ends before the record does")
            try:
                unpacked += len(member.decompress(data, _CHUNK))
            except zlib.error as error:
                raise EvidenceRefusedError("there is no gzip member at this offset") from error
            if unpacked > self._max_bytes:
                raise EvidenceRefusedError(f"the record is larger than {self._max_bytes} bytes")
            left = member.unused_data if member.eof else member.unconsumed_tail
            copy.write(data[: len(data) - len(left)])


def _verify(path: Path, digest: str) -> None:
    with path.open("rb") as file:
        try:
            record = next(iter(ArchiveIterator(file)), None)
            if record is None or record.rec_type not in ("response", "resource"):
                raise EvidenceRefusedError("the record is not a WARC response")
            found = _payload_digest(record)
        except _UNREADABLE as error:
            raise EvidenceRefusedError(f"the record cannot be read: {error}") from error
    if found != digest:
        raise EvidenceRefusedError(f"the payload has the digest {found}, the event says {digest}")


def _payload_digest(record: ArcWarcRecord) -> str:
    """Return the digest of the payload after transfer decoding and before content decoding."""
    stream = record.raw_stream
    coding = record.http_headers.get_header("transfer-encoding") if record.http_headers else None
    if coding and coding.lower() == "chunked":
        stream = ChunkedDataReader(stream)
    digest = sha256()
    while data := stream.read(_CHUNK):
        digest.update(data)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
