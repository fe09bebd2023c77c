"""Markdown: rendered by markdown-it (CommonMark with tables), then read as the HTML that it stands for."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from selectolax.lexbor import LexborHTMLParser

from crawlers.extraction.charset import decode
from crawlers.extraction.extracted import Extracted, clean_text, clean_title
from crawlers.extraction.html import MAX_DEPTH, nesting
from crawlers.extraction.links import links_of
from crawlers.extraction.plain import extract_text
from events.messages import MAX_TEXT_CHARS

_MAX_CHARS = 2 * MAX_TEXT_CHARS
_FRONT_MATTER = re.compile(r"\s{0,20}(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"""^title[ \t]*[:=][ \t]*["']?([^\n]{1,600}?)["']?[ \t]*$""", re.MULTILINE)
_HEADINGS = "h1, h2, h3, h4, h5, h6"
_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def extract_markdown(body: bytes, *, url: str = "", content_type: str = "") -> Extracted:
    """Return title, text without marks, and links of Markdown.

    The title is the first heading, or what the front matter says, or the first line; the front matter is no text.
    """
    markup, charset = decode(body, content_type)
    markup = markup.replace("\0", "").replace("\r\n", "\n")
    front = _FRONT_MATTER.match(markup)
    said = _TITLE.search(front.group(2)) if front else None
    source = markup[front.end() if front else 0 :]
    rendered = _READER.render(source[:_MAX_CHARS])
    if nesting(rendered) > MAX_DEPTH:
        return extract_text(body, content_type=content_type)
    page = LexborHTMLParser(rendered)
    tree = HTMLTree.parse(rendered)
    text, cut = clean_text(extract_plain_text(tree, preserve_formatting=True, list_bullets=False, alt_texts=False))
    if not text:
        return extract_text(source.encode("utf-8", "replace"), content_type="text/plain; charset=utf-8")
    heading = page.css_first(_HEADINGS)
    title = clean_title(heading.text(deep=True)) if heading is not None else ""
    links = links_of(page, url)
    return Extracted(
        title=title or clean_title(said.group(1) if said else text.partition("\n")[0]),
        text=text,
        text_truncated=cut or len(source) > _MAX_CHARS,
        charset=charset,
        links=links.urls,
        too_long=links.too_long,
        words=links.words,
    )
