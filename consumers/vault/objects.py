"""The objects of the vault: files named after the digest of their payload, encrypted where there is a key."""

from __future__ import annotations

import io
import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from consumers.vault.keys import KEY_ID_BYTES, VaultKeyError, VaultKeys
from consumers.vault.records import EvidenceRefusedError, digests
from consumers.vault.sealing import MAGIC, SALT_BYTES, SealBrokenError, SealedFile, SealingSink, Sink, key_id_of

_PLAIN, _SEALED = ".warc.gz", ".warc.gz.enc"
_STAGED = ".new-"
_FOLDER = re.compile("[0-9a-f]{2}")
_NAME = re.compile(r"([0-9a-f]{62})\.warc\.gz(\.enc)?")


@dataclass
class Staged:
    """An object that is on the disk under a name of its own and waits for its line in the log."""

    path: Path
    object_sha256: str = ""
    """Digest of all its bytes before encryption."""


class VaultObjects:
    """Files ``<folder>/ab/cdef….warc.gz``, or ``….warc.gz.enc`` where they are encrypted.

    Parameters
    ----------
    folder
        The vault.
    keys
        The first encrypts, all decrypt; without one nothing is encrypted.
    """

    def __init__(self, folder: Path, keys: VaultKeys) -> None:
        self._folder = folder
        self._keys = keys

    def find(self, digest: str) -> Path | None:
        """Return where the object is, or None."""
        return next((path for path in self.copies(digest) if path.exists()), None)

    def copies(self, digest: str) -> tuple[Path, Path]:
        """Return where it may be: encrypted and plain."""
        stem = self._folder / digest[:2] / digest[2:]
        return stem.with_name(stem.name + _SEALED), stem.with_name(stem.name + _PLAIN)

    def staged(self, digest: str) -> list[Path]:
        """Return what writers of this object have left behind, or are about to place."""
        return sorted((self._folder / digest[:2]).glob(f"{_STAGED}{digest[2:]}-*"))

    @contextmanager
    def staging(self, digest: str) -> Iterator[tuple[Staged, Sink]]:
        """Yield what to write the object's bytes to; on the disk when the block ends, gone where it raises.

        Raises
        ------
        OSError
            The vault cannot be written to.
        """
        target = self.copies(digest)[0]
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f"{_STAGED}{digest[2:]}-", suffix=_SEALED if self._keys else _PLAIN, delete=False
        ) as file:
            staged = Staged(Path(file.name))
            try:
                key = self._keys.current
                sink = _Digesting(SealingSink(file.file, key, secrets.token_bytes(SALT_BYTES)) if key else file.file)
                yield staged, sink
                staged.object_sha256 = sink.finish()
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                staged.path.unlink(missing_ok=True)
                raise
        _sync_folder(target.parent)

    def place(self, staged: Path, digest: str) -> Path:
        """Give a staged file its name, durably, and remove a copy of the object under the other one."""
        sealed, plain = self.copies(digest)
        target, other = (sealed, plain) if staged.name.endswith(_SEALED) else (plain, sealed)
        staged.rename(target)
        other.unlink(missing_ok=True)
        _sync_folder(target.parent)
        return target

    def open(self, path: Path) -> BinaryIO:
        """Return the plain bytes of an object or a staged file.

        Raises
        ------
        SealBrokenError
            It was encrypted and is no longer what was written; also when read.
        VaultKeyError
            Its key is not there.
        OSError
            It cannot be read.
        """
        file = path.open("rb")
        if not path.name.endswith(_SEALED):
            return file
        try:
            return io.BufferedReader(SealedFile(file, self._keys))
        except BaseException:
            file.close()
            raise

    def fault(self, path: Path, digest: str, object_sha256: str) -> str | None:
        """Return what is wrong with an object or a staged file, or None where it is as it was written.

        Parameters
        ----------
        path
            Where it is.
        digest, object_sha256
            What its payload and all its bytes before encryption should hash to.

        Raises
        ------
        OSError
            It cannot be read.
        """
        try:
            with self.open(path) as file:
                whole, payload = digests(file)
        except (SealBrokenError, VaultKeyError, EvidenceRefusedError) as error:
            return str(error)
        if payload != digest:
            return f"its payload has the digest {payload}"
        return None if whole == object_sha256 else f"its bytes have the digest {whole}, the log says {object_sha256}"

    def remove(self, digest: str) -> None:
        """Remove the object and what was staged of it."""
        for path in (*self.copies(digest), *self.staged(digest)):
            path.unlink(missing_ok=True)

    def all(self) -> Iterator[tuple[str, Path]]:
        """Yield the digest and the path of every object, in order of the names."""
        for folder in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            if _FOLDER.fullmatch(folder.name) and folder.is_dir():
                for path in sorted(folder.iterdir()):
                    if found := _NAME.fullmatch(path.name):
                        yield folder.name + found[1], path

    def all_staged(self) -> Iterator[tuple[str, Path]]:
        """Yield the digest and the path of everything that is staged."""
        for path in sorted(self._folder.glob(f"*/{_STAGED}*")):
            yield path.parent.name + path.name.removeprefix(_STAGED).partition("-")[0], path

    def is_current(self, path: Path) -> bool:
        """Return whether an object needs no other key: it has the first, or there is none."""
        return self._keys.current is None or self.key_id(path) == self._keys.current.id

    def key_id(self, path: Path) -> str | None:
        """Return the id of the key that an object says it is encrypted with, or None where it says nothing."""
        with path.open("rb") as file:
            header = file.read(len(MAGIC) + KEY_ID_BYTES)
        return key_id_of(header) if header.startswith(MAGIC) else None


class _Digesting:
    """Hashes what passes to the file."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._digest = sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._sink.write(data)

    def finish(self) -> str:
        if isinstance(self._sink, SealingSink):
            self._sink.finish()
        return self._digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
