"""What a link is known by: the words of its anchor, its URL and its surroundings, each as a number.

There is no list of words here (ADR 0014): a word is hashed, and the crawl learns what it is worth.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from urllib.parse import unquote
from zlib import crc32

BITS = 18
"""Words are hashed to so many bits: 262,144 weights, 2 MB."""

_MASK = (1 << BITS) - 1
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
_STEM_CHARS = 6
_ANCHOR, _URL, _AROUND = 16, 12, 24
"""Most words of each."""


def words_of(text: str) -> Iterator[str]:
    """Yield the words of ``text``, cut to their beginnings, since endings differ.

    Scripts without spaces give pairs of characters; the Arabic article is left off.
    """
    for word in _WORD.findall(text.lower()):
        if _UNSPACED.match(word):
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
        else:
            bare = word[2:] if word.startswith("ال") and len(word) > 4 else word
            yield bare[:_STEM_CHARS]


def features_of(url: str, anchor: str, around: str, *, same_host: bool) -> bytes:
    """Return the features of a link: distinct unsigned 32-bit numbers below ``2**BITS``, that of its folder first.

    Parameters
    ----------
    url
        Absolute; its folder counts as a whole, its words each.
    anchor, around
        Text of the link, and beside it.
    same_host
        Whether it leads to the host on which it stands.
    """
    host, _, path = url.partition("://")[2].partition("/")
    folder = path.rpartition("/")[0]
    first = _number(f"d{host}/{folder}")
    names = [f"h{host}", f"s{same_host}"]
    said = unquote(path) if "%" in path else path
    names += _some("u", said, _URL)
    names += [*_some("a", anchor, _ANCHOR), f"w{anchor}"]
    names += _some("r", around, _AROUND)
    others = {_number(name) for name in names} - {first}
    return array("I", [first, *others]).tobytes()


def title_features(title: str, beginning: str) -> bytes:
    """Return the features that a link with the title of a page, and the beginning of its text, would have."""
    return array(
        "I", {_number(name) for name in (f"w{title}", *_some("a", title, _ANCHOR), *_some("r", beginning, _AROUND))}
    ).tobytes()


def folder_of(features: bytes) -> bytes:
    """Return what stands for the folder of a link, the same for all links into it."""
    return features[:4]


def _number(name: str) -> int:
    return crc32(name.encode("utf-8", "replace")) & _MASK


def _some(kind: str, text: str, most: int) -> list[str]:
    found = []
    for word in words_of(text):
        found.append(kind + word)
        if len(found) == most:
            break
    return found
