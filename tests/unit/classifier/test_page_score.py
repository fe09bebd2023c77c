import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from classifier.choosing import Chosen
from classifier.heads import PassageScores
from classifier.page_score import FEATURES, PageScore, clear_features, features


def scores(concern, form, subject):
    n = len(concern)
    return PassageScores(
        np.array(concern, float),
        np.array(form, float),
        np.array(subject, float),
        np.full((n, 12), 1 / 12),
        np.zeros((n, 2)),
    )


def page(passages, *, title=None, places=None, total=None):
    """Return a page of so many passages that were chosen; their texts do not matter here."""
    places = tuple(places or range(passages))
    return Chosen(places=places, total=total or passages, title=title)


def value(name, of):
    return of[FEATURES.index(name)]


def test_every_feature_has_a_name():
    assert features(scores([0.5], [0.5], [0.5]), page(1)).shape == (len(FEATURES),)


def test_form_and_subject_must_stand_in_one_passage():
    """A harmless guide beside firearm news is not a guide of concern."""
    apart = features(scores([0.2, 0.2], [0.95, 0.05], [0.05, 0.95]), page(2))
    together = features(scores([0.2, 0.2], [0.95, 0.05], [0.95, 0.05]), page(2))
    name = "strongest form × subject inside one passage"
    assert value(name, together) > value(name, apart) + 3


def test_a_score_is_what_the_estimators_say():
    x = np.random.default_rng(0).normal(size=(40, len(FEATURES)))
    whole, clear = LogisticRegression().fit(x, x[:, 0] > 0), LogisticRegression().fit(x[:, :2], x[:, 0] > 0)
    passages, chosen = scores([0.7, 0.2], [0.9, 0.4], [0.6, 0.3]), page(2)
    score = PageScore(whole, clear)
    assert score.of(passages, chosen) == pytest.approx(whole.predict_proba([features(passages, chosen)])[0, 1])
    assert score.clear(chosen) == pytest.approx(clear.predict_proba([clear_features(chosen)])[0, 1])


def test_a_title_is_no_passage():
    with_title = features(scores([0.2, 0.9], [0.5, 0.9], [0.5, 0.9]), page(1, title=1))
    assert value("strongest passage", with_title) < 0
    assert value("title", with_title) > 0


def test_certain_heads_give_finite_features():
    assert np.isfinite(features(scores([1.0, 0.0], [1.0, 0.0], [1.0, 0.0]), page(2))).all()


def test_what_the_screen_kept_back_counts_as_passages_without_concern():
    few = features(scores([0.9, 0.1], [0.9, 0.9], [0.9, 0.9]), page(2))
    many = features(scores([0.9, 0.1], [0.9, 0.9], [0.9, 0.9]), page(2, places=(3, 4), total=40))
    name = "share of passages of concern"
    assert (value(name, few), value(name, many)) == (0.5, pytest.approx(1 / 40))
    assert value("log number of passages", many) == pytest.approx(np.log(40))


def test_only_passages_that_stand_side_by_side_are_neighbours():
    name = "neighbours of the strongest passage"
    passages = scores([0.9, 0.8], [0.9, 0.9], [0.9, 0.9])
    assert value(name, features(passages, page(2, places=(3, 4), total=9))) > 1
    assert value(name, features(passages, page(2, places=(3, 5), total=9))) == 0
