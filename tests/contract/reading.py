"""What every store promises about searching, counting and the ledger."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from events import OUTCOMES
from storage.port import Bucket, ItemQuery, LedgerQuery, Store, TimeBucket
from tests.contract.samples import Clock, ended, judged, label, later, near, pid, unflagged, verdict

TEXTS = {
    "en": ("A Page about Workshops", "It promises a guide, and has no substance."),
    "fr": ("Une page sur les ateliers", "Elle annonce une leçon détaillée et ne dit rien de l'été."),
    "es": ("Una página sobre talleres", "Anuncia una lección sencilla para el otoño."),
    "ru": ("Страница о мастерских", "Она обещает пошаговое руководство и ничего не говорит."),
    "ar": ("صفحة عن الورشة", "تعد بدليل مفصّل للمبتدئين ولا تقول شيئا عن الأدوات."),
    "zh": ("关于车间的页面", "它承诺一份详细指南，但没有任何内容。"),
}


def names(store: Store, query: ItemQuery) -> list[str]:
    return [item.url.rpartition("/")[2] for item in store.search(query).items]


def filled_with_six(store: Store) -> Store:
    """Return the store with one item in each language."""
    store.upsert([judged(code, title=t, text=body, says=verdict(language=code)) for code, (t, body) in TEXTS.items()])
    store.refresh()
    return store


def filled_with_four(store: Store) -> Store:
    """Return the store with four items that differ in everything one can ask for."""
    store.upsert(
        [
            judged("a", fetched_at=later(days=-3), at=later(), says=verdict(score=0.6, language="fr")),
            judged(
                "b",
                fetched_at=later(days=-2),
                at=later(),
                url="http://b.example:8080/b",
                says=verdict(score=0.8, subjects={"ammunition": 0.9}, techniques={}, context="news"),
            ),
            judged("c", fetched_at=later(days=-1), at=later(), crawl_id="crawl-2", says=verdict(score=0.7)),
            judged("d", fetched_at=later(), at=later(), says=verdict(score=0.8, context=None, methods={})),
        ]
    )
    store.record_decisions([label("a"), label("c", decision="lawful")])
    store.refresh()
    return store


class SearchContract:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("workshops", "en"),
            ("PROMISES guide", "en"),
            ("workshops substance", "en"),
            ("leçon", "fr"),
            ("lecon détaillée", "fr"),
            ("ÉTÉ", "fr"),
            ("página", "es"),
            ("otono talleres", "es"),
            ("мастерских", "ru"),
            ("ПОШАГОВОЕ руководство", "ru"),
            ("ورشة", "ar"),
            ("مفصل", "ar"),
            ("ادوات", "ar"),
            ("车间", "zh"),
            ("指南", "zh"),
            ("详细指南", "zh"),
            ("页", "zh"),
            ("车间 内容", "zh"),
        ],
    )
    def test_full_text_finds_words_in_six_languages(self, six: Store, words: str, expected: str) -> None:
        assert names(six, ItemQuery(text=words)) == [expected]

    @pytest.mark.parametrize(
        "words", ["workshops leçon", "南指", "work", "间车", "guide absent", "…", '"', "a OR b", "* NEAR ("]
    )
    def test_full_text_wants_all_words_and_takes_no_syntax(self, six: Store, words: str) -> None:
        assert six.search(ItemQuery(text=words)).total == 0

    def test_blank_text_finds_everything(self, six: Store) -> None:
        assert six.search(ItemQuery(text="  ")).total == 6

    def test_text_of_a_newer_fetch_replaces_the_old_one(self, store: Store) -> None:
        six = filled_with_six(store)
        six.upsert([judged("en", title="Other", text="Another topic.", fetched_at=later(), at=later())])
        six.refresh()
        assert names(six, ItemQuery(text="topic")) == ["en"]
        assert names(six, ItemQuery(text="workshops")) == []

    def test_relevance_puts_the_best_match_first(self, store: Store) -> None:
        texts = {"far": "kiln " + "and other words " * 40, "near": "kiln kiln kiln", "none": "nothing"}
        store.upsert([judged(name, title="Page", text=text) for name, text in texts.items()])
        store.refresh()
        assert names(store, ItemQuery(text="kiln", sort="relevance")) == ["near", "far"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (ItemQuery(language=("fr",)), "a"),
            (ItemQuery(language=("fr", "en")), "abcd"),
            (ItemQuery(subject=("ammunition",)), "b"),
            (ItemQuery(subject=("firearm", "ammunition")), "abcd"),
            (ItemQuery(technique=("repair",)), "acd"),
            (ItemQuery(context=("news",)), "b"),
            (ItemQuery(host=("b.example:8080",)), "b"),
            (ItemQuery(host=("b.example",)), ""),
            (ItemQuery(decision=("open",)), "bd"),
            (ItemQuery(decision=("open", "lawful")), "bcd"),
            (ItemQuery(decision=("of_concern",)), "a"),
            (ItemQuery(crawl_id=("crawl-2",)), "c"),
            (ItemQuery(content_id=(judged("d").content_id,)), "d"),
            (ItemQuery(min_score=0.7), "bcd"),
            (ItemQuery(since=later(days=-2)), "bcd"),
            (ItemQuery(until=later(days=-2)), "a"),
            (ItemQuery(since=later(days=-2), until=later(days=-1)), "b"),
            (ItemQuery(since=later(days=-2, microseconds=1), until=later(days=-1, microseconds=1)), "c"),
            (ItemQuery(text="about", language=("en",), min_score=0.75), "bd"),
            (ItemQuery(language=("fr",), decision=("open",)), ""),
        ],
    )
    def test_filters(self, four: Store, query: ItemQuery, expected: str) -> None:
        page = four.search(query)
        assert "".join(sorted(item.url[-1] for item in page.items)) == expected
        assert page.total == len(expected)

    @pytest.mark.parametrize(("sort", "expected"), [("newest", "dcba"), ("oldest", "abcd")])
    def test_sorts_by_time(self, four: Store, sort: str, expected: str) -> None:
        assert "".join(names(four, ItemQuery(sort=sort))) == expected  # type: ignore[arg-type]

    def test_sorts_by_score_then_page_id_unless_told_otherwise(self, four: Store) -> None:
        tied = sorted([judged("b", url="http://b.example:8080/b"), judged("d")], key=lambda event: event.page_id)
        best = "".join(event.url[-1] for event in tied)
        assert "".join(names(four, ItemQuery())) == best + "ca"
        assert "".join(names(four, ItemQuery(sort="relevance"))) == best + "ca"

    def test_sorts_by_host_then_score(self, four: Store) -> None:
        assert "".join(names(four, ItemQuery(sort="host"))) == "dcab"

    def test_pages_cover_everything_once(self, four: Store) -> None:
        pages = [four.search(ItemQuery(sort="oldest", offset=offset, limit=3)) for offset in (0, 3, 6)]
        assert [[item.url[-1] for item in page.items] for page in pages] == [["a", "b", "c"], ["d"], []]
        assert [page.total for page in pages] == [4, 4, 4]

    def test_limit_of_nothing_still_counts(self, four: Store) -> None:
        page = four.search(ItemQuery(limit=0))
        assert (page.items, page.total) == ([], 4)

    def test_limit_beyond_everything_is_no_error(self, four: Store) -> None:
        assert "".join(names(four, ItemQuery(sort="oldest", limit=1_000_000))) == "abcd"
        assert names(four, ItemQuery(offset=1_000_000)) == []

    def test_found_item_is_the_whole_item(self, four: Store) -> None:
        (found,) = four.search(ItemQuery(decision=("of_concern",))).items
        assert found == four.item(found.page_id)
        assert found.decisions


class WalkingContract:
    def test_every_item_comes_once_oldest_first_whatever_the_query_says_of_pages(self, four: Store) -> None:
        found = list(four.items(ItemQuery(sort="host", offset=2, limit=1)))
        assert found == four.search(ItemQuery(sort="oldest")).items
        assert [item.url[-1] for item in found] == ["a", "b", "c", "d"]

    def test_a_walk_without_texts_has_all_else_of_an_item(self, four: Store) -> None:
        whole = list(four.items(ItemQuery(text="about")))
        assert all(item.title and item.text for item in whole)
        without = [msgspec.structs.replace(item, title="", text="") for item in whole]
        assert list(four.items(ItemQuery(text="about"), texts=False)) == without

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (ItemQuery(decision=("open",)), "bd"),
            (ItemQuery(since=later(days=-2), until=later(days=-1)), "b"),
            (ItemQuery(text="about", subject=("firearm",)), "acd"),
            (ItemQuery(language=("zh",)), ""),
        ],
    )
    def test_filters_hold_for_a_walk_too(self, four: Store, query: ItemQuery, expected: str) -> None:
        assert "".join(item.url[-1] for item in four.items(query)) == expected

    def test_a_walk_crosses_pages_where_many_items_were_first_seen_at_one_moment(self, store: Store) -> None:
        hollow = verdict(passages=(), reason="")
        store.upsert([judged(f"page-{n}", says=hollow, title="", text="A page.", evidence=None) for n in range(1_001)])
        store.refresh()
        found = [item.page_id for item in store.items(ItemQuery())]
        assert found == sorted(pid(f"page-{n}") for n in range(1_001))

    def test_a_walk_that_is_left_half_way_disturbs_nobody(self, store: Store) -> None:
        filled_with_four(store)
        walk = store.items(ItemQuery())
        assert next(walk).url[-1] == "a"
        store.upsert([judged("a", fetched_at=later(), at=later(hours=1))])
        store.refresh()
        assert [item.url[-1] for item in store.items(ItemQuery())] == ["a", "b", "c", "d"]


class CountingContract:
    @pytest.mark.parametrize(
        ("field", "expected"),
        [
            ("language", [("en", 3), ("fr", 1)]),
            ("subject", [("firearm", 3), ("ammunition", 1)]),
            ("technique", [("manufacture", 3), ("repair", 3)]),
            ("method", [("workshop", 3)]),
            ("context", [("other", 2), ("news", 1)]),
            ("host", [("a.example", 3), ("b.example:8080", 1)]),
            ("decision", [("open", 2), ("lawful", 1), ("of_concern", 1)]),
            ("crawl_id", [("crawl-1", 3), ("crawl-2", 1)]),
            ("model", [("2026.11-test", 4)]),
        ],
    )
    def test_counts_by_every_field(self, four: Store, field: str, expected: list[tuple[str, int]]) -> None:
        assert four.counts(field, ItemQuery()) == [Bucket(*pair) for pair in expected]  # type: ignore[arg-type]

    def test_counts_only_what_the_query_finds(self, four: Store) -> None:
        query = ItemQuery(text="about", decision=("open",), limit=1)
        assert four.counts("host", query) == [Bucket("a.example", 1), Bucket("b.example:8080", 1)]

    def test_counts_as_many_values_as_asked(self, four: Store) -> None:
        assert four.counts("decision", ItemQuery(), limit=1) == [Bucket("open", 2)]

    def test_counts_by_day_with_the_empty_days_between(self, store: Store) -> None:
        four = filled_with_four(store)
        four.upsert([judged("e", fetched_at=datetime(2026, 11, 18, 23, 59, tzinfo=UTC), at=later())])
        four.refresh()
        days = [(18, 1), (19, 0), (20, 0), (21, 1), (22, 1), (23, 1), (24, 1)]
        expected = [TimeBucket(datetime(2026, 11, day, tzinfo=UTC), count) for day, count in days]
        assert four.counts_over_time("day", ItemQuery()) == expected

    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            ("week", [(datetime(2026, 11, 16, tzinfo=UTC), 2), (datetime(2026, 11, 23, tzinfo=UTC), 2)]),
            ("month", [(datetime(2026, 11, 1, tzinfo=UTC), 4)]),
        ],
    )
    def test_counts_by_week_and_month(self, four: Store, interval: str, expected: list[tuple[datetime, int]]) -> None:
        found = four.counts_over_time(interval, ItemQuery())  # type: ignore[arg-type]
        assert found == [TimeBucket(*pair) for pair in expected]

    def test_counts_by_hour_within_the_query(self, four: Store) -> None:
        found = four.counts_over_time("hour", ItemQuery(since=later(days=-1)))
        assert (len(found), found[0].count, found[-1].count, sum(b.count for b in found)) == (25, 1, 1, 2)
        assert found[0].start == later(days=-1)

    def test_counts_of_nothing_are_empty(self, store: Store) -> None:
        assert store.counts("host", ItemQuery()) == []
        assert store.counts_over_time("day", ItemQuery()) == []


class LedgerContract:
    def test_rows_come_newest_first_then_by_page_id(self, store: Store, clock: Clock) -> None:
        store.upsert([ended("old-1"), ended("old-2")])
        clock.now = later(hours=1)
        store.upsert([ended("new")])
        store.refresh()
        found = [row.page_id for row in store.ledger(LedgerQuery()).rows]
        assert found == [pid("new"), *sorted([pid("old-1"), pid("old-2")])]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (LedgerQuery(), 4),
            (LedgerQuery(page_id=(pid("a"), pid("b"))), 2),
            (LedgerQuery(host=("b.example",)), 1),
            (LedgerQuery(outcome=("flagged", "failed")), 3),
            (LedgerQuery(crawl_id=("crawl-2",)), 1),
            (LedgerQuery(content_id=(judged("a").content_id,)), 1),
            (LedgerQuery(host=("b.example",), outcome=("flagged",)), 0),
        ],
    )
    def test_rows_by_every_filter(self, store: Store, query: LedgerQuery, expected: int) -> None:
        store.upsert(
            [judged("a"), unflagged("b"), ended("c", crawl_id="crawl-2"), ended("d", url="https://b.example/d")]
        )
        store.refresh()
        page = store.ledger(query)
        assert (len(page.rows), page.total) == (expected, expected)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (LedgerQuery(worth_a_look=True), "bcd"),
            (LedgerQuery(worth_a_look=False), "aef"),
            (LedgerQuery(reviewed=True), "ac"),
            (LedgerQuery(reviewed=False), "bdef"),
            (LedgerQuery(worth_a_look=True, reviewed=False), "bd"),
            (LedgerQuery(worth_a_look=True, reviewed=True), "c"),
            (LedgerQuery(worth_a_look=True, outcome=("flagged",)), ""),
        ],
    )
    def test_rows_of_the_second_queue(self, store: Store, query: LedgerQuery, expected: str) -> None:
        store.upsert([judged("a"), near("b"), near("c"), near("d"), unflagged("e"), ended("f")])
        store.record_decisions([label("a"), label("c")])
        store.refresh()
        page = store.ledger(query)
        assert "".join(sorted(row.url[-1] for row in page.rows)) == expected
        assert page.total == len(expected)

    def test_rows_by_score_are_highest_first_then_by_page_id_and_without_a_score_last(self, store: Store) -> None:
        tied = sorted(["b", "c"], key=pid)
        store.upsert([ended("e"), near("a", 0.2), near("b", 0.4), near("c", 0.4), judged("d")])
        store.refresh()
        found = [row.url[-1] for row in store.ledger(LedgerQuery(sort="score")).rows]
        assert found == ["d", *tied, "a", "e"]
        pages = [store.ledger(LedgerQuery(sort="score", offset=offset, limit=2)).rows for offset in (0, 2, 4)]
        assert [row.url[-1] for part in pages for row in part] == found

    def test_no_rows_wanted_still_count(self, store: Store) -> None:
        store.upsert([near("a"), near("b")])
        store.refresh()
        page = store.ledger(LedgerQuery(worth_a_look=True, limit=0))
        assert (page.rows, page.total) == ([], 2)

    def test_rows_in_pages(self, store: Store) -> None:
        store.upsert([ended(f"page-{n}") for n in range(7)])
        store.refresh()
        pages = [store.ledger(LedgerQuery(offset=offset, limit=3)) for offset in (0, 3, 6)]
        assert [len(page.rows) for page in pages] == [3, 3, 1]
        assert len({row.page_id for page in pages for row in page.rows}) == 7
        assert {page.total for page in pages} == {7}

    def test_counts_every_outcome(self, store: Store) -> None:
        kinds = ("duplicate", "unsupported", "refused", "failed", "dead_letter")
        store.upsert([judged("a"), unflagged("b"), *(ended(kind, outcome=kind) for kind in kinds)])
        store.upsert([ended("other", crawl_id="crawl-2", outcome="refused")])
        store.refresh()
        assert store.ledger_counts() == {outcome: 2 if outcome == "refused" else 1 for outcome in OUTCOMES}
        assert store.ledger_counts("crawl-2") == {outcome: int(outcome == "refused") for outcome in OUTCOMES}
        assert store.ledger_counts("crawl-3") == dict.fromkeys(OUTCOMES, 0)

    def test_health_counts_the_items(self, store: Store) -> None:
        store.upsert([judged("a"), judged("b"), unflagged("c")])
        store.refresh()
        assert "2 items" in store.health()
        assert "\n" not in store.health()
