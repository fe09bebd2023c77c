from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extraction.main_text import main_text

PROSE = "This sentence says a little about a harmless subject, so that there is a text. "
OTHER = "Another one tells of birds in a garden, of their songs and of the trees they sit in. "


def page(body: str) -> str:
    return f"<!doctype html><html><head><title>t</title></head><body>{body}</body></html>"


def article(words: str = PROSE * 6) -> str:
    return f"<article><h1>A heading</h1><p>{words}</p></article>"


def links(count: int, text: str = "A page of this site") -> str:
    return "".join(f'<li><a href="/p{n}">{text} {n}</a></li>' for n in range(count))


def test_a_list_of_links_beside_an_article_is_no_text() -> None:
    text = main_text(page(f"<ul>{links(30)}</ul>{article(PROSE * 30)}<ul>{links(30, 'Elsewhere')}</ul>"))
    assert "A page of this site" not in text
    assert "Elsewhere" not in text
    assert text.startswith("A heading\nThis sentence")


def test_links_in_a_sentence_are_text() -> None:
    assert "with a link in it" in main_text(page(f"{article()}<p>{PROSE} <a href=/x>with a link in it</a></p>"))


def test_a_page_of_links_alone_keeps_them() -> None:
    text = main_text(page(f"<ul>{links(30)}</ul>"))
    assert "A page of this site 29" in text


@pytest.mark.parametrize(
    "element",
    [
        "<section class=comments>{}</section>",
        "<div id=comments>{}</div>",
        "<aside>{}</aside>",
        "<div class='sidebar widget'>{}</div>",
        "<div class=related>{}</div>",
        "<div class='promo advertisement'>{}</div>",
        "<div aria-hidden=true>{}</div>",
        "<form>{}</form>",
        "<header>{}</header>",
    ],
)
def test_a_text_of_its_own_is_kept_wherever_it_stands(element: str) -> None:
    told = "".join(f"<p>Step {n}. {OTHER}</p>" for n in range(1, 13))
    text = main_text(page(article(PROSE * 60) + f"<ul>{links(20)}</ul>" + element.format(told)))
    assert [n for n in range(1, 13) if f"Step {n}. Another" not in text] == []


@pytest.mark.parametrize("name", ["cookie-notice", "Modal fade", "popup", "gdpr-consent"])
def test_notices_and_overlays_are_no_text(name: str) -> None:
    text = main_text(page(f'<div class="{name}"><p>{OTHER * 20}</p></div>{article()}'))
    assert "Another one" not in text


@pytest.mark.parametrize("tag", ["body", "main", "article"])
def test_what_holds_the_page_is_kept_whatever_its_class(tag: str) -> None:
    markup = f"<html><{tag} class='has-modal cookie-ready'><div><p>{PROSE * 6}</p></div></{tag}></html>"
    assert PROSE.strip() in main_text(markup)


def test_each_line_comes_once() -> None:
    posts = "".join(
        f"<div class=post><p>Post {n}: {OTHER}</p><span>Share on other sites</span></div>" for n in range(9)
    )
    text = main_text(page(f"<div>{posts}</div>")).split("\n")
    assert [line for line in text if line.startswith("Post")] == [f"Post {n}: {OTHER.strip()}" for n in range(9)]
    assert text.count("Share on other sites") <= 1


def test_a_list_after_the_last_paragraph_is_kept_before_links() -> None:
    items = "<ul><li>one sheet of paper</li><li>two pens</li></ul>"
    text = main_text(page(f"<article><h1>A heading</h1><p>{PROSE * 6}</p>{items}</article><ul>{links(30)}</ul>"))
    assert text.split("\n")[-2:] == ["one sheet of paper", "two pens"]


def test_text_for_browsers_without_scripts_is_read() -> None:
    posts = "".join(f"<div class=post><p>Post {n}: {OTHER}</p></div>" for n in range(9))
    text = main_text(page(f"<div id=app>Loading</div><noscript><div>{posts}</div></noscript>"))
    assert [n for n in range(9) if f"Post {n}:" not in text] == []


def test_a_page_that_is_all_navigation_is_read() -> None:
    assert PROSE.strip() in main_text(page(f"<nav><p>{PROSE * 4}</p></nav>"))


@pytest.mark.parametrize(
    "sentence",
    ["这个网页介绍博物馆的历史和展览欢迎大家前来参观。", "Эта страница рассказывает о музее и его истории. "],
)
def test_sentences_of_other_scripts_count_as_prose(sentence: str) -> None:
    told = "".join(f"<p>{n}. {sentence}</p>" for n in range(1, 15))
    text = main_text(page(f"{article(PROSE * 60)}<ul>{links(20)}</ul><div class=related>{told}</div>"))
    assert f"14. {sentence.strip()}" in text


def test_a_link_left_open_makes_no_link_of_what_follows() -> None:
    text = main_text(page(f"<a name=top></a><a href='/x'></a><h2>Part</h2><p>{PROSE * 6}</p><p>{OTHER * 3}</p>"))
    assert "Another one" in text


def test_a_link_around_several_lines_is_one() -> None:
    cards = "".join(f"<a href=/c{n}><h3>Card {n}</h3><p>{OTHER}</p></a>" for n in range(9))
    assert "Card" not in main_text(page(article(PROSE * 60) + f"<div>{cards}</div>"))


def test_signs_of_markup_in_a_text_stay() -> None:
    assert "if a < b & c > d, write <b>" in main_text(
        page(f"<p>if a &lt; b &amp; c &gt; d, write &lt;b&gt; {PROSE}</p>")
    )


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from(["<p>", "<div>", "</div>", "<a href=x>", "</a>", "<li>", "word ", "<h2>", PROSE, "\n"]))
)
def test_no_line_is_made_up(pieces: list[str]) -> None:
    said = "".join(piece for piece in pieces if not piece.startswith("<"))
    assert set(main_text(page("".join(pieces))).split()) <= set(said.split()) | set("".join(said.split()))
