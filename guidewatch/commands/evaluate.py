"""`guidewatch evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guidewatch import composition, data_folder, output
from guidewatch.errors import UserMistakeError

if TYPE_CHECKING:
    from classifier.evaluation.report import Report
    from classifier.evaluation.running import Plan

Data = Annotated[
    list[Path] | None,
    typer.Argument(
        help='JSON Lines, also gzipped: {"id", "text", "title"?, "label", "language"?, "kind"?, "subjects"?, …}.',
        show_default=False,
    ),
]
Model = Annotated[Path | None, typer.Option(help="Model folder; default: the configured or the shipped one.")]
Folder = Annotated[Path | None, typer.Option("--report", help="Folder for report.html and report.json.")]
Json = Annotated[bool, typer.Option("--json", help="Print report.json.")]
Hidden = Annotated[bool, typer.Option("--hidden", help="Also hide each guide in a harmless page 20 times as long.")]
Disguised = Annotated[bool, typer.Option("--disguised", help="Also disguise the words of each guide.")]
CrossValidate = Annotated[
    bool, typer.Option("--cross-validate", help="Also train without each fold of the corpus: ten trainings.")
]
Card = Annotated[Path | None, typer.Option(help="Model card to put the main tables in, between its markers.")]
Markdown = Annotated[Path | None, typer.Option(help="Markdown file to put all tables in, between its markers.")]
Worst = Annotated[int, typer.Option(min=0, help="How many errors of each sort to list.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(evaluate)


def evaluate(
    data: Data = None,
    report: Folder = None,
    as_json: Json = False,
    model: Model = None,
    hidden: Hidden = False,
    disguised: Disguised = False,
    cross_validate: CrossValidate = False,
    card: Card = None,
    markdown: Markdown = None,
    worst: Worst = 20,
    seed: Seed = 0,
) -> None:
    """Measure a model on labelled pages. The text of a page never goes into a report."""
    if not data and not cross_validate:
        raise UserMistakeError("give files of labelled pages, or --cross-validate, or both")
    if (hidden or disguised) and not data:
        raise UserMistakeError("--hidden and --disguised change given guides: give files of labelled pages")
    from classifier.evaluation import markdown as tables
    from classifier.evaluation.running import Plan

    plan = Plan(hidden=hidden, disguised=disguised, cross_validate=cross_validate, worst=worst, seed=seed)
    for path in filter(None, (card, markdown)):
        _place(path, "", write=False)
    if report:
        data_folder.made(report, "choose another --report folder")
    made = _made(data or [], model, plan)
    if report:
        _write(made, report)
    if card:
        _place(card, tables.card_tables(made))
    if markdown:
        _place(markdown, tables.documentation_tables(made))
    if as_json:
        from classifier.evaluation.report import as_json as plain

        output.emit(plain(made))
    _show(made)


def _made(data: list[Path], model: Path | None, plan: Plan) -> Report:
    from classifier.evaluation.rows import DataError
    from classifier.evaluation.running import check_all, evaluate

    with output.progress_bar() as progress:
        try:
            files = check_all(data, progress)
        except DataError as error:
            raise UserMistakeError(str(error)) from error
        return evaluate(composition.classifier(model), files, plan, progress)


def _write(made: Report, folder: Path) -> None:
    from classifier.evaluation.page import report_html
    from classifier.evaluation.report import text_of

    (folder / "report.json").write_text(text_of(made), "utf-8")
    (folder / "report.html").write_text(report_html(made), "utf-8")
    output.say(f"Report: {folder / 'report.html'}")


def _place(path: Path, content: str, *, write: bool = True) -> None:
    """Put tables between the markers of a file, or only see whether that could be done."""
    from classifier.evaluation.markdown import MarkersError, placed

    if not path.parent.is_dir():
        raise UserMistakeError(f"{path}: there is no such folder")
    try:
        text = placed(path.read_text("utf-8") if path.exists() else "", content)
    except (MarkersError, UnicodeDecodeError, IsADirectoryError) as error:
        raise UserMistakeError(f"{path}: {error}") from error
    if write:
        path.write_text(text, "utf-8")
        output.say(f"Tables: {path}")


def _show(made: Report) -> None:
    """Print the compact tables."""
    from classifier.evaluation.summary import goals, languages, measures

    for note in made.notes:
        output.say(note)
    if made.pages:
        output.table(f"Model {made.model.version} on {made.pages.overall.pages:,} pages", measures(made.pages))
        output.console().print(languages(made.pages))
    for one in made.cross_validation or ():
        output.table(
            f"Cross-validation by {one.grouped_by}", {m.measure: f"{m.mean:.3f} ± {m.deviation:.3f}" for m in one.means}
        )
    if made.goals:
        output.console().print(goals(made.goals))
