"""How much of a text is new, told from hashes of the lines that it had: no text of a page is kept (DESIGN §2)."""

from __future__ import annotations

from collections import Counter

from crawlers.extraction.traces import LINE


def changed_share(before: bytes, after: bytes) -> float:
    """Return which share of the words of two texts, 0 to 1, stands in lines that only one of them has.

    Parameters
    ----------
    before, after
        Their fingerprints (`crawlers.extraction.traces`). Where a line stands does not count; how often does.
    """
    old, new = Counter(LINE.iter_unpack(before)), Counter(LINE.iter_unpack(after))
    words = _total(old) + _total(new)
    return (_total(old - new) + _total(new - old)) / words if words else 0.0


def _total(lines: Counter[tuple[int, int]]) -> int:
    return sum(words * times for (_, words), times in lines.items())
