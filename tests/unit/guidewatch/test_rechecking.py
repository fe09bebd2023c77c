from __future__ import annotations

from datetime import timedelta

import pytest

from crawlers.seeds import check_seed
from events import page_id
from guidewatch.commands.rechecking import age, seed_of
from guidewatch.errors import UserMistakeError


@pytest.mark.parametrize(
    ("said", "span"),
    [("30m", timedelta(minutes=30)), ("6 h", timedelta(hours=6)), ("0d", timedelta(0)), ("2w", timedelta(weeks=2))],
)
def test_an_age_has_four_units(said: str, span: timedelta) -> None:
    assert age(said) == span


@pytest.mark.parametrize("said", ["", "7", "d", "-7d", "7 days", "1e3d"])
def test_what_is_no_age_is_a_mistake(said: str) -> None:
    with pytest.raises(UserMistakeError, match="--older-than"):
        age(said)


@pytest.mark.parametrize(
    "url", ["https://a.example/a b", "https://a.example/a\u00a0b?c=d e", "https://a.example/%41?x=%20"]
)
def test_every_url_that_was_crawled_is_a_seed_of_the_same_page(url: str) -> None:
    assert page_id(check_seed(seed_of(url))) == page_id(url)
