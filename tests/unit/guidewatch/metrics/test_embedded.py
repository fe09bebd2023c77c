from __future__ import annotations

from guidewatch.embedded_view import EmbeddedView
from guidewatch.metrics.embedded import embedded_families, why_not_alive, why_not_ready
from tests.unit.guidewatch.metrics.samples import values, view


def test_an_embedded_installation_shows_its_crawl_and_what_was_stored() -> None:
    found = values(embedded_families(view()))
    assert found["guidewatch_stage_state", "embedded", "idle"] == 1
    assert found[("guidewatch_crawl_queued_urls",)] == 40
    assert found[("guidewatch_crawl_unsettled_events",)] == 4
    assert found["guidewatch_stage_outcomes_total", "", "flagged", "embedded"] == 2
    assert found["guidewatch_page_latency_seconds_count", "fetched", "embedded"] == 1


def test_before_the_first_crawl_it_lives_and_is_not_ready() -> None:
    new = EmbeddedView(lambda: 0.0)
    assert (why_not_alive(new, 500.0), why_not_ready(new, 500.0)) == ("", "starting")
    assert set(values(embedded_families(new))) == {
        ("guidewatch_stage_state", "embedded", state) for state in ("starting", "crawling", "idle")
    }


def test_only_a_crawl_under_way_has_to_show_that_it_lives() -> None:
    made = view(lambda: 100.0)
    assert why_not_alive(made, 1000.0) == ""
    assert made.sink is not None
    with made.crawling(made.sink):
        assert why_not_ready(made, 130.0) == ""
        assert why_not_ready(made, 131.0) == why_not_alive(made, 131.0) == "the loop has not turned for 31 s"
    assert why_not_ready(made, 1000.0) == ""
