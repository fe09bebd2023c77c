import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.evaluation.intervals import Rate, precision_at, rate, wilson


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_has_the_published_values(count, of, low, high):
    assert wilson(count, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_rate_and_stays_a_share(case):
    found = rate(*case)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_nothing_counted_is_no_rate():
    assert rate(0, 0) is None


def test_precision_at_a_base_rate_is_bayes_rule():
    recall, alarms = Rate(0.9, 0.8, 0.95, 90, 100), Rate(0.01, 0.005, 0.02, 10, 1000)
    found = precision_at(0.01, recall, alarms)
    assert found.value == pytest.approx(0.009 / (0.009 + 0.0099))
    assert found.low == pytest.approx(0.008 / (0.008 + 0.0198))
    assert found.high == pytest.approx(0.0095 / (0.0095 + 0.00495))


def test_precision_of_a_model_that_flags_nothing_is_nought():
    assert precision_at(0.01, rate(0, 10), rate(0, 10)).value == 0
