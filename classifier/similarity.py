"""How like two texts are, from a fixed number of hashes each: MinHash (Broder, 1997; ADR 0020).

The share of equal hashes in two signatures estimates the Jaccard similarity of the sets of word trigrams. Nothing here
depends on a library's random numbers, on the process or on the machine, so that signatures of different years compare.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from classifier.normalise import normalise

HASHES = 128
"""In a signature; the standard error of the estimate is at most 0.045."""

SHINGLE_WORDS = 3
"""In Chinese and Japanese, where every character counts as a word, three characters."""

_CHUNK = 512
"""Shingles at a time, so that their hashes stay in the cache of a core."""
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]"
    r"|[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]+"
)
# Of xxHash and SplitMix64: odd numbers that spread bits well.
_STEP = np.uint64(0x9E3779B185EBCA87)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))

Hashes = NDArray[np.uint32]


def minhash(text: str) -> str:
    """Return the signature of ``text`` as messages carry it: 128 little-endian 32-bit numbers, in base64.

    What disguises words (see `classifier.normalise`), case, punctuation and white space make no difference. A text
    without a word has none, an empty string.
    """
    hashes = signature(text)
    return "" if hashes is None else base64.b64encode(hashes.astype("<u4").tobytes()).decode()


def signature(text: str) -> Hashes | None:
    """Return the signature of ``text``, shape (128,), or None where there is no word."""
    shingles = _shingles(text)
    if not shingles.size:
        return None
    factors, shifts = _permutations()
    least = np.full(HASHES, 2**64 - 1, np.uint64)
    for start in range(0, len(shingles), _CHUNK):
        # Multiply-shift (Dietzfelbinger, 1996): strongly universal from 32 bits to 32 bits in arithmetic modulo 2^64.
        hashed = factors * shingles[start : start + _CHUNK]
        hashed += shifts
        np.minimum(least, hashed.min(axis=1), out=least)
    return (least >> np.uint64(32)).astype(np.uint32)


def _shingles(text: str) -> NDArray[np.uint64]:
    """Return a 32-bit hash of every different run of `SHINGLE_WORDS` words; a shorter text is one run."""
    words = np.array([zlib.crc32(word.encode()) for word in _WORD.findall(normalise(text).casefold())], np.uint64)
    runs = max(1, len(words) - SHINGLE_WORDS + 1) if len(words) else 0
    hashed = np.zeros(runs, np.uint64)
    for place in range(min(SHINGLE_WORDS, len(words))):
        hashed = (hashed + words[place : place + runs]) * _STEP
        hashed ^= hashed >> np.uint64(29)
    for factor in _MIX:
        hashed = (hashed ^ (hashed >> np.uint64(30))) * factor
    return np.unique(hashed >> np.uint64(32))


@lru_cache(maxsize=1)
def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return factors and shifts, shape (128, 1): digits of a hash, which stay the same for ever."""
    digits = np.frombuffer(hashlib.shake_256(b"guidewatch minhash 1").digest(16 * HASHES), "<u8")
    factors, shifts = digits.astype(np.uint64).reshape(2, HASHES, 1)
    return factors | np.uint64(1), shifts
