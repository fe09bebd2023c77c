"""Which documents are rendered, and what comes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from crawlers.extraction import Extracted
from crawlers.extraction.worker import Document

FEW_CHARS = 200
"""A page is empty below so many characters of main text, if it has a script."""
_UTF8_HTML = "text/html; charset=utf-8"


def is_empty(document: Document, extracted: Extracted) -> bool:
    """Return whether a page says so little without its scripts that it is worth running them."""
    if document.pdf or document.markdown or len(extracted.text) >= FEW_CHARS:
        return False
    return b"<script" in document.body.lower()


class RenderingDocuments:
    """Takes documents apart; those that are empty once more as they are when their scripts have run.

    Parameters
    ----------
    take_apart
        Takes one document apart.
    render
        Returns the markup of a page whose scripts have run, or None where it cannot be rendered.
    """

    def __init__(
        self,
        take_apart: Callable[[Document], Awaitable[Extracted]],
        render: Callable[[Document], Awaitable[str | None]],
    ) -> None:
        self._take_apart = take_apart
        self._render = render

    async def take_apart(self, document: Document) -> Extracted:
        """Return what ``document`` says, with its scripts or without, whichever says more."""
        static = await self._take_apart(document)
        if not is_empty(document, static):
            return static
        markup = await self._render(document)
        if markup is None:
            return static
        body = markup.encode("utf-8", "replace")
        rendered = await self._take_apart(Document(False, document.url, _UTF8_HTML, body))
        return rendered if len(rendered.text) > len(static.text) else static
