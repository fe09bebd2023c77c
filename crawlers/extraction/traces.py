"""What the crawl needs to know of a text beside the text: its id, its lines as hashes, its words as a set of bits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from events import content_id

LINE = Struct("<IH")
"""Hash and number of words of a line."""
_MAX_LINES = 2_000
_MAX_WORDS = 0xFFFF
_WIDE = re.compile("[\u2e80-\U0010ffff]")
_WORD = re.compile(r"[^\W\d_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_SAMPLE_CHARS = 5_000
_WORD_BITS = 16_384


class Traces(NamedTuple):
    """Content id and fingerprint of a text; and the words of the beginning of title and text (`bits_of`)."""

    content_id: str
    lines: bytes
    words: bytes


def traces_of(title: str, text: str) -> Traces:
    """Return the traces of a document."""
    return Traces(content_id(text), fingerprint(text), bits_of(words_of(f"{title}\n{text}")))


def fingerprint(text: str) -> bytes:
    """Return hash and number of words of each line of ``text`` that has words, up to 2,000 lines."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    return b"".join(LINE.pack(*_line(line)) for line in lines[:_MAX_LINES])


def words_of(text: str) -> frozenset[str]:
    """Return the words of the beginning of ``text`` without digits; two-character pieces for unspaced scripts."""
    sample = text[:_SAMPLE_CHARS].lower()
    words = frozenset(_WORD.findall(sample))
    if not _CJK.search(sample):
        return words
    unspaced = {word for word in words if len(word) > 2 and _CJK.search(word)}
    pieces = {word[at : at + 2] for word in unspaced for at in range(len(word) - 1)}
    return (words - unspaced) | pieces


def bits_of(words: Iterable[str]) -> bytes:
    """Return a set of 16,384 bits in which each of ``words`` has its own, which it may share with others."""
    bits = bytearray(_WORD_BITS // 8)
    for word in words:
        at = crc32(word.encode("utf-8", "replace")) % _WORD_BITS
        bits[at // 8] |= 1 << at % 8
    return bytes(bits)


def _line(line: str) -> tuple[int, int]:
    """Return hash and number of words; a script that is written without spaces has one for every two characters."""
    words = line.split()
    folded = " ".join(words).encode("utf-8", "replace")
    wide = 0 if line.isascii() else len(_WIDE.findall(line))
    digest = blake2b(folded, digest_size=4).digest()
    return int.from_bytes(digest, "little"), min(_MAX_WORDS, max(len(words), wide // 2, 1))
