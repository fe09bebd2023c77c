import dataclasses
import json

import numpy as np
import pytest

from classifier.evaluation.cross_validation import FOLDS, RememberingEncoder, cross_validate
from classifier.evaluation.markdown import documentation_tables
from classifier.evaluation.page import report_html
from classifier.evaluation.report import Model, report, text_of
from tests.unit.classifier.toys import ToyEncoder, toy_corpus

REGISTERS = ("blog", "faq", "chat", "readme", "manual", "course")


@pytest.fixture(scope="module")
def asked(fitted):
    """The cross-validation of a toy corpus, what each model was trained on, and what was told of the progress.

    Every fold gets the same model, which had seen all: what is looked at here is who is asked about what.
    """
    corpus = [
        dataclasses.replace(example, register=REGISTERS[i // 3 % 6], group=f"g{i // 2}")
        for i, example in enumerate(toy_corpus())
    ]
    trained, told = [], []

    def train(examples, encoder):
        trained.append(examples)
        return fitted

    made = cross_validate(corpus, ToyEncoder(), train=train, progress=lambda *step: told.append(step))
    return corpus, made, trained, told


def test_no_group_is_on_both_sides(asked):
    corpus, made, trained, _ = asked
    assert [one.grouped_by for one in made] == ["theme", "register"]
    keys = [lambda example: example.group] * FOLDS + [lambda example: example.register] * FOLDS
    folds = [fold for one in made for fold in one.folds]
    assert len(trained) == len(folds) == 2 * FOLDS
    for fold, examples, key in zip(folds, trained, keys, strict=True):
        assert not {key(example) for example in examples} & set(fold.groups)
        assert fold.passages + len(examples) == len(corpus)
    for one in made:
        assert sum(fold.passages for fold in one.folds) == len(corpus)
        assert sum(fold.pages for fold in one.folds) == sum(fold.pages for fold in one.kinds)


def test_means_are_over_folds(asked):
    _, (by_theme, _), _, _ = asked
    recalls = [fold.recall.value for fold in by_theme.folds if fold.recall]
    mean = next(mean for mean in by_theme.means if mean.measure == "recall")
    assert mean.mean == pytest.approx(np.mean(recalls))
    assert mean.deviation == pytest.approx(np.std(recalls, ddof=1))


def test_it_is_told_how_far_the_work_is(asked):
    *_, told = asked
    assert told[0] == ("cross-validating", 0, 10)
    assert told[-1] == ("cross-validating", 10, 10)


def test_a_report_shows_it(asked):
    _, made, _, _ = asked
    written = report(Model("toy", "use", 0.5), (), None, None, made)
    assert "Folds by register" in report_html(written)
    assert "fold by theme" in documentation_tables(written)
    assert len(json.loads(text_of(written))["cross_validation"]) == 2


def test_every_text_is_encoded_once():
    encoder = ToyEncoder()
    remembering = RememberingEncoder(encoder)
    first = remembering.encode(["a b", "c", "a b"])
    again = remembering.encode(["c", "d"])
    assert encoder.encoded == 3
    assert (first[0] == first[2]).all()
    assert (first[1] == again[0]).all()
    assert remembering.encode([]).shape == (0, 48)
