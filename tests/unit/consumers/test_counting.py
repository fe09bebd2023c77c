from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.counting import Counts, Tally, kind_of, read_counts, summed, written
from events import OUTCOMES
from events.crawls import UNKNOWN_CRAWL
from tests.contract.samples import ended, judged, label, verdict
from tests.unit.consumers.records import record
from tests.unit.consumers.test_judging import page

NUMBERS = st.integers(0, 2**53)
COUNTS = st.builds(
    Counts,
    since=NUMBERS,
    read=NUMBERS,
    outcomes=st.dictionaries(st.sampled_from(OUTCOMES), st.integers(1, 2**53)),
    outputs=NUMBERS,
    poison=NUMBERS,
    rejected=NUMBERS,
    replayed=NUMBERS,
    echoes=NUMBERS,
    echo_letters=NUMBERS,
    nobodys=NUMBERS,
)


@given(COUNTS)
def test_counts_survive_the_metadata_of_an_offset_and_fit_there(counts: Counts) -> None:
    assert read_counts(written(counts)) == counts
    assert len(written(counts).encode()) < 4096


@pytest.mark.parametrize("metadata", ["", "somebody else's note", '{"read":"many"}', "[]"])
def test_metadata_of_another_is_no_counts(metadata: str) -> None:
    assert read_counts(metadata) is None


@given(st.lists(COUNTS, max_size=4))
def test_sum_is_that_of_each_field(some: list[Counts]) -> None:
    total = summed(some)
    for name in ("since", "read", "outputs", "poison", "rejected", "replayed", "echoes", "echo_letters", "nobodys"):
        assert getattr(total, name) == sum(getattr(one, name) for one in some)
    assert total.outcomes == dict(sum((Counter(one.outcomes) for one in some), Counter()))
    assert total.letters == sum(one.letters for one in some)


def test_kinds_are_what_the_balance_is_made_of() -> None:
    assert kind_of(page("one")) == "page"
    assert kind_of(judged("one")) == "flagged"
    assert kind_of(judged("one", says=verdict(flagged=False, outcome="unsupported"))) == "unsupported"
    assert kind_of(ended("one", outcome="refused")) == "refused"
    assert kind_of(label("one", decision="lawful")) == "lawful"


def test_urls_of_a_crawl_that_nobody_started_are_counted_apart() -> None:
    tally = Tally()
    for reason in ("robots", UNKNOWN_CRAWL):
        tally.add(record(ended("one", outcome="refused", reason=reason)), "classify", rejected=False)
    assert (tally.outcomes, tally.nobodys) == (Counter(refused=2), 1)
