from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.focus.features import BITS, features_of, folder_of, title_features, words_of

URL = "https://example.org/board/page-12.html"


def numbers(features: bytes) -> list[int]:
    return list(memoryview(features).cast("I"))


def test_words_are_cut_to_their_beginnings() -> None:
    assert list(words_of("Gardening gardener, 12 pots")) == ["garden", "garden", "pots"]


def test_unspaced_scripts_give_pairs_of_characters() -> None:
    assert list(words_of("花园工具 tool")) == ["花园", "园工", "工具", "tool"]


def test_the_arabic_article_is_left_off() -> None:
    assert list(words_of("الحديقة")) == list(words_of("حديقة"))


def test_links_into_a_folder_share_it_whatever_they_say() -> None:
    one = features_of(URL, "pots", "", same_host=True)
    other = features_of("https://example.org/board/7.html", "beds", "and more", same_host=False)
    elsewhere = features_of("https://example.org/news/7.html", "beds", "and more", same_host=False)
    assert folder_of(one) == folder_of(other) != folder_of(elsewhere)


def test_a_page_s_own_title_is_known_by_the_words_of_an_anchor() -> None:
    link, page = (
        numbers(features_of(URL, "Potting shed", "", same_host=True)),
        numbers(title_features("Potting shed", "")),
    )
    assert set(page) <= set(link)


def test_percent_encoded_words_of_a_url_are_read() -> None:
    plain = features_of("https://example.org/сад", "", "", same_host=True)
    encoded = features_of("https://example.org/%D1%81%D0%B0%D0%B4", "", "", same_host=True)
    assert set(numbers(plain)) == set(numbers(encoded))


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_page_says_features_are_distinct_and_in_range(path: str, anchor: str, around: str) -> None:
    found = numbers(features_of(f"https://example.org/{path}", anchor, around, same_host=True))
    assert len(set(found)) == len(found) < 64
    assert all(0 <= number < 1 << BITS for number in found)


@pytest.mark.parametrize("text", ["", "123", "---"])
def test_text_without_words_has_none(text: str) -> None:
    assert list(words_of(text)) == []
