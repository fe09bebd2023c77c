"""Proving that nothing in a vault has changed, or saying what has and where."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from consumers.vault.keeping import LOG_FILE
from consumers.vault.keys import VaultKeys
from consumers.vault.lines import NO_HEAD, Kept, LineError, hash_of, read_line
from consumers.vault.log import Contents, Held, follows
from consumers.vault.objects import VaultObjects

OnProgress = Callable[[str, int, int], None]


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, or worth knowing, and where: ``log.jsonl line 7``, or the path of an object in the vault."""

    where: str
    what: str


class VaultReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found. ``head`` is the hash of the last line; kept elsewhere, it proves the log's end."""

    lines: int
    objects: int
    head: str
    signed: bool
    """Whether the last line, and so all before it, was checked against a key."""
    changes: tuple[Finding, ...]
    """What is not as it was written: any of these, and the vault is not intact."""
    notices: tuple[Finding, ...]
    """What a killed process has left and the next one mends."""


class LogReading:
    """The whole log, read once.

    Parameters
    ----------
    path
        The log.
    keys
        To check the seals with.
    wanted
        A page id or the digest of a payload: ``found`` is the last line that names it, with its number.
    """

    def __init__(self, path: Path, keys: VaultKeys, *, wanted: str | None = None) -> None:
        self.found: tuple[int, Kept] | None = None
        self._wanted = wanted
        self.contents = Contents()
        self.heads = {NO_HEAD}
        self.head = NO_HEAD
        self.lines = 0
        self.signed = False
        self.key_ids: set[str] = set()
        self.missing_key: str | None = None
        """Id of the key that signed the last line, where it is not there."""
        self.changes: list[Finding] = []
        self.notices: list[Finding] = []
        self._keys = keys
        for raw in _lines(path):
            self._take(raw)
        if keys and self.lines and not self.signed and self.missing_key is None:
            self._change("it is the last, and it is not signed with a key, though there is one")

    def _take(self, raw: bytes) -> None:
        if not raw.endswith(b"\n") and not follows(raw, self.head, self._keys):
            where = f"{LOG_FILE} line {self.lines + 1}"
            self.notices.append(Finding(where, "it was cut short, as by a killed writer; the next one takes it away"))
            return
        raw = raw.removesuffix(b"\n")
        self.lines += 1
        before, self.head = self.head, hash_of(raw)
        self.heads.add(self.head)
        self.signed, self.missing_key = False, None
        try:
            line = read_line(raw, self._keys)
        except LineError as error:
            self._change(f"it is not as it was written: {error}")
            return
        if line.prev != before or line.n != self.lines:
            said = f"it says that it is line {line.n}" if line.n != self.lines else "the number fits, the hash does not"
            self._change(f"it does not follow from the line before: {said}")
        if line.key is not None:
            self.key_ids.add(line.key)
            self.signed = line.key in self._keys
            self.missing_key = None if self.signed else line.key
        self.contents.take(line.entry)
        if isinstance(line.entry, Kept) and self._wanted in (line.entry.page_id, line.entry.sha256):
            self.found = (self.lines, line.entry)

    def _change(self, what: str) -> None:
        self.changes.append(Finding(f"{LOG_FILE} line {self.lines}", what))


def verify(
    folder: Path, keys: VaultKeys, *, head: str | None = None, on_progress: OnProgress = lambda *_: None
) -> VaultReport:
    """Read the log and every object, and compare each with what was written.

    Writers may go on meanwhile.

    Parameters
    ----------
    folder
        The vault.
    keys
        To decrypt with, and to check the signatures of the log.
    head
        A head that was kept elsewhere: the line with this hash must still be in the log.
    on_progress
        Called as ``(what, done, total)``.

    Raises
    ------
    VaultKeyError
        None of the keys that the vault uses is there.
    OSError
        The vault cannot be read.
    """
    check = _Verification(folder, keys)
    check.compare(on_progress)
    check.ask_for_keys()
    log = check.log
    changes = [*log.changes, *check.changes]
    if head is not None and head not in log.heads:
        changes.append(Finding(LOG_FILE, f"no line has the hash {head}: the log was cut or written anew"))
    return VaultReport(
        lines=log.lines,
        objects=len(check.log.contents.held),
        head=log.head,
        signed=log.signed,
        changes=tuple(changes),
        notices=(*log.notices, *check.notices),
    )


@dataclass
class _Verification:
    """Compares what is in the folder with what the log says."""

    folder: Path
    keys: VaultKeys
    changes: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    missing_keys: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.objects = VaultObjects(self.folder, self.keys)
        self._listed = list(self.objects.all())  # before the log: what is listed has its line by then
        self.log = LogReading(self.folder / LOG_FILE, self.keys)
        if self.log.key_ids and not any(key_id in self.keys for key_id in self.log.key_ids):
            self.keys.named(min(self.log.key_ids))

    def compare(self, on_progress: OnProgress) -> None:
        """Check what the log names, then what it does not name."""
        held = self.log.contents.held
        for done, (digest, what) in enumerate(held.items()):
            on_progress("objects", done, len(held))
            self._object(digest, what)
        on_progress("objects", len(held), len(held))
        for digest, path in self._listed:
            self._unnamed(digest, path)
        for digest, path in self.objects.all_staged():
            if digest not in held or self.objects.find(digest):
                self._note(path, "a writer is at it or was stopped; `guidewatch evidence purge` clears it away in time")

    def ask_for_keys(self) -> None:
        """Tell a key that is missing from one that somebody wrote: what is encrypted with a key, a line is signed with.

        Raises
        ------
        VaultKeyError
            A key is missing, and all that could be checked without it is as it was written.
        """
        signer = self.log.missing_key
        if self.keys and signer is not None and signer not in self.missing_keys:
            self.changes.append(Finding(LOG_FILE, f"the last line names the key {signer}, which no record has"))
        for key_id in sorted(self.missing_keys):
            if not self.changes and not self.log.changes:
                self.keys.named(key_id)
            self.changes.append(Finding(LOG_FILE, f"records of the key {key_id} were not checked: it is not there"))

    def _object(self, digest: str, held: Held) -> None:
        while (path := self.objects.find(digest)) is not None:
            try:
                key_id = self.objects.key_id(path)
                if key_id in self.log.key_ids and key_id not in self.keys:
                    self.missing_keys.add(str(key_id))
                    return
                fault = self.objects.fault(path, digest, held.object_sha256)
            except FileNotFoundError:
                continue  # encrypted anew or removed meanwhile
            if fault:
                self._change(path, f"it is not as it was written: {fault}")
            return
        if any(self.objects.fault(path, digest, held.object_sha256) is None for path in self.objects.staged(digest)):
            self._note(self.objects.copies(digest)[1], "whole, but not under its name: a writer was killed in between")
        elif digest not in LogReading(self.folder / LOG_FILE, self.keys).contents.removed:
            self._change(self.objects.copies(digest)[1], "the log names it, and it is not there")

    def _unnamed(self, digest: str, path: Path) -> None:
        if digest in self.log.contents.held:
            if (found := self.objects.find(digest)) not in (None, path) and path.exists():
                self._note(path, f"a copy of {found.name if found else path.name}, left by a killed writer")
        elif digest in self.log.contents.removed:
            if path.exists():
                self._note(path, "the log says that it was removed; the next `guidewatch evidence purge` does it")
        else:
            self._change(path, "no line of the log names it")

    def _change(self, path: Path, what: str) -> None:
        self.changes.append(Finding(str(path.relative_to(self.folder)), what))

    def _note(self, path: Path, what: str) -> None:
        self.notices.append(Finding(str(path.relative_to(self.folder)), what))


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines while no writer is between a line and its object."""
    if path.exists():
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield from file
