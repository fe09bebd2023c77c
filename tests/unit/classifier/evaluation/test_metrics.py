import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import auc, brier_score_loss, f1_score, precision_score, recall_score
from sklearn.preprocessing import MultiLabelBinarizer

from classifier.evaluation import metrics

Y = np.array([1, 0, 1, 0, 0])
P = np.array([0.95, 0.9, 0.4, 0.35, 0.0])


@pytest.fixture
def many():
    random = np.random.default_rng(3)
    y = (random.random(4000) < 0.2).astype(np.int64)
    return y, np.round(np.clip(random.normal(0.3 + 0.35 * y, 0.2), 0, 1), 3)


def test_numbers_worked_out_by_hand():
    assert metrics.average_precision(Y, P) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert metrics.roc_auc(Y, P) == pytest.approx(5 / 6)
    assert metrics.brier(Y, P) == pytest.approx((0.05**2 + 0.9**2 + 0.6**2 + 0.35**2) / 5)
    # bins 0.9–1: (0.95, 1), (0.9, 0); 0.4–0.5: (0.4, 1); 0.3–0.4: (0.35, 0); 0–0.1: (0, 0)
    assert metrics.calibration_error(Y, P) == pytest.approx((2 * abs(0.5 - 0.925) + 0.6 + 0.35) / 5)


def test_bins_and_histogram_count_every_page_once_and_one_belongs_to_the_last():
    y, p = np.array([1, 1, 0]), np.array([1.0, 0.95, 0.0])
    low, high = metrics.reliability(y, p)
    assert (low.low, low.pages, low.of_concern.count) == (0.0, 1, 0)
    assert (high.low, high.high, high.pages, high.mean_score) == (0.9, 1.0, 2, pytest.approx(0.975))
    counted = metrics.histogram(y, p)
    assert len(counted) == 20
    assert (counted[0].harmless, counted[-1].of_concern) == (1, 2)
    assert sum(one.of_concern + one.harmless for one in counted) == 3


def test_as_scikit_learn_has_it(many):
    y, p = many
    assert metrics.brier(y, p) == pytest.approx(brier_score_loss(y, p))
    held = metrics.reliability(y, p)
    share, mean = calibration_curve(y, p, n_bins=10, strategy="uniform")
    assert [b.of_concern.value for b in held] == pytest.approx(share, abs=0.02)  # it puts edges into the lower bin
    assert [b.mean_score for b in held] == pytest.approx(mean, abs=0.01)


def test_the_curve_is_thinned_and_keeps_its_area_and_its_ends(many):
    y, p = many
    points = metrics.curve(y, p)
    assert len(points) <= 200
    recalls, precisions = [q.recall for q in points], [q.precision for q in points]
    assert recalls == sorted(recalls, reverse=True)
    assert (recalls[0], recalls[-1]) == (1.0, 0.0)
    assert auc(recalls, precisions) == pytest.approx(metrics.average_precision(y, p), abs=0.01)
    for point in points[:-1:20]:
        flagged = p >= point.threshold
        assert point.recall == pytest.approx(recall_score(y, flagged))
        assert point.precision == pytest.approx(precision_score(y, flagged))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("abcd"))),
        min_size=1,
        max_size=12,
    )
)
def test_label_scores_are_those_of_scikit_learn(pairs):
    given, predicted = zip(*pairs, strict=True)
    found = metrics.label_scores(given, predicted, "abcd")
    binary = MultiLabelBinarizer(classes=list("abcd")).fit([])
    truth, said = binary.transform(given), binary.transform(predicted)
    each = f1_score(truth, said, average=None, zero_division=0)
    assert [one.f1 for one in found.labels] == pytest.approx(each)
    occurring = truth.any(axis=0)
    if occurring.any():
        assert found.macro_f1 == pytest.approx(each[occurring].mean())
    else:
        assert found.macro_f1 is None
    for column, one in enumerate(found.labels):
        if one.precision:
            assert one.precision.value == pytest.approx(precision_score(truth[:, column], said[:, column]))
        if one.recall:
            assert one.recall.value == pytest.approx(recall_score(truth[:, column], said[:, column]))


def test_what_cannot_be_measured_is_none():
    none, one = np.array([], dtype=np.int64), np.array([0, 0])
    assert metrics.average_precision(one, np.array([0.1, 0.2])) is None
    assert metrics.roc_auc(one, np.array([0.1, 0.2])) is None
    assert metrics.roc_auc(np.array([1]), np.array([0.1])) is None
    assert metrics.brier(none, np.array([])) is None
    assert metrics.curve(one, np.array([0.1, 0.2])) == ()
    assert metrics.calibration_error(none, np.array([])) == 0
