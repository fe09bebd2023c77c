import numpy as np

from classifier.heads import PassageScores
from classifier.page_score import FEATURES, features


def scores(concern, form, subject):
    n = len(concern)
    return PassageScores(
        np.array(concern, float),
        np.array(form, float),
        np.array(subject, float),
        np.full((n, 12), 1 / 12),
        np.zeros((n, 2)),
    )


def value(name, of):
    return of[FEATURES.index(name)]


def test_every_feature_has_a_name():
    assert features(scores([0.5], [0.5], [0.5])).shape == (len(FEATURES),)


def test_form_and_subject_must_stand_in_one_passage():
    """A harmless guide beside firearm news is not a guide of concern."""
    apart = features(scores([0.2, 0.2], [0.95, 0.05], [0.05, 0.95]))
    together = features(scores([0.2, 0.2], [0.95, 0.05], [0.95, 0.05]))
    name = "strongest form × subject inside one passage"
    assert value(name, together) > value(name, apart) + 3


def test_a_title_is_no_passage():
    with_title = features(scores([0.2, 0.9], [0.5, 0.9], [0.5, 0.9]), title=1)
    assert value("strongest passage", with_title) < 0
    assert value("title", with_title) > 0


def test_certain_heads_give_finite_features():
    assert np.isfinite(features(scores([1.0, 0.0], [1.0, 0.0], [1.0, 0.0]))).all()
