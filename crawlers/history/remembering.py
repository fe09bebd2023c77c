"""From the end of a fetch to what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlers.frontier import Kind
from crawlers.history.visits import KnownLink, Seen

if TYPE_CHECKING:
    from crawlers.endings import Ending, Fetched


def seen_of(ending: Ending, fetched: Fetched, content_id: str, lines: bytes = b"") -> Seen:
    """Return what a full answer has shown.

    Parameters
    ----------
    ending, fetched
        How the URL ends, and its response.
    content_id
        Of the text, or of the list of URLs of a sitemap or feed.
    lines
        Fingerprint of the text.
    """
    links = (KnownLink(link.url, link.kind is Kind.SOURCE) for link in (*ending.links, *ending.unchanged))
    return Seen(
        page_id=ending.event.page_id,
        at=fetched.at,
        what="content",
        content_id=content_id,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        lines=lines,
        links=None if ending.beyond_depth else tuple(links),
    )
