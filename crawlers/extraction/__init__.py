"""From bytes to title, main text and links; pure functions that never raise for what a page contains."""

from crawlers.extraction.extracted import Extracted
from crawlers.extraction.html import extract_html
from crawlers.extraction.markdown import extract_markdown
from crawlers.extraction.pdf import UnreadableError, extract_pdf
from crawlers.extraction.plain import extract_text
from crawlers.extraction.sniff import Format, sniff

__all__ = [
    "Extracted",
    "Format",
    "UnreadableError",
    "extract_html",
    "extract_markdown",
    "extract_pdf",
    "extract_text",
    "sniff",
]
