"""The main text of an HTML page: what it says, without the navigation around it.

resiliparse writes the page as lines of reduced markup, once whole, without navigation, and once with its heuristics for
main content. A line counts by what it is (prose, heading, list item, link) and by its neighbours, as in jusText
(Pomikálek 2011) but without word lists, so that every language is treated alike. A passage that may be a guide matters
more than a clean page: what the heuristics leave out is dropped only where it is short or consists of links.
``docs/extraction.md`` has the rules and how they measure against trafilatura.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from html import unescape
from itertools import groupby, takewhile
from typing import NamedTuple

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

_CHROME = (
    "nav",
    "footer",
    "[role=navigation]",
    "[role=contentinfo]",
    "[role=banner]",
    "[role=search]",
    "button",
    "select",
    "dialog",
)
_OVERLAYS = {
    word: [f'[{name}*="{word}" i]:not(body):not(main):not(article)' for name in ("class", "id")]
    for word in ("modal", "popup", "cookie", "consent")
}
"""What is above a page; body, main and article hold the page, whatever they are called."""
_LINKED = 0.5
"""A line is a link from this share of linked characters on."""
_PROSE_BYTES = 60
"""A line is prose from here on. In UTF-8, a sentence takes about as many bytes in each of the six languages."""
_SECTION_BYTES = 600
"""So much prose in a row is kept, wherever it stands."""
_GAP_LINES = 8
_KEPT_SHARE = 0.4
_SAME_CHARS = 32
_TRIES = ((1_000, _CHROME), (200, ()))
"""Below so many characters, text for browsers without scripts is looked at, in the end also that of the navigation."""
_TAG = re.compile(r"<[^>]*>")
_ANCHOR = re.compile(r"<(/?)a\b[^>]*>")


class _Line(NamedTuple):
    text: str
    heading: bool
    linked: bool
    prose: bool


def main_text(markup: str) -> str:
    """Return the main text of a page, one paragraph, heading, list item or table row a line, and each line once."""
    tree = HTMLTree.parse(markup)
    chrome = _chrome(markup)
    lines = _lines(_marked(tree, skip=chrome))
    for few, skip in _TRIES:
        if _length(lines) < few:
            more = _lines(_marked(tree, skip=chrome if skip is _CHROME else skip, noscript=True))
            if _length(more) > 4 * _length(lines):
                lines = more
    main = {" ".join(line.split())[:_SAME_CHARS] for line in _main_content(tree).split("\n")}
    return "\n".join(dict.fromkeys(line.text for line in _chosen(lines, main)))


def _chrome(markup: str) -> list[str]:
    """Return what is left out of this page: selectors of words that it does not have cost time for nothing."""
    lowered = markup.lower()
    return [*_CHROME, *(selector for word, selectors in _OVERLAYS.items() if word in lowered for selector in selectors)]


def _marked(tree: HTMLTree, *, skip: Sequence[str], noscript: bool = False) -> str:
    return extract_plain_text(
        tree,
        preserve_formatting="minimal_html",
        links=True,
        list_bullets=False,
        alt_texts=False,
        noscript=noscript,
        skip_elements=list(skip),
    )


def _main_content(tree: HTMLTree) -> str:
    return extract_plain_text(
        tree, preserve_formatting=True, main_content=True, comments=True, list_bullets=False, alt_texts=False
    )


def _lines(marked: str) -> list[_Line]:
    lines: list[_Line] = []
    said, links = "", 0
    for part, linked in _parts(marked):
        first, *rest = part.split("\n")
        said, links = said + first, links + (len(_text(first)) if linked else 0)
        for more in rest:
            _add(lines, said, links)
            said, links = more, len(_text(more)) if linked else 0
    _add(lines, said, links)
    return lines


def _parts(marked: str) -> Iterator[tuple[str, bool]]:
    """Yield the text in and between links, and whether it is in one; a link left open until the next begins is none."""
    pieces = _ANCHOR.split(marked)
    yield pieces[0], False
    marks = pieces[1::2]
    for mark, following, part in zip(marks, [*marks[1:], None], pieces[2::2], strict=False):
        yield part, not mark and following == "/"


def _add(lines: list[_Line], raw: str, links: int) -> None:
    text = _text(raw)
    if text:
        linked = links > _LINKED * len(text)
        prose = not linked and _bytes(text) >= _PROSE_BYTES
        lines.append(_Line(text, raw.lstrip().startswith("<h"), linked, prose))


def _text(raw: str) -> str:
    if "<" in raw:
        raw = _TAG.sub("", raw)
    return " ".join((unescape(raw) if "&" in raw else raw).split())


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _length(lines: Sequence[_Line]) -> int:
    return sum(len(line.text) for line in lines)


def _chosen(lines: list[_Line], main: Collection[str]) -> list[_Line]:
    """Return the lines about which main content and prose agree; all of them, where those are the lesser part.

    A page of which main content is the lesser part is a listing, a forum or a product page.
    """
    least = _KEPT_SHARE * _length(lines)
    for prose_too in (False, True):
        kept = _stretches(lines, [line.text[:_SAME_CHARS] in main or (prose_too and line.prose) for line in lines])
        chosen = [line for line, keep in zip(lines, kept, strict=True) if keep]
        if _length(chosen) >= least:
            return list(_with_sections(lines, kept))
    return lines


def _stretches(lines: list[_Line], wanted: Iterable[bool]) -> list[bool]:
    """Return which lines are wanted and no links; few between, a short list after, a heading before count too."""
    kept = [keep and not line.linked for line, keep in zip(lines, wanted, strict=True)]
    at = [number for number, keep in enumerate(kept) if keep]
    for here, there in zip(at, [*at[1:], sys.maxsize], strict=False):
        gap = lines[here + 1 : min(there, here + 1 + _GAP_LINES)]
        if there > here + 1 + _GAP_LINES:
            gap = list(takewhile(lambda line: not (line.linked or line.heading or line.prose), gap))
        kept[here + 1 : here + 1 + len(gap)] = [True] * len(gap)
    for number in at:
        if number and lines[number - 1].heading:
            kept[number - 1] = True
    return kept


def _with_sections(lines: list[_Line], kept: list[bool]) -> Iterator[_Line]:
    """Yield the lines that are kept, and between them the sections that are long enough to be a text of their own."""
    for keep, group in groupby(zip(lines, kept, strict=True), key=lambda pair: pair[1]):
        section = [line for line, _ in group]
        if keep or sum(_bytes(line.text) for line in section if line.prose) >= _SECTION_BYTES:
            yield from section
