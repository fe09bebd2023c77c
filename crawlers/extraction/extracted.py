"""What a document says, and the clean-up that every text goes through."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from crawlers.extraction.links import Words
from crawlers.extraction.traces import Traces
from events.messages import MAX_TEXT_CHARS

MAX_TITLE_CHARS = 500
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """A document taken apart.

    ``text`` has one paragraph a line and no more than ``events.messages.MAX_TEXT_CHARS`` characters. ``links`` are
    absolute http(s) URLs without fragment, each once, in the order of the page, and ``words``, where it is not empty,
    has the words of each; ``sources`` are sitemaps and feeds that the page names; ``too_long`` counts the URLs that
    were left out for their length. ``traces`` are those of title and text, where they have been taken already.
    """

    title: str = ""
    text: str = ""
    text_truncated: bool = False
    language_hint: str | None = None
    charset: str | None = None
    links: tuple[str, ...] = field(default=(), repr=False)
    sources: tuple[str, ...] = field(default=(), repr=False)
    too_long: int = 0
    words: tuple[Words, ...] = field(default=(), repr=False)
    traces: Traces | None = field(default=None, repr=False)


def clean_text(text: str) -> tuple[str, bool]:
    """Return ``text`` without control characters and lone surrogates, white space folded, and whether it was cut."""
    lines = text[: 4 * MAX_TEXT_CHARS].replace("\r", "\n").split("\n")
    bare = (line if line.isprintable() else _CONTROL.sub("", line) for line in lines)
    folded = "\n".join(filter(None, (" ".join(line.split()) for line in bare)))
    cut = len(folded) > MAX_TEXT_CHARS or len(text) > 4 * MAX_TEXT_CHARS
    return folded[:MAX_TEXT_CHARS], cut


def clean_title(title: str) -> str:
    """Return ``title`` on one line, at most `MAX_TITLE_CHARS` characters."""
    return " ".join(_CONTROL.sub("", title[: 4 * MAX_TITLE_CHARS]).split())[:MAX_TITLE_CHARS]
