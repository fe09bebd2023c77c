from dataclasses import replace

import numpy as np
import pytest

from classifier.composing import compose
from classifier.training import data_sha256, train
from tests.unit.classifier.toys import ToyEncoder, toy_corpus


def test_training_twice_gives_the_same_model(fitted):
    again = train(toy_corpus(), ToyEncoder(), columns=1024)
    assert again.meta == fitted.meta
    for name in ("page", "context", "concern_lexical", "concern_joint"):
        assert np.array_equal(again.estimators[name].coef_, fitted.estimators[name].coef_)


def test_the_data_hash_follows_the_data():
    rows = toy_corpus()
    assert data_sha256(rows) == data_sha256(toy_corpus())
    assert data_sha256(rows) != data_sha256([replace(rows[0], text="Another text."), *rows[1:]])


def test_progress_is_told_to_the_end(training):
    _, told = training
    assert told
    for what in {name for name, _, _ in told}:
        steps = [(done, total) for name, done, total in told if name == what]
        assert max(done for done, _ in steps) == steps[0][1]


@pytest.mark.parametrize("rows", [[], toy_corpus()[:3], [row for row in toy_corpus() if not row.of_concern]])
def test_too_little_to_learn_from_is_said(rows):
    with pytest.raises(ValueError, match="at least five themes"):
        train(rows, ToyEncoder())


def test_composed_pages_hide_and_mix():
    pages = compose(toy_corpus(), seed=1)
    assert {page.kind for page in pages} == {"alone", "series", "hidden", "mixed", "long"}
    assert all(page.of_concern for page in pages if page.kind == "hidden")
    assert not any(page.of_concern for page in pages if page.kind == "mixed")
    assert [page.document for page in pages] == [page.document for page in compose(toy_corpus(), seed=1)]
