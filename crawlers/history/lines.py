"""How much of a text is new, told from hashes of the lines that it had: no text of a page is kept (DESIGN §2)."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from struct import Struct

_LINE = Struct("<IH")
"""Hash and number of words of a line."""
_MAX_LINES = 2_000
_MAX_WORDS = 0xFFFF


def fingerprint(text: str) -> bytes:
    """Return hash and number of words of each line of ``text`` that has words, up to 2,000 lines."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    return b"".join(_LINE.pack(_hash(line), _words(line)) for line in lines[:_MAX_LINES])


def changed_share(before: bytes, after: bytes) -> float:
    """Return which share of the words of two texts, 0 to 1, stands in lines that only one of them has.

    Parameters
    ----------
    before, after
        Their fingerprints. Where a line stands does not count; how often does.
    """
    old, new = Counter(_LINE.iter_unpack(before)), Counter(_LINE.iter_unpack(after))
    words = _total(old) + _total(new)
    return (_total(old - new) + _total(new - old)) / words if words else 0.0


def _total(lines: Counter[tuple[int, int]]) -> int:
    return sum(words * times for (_, words), times in lines.items())


def _words(line: str) -> int:
    """Return the words of a line; a script that is written without spaces has one for every two characters."""
    spaced = len(line.split())
    return min(_MAX_WORDS, max(spaced, sum(char > "\u2e7f" for char in line) // 2, 1))


def _hash(line: str) -> int:
    folded = " ".join(line.split()).encode("utf-8", "replace")
    return int.from_bytes(blake2b(folded, digest_size=4).digest(), "little")
