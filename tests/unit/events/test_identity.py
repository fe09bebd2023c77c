import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import content_id, host_key, normalise_url, page_id

SAME = [
    ("HTTP://Example.ORG:80/a/../b/#part", "http://example.org/b/"),
    ("https://example.org", "https://example.org/"),
    ("https://user:secret@example.org/a", "https://example.org/a"),
    ("https://example.org/a?b=2&a=1", "https://example.org/a?a=1&b=2"),
    ("https://example.org/a?utm_source=x&a=1&fbclid=9", "https://example.org/a?a=1"),
    ("https://example.org/a?PHPSESSID=123", "https://example.org/a"),
    ("https://example.org/%7Euser", "https://example.org/~user"),
    ("http://пример.рф/путь", "http://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C"),
    (" https://example.org/a ", "https://example.org/a"),
]
DIFFERENT = [
    ("https://example.org/a", "http://example.org/a"),
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org/a", "https://example.org/a/"),
    ("https://example.org/a?p=1", "https://example.org/a?p=2"),
    ("https://example.org:8443/", "https://example.org/"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_url_have_one_page_id(one, other):
    assert page_id(one) == page_id(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_pages_have_different_ids(one, other):
    assert page_id(one) != page_id(other)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/relative",
        "ftp://example.org/",
        "javascript:alert(1)",
        "http://",
        "http://a b/",
        "http://x:99999/",
        "http://[::1",
    ],
)
def test_what_is_no_http_url_is_refused(url):
    with pytest.raises(ValueError, match="not an http"):
        normalise_url(url)


paths = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(path=paths, query=st.dictionaries(paths, paths, max_size=3), fragment=paths)
def test_normalising_twice_changes_nothing(path, query, fragment):
    from urllib.parse import quote, urlencode

    url = f"https://example.org/{quote(path)}?{urlencode(query)}#{quote(fragment)}"
    once = normalise_url(url)
    assert normalise_url(once) == once


@given(st.text(max_size=60))
def test_any_text_is_normalised_or_refused_with_a_value_error(text):
    try:
        normalise_url(text)
    except ValueError:
        return
    assert normalise_url(text).startswith("http")


def test_host_key_keeps_a_port_that_is_not_the_default():
    assert host_key("http://Example.org:80/x") == "example.org"
    assert host_key("https://example.org:8443/x") == "example.org:8443"
    assert host_key("http://[::1]:8080/") == "[::1]:8080"


def test_content_id_folds_white_space_and_nothing_else():
    assert content_id("a  b\n c ") == content_id("a b c")
    assert content_id("a b") != content_id("A b")
    assert len(content_id("\ud800")) == 32
