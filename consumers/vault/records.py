"""The WARC records of one exchange: copied out of a crawl's file, and read back."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import IO, BinaryIO

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from consumers.vault.sealing import Sink

DNS_OFFSET_FIELD = "X-Guidewatch-DNS-Offset"
"""Where in the same file the record of the name's resolution is, in the header of a response."""
_CHUNK = 64 * 1024
_MAX_SMALL_BYTES = 1024 * 1024
_UNREADABLE = (ArchiveLoadFailed, AttributeError, EOFError, LookupError, TypeError, ValueError, zlib.error)
"""What warcio raises on records without the headers that it counts on."""


class EvidenceMissingError(Exception):
    """The record is not where the event says it is, or not whole: it may come later."""


class EvidenceRefusedError(Exception):
    """What is there is not what the event says: it will never be."""


@dataclass(frozen=True, kw_only=True)
class _Head:
    """What the header of a record says."""

    kind: str
    uri: str
    record_id: str | None
    concurrent_to: tuple[str, ...]
    dns_offset: str | None


def copy_exchange(source: BinaryIO, offset: int, sink: Sink, max_bytes: int) -> None:
    """Copy the response at ``offset``, the request that follows it and the DNS answer that it names, as they are.

    The request and the answer are left out where they are not there, as in the files of other crawlers.

    Parameters
    ----------
    source
        A WARC file, one gzip member a record.
    offset
        Of the response, in bytes.
    sink
        Gets the gzip members, the response first.
    max_bytes
        Largest response, unpacked.

    Raises
    ------
    EvidenceMissingError
        The file ends before the record does.
    EvidenceRefusedError
        There is no gzip member at the offset, the record is too large, or not a response.
    """
    start = bytearray()
    length = 0
    for packed, plain in _member(source, offset, max_bytes):
        sink.write(packed)
        length += len(packed)
        start += plain[: max(0, _CHUNK - len(start))]
    try:
        head = _head(next(iter(ArchiveIterator(BytesIO(bytes(start)))), None))
    except _UNREADABLE as error:
        raise EvidenceRefusedError(f"the record cannot be read: {error}") from error
    if head is None or head.kind not in ("response", "resource"):
        raise EvidenceRefusedError("the record is not a WARC response")
    _copy_if(source, offset + length, sink, lambda other: other.kind == "request" and _led_to(other, head))
    if head.dns_offset and head.dns_offset.isascii() and head.dns_offset.isdigit():
        _copy_if(
            source, int(head.dns_offset), sink, lambda other: other.uri.startswith("dns:") and _led_to(head, other)
        )


def payload_digest(stream: IO[bytes]) -> str:
    """Return the SHA-256 of the payload of the first record, after transfer decoding and before content decoding.

    Raises
    ------
    EvidenceRefusedError
        It is not a response, or cannot be read.
    """
    try:
        record = next(iter(ArchiveIterator(stream)), None)
        if record is None or record.rec_type not in ("response", "resource"):
            raise EvidenceRefusedError("the record is not a WARC response")
        return _payload_digest(record)
    except _UNREADABLE as error:
        raise EvidenceRefusedError(f"the record cannot be read: {error}") from error


def digests(stream: IO[bytes]) -> tuple[str, str]:
    """Return the SHA-256 of all bytes, and that of the payload of the first record.

    Raises
    ------
    EvidenceRefusedError
        It is not a response, or cannot be read.
    """
    hashed = _Hashed(stream)
    payload = payload_digest(io.BufferedReader(hashed))
    while hashed.read(_CHUNK):
        pass
    return hashed.digest.hexdigest(), payload


class _Hashed(io.RawIOBase):
    """Hashes what is read through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.digest = sha256()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        self.digest.update(data)
        buffer[: len(data)] = data
        return len(data)


def _payload_digest(record: ArcWarcRecord) -> str:
    stream = record.raw_stream
    coding = record.http_headers.get_header("transfer-encoding") if record.http_headers else None
    if coding and coding.lower() == "chunked":
        stream = ChunkedDataReader(stream)
    digest = sha256()
    while data := stream.read(_CHUNK):
        digest.update(data)
    return digest.hexdigest()


def _copy_if(source: BinaryIO, offset: int, sink: Sink, belongs: Callable[[_Head], bool]) -> None:
    """Copy the small record at ``offset`` if it is one that belongs to the response."""
    packed = bytearray()
    plain = bytearray()
    try:
        for piece, unpacked in _member(source, offset, _MAX_SMALL_BYTES):
            packed += piece
            plain += unpacked
        head = _head(next(iter(ArchiveIterator(BytesIO(bytes(plain)))), None))
    except (EvidenceMissingError, EvidenceRefusedError, *_UNREADABLE):
        return
    if head is not None and belongs(head):
        sink.write(bytes(packed))


def _member(source: BinaryIO, offset: int, max_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield one gzip member, byte for byte, in pieces as packed and as unpacked."""
    source.seek(offset)
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    unpacked = 0
    while not member.eof:
        data = member.unconsumed_tail or source.read(_CHUNK)
        if not data:
            raise EvidenceMissingError("the WARC file ends before the record does")
        try:
            plain = member.decompress(data, _CHUNK)
        except zlib.error as error:
            raise EvidenceRefusedError("there is no gzip member at this offset") from error
        unpacked += len(plain)
        if unpacked > max_bytes:
            raise EvidenceRefusedError(f"the record is larger than {max_bytes} bytes")
        left = member.unused_data if member.eof else member.unconsumed_tail
        yield data[: len(data) - len(left)], plain


def _head(record: ArcWarcRecord | None) -> _Head | None:
    if record is None:
        return None
    fields = [(name.lower(), value) for name, value in record.rec_headers.headers]
    return _Head(
        kind=record.rec_type,
        uri=record.rec_headers.get_header("WARC-Target-URI") or "",
        record_id=record.rec_headers.get_header("WARC-Record-ID"),
        concurrent_to=tuple(value for name, value in fields if name == "warc-concurrent-to"),
        dns_offset=record.rec_headers.get_header(DNS_OFFSET_FIELD),
    )


def _led_to(one: _Head, other: _Head) -> bool:
    return other.record_id is not None and other.record_id in one.concurrent_to
