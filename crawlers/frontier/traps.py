"""URLs that go on for ever and bring nothing new are left, and so are hosts that do, or that only fail.

A *shape* is a URL with digits as ``0`` and query values as ``*``; a *family* is a path with whatever query. A fetch is
fruitless when the page repeats the words of the last pages of its shape (or family) and links to something new, but
only of its own shape (or family); or when its text is one that the crawl has had. An archive of real pages brings new
words with each, and pages that lead nowhere come to an end by themselves; a calendar that links to next month for ever,
a shop that can be filtered in ten thousand ways and a site that puts a session id into each link do neither.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from urllib.parse import urlsplit

from crawlers.limits import MAX_URL_CHARS

_DIGITS = re.compile(r"\d+")
_REPEATS = re.compile(r"((?:/[^/]*[^\W\d][^/]*|/[^/]+/[^/]*[^\W\d][^/]*|/[^/]*[^\W\d][^/]*/[^/]+/[^/]+))\1\1(?:/|$)")
_MONTH = re.compile(r"(?<!\d)(\d{4})(?:[-/]|&month=|&m=)(?:0?[1-9]|1[0-2])(?=$|[/&?]|-\d)", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"\bmonth=\d{1,2}&year=(\d{4})(?!\d)", re.IGNORECASE)
_YEARS_AHEAD = 3
_BLOCK, _BLOCKS = 4, 3
"""Pages are remembered, and forgotten, by blocks of so many: the last eight to eleven."""
_LEAST_FREE = 0.05
"""What the correction for bits that words share takes to be free, at least."""
_SHAPES_IN_MEMORY = 2_048
"""Each is some 7 kB."""
_LIMITS = {"shape": 20, "family": 30, "host": 200, "fails": 10}
_Words = tuple[int, int]
"""Bits, and of how many."""
_HOST, _FAILS = "", "!"
"""What stands for a shape where the count is of the host."""
_BROKEN = re.compile(
    r"^(?:dns|timeout|tls|connection .*|malformed response|content encoding"
    r"|(?:html|pdf) (?:takes too .*|crashes its reader))$"
)


def shape_of(url: str) -> str:
    """Return path and query of ``url`` with digits as ``0`` and query values as ``*``."""
    parts = urlsplit(url)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&")}) if parts.query else []
    return _DIGITS.sub("0", parts.path + ("?" + "&".join(f"{name}=*" for name in names) if names else ""))


def refusal_of(url: str, year: int = 9_999) -> str | None:
    """Return why ``url`` is not worth a request by its looks alone: ``url too long``, ``trap``, or None.

    ``year`` is the present one: a month of more than `_YEARS_AHEAD` years later is a calendar's.
    """
    if len(url) > MAX_URL_CHARS:
        return "url too long"
    parts = urlsplit(url)
    if _REPEATS.search(parts.path):
        return "trap"
    tail = f"{parts.path}?{parts.query}"
    dated = _MONTH.search(tail) or _MONTH_FIRST.search(tail)
    return "trap" if dated and year + _YEARS_AHEAD < int(dated.group(1)) < 3_000 else None


class _Window:
    """Which words the last pages had: the pages of some blocks, and those of the one that is being filled."""

    __slots__ = ("_blocks", "_filled")

    def __init__(self) -> None:
        self._blocks = [0]
        self._filled = 0

    def is_bare(self, words: int, size: int) -> bool:
        """Return whether the last pages had nearly all of ``words``, and note that one more has them.

        Words are bits of a set of ``size``. Of words that are new, as many fall on a bit that others have set as of the
        whole set; they are counted in.
        """
        known = 0
        for block in self._blocks:
            known |= block
        held = known.bit_count()
        unseen = ((known | words).bit_count() - held) / max(_LEAST_FREE, 1 - held / size)
        self._blocks[-1] |= words
        self._filled += 1
        if self._filled == _BLOCK:
            self._blocks = [*self._blocks[1 - _BLOCKS :], 0]
            self._filled = 0
        return round(unseen) <= max(2, words.bit_count() // 10)


class Traps:
    """Remembers how fruitful each shape, each family and each host was.

    A host is left after a hundred pages in a row whose text the crawl has had, or that have neither new words nor new
    links; after twice as many that have no new words; and after ten requests in a row that came to nothing.

    Parameters
    ----------
    limit
        A shape is closed when its fruitless fetches, less two for each fruitful one, reach this number.
    counts
        Balances that an earlier run has saved.
    year
        The present year.
    """

    def __init__(
        self, limit: int = _LIMITS["shape"], counts: dict[tuple[str, str], int] | None = None, *, year: int = 9_999
    ) -> None:
        self._limit = limit
        self._year = year
        self._balance = dict(counts or {})
        self._windows: OrderedDict[tuple[str, str], _Window] = OrderedDict()
        self._dirty: set[tuple[str, str]] = set()

    def refusal(self, host: str, url: str) -> str | None:
        """Return why ``url`` shall not be fetched, or None: by its looks, ``trap``, ``nothing new``, ``host fails``."""
        looks = refusal_of(url, self._year)
        if looks is not None:
            return looks
        if self._balance.get((host, _FAILS), 0) >= _LIMITS["fails"]:
            return "host fails"
        if self._balance.get((host, _HOST), 0) >= _LIMITS["host"]:
            return "nothing new"
        return "trap" if self.is_closed(host, url) else None

    def is_closed(self, host: str, url: str) -> bool:
        """Return whether URLs of this shape are not fetched any more."""
        shape = shape_of(url)
        if self._balance.get((host, shape), 0) >= self._limit:
            return True
        return "?" in shape and self._balance.get((host, _family(shape)), 0) >= _LIMITS["family"]

    def learn(self, host: str, url: str, words: bytes, new_links: Iterable[str], *, repeated: bool = False) -> None:
        """Take in one fetched page.

        Parameters
        ----------
        host, url, words
            Where it stands, and the words of its title and text (`crawlers.extraction.traces.bits_of`).
        new_links
            The URLs on it that the crawl did not know.
        repeated
            Whether the crawl has had the very text.
        """
        bits = int.from_bytes(words, "little"), max(1, 8 * len(words))
        shape = shape_of(url)
        shapes = {shape_of(link) for link in new_links}
        self._weigh((host, shape), bits, fruitless=repeated or shapes == {shape}, leads_on=bool(shapes))
        if "?" in shape:
            family = _family(shape)
            families = {_family(other) if "?" in other else other for other in shapes}
            self._weigh((host, family), bits, fruitless=families == {family}, leads_on=bool(shapes))
        bare = self._is_bare((host, _HOST), bits)
        if repeated or bare:
            self._set((host, _HOST), self._balance.get((host, _HOST), 0) + (1 if shapes and not repeated else 2))
        else:
            self._set((host, _HOST), 0)
        self._set((host, _FAILS), 0)

    def learn_end(self, host: str, outcome: str, reason: str, *, leads_on: bool = False) -> None:
        """Take in a URL that was asked and became no page; ``leads_on``: it brought new links all the same."""
        if outcome not in ("failed", "unsupported"):
            return
        broken = outcome == "failed" and _BROKEN.match(reason) is not None
        self._set((host, _FAILS), self._balance.get((host, _FAILS), 0) + 1 if broken else 0)
        if not leads_on:
            self._set((host, _HOST), self._balance.get((host, _HOST), 0) + 2)

    def changed(self) -> dict[tuple[str, str], int]:
        """Return the balances that changed since the last call, for saving."""
        changed = {key: self._balance.get(key, 0) for key in self._dirty}
        self._dirty.clear()
        return changed

    def _weigh(self, key: tuple[str, str], words: _Words, *, fruitless: bool, leads_on: bool) -> None:
        first = key not in self._windows
        bare = self._is_bare(key, words)
        before = self._balance.get(key, 0)
        if bare and fruitless and not first:
            self._set(key, before + 1)
        elif not bare or leads_on:
            self._set(key, max(0, before - 2))

    def _is_bare(self, key: tuple[str, str], words: _Words) -> bool:
        """Return whether the last pages had nearly all of ``words``, and note these."""
        window = self._windows.pop(key, None) or _Window()
        self._windows[key] = window
        if len(self._windows) > _SHAPES_IN_MEMORY:
            self._windows.popitem(last=False)
        return window.is_bare(*words)

    def _set(self, key: tuple[str, str], value: int) -> None:
        if value != self._balance.get(key, 0):
            self._balance[key] = value
            self._dirty.add(key)


def _family(shape: str) -> str:
    return shape.partition("?")[0] + "?*"
