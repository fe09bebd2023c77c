"""`guidewatch score` and `guidewatch train`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guidewatch import composition, data_folder, output
from guidewatch.errors import MISTAKE, UserMistakeError

if TYPE_CHECKING:
    from classifier import Verdict
    from classifier.examples import Example
    from guidewatch.documents import Given, Unreadable

BATCH = 64
BATCH_CHARS = 2_000_000

Files = Annotated[list[Path] | None, typer.Argument(help=".html, .txt or .pdf files.", show_default=False)]
Jsonl = Annotated[
    str | None,
    typer.Option(
        "--jsonl", help='File, or - for standard input: {"id","title"?,"text"} or {"id","url"?,"html"} a line.'
    ),
]
Model = Annotated[Path | None, typer.Option(help="Model folder; default: the configured or the shipped one.")]
Json = Annotated[bool, typer.Option("--json", help="Print results as JSON (score always does).")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(score)
    app.command()(train)


def score(files: Files = None, jsonl: Jsonl = None, model: Model = None, as_json: Json = True) -> None:
    """Judge files or JSON lines; write one JSON object a line, in the same order.

    What cannot be read is named on standard error, the rest is judged, and the exit status is 2.
    """
    del as_json
    if bool(files) == bool(jsonl):
        raise UserMistakeError("give files, or --jsonl FILE (or --jsonl - for standard input), one of the two")
    from guidewatch import documents

    unreadable: list[documents.Unreadable] = []
    given = _readable(documents.of_files(files) if files else documents.of_lines(str(jsonl)), unreadable)
    scored = flagged = 0
    loaded = None
    try:
        for batch in _batches(given):
            loaded = loaded or composition.classifier(model)
            for one, verdict in zip(batch, loaded.judge([one.document for one in batch]), strict=True):
                output.emit(as_record(one.id, verdict))
                scored += 1
                flagged += verdict.flagged
    finally:
        skipped = f", {len(unreadable)} could not be read" if unreadable else ""
        output.say(f"{scored} scored, {flagged} flagged{skipped}")
    if unreadable:
        raise typer.Exit(MISTAKE)


def _readable(given: Iterable[Given | Unreadable], unreadable: list[Unreadable]) -> Iterator[Given]:
    """Yield the documents; name what is none, and put it into ``unreadable``."""
    from guidewatch.documents import Given

    for one in given:
        if isinstance(one, Given):
            yield one
        else:
            unreadable.append(one)
            output.say(" ".join(f"guidewatch: {one.where}: {one.reason}".split()))


def _batches(given: Iterable[Given]) -> Iterator[list[Given]]:
    """Yield the documents in lists of at most `BATCH`, shorter where the texts are long."""
    batch: list[Given] = []
    chars = 0
    for one in given:
        batch.append(one)
        chars += len(one.document.text)
        if len(batch) == BATCH or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


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


def train(
    to: Annotated[Path, typer.Option("--to", help="Folder to write the model to.")] = Path("model"),
    labels: Annotated[
        str | None, typer.Option(help="`store`, or a file of label events: add analysts' decisions.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Data folder of the store, with --labels.")] = None,
    encoder: Annotated[str, typer.Option(help="use, e5, or sentence-transformers:<id or folder>.")] = "use",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the model's metadata as JSON.")] = False,
) -> None:
    """Train a model from the shipped corpus, plus the analysts' decisions if asked; reproducible."""
    with _model_folder(to):
        from classifier import encoders, examples, registry, training

        given = examples.corpus() + (_decided(labels, data) if labels else [])
        output.say(f"Training on {len(given):,} passages; this takes minutes.")
        with output.progress_bar() as report:
            fitted = training.train(given, encoders.make(encoder), seed=seed, progress=report)
        registry.save(fitted, to)
    if as_json:
        output.emit(fitted.meta)
    output.table(f"Model {fitted.meta['version']} in {to}", fitted.meta["metrics"])


@contextmanager
def _model_folder(to: Path) -> Iterator[None]:
    """Make the folder before the work begins, so that a wrong one is said at once; leave no empty one behind."""
    new = not to.exists()
    data_folder.made(to, "choose another --to folder")
    try:
        yield
    finally:
        if new:
            with suppress(OSError):
                to.rmdir()


def _decided(labels: str, data: Path | None) -> list[Example]:
    from guidewatch.labels import examples_from_decisions

    with closing(composition.existing_store(data)) as store:
        return examples_from_decisions(labels, store)
