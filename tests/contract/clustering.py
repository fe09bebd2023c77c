"""What every store promises about items with nearly the same text (see `storage.clusters`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest

from events import PageJudged, content_id
from storage.clusters import ALIKE, HASHES
from storage.port import Bucket, Item, ItemQuery, Store
from tests.contract.samples import judged, label, later, pid, unflagged, verdict

MOST = HASHES - ALIKE
"""How many hashes may differ between two texts that are alike."""


def signed(text: int, differs: Iterable[int] = ()) -> str:
    """Return a signature that only those of the same ``text`` resemble, with other hashes at some places."""
    values = [text << 16 | place for place in range(HASHES)]
    for place in differs:
        values[place] += 1 << 31
    return base64.b64encode(b"".join(value.to_bytes(4, "little") for value in values)).decode()


def page(name: str, minhash: str, hour: int = 0, **fields: Any) -> PageJudged:
    """Return a flagged page, first seen at this hour after noon."""
    return judged(name, minhash=minhash, fetched_at=later(hours=hour), at=later(hours=hour, minutes=1), **fields)


def chain(base: int = 7) -> list[PageJudged]:
    """Return three pages, of which the second is like both others, which are not like each other; oldest first."""
    return [
        page("left", signed(base), 1),
        page("bridge", signed(base, range(MOST)), 2),
        page("right", signed(base, range(2 * MOST)), 3),
    ]


def of(store: Store, name: str) -> Item:
    found = store.item(pid(name))
    assert found is not None
    return found


def clusters(store: Store, *names: str) -> list[str]:
    """Return the name of each item's cluster: the content id of its oldest text, as the name of that page."""
    known = {content_id(f"A page about {name}."): name for name in names}
    return [known.get(of(store, name).cluster_id, of(store, name).cluster_id) for name in names]


class ClusteringContract:
    def test_item_alone_is_a_cluster_of_its_own(self, store: Store) -> None:
        event = page("one", signed(1), 1)
        store.upsert([event])
        item = of(store, "one")
        assert (item.cluster_id, item.cluster_since, item.minhash) == (event.content_id, later(hours=1), event.minhash)

    def test_mirror_joins_the_cluster_of_a_known_item_on_another_host_and_in_another_crawl(self, store: Store) -> None:
        store.upsert([page("one", signed(1), 1)])
        mirror = page("two", signed(1, range(20)), 900, url="http://b.example/two", crawl_id="crawl-2")
        report = store.upsert([mirror])
        assert report.written == (mirror.page_id,)
        store.refresh()
        found = store.search(ItemQuery(cluster_id=(content_id("A page about one."),), sort="oldest")).items
        assert [item.url for item in found] == ["https://a.example/one", "http://b.example/two"]
        assert {item.cluster_since for item in found} == {later(hours=1)}

    @pytest.mark.parametrize(("differing", "joins"), [(MOST, True), (MOST + 1, False)])
    def test_likeness_decides_at_its_threshold_wherever_the_hashes_differ(
        self, store: Store, differing: int, joins: bool
    ) -> None:
        spread = [place * 2 for place in range(HASHES // 2)][:differing]
        store.upsert([page("one", signed(1), 1), page("two", signed(1, spread), 2)])
        store.upsert([page("three", signed(2), 1)])
        store.upsert([page("four", signed(2, range(differing)), 2)])
        assert clusters(store, "one", "two") == (["one", "one"] if joins else ["one", "two"])
        assert clusters(store, "three", "four") == (["three", "three"] if joins else ["three", "four"])

    @pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
    @pytest.mark.parametrize("batch", [1, 3])
    def test_what_an_item_bridges_becomes_one_cluster_in_whatever_order_they_arrive(
        self, store: Store, order: tuple[int, ...], batch: int
    ) -> None:
        events = [chain()[number] for number in order]
        for start in range(0, 3, batch):
            store.upsert(events[start : start + batch])
        assert clusters(store, "left", "bridge", "right") == ["left"] * 3
        assert {of(store, name).cluster_since for name in ("left", "bridge", "right")} == {later(hours=1)}

    def test_clusters_that_are_bridged_move_with_all_their_members(self, store: Store) -> None:
        left, bridge, right = chain()
        others = [page(f"other-{n}", signed(7, [*range(2 * MOST), 110 + n]), 4 + n) for n in range(5)]
        store.upsert([right, *others])
        store.upsert([left])
        assert clusters(store, "left", "right", "other-4") == ["left", "right", "right"]
        store.upsert([bridge])
        store.refresh()
        assert store.counts("cluster_id", ItemQuery()) == [Bucket(left.content_id, 8)]

    def test_same_events_again_change_nothing(self, store: Store) -> None:
        store.upsert(chain())
        before = [of(store, name) for name in ("left", "bridge", "right")]
        assert store.upsert(chain()[::-1]).written == ()
        assert [of(store, name) for name in ("left", "bridge", "right")] == before

    def test_text_that_changes_leaves_its_cluster_and_the_others_keep_it(self, store: Store) -> None:
        store.upsert(chain()[:2])
        store.upsert([page("left", signed(8), 5, text="Now it is about tea.")])
        assert of(store, "left").cluster_id == content_id("Now it is about tea.")
        assert of(store, "left").cluster_since == later(hours=5)
        assert of(store, "bridge").cluster_id == content_id("A page about left.")
        store.upsert([page("right", signed(8, range(9)), 6)])
        assert of(store, "right").cluster_id == content_id("Now it is about tea.")

    def test_text_that_changes_a_little_stays_where_it_was(self, store: Store) -> None:
        store.upsert(chain()[:2])
        store.upsert([page("bridge", signed(7, range(9)), 5, text="One word is new.")])
        assert (of(store, "bridge").cluster_id, of(store, "bridge").text) == (
            content_id("A page about left."),
            "One word is new.",
        )

    def test_judged_again_with_the_same_text_stays_where_it_was(self, store: Store) -> None:
        store.upsert(chain())
        store.upsert([judged("right", fetched_at=later(hours=9), at=later(hours=9), says=verdict(score=0.6))])
        item = of(store, "right")
        assert (item.cluster_id, item.minhash, item.verdict.score) == (
            content_id("A page about left."),
            chain()[2].minhash,
            0.6,
        )

    def test_item_that_is_deleted_bridges_nothing_any_more(self, store: Store) -> None:
        left, bridge, right = chain()
        store.upsert([bridge])
        store.upsert([unflagged("bridge", fetched_at=later(hours=8), at=later(hours=8))])
        store.upsert([left, right])
        assert clusters(store, "left", "right") == ["left", "right"]

    def test_items_without_a_signature_are_together_if_their_text_is_the_same(self, store: Store) -> None:
        store.upsert([judged("one", text="Same."), judged("two", text="Same.", fetched_at=later(), at=later())])
        store.upsert([judged("three", text="Other.")])
        assert of(store, "one").cluster_id == of(store, "two").cluster_id == content_id("Same.")
        assert of(store, "one").cluster_since == of(store, "two").cluster_since == later(minutes=-60)
        assert of(store, "three").cluster_id == content_id("Other.")

    def test_decision_on_one_item_leaves_its_cluster_as_it_is(self, store: Store) -> None:
        store.upsert(chain())
        store.record_decisions([label("right")])
        store.upsert([unflagged("right", fetched_at=later(hours=8), at=later(hours=8))])
        assert clusters(store, "left", "bridge", "right") == ["left"] * 3
        assert (of(store, "right").decision, of(store, "left").decision) == ("of_concern", None)

    def test_writers_of_mirrors_at_once_end_with_one_cluster(
        self, store: Store, another_store: Callable[[], Store]
    ) -> None:
        texts = range(8)
        events = [[page(f"{text}-{copy}", signed(text, [copy]), 10 - copy) for text in texts] for copy in range(4)]
        writers = [store, another_store()]
        with ThreadPoolExecutor(4) as pool:
            reports = list(pool.map(lambda copy: writers[copy % 2].upsert(events[copy]), range(4)))
        assert not any(report.rejected for report in reports)
        for text in texts:
            assert clusters(store, *(f"{text}-{copy}" for copy in range(4))) == [f"{text}-3"] * 4

    def test_bridge_and_its_ends_by_three_writers_at_once_end_in_one_cluster(
        self, store: Store, another_store: Callable[[], Store]
    ) -> None:
        writers = [store, another_store(), another_store()]
        for round_ in range(6):
            events = [
                page(f"{event.url[-4:]}-{round_}", signed(100 + round_, differs), number)
                for number, (event, differs) in enumerate(
                    zip(chain(), (range(0), range(MOST), range(2 * MOST)), strict=True)
                )
            ]
            with ThreadPoolExecutor(3) as pool:
                list(pool.map(lambda pair: pair[0].upsert([pair[1]]), zip(writers, events, strict=True)))
            names = [event.url.rpartition("/")[2] for event in events]
            assert clusters(store, *names) == [names[0]] * 3

    def test_one_item_a_cluster_is_the_first_in_the_order_and_the_clusters_are_counted(self, store: Store) -> None:
        scores = {"left": 0.6, "bridge": 0.9, "right": 0.7}
        store.upsert(
            [page(event.url.rpartition("/")[2], event.minhash, hour, says=verdict(score=score))
             for event, (hour, score) in zip(chain(), enumerate(scores.values()), strict=True)]
        )  # fmt: skip
        store.upsert([page("alone", signed(9), 5, says=verdict(score=0.8))])
        store.record_decisions([label("left")])
        store.refresh()

        def found(**query: Any) -> tuple[list[str], int]:
            answer = store.search(ItemQuery(one_per_cluster=True, **query))
            return [item.url.rpartition("/")[2] for item in answer.items], answer.total

        assert found() == (["bridge", "alone"], 2)
        assert found(sort="newest") == (["alone", "right"], 2)
        assert found(sort="oldest", limit=1) == (["left"], 2)
        assert found(sort="oldest", offset=1) == (["alone"], 2)
        assert found(sort="oldest", decision=("open",)) == (["bridge", "alone"], 2)
        assert found(text="right") == (["right"], 1)
        assert found(text="about", sort="relevance")[1] == 2
        assert found(limit=0) == ([], 2)
        assert found(host=("b.example",)) == ([], 0)
        assert store.search(ItemQuery()).total == 4
        assert len(list(store.items(ItemQuery(one_per_cluster=True)))) == 4

    def test_counts_by_cluster(self, store: Store) -> None:
        store.upsert([*chain(), page("alone", signed(9), 5)])
        store.refresh()
        names = (content_id("A page about left."), content_id("A page about alone."))
        assert store.counts("cluster_id", ItemQuery()) == [Bucket(names[0], 3), Bucket(names[1], 1)]
        assert store.counts("cluster_id", ItemQuery(cluster_id=names[1:])) == [Bucket(names[1], 1)]
