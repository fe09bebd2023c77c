"""Documents to score, from files or JSON lines: what cannot be read is named, and the rest goes on."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from classifier import Document
from crawlers.extraction import (
    Extracted,
    Format,
    UnreadableError,
    extract_html,
    extract_markdown,
    extract_pdf,
    extract_text,
    sniff,
)
from crawlers.extraction.charset import decode
from guidewatch.output import whole

_FORMATS = {
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".txt": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".pdf": Format.PDF,
}
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SNIFFED = 4_096


@dataclass(frozen=True, slots=True)
class Given:
    """A document under the name that its verdict will carry."""

    id: str | int
    document: Document


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that is no document: where it is, and what is wrong with it."""

    where: str
    reason: str


class _Line(msgspec.Struct):
    id: str | int
    title: str | None = None
    text: str | None = None
    url: str | None = None
    html: str | None = None


_decoder = msgspec.json.Decoder(_Line)


def of_files(paths: Iterable[Path]) -> Iterator[Given | Unreadable]:
    """Yield the document in each file, in order.

    The end of a file's name says what it is; the content does where the name has none, and in a pipe.
    """
    for path in paths:
        name = whole(str(path))
        try:
            page = _page(path)
        except (UnreadableError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            yield Unreadable(name, reason or str(error))
        else:
            yield Given(name, Document(text=page.text, title=page.title))


def of_lines(source: str) -> Iterator[Given | Unreadable]:
    """Yield the document in each line of a file, or of standard input if ``source`` is ``-``, in order."""
    if source == "-":
        name = "standard input"
        if sys.stdin is None:
            yield Unreadable(name, "is closed")
        else:
            yield from _parsed(sys.stdin.buffer, name)
        return
    name = whole(source)
    try:
        with Path(source).open("rb") as file:
            yield from _parsed(file, name)
    except OSError as error:
        yield Unreadable(name, error.strerror or str(error))


def _page(path: Path) -> Extracted:
    format_ = _FORMATS.get(path.suffix.lower())
    if format_ is None and path.suffix and path.is_file():
        raise UnreadableError(f"not one of {', '.join(sorted(_FORMATS))}")
    body = path.read_bytes()
    format_ = format_ or _sniffed(body)
    if format_ is Format.PDF:
        return extract_pdf(body)
    if format_ is Format.MARKDOWN:
        return extract_markdown(body)
    if format_ is Format.TEXT:
        return extract_text(body)
    if format_ is Format.HTML:
        return extract_html(body)
    raise UnreadableError("neither HTML nor text nor PDF")


def _sniffed(body: bytes) -> Format:
    head = body[:_SNIFFED]
    return sniff(decode(head)[0].encode() if head.startswith(_UTF16) else body, "")


def _parsed(lines: Iterable[bytes], name: str) -> Iterator[Given | Unreadable]:
    for number, line in enumerate(lines, 1):
        where = f"{name}, line {number}"
        if number == 1 and line.startswith(_UTF16):
            yield Unreadable(where, "this is UTF-16, and JSON lines are UTF-8: nothing of it was read")
            return
        content = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not content.strip():
            continue
        try:
            yield _given(_record(content))
        except (msgspec.MsgspecError, ValueError) as error:
            yield Unreadable(where, str(error))


def _record(line: bytes) -> _Line:
    """Return the object in a line; half characters and bare control characters in it are taken as they are meant."""
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as strict:
        try:
            value = json.loads(line.decode("utf-8", "surrogatepass"), strict=False)
        except (ValueError, RecursionError):
            raise ValueError(str(strict)) from strict
    return msgspec.convert(_mended(value), _Line)


def _mended(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {whole(name): whole(one) if isinstance(one, str) else one for name, one in value.items()}


def _given(record: _Line) -> Given:
    if (record.text is None) == (record.html is None):
        raise ValueError("an object has either text or html")
    if record.html is None:
        return Given(record.id, Document(text=record.text or "", title=record.title or ""))
    page = extract_html(record.html.encode(), url=record.url or "", content_type="text/html; charset=utf-8")
    return Given(record.id, Document(text=page.text, title=page.title))
