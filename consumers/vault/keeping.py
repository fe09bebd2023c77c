"""The vault: WARC records of flagged pages, kept apart from the crawl's files. Knows nothing of Kafka."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from consumers.vault.keys import VaultKeys
from consumers.vault.lines import Kept
from consumers.vault.log import Held, VaultLog
from consumers.vault.objects import Staged, VaultObjects
from consumers.vault.records import EvidenceMissingError, EvidenceRefusedError, copy_exchange, payload_digest
from events import Evidence

LOG_FILE = "log.jsonl"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the record is in the vault, and whether this call put it there."""

    path: Path
    fresh: bool


class Vault:
    """Copies records into ``<folder>/ab/cdef….warc.gz``, named after the digest of their payload.

    Each page that names a record has one line in ``<folder>/log.jsonl``. Several processes may share a vault. A record
    is first on the disk, then in the log, then under its name, so that a killed writer leaves nothing that looks like
    somebody's hand (ADR 0017).

    Parameters
    ----------
    folder
        The vault; made where missing, for its owner alone (0700, files 0600).
    warc_folder
        Where the WARC files of the crawlers are.
    keys
        Encrypt the records and sign the log; without one neither is done.
    max_bytes
        Largest record, unpacked.
    """

    def __init__(
        self,
        folder: Path,
        warc_folder: Path,
        *,
        keys: VaultKeys | None = None,
        max_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        self._warc_folder = warc_folder
        self._max_bytes = max_bytes
        self._keys = keys or VaultKeys()
        self.objects = VaultObjects(folder, self._keys)
        self.log = VaultLog(folder / LOG_FILE, self._keys)

    def check_keys(self) -> None:
        """Say at once that the key is missing or not the one that this vault was written with.

        Raises
        ------
        VaultKeyError
            It is.
        """
        self.log.read()
        if self.log.last_key is not None:
            self._keys.named(self.log.last_key)

    def keep(self, evidence: Evidence, *, page_id: str, url: str, at: datetime) -> Placed:
        """Copy one record with its request and DNS answer, verify its payload, log it; durable on return, idempotent.

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
        there = self.objects.find(evidence.sha256) if evidence.sha256 in self.log.contents.held else None
        if there and (page_id, evidence.sha256) in self.log.contents.pages:
            return Placed(there, fresh=False)
        entry = Kept(
            at=at,
            page_id=page_id,
            url=url,
            sha256=evidence.sha256,
            object_sha256="",
            warc=evidence.warc,
            offset=evidence.offset,
        )
        return self._settle(entry, None if there else self._stage(evidence))

    def _settle(self, entry: Kept, staged: Staged | None) -> Placed:
        """Write the line if it is not there, then give the record its name if it has none."""
        digest = entry.sha256
        discarded = staged
        try:
            with self.log.writing():
                held = self.log.contents.held.get(digest)
                there = self.objects.find(digest) if held else None
                source = there or (self._left_behind(digest, held) if held else None)
                if held and source:
                    entry = msgspec.structs.replace(entry, object_sha256=held.object_sha256)
                elif staged:
                    source, entry = staged.path, msgspec.structs.replace(entry, object_sha256=staged.object_sha256)
                else:
                    raise EvidenceMissingError("the record was removed from the vault meanwhile")
                if not held or held.object_sha256 != entry.object_sha256 or not self._knows(entry):
                    self.log.append(entry)
                if there:
                    return Placed(there, fresh=False)
                if staged and source == staged.path:
                    discarded = None  # it is in the log now, and must stay under one name or the other
                return Placed(self.objects.place(source, digest), fresh=True)
        finally:
            if discarded:
                discarded.path.unlink(missing_ok=True)

    def mend(self, digest: str) -> None:
        """Give what a killed writer logged and did not name its name; only inside ``log.writing``."""
        held = self.log.contents.held[digest]
        if left := self._left_behind(digest, held):
            self.objects.place(left, digest)

    def renew(self, digest: str) -> bool:
        """Encrypt one object with the first key; only inside ``log.writing``. Return whether that was to be done.

        Raises
        ------
        EvidenceRefusedError
            It is not as it was written.
        VaultKeyError
            Its key is not there.
        OSError
            The vault cannot be written to.
        """
        path, held = self.objects.find(digest), self.log.contents.held.get(digest)
        if path is None or held is None or self.objects.is_current(path):
            return False
        with self.objects.staging(digest) as (staged, sink), self.objects.open(path) as source:
            shutil.copyfileobj(source, sink)
        if staged.object_sha256 != held.object_sha256:
            staged.path.unlink()
            raise EvidenceRefusedError(f"{path} is not as it was written: see `guidewatch evidence verify`")
        self.objects.place(staged.path, digest)
        return True

    def _knows(self, entry: Kept) -> bool:
        return (entry.page_id, entry.sha256) in self.log.contents.pages

    def _left_behind(self, digest: str, held: Held) -> Path | None:
        """Return what a writer staged and logged, and had no time to name."""
        staged = self.objects.staged(digest)
        return next((path for path in staged if self.objects.fault(path, digest, held.object_sha256) is None), None)

    def _stage(self, evidence: Evidence) -> Staged:
        source = self._source(evidence)
        with self.objects.staging(evidence.sha256) as (staged, sink), source.open("rb") as file:
            copy_exchange(file, evidence.offset, sink, self._max_bytes)
        try:
            with self.objects.open(staged.path) as copy:
                found = payload_digest(copy)
            if found != evidence.sha256:
                raise EvidenceRefusedError(f"the payload has the digest {found}, the event says {evidence.sha256}")
        except BaseException:
            staged.path.unlink(missing_ok=True)
            raise
        return staged

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
