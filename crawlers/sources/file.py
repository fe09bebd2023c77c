"""Reading a ``sources.toml``: one ``[[source]]`` for each page, sitemap or feed that is watched."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from crawlers.seeds import SeedsError, check_seed, read_text
from events import page_id

_EVERY = re.compile(r"(\d{1,5})\s*([mhdw])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AT = re.compile(r"^(?P<what>.*?) - at `\$\.(?P<key>\w+)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")
_HINTS = {"kind": 'write "page", "sitemap" or "feed"', "focus": 'write "off", "soft" or "hard"'}


class SourcesError(SeedsError):
    """The file of sources is not usable; the message is one line that names file, source and key."""


@dataclass(frozen=True, kw_only=True)
class WatchedSource:
    """What is watched.

    Parameters
    ----------
    url
        Of a page, sitemap or feed.
    kind
        What is expected there; None to tell it from the answer.
    every
        From the beginning of one crawl to that of the next.
    max_depth, max_pages, focus
        Of its crawls (`crawlers.plan.CrawlPlan`); None for those of the installation.
    label
        For people.
    paused
        Whether it is not crawled for now.
    """

    url: str
    kind: Literal["page", "sitemap", "feed"] | None = None
    every: timedelta = timedelta(days=1)
    max_depth: int | None = None
    max_pages: int | None = None
    focus: Literal["off", "soft", "hard"] | None = None
    label: str = ""
    paused: bool = False

    @property
    def key(self) -> str:
        """Page id of the URL."""
        return page_id(self.url)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.url

    def limits(self) -> dict[str, Any]:
        """Return the fields of a plan that the source decides."""
        given = {"max_depth": self.max_depth, "max_pages": self.max_pages, "focus": self.focus}
        return {name: value for name, value in given.items() if value is not None}


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    kind: Literal["page", "sitemap", "feed"] | None = None
    every: str = "1d"
    max_depth: Annotated[int, msgspec.Meta(ge=0)] | None = None
    max_pages: Annotated[int, msgspec.Meta(ge=1)] | None = None
    focus: Literal["off", "soft", "hard"] | None = None
    label: str = ""
    paused: bool = False


def read_sources(path: Path) -> tuple[WatchedSource, ...]:
    """Return the sources in the file ``path``, in its order.

    Raises
    ------
    SeedsError
        The file cannot be read, or (`SourcesError`) something in it is wrong.
    """
    return parse_sources(read_text(path), name=str(path))


def parse_sources(text: str, *, name: str = "sources.toml") -> tuple[WatchedSource, ...]:
    """Return the sources in ``text``.

    Raises
    ------
    SourcesError
        It is no TOML, a key is unknown or its value wrong, a URL stands there twice, or there is no source.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SourcesError(f"{name}: not TOML: {error}") from error
    for key in document:
        if key != "source":
            raise SourcesError(f"{name}: {key}: unknown key; sources stand under [[source]]")
    rows = document.get("source", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourcesError(f"{name}: source: write [[source]], in double brackets, before each source")
    if not rows:
        raise SourcesError(f'{name}: no source in it; write [[source]] and under it url = "https://…"')
    sources: dict[str, WatchedSource] = {}
    for number, row in enumerate(rows, start=1):
        source = _source(row, f"{name}: source {number}{_called(row)}")
        if source.key in sources:
            raise SourcesError(f"{name}: source {number}{_called(row)}: url: it stands there twice")
        sources[source.key] = source
    return tuple(sources.values())


def _source(row: dict[str, Any], where: str) -> WatchedSource:
    try:
        found = msgspec.convert(row, _Row, strict=True)
    except msgspec.ValidationError as error:
        raise SourcesError(f"{where}: {_explained(str(error))}") from error
    try:
        url = check_seed(found.url)
    except SeedsError as error:
        raise SourcesError(f"{where}: url: {error}") from error
    every = _EVERY.fullmatch(found.every.strip())
    if every is None or not int(every.group(1)):
        raise SourcesError(f"{where}: every: {found.every[:40]!r} is no interval; write 30m, 6h, 1d or 2w")
    fields = msgspec.structs.asdict(found)
    return WatchedSource(**{**fields, "url": url, "every": timedelta(**{_UNIT[every.group(2)]: int(every.group(1))})})


def _called(row: dict[str, Any]) -> str:
    called = row.get("label") or row.get("url")
    return f" ({called[:80]})" if isinstance(called, str) and called.isprintable() else ""


def _explained(problem: str) -> str:
    """Return a problem as msgspec puts it, with its key in front."""
    if unknown := _UNKNOWN.search(problem):
        return f"{unknown['key']}: unknown key; there are {', '.join(_Row.__struct_fields__)}"
    if "missing required field" in problem:
        return "url: it is missing"
    found = _AT.match(problem)
    if found is None:
        return problem
    return f"{found['key']}: {found['what']}" + (f"; {_HINTS[found['key']]}" if found["key"] in _HINTS else "")
