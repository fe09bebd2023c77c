"""The keys of the vault: read from text, told apart by an id, never used for two purposes (HKDF, RFC 5869)."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
KEY_ID_BYTES = 8
_HEX = re.compile("[0-9a-fA-F]{64}")
_ADVICE = "`guidewatch evidence key` prints a fresh one; several are separated by commas, the one to write with first"


class VaultKeyError(Exception):
    """A key is malformed, missing or not the one; the message is one line for the user and holds no key."""


@dataclass(frozen=True)
class VaultKey:
    """A secret of 32 bytes, from which everything else is derived."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise VaultKeyError(f"a key of the vault has {KEY_BYTES} bytes; {_ADVICE}")

    @cached_property
    def id(self) -> str:
        """Names the key in files without giving it away: 16 hexadecimal digits."""
        return self._derived("guidewatch vault key id", KEY_ID_BYTES).hex()

    @cached_property
    def log_key(self) -> bytes:
        """Signs the lines of the log."""
        return self._derived("guidewatch vault log", KEY_BYTES)

    def object_key(self, salt: bytes) -> bytes:
        """Return the key of the one object that has this salt."""
        return self._derived("guidewatch vault object", KEY_BYTES, salt)

    def _derived(self, purpose: str, length: int, salt: bytes | None = None) -> bytes:
        return HKDF(SHA256(), length, salt, purpose.encode()).derive(self.secret)


class VaultKeys:
    """The first key is written with, all are read with; there may be none.

    Parameters
    ----------
    keys
        In this order.
    """

    def __init__(self, keys: Sequence[VaultKey] = ()) -> None:
        self.current = keys[0] if keys else None
        self._by_id = {key.id: key for key in keys}

    def __bool__(self) -> bool:
        return self.current is not None

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._by_id

    def named(self, key_id: str) -> VaultKey:
        """Return the key with this id.

        Raises
        ------
        VaultKeyError
            It is not there.
        """
        if key_id in self._by_id:
            return self._by_id[key_id]
        if not self:
            raise VaultKeyError(f"the vault uses the key {key_id}, and no key is set: GUIDEWATCH_EVIDENCE_VAULT_KEY")
        raise VaultKeyError(
            f"the vault uses the key {key_id}, which is not in GUIDEWATCH_EVIDENCE_VAULT_KEY: add it after a comma"
        )


def read_keys(text: str) -> VaultKeys:
    """Return the keys that ``text`` lists: each 32 bytes in base64 or hexadecimal, separated by commas.

    Raises
    ------
    VaultKeyError
        A key is malformed.
    """
    return VaultKeys([VaultKey(_secret(part.strip())) for part in text.split(",") if part.strip()])


def fresh_key() -> str:
    """Return a new key in base64."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _secret(text: str) -> bytes:
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    try:
        found = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != KEY_BYTES:
        raise VaultKeyError(
            f"GUIDEWATCH_EVIDENCE_VAULT_KEY: a key is {KEY_BYTES} bytes in base64 or hexadecimal; {_ADVICE}"
        )
    return found
