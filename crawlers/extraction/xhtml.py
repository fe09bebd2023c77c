"""XHTML as HTML: what XML means otherwise is written out, so that the HTML parsers read it, well-formed or not."""

from __future__ import annotations

import re
from html import escape

from crawlers.extraction.sniff import media_type

_XML_TYPES = frozenset({"application/xhtml+xml", "application/vnd.wap.xhtml+xml"})
_DECLARATION = re.compile(r"\s*<\?xml\s")
_SUBSET = re.compile(
    r"(\s*(?:<\?xml[^>]{0,300}>\s*)?<!DOCTYPE[^\[<>]{0,500})\[.{0,20000}?\]\s*>", re.IGNORECASE | re.DOTALL
)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|$)", re.DOTALL)
_EMPTY = re.compile(r"""<([a-zA-Z][\w:.-]{0,60})((?:[^<>"'/]|/(?!>)|"[^"]{0,2000}"|'[^']{0,2000}')*+)/>""")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)


def is_xhtml(markup: str, content_type: str) -> bool:
    """Return whether a page is XHTML: its media type or its XML declaration says so."""
    return media_type(content_type) in _XML_TYPES or _DECLARATION.match(markup) is not None


def as_html(markup: str) -> str:
    """Return XHTML with empty elements closed and CDATA as text, and without entities of its own.

    In HTML ``<script/>`` and ``<title/>`` would swallow the rest of the page, and a CDATA section would be a comment.
    Entities that a page declares are not expanded.
    """
    if subset := _SUBSET.match(markup):
        markup = f"{subset.group(1)}>{markup[subset.end() :]}"
    markup = _CDATA.sub(lambda section: escape(section.group(1), quote=False), markup)
    return _EMPTY.sub(_closed, markup)


def _closed(tag: re.Match[str]) -> str:
    name, attributes = tag.groups()
    return f"<{name}{attributes}>" if name.lower() in _VOID else f"<{name}{attributes}></{name}>"
