"""Plain text."""

from __future__ import annotations

from crawlers.extraction.charset import decode
from crawlers.extraction.extracted import Extracted, clean_text, clean_title


def extract_text(body: bytes, *, content_type: str = "") -> Extracted:
    """Return the text of a plain-text body; the first line that is not blank serves as title."""
    decoded, charset = decode(body, content_type)
    text, cut = clean_text(decoded)
    title = clean_title(text.partition("\n")[0].lstrip("# "))
    return Extracted(title=title, text=text, text_truncated=cut, charset=charset)
