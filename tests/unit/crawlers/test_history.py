from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.extraction.traces import fingerprint
from crawlers.frontier import Kind, Link
from crawlers.history import Bounds, History, Seen, Visit, visited
from crawlers.history.lines import changed_share
from crawlers.history.revisits import Revisits
from crawlers.history.visits import FIRST_S, KnownLink
from events import content_id, page_id

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BOUNDS = Bounds(3_600.0, 864_000.0)
URL = "https://a.example/"


def seen(text: str = "one\ntwo", *, days: float = 0.0, what: str = "content", **fields: object) -> Seen:
    given: dict[str, object] = {"page_id": page_id(URL), "at": NOON + timedelta(days), "what": what}
    if what == "content":
        given |= {"content_id": content_id(text), "lines": fingerprint(text), "etag": '"1"'}
    return Seen(**(given | fields))  # type: ignore[arg-type]


def after(*visits: Seen) -> Visit:
    visit = None
    for one in visits:
        visit = visited(visit, one, BOUNDS)
    assert visit is not None
    return visit


def test_the_interval_shrinks_with_a_change_and_grows_without() -> None:
    first = after(seen())
    same = visited(first, seen(days=1), BOUNDS)
    changed = visited(first, seen("three\nfour", days=1), BOUNDS)
    assert changed.interval_s < first.interval_s == FIRST_S < same.interval_s
    assert (same.visits, same.changes, same.changed_at) == (2, 0, None)
    assert (changed.changes, changed.changed_at) == (1, NOON + timedelta(1))


def test_not_modified_counts_as_no_change_and_keeps_what_is_known() -> None:
    first = after(seen())
    then = visited(first, seen(days=1, what="unmodified"), BOUNDS)
    assert then == replace(first, visited_at=NOON + timedelta(1), visits=2, interval_s=first.interval_s * 1.5)


def test_a_date_that_changes_every_day_is_no_reason_to_come_sooner() -> None:
    text = "\n".join(f"line {number} of a long text with some words in it" for number in range(60))
    then = after(seen(f"{text}\nMonday"), seen(f"{text}\nTuesday", days=1))
    assert (then.changes, then.interval_s) == (1, FIRST_S * 1.5)


@given(st.lists(st.sampled_from(["a", "b", "nothing", "unmodified"]), min_size=1, max_size=60))
def test_the_interval_stays_between_its_bounds(shown: list[str]) -> None:
    visits = [
        seen(one, days=number) if one in ("a", "b") else seen(days=number, what=one) for number, one in enumerate(shown)
    ]
    assert BOUNDS.least_s <= after(*visits).interval_s <= BOUNDS.most_s


def test_a_visit_without_an_answer_forgets_the_validators_and_nothing_else() -> None:
    first = after(seen(links=(KnownLink("https://a.example/b"),)))
    then = visited(first, seen(days=1, what="nothing"), BOUNDS)
    assert not then.can_be_asked
    assert (then.content_id, then.links) == (first.content_id, first.links)


def test_links_that_were_left_out_are_kept_from_an_earlier_visit_of_the_same_text() -> None:
    first = seen(links=(KnownLink("https://a.example/b"),))
    assert after(first, seen(days=1, links=None)).links == first.links
    assert after(first, seen("other", days=1, links=None)).links is None


def test_links_of_the_same_text_are_kept_together_though_another_page_named_one_first() -> None:
    b, c = KnownLink("https://a.example/b"), KnownLink("https://a.example/c")
    assert after(seen(links=(b,)), seen(days=1, links=(c,))).links == (c, b)
    assert after(seen(links=(b,)), seen("other", days=1, links=(c,))).links == (c,)


@pytest.mark.parametrize(
    ("before", "now", "share"),
    [
        ("one two\nthree", "one two\nthree", 0.0),
        ("one two\nthree", "three\n one  two", 0.0),
        ("one two", "three four", 1.0),
        ("one two\nthree four", "one two\nfive six", 0.5),
        ("", "", 0.0),
        ("", "one", 1.0),
        ("本页介绍博物馆的历史", "本页介绍博物馆的历史\n开放时间", 2 / 12),
    ],
)
def test_the_share_of_changed_words(before: str, now: str, share: float) -> None:
    assert changed_share(fingerprint(before), fingerprint(now)) == pytest.approx(share)


@given(st.text(max_size=300), st.text(max_size=300))
def test_shares_are_shares_and_have_no_direction(one: str, other: str) -> None:
    share = changed_share(fingerprint(one), fingerprint(other))
    assert 0.0 <= share <= 1.0
    assert share == changed_share(fingerprint(other), fingerprint(one))


def test_a_fingerprint_has_no_text_and_an_end() -> None:
    assert b"secret" not in fingerprint("a secret line")
    assert len(fingerprint("\n".join(str(number) for number in range(5_000)))) == 2_000 * 6


def test_visits_survive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "crawl" / "history.sqlite"
    visit = after(seen(links=(KnownLink("https://a.example/b"), KnownLink("https://a.example/feed", True))), seen("x"))
    open_ended = replace(visit, page_id=page_id("https://b.example/"), links=None, content_id=None)
    with closing(History(path)) as history:
        history.note(visit)
        history.note(open_ended)
    with closing(History(path)) as history:
        assert history.visit(visit.page_id) == visit
        assert history.visit(open_ended.page_id) == open_ended
        assert history.visit(page_id("https://c.example/")) is None


def link(url: str, depth: int = 1) -> Link:
    return Link(url, page_id(url), "a.example", depth, 0.0)


def test_what_is_not_due_is_replaced_by_what_lies_behind_it_once(tmp_path: Path) -> None:
    """Two pages that link to each other must not keep a crawl busy."""
    a, b, c = (f"https://a.example/{name}" for name in "abc")
    with closing(History(tmp_path / "history.sqlite")) as history:
        revisits = Revisits(history, BOUNDS, max_depth=3, due_only=True, clock=lambda: NOON)
        revisits.note(seen(page_id=page_id(a), links=(KnownLink(b),)))
        revisits.note(seen(page_id=page_id(b), links=(KnownLink(a), KnownLink(c))))
        assert [(found.url, found.depth) for found in revisits.wanted([link(a)])] == [(c, 3)]
        assert revisits.wanted([link(a), link(b)]) == []
        assert revisits.left == 2


def test_a_page_whose_links_are_not_all_known_is_asked_for_all_of_it_unless_nothing_lies_deeper(
    tmp_path: Path,
) -> None:
    with closing(History(tmp_path / "history.sqlite")) as history:
        revisits = Revisits(history, BOUNDS, max_depth=2, due_only=False, clock=lambda: NOON)
        revisits.note(seen(links=None, last_modified="Mon, 02 Nov 2026 00:00:00 GMT"))
        assert revisits.conditions(page_id(URL), 1) == {}
        assert revisits.conditions(page_id(URL), 2) == {
            "If-None-Match": '"1"',
            "If-Modified-Since": "Mon, 02 Nov 2026 00:00:00 GMT",
        }


def test_links_deeper_than_allowed_are_not_behind_a_page_but_its_feeds_are(tmp_path: Path) -> None:
    with closing(History(tmp_path / "history.sqlite")) as history:
        revisits = Revisits(history, BOUNDS, max_depth=2, due_only=False, clock=lambda: NOON)
        revisits.note(seen(links=(KnownLink("https://a.example/b"), KnownLink("https://a.example/feed", True))))
        found = revisits.behind(page_id(URL), 2)
        assert [(one.url, one.depth, one.kind) for one in found] == [("https://a.example/feed", 2, Kind.SOURCE)]
