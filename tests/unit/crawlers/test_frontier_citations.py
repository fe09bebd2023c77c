from __future__ import annotations

from crawlers.frontier.citations import Citations, Cited


def test_each_page_that_links_counts_once_and_the_nearest_one_says_how_far() -> None:
    made = Citations()
    made.queue(7, Cited(distance=3))
    assert [made.cite(7, 0.5, 2), made.cite(7, 0.25, 4)] == [1, 2]
    assert made.of(7) == (0.75, 2, 2)


def test_what_is_not_queued_counts_nothing() -> None:
    made = Citations()
    made.queue(2, Cited())
    assert made.cite(1, 0.5, 0) == 0
    assert made.cite(9, 0.5, 0) == 0
    assert made.take(2) == (0.0, 0, 0)
    assert made.cite(2, 0.5, 0) == 0
    assert made.take(2) == (0.0, 0, 0)


def test_counts_have_a_bound_at_which_they_stay() -> None:
    made = Citations()
    made.queue(1, Cited(70_000.0, 70_000, 1_000))
    assert made.cite(1, 1.0, 300) == 65_534
    assert made.of(1) == (70_000.0, 65_534, 255)


def test_queued_urls_with_citations_are_told() -> None:
    made = Citations()
    for number in (1, 2, 3):
        made.queue(number, Cited())
    made.cite(1, 0.5, 0)
    made.cite(3, 0.5, 0)
    made.take(3)
    assert list(made.cited()) == [(1, (0.5, 1, 0))]
