from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.extraction import extract_html
from crawlers.extraction.links import MAX_ANCHOR_CHARS, MAX_AROUND_CHARS, _joined
from crawlers.extraction.sources import read_source
from crawlers.identity import identify, to_link
from crawlers.limits import MAX_URL_CHARS
from crawlers.seeds import SeedsError, check_seed
from events import host_key, page_id

URL = "https://example.org/"
LONG = URL + "x" * MAX_URL_CHARS
FITS = URL + "x" * (MAX_URL_CHARS - len(URL))


@pytest.mark.parametrize("nested", ["", "<div>" * 1_100])
def test_links_that_are_too_long_are_counted_and_left_out(nested: str) -> None:
    nearly = "y" * (MAX_URL_CHARS - 5)
    markup = (
        f'{nested}<p>A page</p><a href="{LONG}">1</a><a href="{nearly}">2</a><a href="{FITS}">3</a><a href="/a">4</a>'
    )
    found = extract_html(markup.encode(), url=URL)
    assert found.links == (FITS, f"{URL}a")
    assert found.too_long == 2


def test_urls_of_a_sitemap_that_are_too_long_are_counted_and_left_out() -> None:
    found = read_source(f"<urlset><url><loc>{LONG}</loc></url><url><loc>{FITS}</loc></url></urlset>".encode(), URL)
    assert (found.pages, found.too_long) == ((FITS,), 1)


def test_a_url_that_is_too_long_has_no_identity() -> None:
    assert identify(FITS) is not None
    assert identify(LONG) is None
    assert to_link(LONG, 0) is None


def test_a_seed_that_is_too_long_is_one_short_line() -> None:
    with pytest.raises(SeedsError, match="longer than") as caught:
        check_seed(LONG)
    assert len(str(caught.value)) < 200


def words(markup: str) -> dict[str, tuple[str, str]]:
    found = extract_html(f"<p>A page</p>{markup}".encode(), url=URL)
    return {url.removeprefix(URL): tuple(said) for url, said in zip(found.links, found.words, strict=True)}


def test_a_link_comes_with_its_anchor_and_what_stands_beside_it() -> None:
    markup = '<p>Before <i>it</i> <a href="/a">An <b>anchor</b></a> and after</p><p>Another block</p>'
    assert words(markup) == {"a": ("An anchor", "it and after")}


def test_a_link_that_fills_its_block_has_what_stands_beside_the_block() -> None:
    assert words('<div><h2><a href="/a">Title</a></h2><p>Its teaser</p></div>') == {"a": ("Title", "Its teaser")}


def test_links_beside_a_link_are_not_its_surroundings() -> None:
    assert words('<p><a href="/a">A</a> <a href="/b">B</a></p>') == {"a": ("A", ""), "b": ("B", "")}


def test_a_link_that_stands_twice_has_the_first_words_that_say_something() -> None:
    assert words('<a href="/a"><img src="x.png"></a><p>t</p><a href="/a">Read it</a>')["a"][0] == "Read it"


def test_a_title_stands_in_for_an_anchor_without_text() -> None:
    assert words('<p><a href="/a" title="Its title"><img src="x.png"></a></p>')["a"][0] == "Its title"


def test_words_are_cut() -> None:
    anchor, around = words(f'<p>{"x " * 500}<a href="/a">{"y" * 500}</a>{"z " * 500}</p>')["a"]
    assert len(anchor) == MAX_ANCHOR_CHARS and len(around) <= MAX_AROUND_CHARS


@given(
    st.text(st.sampled_from("ab./:?#;[]@ %\tö-_=&"), max_size=30),
    st.sampled_from(["", "/", "http://example.org", "//"]),
)
def test_links_are_made_absolute_as_the_standard_library_does(tail: str, head: str) -> None:
    href = head + tail
    base = "https://example.org/x/y?z"
    try:
        expected = urljoin(base, href.replace("\t", "").strip()).partition("#")[0]
    except ValueError:
        expected = ""
    assert _joined(href, base, "https://example.org") == expected


@given(
    st.sampled_from(["http", "https", "HTTP"]),
    st.from_regex(r"[a-zA-Z0-9.-]{1,20}(:[0-9]{1,5})?(/[a-z?=%.]{0,20})?", fullmatch=True),
)
def test_the_identity_of_a_url_is_what_the_events_say(scheme: str, rest: str) -> None:
    url = f"{scheme}://{rest}"
    found = identify(url)
    if found is None:
        with pytest.raises(ValueError, match="not an http"):
            page_id(url)
    else:
        assert found == (page_id(url), host_key(url))


def test_the_identity_of_a_url_with_an_address_of_version_6() -> None:
    assert identify("http://[::1]:80/a") == (page_id("http://[::1]/a"), "[::1]")
    assert identify("http://[::1]:8080/a") == (page_id("http://[::1]:8080/a"), "[::1]:8080")
