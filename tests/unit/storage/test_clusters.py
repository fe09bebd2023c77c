from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.similarity import minhash as minhash_of
from classifier.similarity import signature
from storage.clusters import ALIKE, HASHES, Cluster, are_alike, hashes, likeness, merged
from storage.sqlite.clustering import ENOUGH_BANDS, bands
from tests.contract.clustering import signed
from tests.contract.samples import later

TEXT = "A page about nothing at all, and about nothing else."


def named(number: int) -> Cluster:
    return Cluster(later(hours=number), f"text-{number}")


def test_hashes_are_those_that_the_classifier_made() -> None:
    made = signature(TEXT)
    assert made is not None
    assert hashes(minhash_of(TEXT)) == tuple(made.tolist())


def test_likeness_is_the_share_of_equal_hashes_and_nothing_without_a_signature() -> None:
    assert likeness(signed(1), signed(1)) == 1
    assert likeness(signed(1), signed(1, range(32))) == 0.75
    assert likeness(signed(1), signed(2)) == likeness("", "") == likeness(signed(1), "") == 0


@given(st.sets(st.integers(0, HASHES - 1), max_size=HASHES - ALIKE))
def test_items_that_are_alike_share_enough_bands_wherever_they_differ(places: set[int]) -> None:
    one, other = signed(1), signed(1, places)
    assert are_alike(one, other)
    assert len(set(bands(one)) & set(bands(other))) >= ENOUGH_BANDS > 0


def test_bands_fit_the_integers_of_sqlite() -> None:
    values = [band for text in range(0, 1 << 15, 1 << 12) for band in bands(signed(text, range(HASHES)))]
    assert min(values) >= -(1 << 63)
    assert max(values) < 1 << 63
    assert min(values) < 0
    assert bands("") == []


def test_the_oldest_of_the_clusters_that_are_together_takes_in_the_others() -> None:
    assert merged([{named(3), named(1)}, {named(2)}]) == {"text-3": named(1)}
    assert merged([{named(4), named(3)}, {named(2), named(1)}, {named(3), named(2)}]) == dict.fromkeys(
        ("text-2", "text-3", "text-4"), named(1)
    )


def test_one_name_with_two_dates_gets_the_older_one() -> None:
    older, younger = Cluster(later(hours=1), "text"), Cluster(later(hours=2), "text")
    assert merged([{younger, older}]) == {"text": older}
    assert merged([{younger}, {older, named(0)}]) == {"text": named(0)}


@pytest.mark.parametrize("together", [[], [{named(1)}], [{named(1)}, {named(1)}, {named(2)}]])
def test_nothing_becomes_of_clusters_that_are_alone(together: list[set[Cluster]]) -> None:
    assert merged(together) == {}


@given(st.lists(st.sets(st.integers(0, 9), min_size=1, max_size=4), max_size=6), st.randoms())
def test_order_makes_no_difference_and_what_is_merged_stays_so(groups: list[set[int]], random) -> None:  # type: ignore[no-untyped-def]
    together = [{named(number) for number in group} for group in groups]
    becomes = merged(together)
    assert merged(random.sample(together, len(together))) == becomes
    after = [{becomes.get(cluster.id, cluster) for cluster in group} for group in together]
    assert all(len(group) == 1 for group in after)
    assert merged(after) == {}
    assert all(target < named(int(name[5:])) for name, target in becomes.items())


@given(st.permutations(range(12)))
def test_a_chain_of_any_length_becomes_one(order: list[int]) -> None:
    pairs = [{named(one), named(other)} for one, other in pairwise(order)]
    assert merged(pairs) == {f"text-{number}": named(0) for number in range(1, 12)}
