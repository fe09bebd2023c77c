from __future__ import annotations

import pytest

from crawlers.frontier import Kind, Row
from crawlers.onward import Onward
from events import page_id

START = "https://example.org/"
MENU = "https://example.org/menu"
SESSION = "https://example.org/menu;jsessionid=1"
NEW = "https://example.org/new"


def row(depth: int = 0) -> Row:
    return Row(1, page_id(START), START, "example.org", depth, None, Kind.PAGE)


@pytest.fixture
def known() -> set[str]:
    return {page_id(MENU)}


def test_links_to_known_pages_are_only_named_page_after_page(known: set[str]) -> None:
    onward = Onward(max_depth=5, knows=known.__contains__, focused=False)
    for _ in range(3):
        found = onward.found([MENU, NEW, SESSION, "mailto:a@example.org"], [], row())
        assert list(found.known) == [page_id(MENU), page_id(MENU)]
        assert [link.url for link in found.links] == [NEW]


def test_a_link_is_known_from_when_the_crawl_knows_it(known: set[str]) -> None:
    onward = Onward(max_depth=5, knows=known.__contains__, focused=True)
    (link,) = onward.found([NEW], [], row(2)).links
    assert (link.depth, link.priority, bool(link.features)) == (3, -3.0, True)
    known.add(link.page_id)
    assert onward.found([NEW], [], row()).known == [page_id(NEW)]


def test_links_that_lead_too_deep_are_counted_and_sources_are_as_deep_as_their_page(known: set[str]) -> None:
    onward = Onward(max_depth=2, knows=known.__contains__, focused=False)
    assert onward.found([MENU, NEW], [START], row(2)).beyond_depth == 3
    (source,) = onward.found([], [START], row(1)).links
    assert (source.kind, source.depth) == (Kind.SOURCE, 1)
