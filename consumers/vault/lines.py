"""The lines of the vault's log: what they say, and how each is chained to the one before it.

A line is one JSON object. ``n`` counts from 1, ``prev`` is the SHA-256 of the whole line before (64 zeros in the
first), ``seal`` comes last and covers all that stands before it in the line: HMAC-SHA-256 under the key that ``key``
names, or SHA-256 where there is no key. The hash of the last line is the head of the log.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec

from consumers.vault.keys import VaultKey, VaultKeyError, VaultKeys

NO_HEAD = "0" * 64
_SEAL = re.compile(rb',"seal":"([0-9a-f]{64})"\}')
_SEAL_BYTES = len(b',"seal":""}') + 64
_encoder = msgspec.json.Encoder()


class Kept(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="kept"):
    """Which page named which record, and when it was kept (aware UTC).

    ``sha256`` is the digest of the payload and the address of the object, ``object_sha256`` that of all its bytes
    before encryption; ``warc`` and ``offset`` say where the response record came from.
    """

    at: datetime
    page_id: str
    url: str
    sha256: str
    object_sha256: str
    warc: str
    offset: int


class Removed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="removed"):
    """Which objects were removed, when and under which rule."""

    at: datetime
    rule: str
    sha256: tuple[str, ...]


class WarcRemoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="warc_removed"):
    """Which WARC files of the crawls were removed, when and under which rule."""

    at: datetime
    rule: str
    warc: tuple[str, ...]
    bytes: int


class Rekeyed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rekeyed"):
    """How many objects were encrypted anew, under the key that signs this line."""

    at: datetime
    objects: int


Entry = Kept | Removed | WarcRemoved | Rekeyed


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    n: int
    prev: str
    key: str | None = None


_entry_decoder = msgspec.json.Decoder(Entry)
_envelope_decoder = msgspec.json.Decoder(_Envelope)


class LineError(ValueError):
    """The line is not one of ours, or not as it was written."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line as it was read.

    ``n``, ``prev`` and ``key`` as in the module's text; ``hash`` is that of the whole line.
    """

    entry: Entry
    n: int
    prev: str
    key: str | None
    hash: str


def write_line(entry: Entry, n: int, prev: str, key: VaultKey | None) -> bytes:
    """Return the line, without the line feed."""
    said = _encoder.encode(entry)
    where = _encoder.encode(_Envelope(n=n, prev=prev, key=key.id if key else None))
    body = where[:-1] + b"," + said[1:-1]
    return body + b',"seal":"%s"}' % _seal(body, key).encode()


def read_line(raw: bytes, keys: VaultKeys) -> Line:
    """Return what a line says, its seal checked unless it is that of a key that is not in ``keys``.

    Raises
    ------
    LineError
        It is not one of ours, or its seal is broken.
    """
    seal = _SEAL.fullmatch(raw[-_SEAL_BYTES:])
    try:
        envelope, entry = _envelope_decoder.decode(raw), _entry_decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LineError(f"it cannot be read: {error}") from error
    if seal is None:
        raise LineError("it has no seal")
    try:
        key = keys.named(envelope.key) if envelope.key is not None else None
    except VaultKeyError:
        pass
    else:
        if not hmac.compare_digest(seal[1].decode(), _seal(raw[:-_SEAL_BYTES], key)):
            raise LineError("its seal is broken")
    return Line(entry=entry, n=envelope.n, prev=envelope.prev, key=envelope.key, hash=hash_of(raw))


def hash_of(raw: bytes) -> str:
    """Return the hash of a whole line, without its line feed: what the next one holds."""
    return sha256(raw).hexdigest()


def _seal(body: bytes, key: VaultKey | None) -> str:
    return (hmac.new(key.log_key, body, sha256) if key else sha256(body)).hexdigest()
