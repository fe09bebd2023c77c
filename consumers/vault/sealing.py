"""Encryption of one object at rest, in pieces: AES-256-GCM in the STREAM construction.

A file is a header (8 bytes magic, 8 bytes key id, 16 bytes salt) and pieces of 64 KiB with a tag of 16 bytes each. The
key of the file comes from the vault's key and the salt, so that the nonces can count: 11 bytes number of the piece, big
endian, then 1 for the last piece and 0 for the others. The header is authenticated with every piece. A piece that was
changed, moved, left out or cut off at the end does not open.

V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, CRYPTO 2015, section 7; the layout is that of age (C2SP, age v1, "Payload") with AES-256-GCM.
"""

from __future__ import annotations

import io
from typing import IO, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumers.vault.keys import KEY_ID_BYTES, VaultKey, VaultKeys

MAGIC = b"GWVAULT1"
SALT_BYTES = 16
PIECE_BYTES = 64 * 1024
TAG_BYTES = 16
_HEADER_BYTES = len(MAGIC) + KEY_ID_BYTES + SALT_BYTES


class SealBrokenError(Exception):
    """What is there is not what was written."""


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


class SealingSink:
    """Encrypts what is written to it; `finish` writes the last piece.

    Parameters
    ----------
    target
        Gets the file.
    key
        The vault's.
    salt
        16 random bytes, never used before.
    """

    def __init__(self, target: IO[bytes], key: VaultKey, salt: bytes) -> None:
        self._target = target
        self._header = MAGIC + bytes.fromhex(key.id) + salt
        self._cipher = AESGCM(key.object_key(salt))
        self._waiting = bytearray()
        self._number = 0
        target.write(self._header)

    def write(self, data: bytes) -> None:
        """Take all of ``data``."""
        self._waiting += data
        while len(self._waiting) > PIECE_BYTES:  # a full piece may be the last
            self._seal(bytes(self._waiting[:PIECE_BYTES]), last=False)
            del self._waiting[:PIECE_BYTES]

    def finish(self) -> None:
        """Write what is left as the last piece; nothing can be written after."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, self._header))
        self._number += 1


class SealedFile(io.RawIOBase):
    """The plain bytes of a sealed file, each piece checked before a byte of it is given out.

    Parameters
    ----------
    source
        The sealed file; closed with this one.
    keys
        Must have the key of the file.

    Raises
    ------
    SealBrokenError
        There is no header; or, when read, a piece does not open.
    VaultKeyError
        The key is not there.
    """

    def __init__(self, source: BinaryIO, keys: VaultKeys) -> None:
        self._source = source
        self._header = source.read(_HEADER_BYTES)
        if len(self._header) != _HEADER_BYTES or not self._header.startswith(MAGIC):
            raise SealBrokenError("it has no header of an encrypted object")
        self._cipher = AESGCM(keys.named(key_id_of(self._header)).object_key(self._header[-SALT_BYTES:]))
        self._next = source.read(PIECE_BYTES + TAG_BYTES)
        self._plain = b""
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as the piece goes; return how many bytes there were."""
        while not self._plain and not self._ended:
            self._open_piece()
        count = min(len(buffer), len(self._plain))
        buffer[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count

    def close(self) -> None:
        """Close both."""
        self._source.close()
        super().close()

    def _open_piece(self) -> None:
        piece, self._next = self._next, self._source.read(PIECE_BYTES + TAG_BYTES)
        self._ended = not self._next
        try:
            self._plain = self._cipher.decrypt(_nonce(self._number, last=self._ended), piece, self._header)
        except InvalidTag as error:
            raise SealBrokenError(f"piece {self._number} does not open: it was changed, or the file was cut") from error
        self._number += 1


def key_id_of(header: bytes) -> str:
    """Return the id of the key that the header of a sealed file names."""
    return header[len(MAGIC) : len(MAGIC) + KEY_ID_BYTES].hex()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
