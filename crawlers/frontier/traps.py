"""The first trap rule: URL shapes that go on for ever and bring nothing new are left (issue 5 refines it).

A *shape* is a URL with digits as ``0`` and query values as ``*``. A fetch is fruitless when the page repeats the words
of the last pages of its shape and links to something new, but only of its own shape. An archive of real pages brings
new words with each, and pages that lead nowhere come to an end by themselves; a calendar that links to next month
for ever does neither.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from urllib.parse import urlsplit

from crawlers.limits import MAX_URL_CHARS

_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_REPEATS = re.compile(r"((?:/[^/]*[^\W\d][^/]*|/[^/]+/[^/]*[^\W\d][^/]*|/[^/]*[^\W\d][^/]*/[^/]+/[^/]+))\1\1(?:/|$)")
_SAMPLE_CHARS = 5_000
_WINDOW = 12
_SHAPES_IN_MEMORY = 512


def shape_of(url: str) -> str:
    """Return path and query of ``url`` with digits as ``0`` and query values as ``*``."""
    parts = urlsplit(url)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&")}) if parts.query else []
    return _DIGITS.sub("0", parts.path + ("?" + "&".join(f"{name}=*" for name in names) if names else ""))


def refusal_of(url: str) -> str | None:
    """Return why ``url`` is not worth a request by its looks alone: ``url too long``, ``trap``, or None."""
    if len(url) > MAX_URL_CHARS:
        return "url too long"
    return "trap" if _REPEATS.search(urlsplit(url).path) else None


def words_of(text: str) -> frozenset[str]:
    """Return the words of the beginning of ``text`` without digits; two-character pieces for unspaced scripts."""
    found: set[str] = set()
    for word in _WORD.findall(text[:_SAMPLE_CHARS].lower()):
        if _CJK.search(word) and len(word) > 2:
            found.update(word[at : at + 2] for at in range(len(word) - 1))
        else:
            found.add(word)
    return frozenset(found)


class Traps:
    """Remembers how fruitful each shape of each host was.

    Parameters
    ----------
    limit
        A shape is closed when its fruitless fetches, less two for each fruitful one, reach this number.
    counts
        Balance by (host, shape) that an earlier run has saved.
    """

    def __init__(self, limit: int = 20, counts: dict[tuple[str, str], int] | None = None) -> None:
        self._limit = limit
        self._balance = dict(counts or {})
        self._windows: OrderedDict[tuple[str, str], deque[frozenset[str]]] = OrderedDict()
        self._dirty: set[tuple[str, str]] = set()

    def is_closed(self, host: str, url: str) -> bool:
        """Return whether URLs of this shape are not fetched any more."""
        return self._balance.get((host, shape_of(url)), 0) >= self._limit

    def learn(self, host: str, url: str, text: str, new_links: Iterable[str]) -> None:
        """Take in one fetched page: its title and text, and the URLs on it that the crawl did not know."""
        shape = shape_of(url)
        key = (host, shape)
        words = words_of(text)
        window = self._window(key)
        known: set[str] = set().union(*window)
        unseen = len(words - known)
        bare = unseen <= max(2, len(words) // 10)
        shapes = {shape_of(link) for link in new_links}
        fruitless = bool(window) and bare and shapes == {shape}
        window.append(words)
        before = self._balance.get(key, 0)
        after = before + 1 if fruitless else before if bare and not shapes else max(0, before - 2)
        if after != before:
            self._balance[key] = after
            self._dirty.add(key)

    def changed(self) -> dict[tuple[str, str], int]:
        """Return the balances that changed since the last call, for saving."""
        changed = {key: self._balance[key] for key in self._dirty}
        self._dirty.clear()
        return changed

    def _window(self, key: tuple[str, str]) -> deque[frozenset[str]]:
        window = self._windows.pop(key, None)
        if window is None:
            window = deque(maxlen=_WINDOW)
        self._windows[key] = window
        if len(self._windows) > _SHAPES_IN_MEMORY:
            self._windows.popitem(last=False)
        return window
