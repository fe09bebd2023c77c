"""One item's records out of the vault: decrypted, checked, in a file for an authority."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import msgspec

from consumers.vault.keeping import LOG_FILE
from consumers.vault.keys import VaultKeys
from consumers.vault.lines import Kept
from consumers.vault.objects import VaultObjects
from consumers.vault.verifying import LogReading


class HandOverError(Exception):
    """The item is not there, or cannot be vouched for; the message is one line for the user."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, and what vouches for it.

    ``sha256`` is the digest of the payload, ``object_sha256`` that of the file; ``line`` is the line of the log that
    names it, ``head`` the hash of the last line of the log, which was checked up to there.
    """

    file: str
    page_id: str
    sha256: str
    object_sha256: str
    kept_at: datetime
    line: int
    head: str


def hand_over(folder: Path, keys: VaultKeys, name: str, target: Path) -> Receipt:
    """Write the WARC records of one item to a new file, for its owner alone.

    Parameters
    ----------
    folder, keys
        The vault.
    name
        A page id, or the SHA-256 of a payload; of several records of a page, the last counts.
    target
        The file; must not be there.

    Raises
    ------
    HandOverError
        No line names the item, the log is not intact, or the object is not as it was written.
    VaultKeyError
        The key is not there.
    OSError
        The file is there already, or cannot be written.
    """
    log = LogReading(folder / LOG_FILE, keys, wanted=name)
    if log.found is None:
        raise HandOverError(f"no line of the log names {name}: give a page id or the SHA-256 of a payload")
    line, entry = log.found
    if keys and log.missing_key is not None:
        keys.named(log.missing_key)
    if log.changes:
        raise HandOverError(f"{log.changes[0].where} is not as it was written: see `guidewatch evidence verify`")
    _write(VaultObjects(folder, keys), entry, target)
    return Receipt(
        file=str(target),
        page_id=entry.page_id,
        sha256=entry.sha256,
        object_sha256=entry.object_sha256,
        kept_at=entry.at,
        line=line,
        head=log.head,
    )


def _write(objects: VaultObjects, entry: Kept, target: Path) -> None:
    path = objects.find(entry.sha256)
    if path is None:
        raise HandOverError(f"{entry.sha256} is not in the vault: it was removed, or see `guidewatch evidence verify`")
    with objects.open(path):
        pass  # a missing key is said as such
    if fault := objects.fault(path, entry.sha256, entry.object_sha256):
        raise HandOverError(f"{path} is not as it was written: {fault}")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, objects.open(path) as source:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(descriptor)
