from __future__ import annotations

from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.taxonomy import LANGUAGES as TAUGHT
from consumers.figures import BUCKETS_S, LANGUAGES, Figures, Histogram, figures_of
from consumers.stage import Settled
from tests.contract.samples import NOON, ended, judged, verdict
from tests.unit.consumers.records import record

SECONDS = st.floats(0, 1e5)


@given(st.lists(SECONDS), st.lists(SECONDS))
def test_histograms_add_up(some: list[float], others: list[float]) -> None:
    both = Histogram.of(some).plus(Histogram.of(others))
    assert both.counts == Histogram.of([*some, *others]).counts
    assert both.sum_s == pytest.approx(sum(some) + sum(others))
    below = list(accumulate(both.counts))
    assert below[-1] == len(some) + len(others)
    assert below[:-1] == [sum(one <= bound for one in (*some, *others)) for bound in BUCKETS_S]


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    assert Histogram.of([-5.0]) == Histogram.of([0.0])


def test_pages_are_counted_by_outcome_and_language_and_few_languages_have_a_name() -> None:
    events = [
        judged("1", says=verdict(language="fr")),
        judged("2", says=verdict(language="fr")),
        judged("3", says=verdict(language="tlh", flagged=False, outcome="unsupported")),
        ended("4"),
    ]
    found = figures_of([Settled(record(event), event) for event in events], NOON)
    assert found.outcomes == {("flagged", "fr"): 2, ("unsupported", "other"): 1, (events[3].outcome, ""): 1}
    assert frozenset(TAUGHT) == LANGUAGES


def test_only_pages_are_timed_from_their_download_and_from_the_topic() -> None:
    page, gone = judged("1"), ended("2")
    found_at = NOON - timedelta(seconds=4)
    records = [record(one, timestamp_ms=round(found_at.timestamp() * 1000)) for one in (page, gone)]
    at = page.fetched_at + timedelta(seconds=20)
    figures = figures_of([Settled(one, one.event) for one in records], at)
    assert figures.since_fetched == Histogram.of([20.0])
    assert figures.since_found == Histogram.of([(at - found_at).total_seconds()])


def test_a_page_whose_time_nobody_knows_is_not_timed_from_the_topic() -> None:
    page = judged("1")
    assert figures_of([Settled(record(page), page)], NOON).since_found == Histogram()


def test_figures_add_up() -> None:
    one = Figures({("flagged", "en"): 1}, Histogram.of([1]), Histogram.of([2]))
    two = Figures({("flagged", "en"): 2, ("failed", ""): 1}, Histogram.of([3]), Histogram())
    both = one.plus(two)
    assert both.outcomes == {("flagged", "en"): 3, ("failed", ""): 1}
    assert (sum(both.since_found.counts), both.since_fetched) == (2, one.since_fetched)
