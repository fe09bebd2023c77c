from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extraction import Extracted, Format, extract_html, sniff
from crawlers.extraction.xhtml import as_html

XHTML = "application/xhtml+xml; charset=utf-8"
DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
)
PROSE = "This sentence says a little about a harmless subject, so that there is a text. " * 4


def read(body: str, *, head: str = "<title>A page</title>", content_type: str = XHTML) -> Extracted:
    markup = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{DOCTYPE}\n<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="es">'
        f"<head>{head}</head><body>{body}</body></html>"
    ).encode()
    assert sniff(markup, content_type) is Format.HTML
    return extract_html(markup, url="https://example.org/", content_type=content_type)


@pytest.mark.parametrize("content_type", [XHTML, "application/vnd.wap.xhtml+xml", "text/html", "application/xml", ""])
def test_title_text_language_and_links_are_found(content_type: str) -> None:
    found = read(f'<p>{PROSE}</p><p><a href="/next?a=1&amp;b=2">Next</a></p>', content_type=content_type)
    assert (found.title, found.language_hint) == ("A page", "es")
    assert PROSE.strip() in found.text
    assert found.links == ("https://example.org/next?a=1&b=2",)


def test_empty_elements_swallow_nothing() -> None:
    head = '<title/><script src="a.js" /><style type="text/css"/>'
    found = read(f'<a id="top"/><div class="x>y"/><textarea/><iframe src="z"/><p>{PROSE}<br/>after</p>', head=head)
    assert found.text.split("\n") == [PROSE.strip(), "after"]


def test_entities_are_characters() -> None:
    found = read(f"<p>a&nbsp;b &eacute; &#233; &#xe9; &lt;tag&gt; &apos;q&apos; {PROSE}</p>")
    assert found.text.startswith("a b é é é <tag> 'q' This")


def test_a_cdata_section_is_text_and_in_a_script_none() -> None:
    found = read(f"<script>//<![CDATA[\nalert('<p>x</p>')\n//]]></script><p><![CDATA[1 < 2 & so]]> {PROSE}</p>")
    assert found.text.startswith("1 < 2 & so This")
    assert "alert" not in found.text


def test_declared_entities_are_not_expanded() -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY l0 "lol">{laughs}]><html><body><p>{PROSE}&l9;</p></body></html>'
    )
    found = extract_html(body.encode(), content_type=XHTML)
    assert found.text == f"{PROSE}&l9;"


@pytest.mark.parametrize(
    "body",
    [
        f"<p>{PROSE}<b>never closed<p>second</i></p>",
        f"<p a=1 a=2 b>{PROSE} & <1 second</p>",
        f"<p>{PROSE}</p><p title='no end>second</p>",
        f"<p>{PROSE}</p><![CDATA[second",
    ],
)
def test_what_is_not_well_formed_is_read_too(body: str) -> None:
    found = read(body)
    assert PROSE.strip() in found.text
    assert found.title == "A page"


def test_the_encoding_of_the_declaration_counts() -> None:
    body = (
        f'<?xml version="1.0" encoding="windows-1251"?><html><body><p>{"Музей и его история. " * 20}</p></body></html>'
    )
    found = extract_html(body.encode("windows-1251"), content_type="application/xhtml+xml")
    assert found.charset == "windows-1251"
    assert found.text.startswith("Музей и его история.")


def test_html_is_left_as_it_is() -> None:
    assert extract_html(f"<p>{PROSE}</p><p>a <b/>c".encode(), content_type="text/html").text.endswith("a c")


@pytest.mark.parametrize("piece", ["<a '", '<a "', "<a /", "<![CDATA[", "<!DOCTYPE [", "<a b='/>'", "<a" + " x" * 50])
def test_long_broken_markup_takes_no_square_of_its_length(piece: str) -> None:
    as_html(piece * 20_000)


@settings(deadline=None, max_examples=150)
@given(st.text("<>/a=\"' ![]CDATA?xml&;\n", max_size=300))
def test_no_markup_makes_it_raise(markup: str) -> None:
    extract_html(f"<?xml version='1.0'?>{markup}".encode(), content_type=XHTML)
