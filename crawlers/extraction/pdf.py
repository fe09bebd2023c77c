"""PDF, through pdfium, up to a number of pages and a time; a crawl runs it in a process of its own (ADR 0016)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pypdfium2

from crawlers.extraction.extracted import Extracted, clean_text, clean_title
from events.messages import MAX_TEXT_CHARS

_MAX_PAGES = 300
_MAX_SECONDS = 3.0


class UnreadableError(Exception):
    """The document cannot be read; the message is short and stable, fit for an outcome's reason."""


def extract_pdf(body: bytes) -> Extracted:
    """Return title and text of a PDF, one page after the other, up to the limits.

    Raises
    ------
    UnreadableError
        It is damaged, encrypted, or has no text.
    """
    try:
        document = pypdfium2.PdfDocument(body)
    except (pypdfium2.PdfiumError, ValueError) as error:
        raise UnreadableError("pdf cannot be parsed") from error
    try:
        joined = "\n".join(_pages(document))
        title = clean_title(str(document.get_metadata_dict().get("Title") or ""))
        whole = len(document) <= _MAX_PAGES
    except (pypdfium2.PdfiumError, ValueError) as error:
        raise UnreadableError("pdf cannot be parsed") from error
    finally:
        document.close()
    text, cut = clean_text(joined)
    if not text:
        raise UnreadableError("pdf has no text")
    return Extracted(
        title=title or clean_title(text.partition("\n")[0]), text=text, text_truncated=cut or not whole, charset=None
    )


def _pages(document: pypdfium2.PdfDocument) -> Iterator[str]:
    length, until = 0, time.monotonic() + _MAX_SECONDS
    for number in range(min(len(document), _MAX_PAGES)):
        page = document[number]
        try:
            textpage = page.get_textpage()
            text = str(textpage.get_text_range())
            textpage.close()
        finally:
            page.close()
        yield text
        length += len(text)
        if length > MAX_TEXT_CHARS or time.monotonic() > until:
            return
