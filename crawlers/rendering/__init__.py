"""Pages that say nothing until their scripts have run, rendered without a network (docs/extraction.md)."""

from crawlers.rendering.browser import BrowserRenderer
from crawlers.rendering.documents import RenderingDocuments, is_empty

__all__ = ["BrowserRenderer", "RenderingDocuments", "is_empty"]
