"""Run an evaluation: check the data, judge the pages, then the derived tests and the cross-validation if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from classifier.evaluation.cross_validation import CrossValidation, cross_validate
from classifier.evaluation.derived import DerivedTests, derived_tests, disguised, hidden
from classifier.evaluation.hiding import Background
from classifier.evaluation.judging import Progress, judge_rows
from classifier.evaluation.report import Model, Report, pages_of, report
from classifier.evaluation.rows import DataFile, check, read
from classifier.evaluation.worst import words_from
from classifier.examples import corpus
from classifier.model import Classifier


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate.

    Parameters
    ----------
    hidden, disguised
        Make the derived tests of the given guides.
    cross_validate
        Train on the corpus, with folds held out.
    worst
        Errors of each sort that are listed.
    seed
        Of everything random.
    """

    hidden: bool = False
    disguised: bool = False
    cross_validate: bool = False
    worst: int = 20
    seed: int = 0


def check_all(paths: Sequence[Path], progress: Progress) -> tuple[DataFile, ...]:
    """Return what the files hold; read in full, so that a bad line is found before the long work starts.

    Raises
    ------
    DataError
        A file is missing or damaged, or a line is not a labelled page.
    """
    files = []
    for number, path in enumerate(paths):
        progress("checking the data", number, len(paths))
        files.append(check(path))
    progress("checking the data", len(paths), len(paths))
    return tuple(files)


def evaluate(classifier: Classifier, files: Sequence[DataFile], plan: Plan, progress: Progress) -> Report:
    """Return the report on checked files (there may be none where ``plan`` cross-validates)."""
    pages = None
    if files:
        total = sum(file.rows for file in files)
        results = judge_rows(classifier, read(files), total, worst=plan.worst, progress=progress)
        pages = pages_of(results, words_from(classifier))
    model = Model(classifier.version, classifier.encoder.name, classifier.threshold)
    return report(
        model, files, pages, _derived(classifier, files, plan, progress), _cross_validation(classifier, plan, progress)
    )


def _derived(classifier: Classifier, files: Sequence[DataFile], plan: Plan, progress: Progress) -> DerivedTests | None:
    variants = []
    if plan.hidden:
        background = Background(read(files), Random(plan.seed))  # noqa: S311
        variants.append(hidden(background, plan.seed))
    if plan.disguised:
        variants.append(disguised(plan.seed))
    return derived_tests(classifier, files, variants, progress) if variants and files else None


def _cross_validation(classifier: Classifier, plan: Plan, progress: Progress) -> tuple[CrossValidation, ...] | None:
    if not plan.cross_validate:
        return None
    return cross_validate(corpus(), classifier.encoder, seed=plan.seed, progress=progress)
