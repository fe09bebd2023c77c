"""Read labelled pages from JSON Lines, plain or gzipped: checked in full before anything long starts, then streamed."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from classifier.language import UNDETERMINED
from classifier.taxonomy import LANGUAGES, SUBJECTS, TECHNIQUES

_GZIP = b"\x1f\x8b"
NOT_GIVEN = "not given"


class DataError(ValueError):
    """The data cannot be evaluated; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled page."""

    id: str
    text: str
    title: str
    of_concern: bool
    language: str | None
    """As declared; None where the data does not say."""
    kind: str
    subjects: tuple[str, ...] | None
    """None where the data does not say, as with ``techniques``."""
    techniques: tuple[str, ...] | None
    source: str
    stratum: str
    """``of concern``, or of a harmless page ``hard``, ``about firearms`` or ``neutral``."""
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class DataFile:
    """What a file holds."""

    path: Path
    rows: int
    positives: int
    labelled: bool
    """Whether its lines say if they are of concern; where none does, all of them count as harmless."""
    sha256: str


class _Line(msgspec.Struct):
    id: str | int
    text: str
    title: str | None = None
    label: bool | int | None = None
    of_concern: bool | None = None
    language: str | None = None
    lang: str | None = None
    kind: str | None = None
    register: str | None = None
    subject: str | list[str] | None = None
    subjects: str | list[str] | None = None
    technique: str | list[str] | None = None
    techniques: str | list[str] | None = None
    source: str | None = None
    hard: bool | None = None
    about_firearms: bool | None = None


_DECODER = msgspec.json.Decoder(_Line)


def check(path: Path) -> DataFile:
    """Read a file to its end and return what it holds.

    Raises
    ------
    DataError
        The file is missing or damaged, or a line of it is not a labelled page.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file (it is read more than once, so a pipe will not do)")
    rows = positives = labelled = 0
    first_without: int | None = None
    for number, line in _lines(path):
        parsed = _parsed(path, number, line)
        label = _label(path, number, parsed)
        _row(path, number, parsed)
        rows += 1
        positives += bool(label)
        labelled += label is not None
        if label is None and first_without is None:
            first_without = number
    if not rows:
        raise DataError(f"{path}: there is no page in it")
    if labelled and first_without is not None:
        raise DataError(f"{path}, line {first_without}: no `label` or `of_concern`, and other lines have one")
    return DataFile(path, rows, positives, bool(labelled), _sha256(path))


def read(files: Sequence[DataFile]) -> Iterator[Row]:
    """Yield the pages of checked files, in order."""
    for file in files:
        for number, line in _lines(file.path):
            yield _row(file.path, number, _parsed(file.path, number, line))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        opened = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
        number = 0
        try:
            for number, line in enumerate(opened, 1):
                if line.strip():
                    yield number, line
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"{path}: damaged after line {number}: {error}") from error


def _parsed(path: Path, number: int, line: bytes) -> _Line:
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DataError(f"{path}, line {number}: {error}") from error


def _label(path: Path, number: int, line: _Line) -> bool | None:
    """Return whether the page is of concern, or None where the line does not say."""
    if line.label is not None and line.label not in (0, 1):
        raise DataError(f"{path}, line {number}: `label` is 0 or 1, not {line.label}")
    if line.label is not None and line.of_concern is not None and bool(line.label) != line.of_concern:
        raise DataError(f"{path}, line {number}: `label` and `of_concern` contradict each other")
    given = line.label if line.label is not None else line.of_concern
    return None if given is None else bool(given)


def _row(path: Path, number: int, line: _Line) -> Row:
    subjects = _names(line.subject, line.subjects)
    techniques = _names(line.technique, line.techniques)
    for what, values, allowed in (("subject", subjects, SUBJECTS), ("technique", techniques, TECHNIQUES)):
        if unknown := set(values or ()) - set(allowed):
            raise DataError(
                f"{path}, line {number}: {what} {sorted(unknown)[0]!r} is not in the taxonomy: {', '.join(allowed)}"
            )
    of_concern = bool(_label(path, number, line))
    stem = path.name.split(".")[0]
    return Row(
        id=str(line.id),
        text=line.text,
        title=line.title or "",
        of_concern=of_concern,
        language=_language(line.language or line.lang or (stem if stem in LANGUAGES else "")),
        kind=line.kind or line.register or NOT_GIVEN,
        subjects=subjects,
        techniques=techniques,
        source=line.source or stem,
        stratum=_stratum(line, of_concern=of_concern, about=bool(subjects)),
        file=path.name,
        line=number,
    )


def _language(given: str) -> str | None:
    """Return the primary subtag of a language tag (``zh`` of ``zh-Hant``), or None where it says nothing."""
    code = given.replace("_", "-").split("-")[0].strip().lower()
    return code if code not in ("", UNDETERMINED) else None


def _names(*given: str | list[str] | None) -> tuple[str, ...] | None:
    for value in given:
        if value is not None:
            return (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
    return None


def _stratum(line: _Line, *, of_concern: bool, about: bool) -> str:
    if of_concern:
        return "of concern"
    if line.hard:
        return "hard"
    return "about firearms" if about or line.about_firearms else "neutral"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
