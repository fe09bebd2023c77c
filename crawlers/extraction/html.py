"""Title, main text and links of HTML, and of XHTML, which is read as HTML."""

from __future__ import annotations

import re
from itertools import accumulate

from selectolax.lexbor import LexborHTMLParser

from crawlers.extraction.charset import decode
from crawlers.extraction.extracted import Extracted, clean_text, clean_title
from crawlers.extraction.links import links_of, loose_links, sources_of
from crawlers.extraction.main_text import main_text
from crawlers.extraction.xhtml import as_html, is_xhtml

_MAX_MARKUP_CHARS = 3_000_000
MAX_DEPTH = 1_000
_NESTING = re.compile(
    r"<(/?)(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|dd|dt|td|th|tr|tbody|thead"
    r"|tfoot|option|path)\b)[a-zA-Z]"
)
_STEP = {"": 1, "/": -1}
_SCRIPT = re.compile(r"<(script|style|template)\b.*?(</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]{0,2000}>")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)
_LANGUAGE = re.compile(r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,3}$")


def extract_html(body: bytes, *, url: str = "", content_type: str = "", words: bool = True) -> Extracted:
    """Take an HTML page apart; whatever the bytes, this returns.

    Parameters
    ----------
    body
        The page after content decoding.
    url
        Where it came from; relative links need it.
    content_type
        The Content-Type header.
    words
        Whether the words of links are looked for.
    """
    markup, charset = decode(body, content_type)
    cut = len(markup) > _MAX_MARKUP_CHARS
    markup = markup[:_MAX_MARKUP_CHARS].replace("\0", "")
    if is_xhtml(markup, content_type):
        markup = as_html(markup)
    if markup.count("<") > MAX_DEPTH and nesting(markup) > MAX_DEPTH:
        return _extract_loosely(markup, url, charset)
    page = LexborHTMLParser(markup)
    text, shortened = clean_text(main_text(markup))
    links, sources = links_of(page, url, words=words), sources_of(page, url)
    return Extracted(
        title=_title(page),
        text=text,
        text_truncated=cut or shortened,
        language_hint=_language(page),
        charset=charset,
        links=links.urls,
        sources=sources.urls,
        too_long=links.too_long + sources.too_long,
        words=links.words,
    )


def nesting(markup: str) -> int:
    """Return how deep elements may be nested: parsing and extraction take time by the square of it."""
    depths: list[int] = list(accumulate(map(_STEP.__getitem__, _NESTING.findall(markup)), initial=0))
    return max(here - least for here, least in zip(depths, accumulate(depths, min), strict=True))


def _title(page: LexborHTMLParser) -> str:
    for selector in ("head > title", "title", "h1"):
        node = page.css_first(selector)
        if node is not None and (title := clean_title(node.text(deep=True))):
            return title
    return ""


def _language(page: LexborHTMLParser) -> str | None:
    node = page.css_first("html")
    said = ((node.attributes.get("lang") or node.attributes.get("xml:lang") or "") if node is not None else "").strip()
    return said if _LANGUAGE.match(said) else None


def _extract_loosely(markup: str, url: str, charset: str) -> Extracted:
    """Read markup that is nested too deeply for a parser: tags are cut out, links are searched for."""
    title = _TITLE.search(markup)
    text, cut = clean_text(_TAG.sub("\n", _SCRIPT.sub("\n", markup)))
    loose = loose_links(markup, url)
    return Extracted(
        title=clean_title(title.group(1)) if title else "",
        text=text,
        text_truncated=cut,
        charset=charset,
        links=loose.urls,
        too_long=loose.too_long,
    )
