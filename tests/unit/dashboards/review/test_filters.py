from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from dashboards.review.filters import Filters


def test_the_plain_list_is_what_is_open_by_score() -> None:
    query = Filters.read(QueryParams("")).query()
    assert query.decision == ("open",)
    assert query.sort == "score"


def test_searching_sorts_by_match_until_the_reader_says_otherwise() -> None:
    assert Filters.read(QueryParams("q=a")).query().sort == "relevance"
    assert Filters.read(QueryParams("q=a&sort=newest")).query().sort == "newest"


def test_the_last_day_is_included() -> None:
    query = Filters.read(QueryParams("since=2026-11-01&until=2026-11-30")).query()
    assert query.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert query.until == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    ["since=soon", "until=9999-12-31", "min_score=nan", "min_score=7", "page=-4", "sort=up", "subject=x", "decision=x"],
)
def test_what_cannot_be_understood_is_left_out(address: str) -> None:
    assert Filters.read(QueryParams(address)) == Filters()


def test_a_value_can_be_put_on_and_taken_off() -> None:
    both = Filters(page=3).toggled("language", "ar").toggled("language", "fr")
    assert both.language == ("ar", "fr")
    assert both.page == 1
    assert both.toggled("language", "ar").language == ("fr",)


@given(
    st.builds(
        Filters,
        text=st.text("aé中ع &=?#+%\"<'", max_size=20).map(str.strip),
        language=st.sampled_from([(), ("ar",), ("ar", "zh")]),
        host=st.sampled_from([(), ("a.example:8443",), ("xn--e1afmkfd.example",)]),
        subject=st.sampled_from([(), ("firearm",)]),
        decision=st.sampled_from([(), ("open",), ("lawful",), ("open", "unsure")]),
        min_score=st.sampled_from([0.0, 0.6, 0.95]),
        since=st.sampled_from([None, date(2026, 1, 2)]),
        sort=st.sampled_from([None, "host", "relevance"]),
        page=st.integers(1, 400),
    )
)
def test_an_address_says_exactly_its_filters(filters: Filters) -> None:
    assert Filters.read(QueryParams(filters.address(at=3))) == filters
