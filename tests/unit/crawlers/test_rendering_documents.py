from __future__ import annotations

import asyncio

import pytest

from crawlers.extraction import Extracted
from crawlers.extraction.worker import Document, take_apart
from crawlers.rendering.documents import FEW_CHARS, RenderingDocuments, is_empty

PROSE = "This sentence says a little about a harmless subject, so that there is a text. " * 4
EMPTY = b"<html><body><div id=app>Loading</div><SCRIPT src=/app.js></SCRIPT></body></html>"


def document(body: bytes, *, pdf: bool = False, markdown: bool = False) -> Document:
    return Document(pdf, "https://example.org/", "text/html", body, markdown)


class Browser:
    """Renders every page as the same markup, and counts."""

    def __init__(self, markup: str | None) -> None:
        self.markup = markup
        self.rendered = 0

    async def render(self, document: Document) -> str | None:
        self.rendered += 1
        return self.markup


async def apart(document: Document) -> Extracted:
    return take_apart(document)


def read(body: bytes, browser: Browser) -> Extracted:
    return asyncio.run(RenderingDocuments(apart, browser.render).take_apart(document(body)))


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (document(EMPTY), "Loading", True),
        (document(EMPTY), "x" * FEW_CHARS, False),
        (document(b"<p>short, and no more to come</p>"), "short", False),
        (document(EMPTY, pdf=True), "", False),
        (document(EMPTY, markdown=True), "", False),
    ],
)
def test_a_page_is_empty_that_says_little_and_has_a_script(given: Document, text: str, expected: bool) -> None:
    assert is_empty(given, Extracted(text=text)) is expected


def test_an_empty_page_is_read_as_its_scripts_make_it() -> None:
    browser = Browser(f"<title>Made</title><p>{PROSE} é</p><a href=next>n</a>")
    found = read(EMPTY, browser)
    assert (found.title, found.links) == ("Made", ("https://example.org/next",))
    assert found.text.startswith(PROSE.strip() + " é")


def test_a_page_with_text_reaches_no_browser() -> None:
    browser = Browser("<p>something else")
    assert read(f"<p>{PROSE}</p><script></script>".encode(), browser).text == PROSE.strip()
    assert browser.rendered == 0


@pytest.mark.parametrize("markup", [None, "", "<p>\ud800"])
def test_what_cannot_be_rendered_stays_as_it_is(markup: str | None) -> None:
    assert read(EMPTY, Browser(markup)).text == "Loading"
