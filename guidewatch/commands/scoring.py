"""`guidewatch score` and `guidewatch train`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from guidewatch import composition, output
from guidewatch.errors import UserMistakeError

if TYPE_CHECKING:
    from classifier import Document, Verdict

BATCH = 64
_READABLE = {".html", ".htm", ".xhtml", ".txt", ".md", ".pdf"}

Files = Annotated[list[Path] | None, typer.Argument(help=".html, .txt or .pdf files.", show_default=False)]
Jsonl = Annotated[
    str | None,
    typer.Option(
        "--jsonl", help='File, or - for standard input: {"id","title"?,"text"} or {"id","url"?,"html"} a line.'
    ),
]
Model = Annotated[Path | None, typer.Option(help="Model folder; default: the configured or the shipped one.")]
Json = Annotated[bool, typer.Option("--json", help="Print results as JSON (score always does).")]


class _Line(msgspec.Struct):
    id: str | int
    title: str = ""
    text: str | None = None
    url: str = ""
    html: str | None = None


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(score)
    app.command()(train)


def score(files: Files = None, jsonl: Jsonl = None, model: Model = None, as_json: Json = True) -> None:
    """Judge files or JSON lines; write one JSON object a line, in the same order."""
    del as_json
    if bool(files) == bool(jsonl):
        raise UserMistakeError("give files, or --jsonl FILE (or --jsonl - for standard input), one of the two")
    documents = _from_files(files) if files else _from_jsonl(str(jsonl))
    loaded = composition.classifier(model)
    scored = flagged = 0
    try:
        while batch := list(islice(documents, BATCH)):
            for (name, _), verdict in zip(batch, loaded.judge([document for _, document in batch]), strict=True):
                output.emit(as_record(name, verdict))
                scored += 1
                flagged += verdict.flagged
    finally:
        output.say(f"{scored} scored, {flagged} flagged")


def as_record(name: str | int, verdict: Verdict) -> dict[str, Any]:
    """Return the line that `score` writes of one verdict; this form is a contract."""
    return {
        "id": name,
        "flagged": verdict.flagged,
        "score": verdict.score,
        "threshold": verdict.threshold,
        "language": verdict.language,
        "outcome": verdict.outcome,
        "subjects": verdict.subjects,
        "techniques": verdict.techniques,
        "context": verdict.context,
        "passages": [{"start": p.start, "end": p.end, "score": p.score} for p in verdict.passages],
        "model": verdict.model,
    }


def _from_files(files: list[Path]) -> Iterator[tuple[str, Document]]:
    for path in files:
        if path.suffix.lower() not in _READABLE:
            raise UserMistakeError(f"{path}: not one of {', '.join(sorted(_READABLE))}")
        if not path.is_file():
            raise UserMistakeError(f"{path}: no such file")
    return ((str(path), _read(path.read_bytes(), path)) for path in files)


def _read(body: bytes, path: Path) -> Document:
    from classifier import Document
    from crawlers.extraction import UnreadableError, extract_html, extract_pdf, extract_text

    kind = path.suffix.lower()
    try:
        if kind == ".pdf":
            page = extract_pdf(body)
        elif kind in (".txt", ".md"):
            page = extract_text(body)
        else:
            page = extract_html(body)
    except UnreadableError as error:
        raise UserMistakeError(f"{path}: {error}") from error
    return Document(text=page.text, title=page.title)


def _from_jsonl(source: str) -> Iterator[tuple[str | int, Document]]:
    if source == "-":
        return _parsed(sys.stdin.buffer, "standard input")
    path = Path(source)
    if not path.is_file():
        raise UserMistakeError(f"{path}: no such file")
    return _parsed(_lines(path), str(path))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _parsed(lines: Iterable[bytes], name: str) -> Iterator[tuple[str | int, Document]]:
    from classifier import Document
    from crawlers.extraction import extract_html

    decoder = msgspec.json.Decoder(_Line)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UserMistakeError(f"{name}, line {number}: {error}") from error
        if (record.text is None) == (record.html is None):
            raise UserMistakeError(f"{name}, line {number}: an object has either text or html")
        if record.html is not None:
            page = extract_html(
                record.html.encode("utf-8", "replace"), url=record.url, content_type="text/html; charset=utf-8"
            )
            yield record.id, Document(text=page.text, title=page.title)
        else:
            yield record.id, Document(text=record.text or "", title=record.title)


def train(
    to: Annotated[Path, typer.Option("--to", help="Folder to write the model to.")] = Path("model"),
    labels: Annotated[
        str | None, typer.Option(help="`store`, or a file of label events: add analysts' decisions.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Data folder of the store, with --labels.")] = None,
    encoder: Annotated[str, typer.Option(help="use, or sentence-transformers:<id or folder>.")] = "use",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the model's metadata as JSON.")] = False,
) -> None:
    """Train a model from the shipped corpus, plus the analysts' decisions if asked; reproducible."""
    from classifier import encoder as encoders
    from classifier import examples, registry, training

    given = examples.corpus()
    if labels:
        from guidewatch.labels import examples_from_decisions

        given += examples_from_decisions(labels, composition.existing_store(data))
    with output.progress_bar() as report:
        fitted = training.train(given, encoders.make(encoder), seed=seed, progress=report)
    registry.save(fitted, to)
    if as_json:
        output.emit(fitted.meta)
    output.table(f"Model {fitted.meta['version']} in {to}", fitted.meta["metrics"])
