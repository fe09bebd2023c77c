from __future__ import annotations

import pytest

from crawlers.extraction import extract_html
from crawlers.extraction.sources import read_source
from crawlers.identity import identify, to_link
from crawlers.limits import MAX_URL_CHARS
from crawlers.seeds import SeedsError, check_seed

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
