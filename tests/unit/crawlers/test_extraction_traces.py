from __future__ import annotations

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.extraction import extract_html
from crawlers.extraction.extracted import clean_text
from crawlers.extraction.traces import bits_of, fingerprint, traces_of, words_of
from crawlers.extraction.worker import Document, take_apart
from events import content_id

PAGE = b"<title>Sheds</title><main><p>Plans of a shed, its doors and windows.</p><a href='/b'>Next</a></main>"


def test_a_document_comes_with_the_traces_of_its_title_and_text() -> None:
    found = take_apart(Document(False, "https://example.org/", "text/html", PAGE))
    assert found.traces == traces_of(found.title, found.text)
    assert found.traces is not None
    assert found.traces.content_id == content_id(found.text)
    assert found.traces.lines == fingerprint(found.text)
    words = words_of(f"{found.title}\n{found.text}")
    assert words > {"sheds", "plans", "doors"}
    assert found.traces.words == bits_of(words)
    assert int.from_bytes(found.traces.words).bit_count() == len(words)


def test_the_words_of_links_are_only_looked_for_where_they_are_wanted() -> None:
    plain = extract_html(PAGE, url="https://example.org/", words=False)
    full = extract_html(PAGE, url="https://example.org/")
    assert (plain.links, plain.words) == (full.links, ())
    assert full.words[0].anchor == "Next"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("会议记录 2031年5月", {"会议", "议记", "记录", "年", "月"}),
        ("Two words, two", {"two", "words"}),
        ("ещё слова 12", {"ещё", "слова"}),
        ("", set()),
    ],
)
def test_words_are_without_digits_and_unspaced_scripts_have_some_too(text: str, words: set[str]) -> None:
    assert words_of(text) == words


@given(st.text(alphabet=st.sampled_from("ab é会\t\n\x0b\x1c\x85\u2028\u3000\xa0\u200b"), max_size=80))
def test_a_text_has_one_content_id_however_its_white_space_is(text: str) -> None:
    folded = re.sub(r"\s+", " ", text).strip()
    assert content_id(text) == content_id(folded) == sha256(folded.encode()).hexdigest()[:32]


@given(
    st.text(alphabet=st.sampled_from("ab é会\t\n\r\x0b\x1c\x85\u2028\u3000\xa0\u200b\x00\x7f\ud800\uffff"), max_size=80)
)
def test_a_clean_text_has_no_control_characters_no_empty_lines_and_single_blanks(text: str) -> None:
    bare = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "", text).replace("\r", "\n")
    folded = re.sub(r" ?\n[ \n]*", "\n", re.sub(r"[^\S\n]+", " ", bare)).strip()
    assert clean_text(text) == (folded, False)
