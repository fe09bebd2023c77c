"""A page event to start from."""

from datetime import UTC, datetime

from events import PageFound, content_id, new_id, page_id

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "https://example.org/a"


def page(**changes):
    given = {
        "id": new_id(),
        "at": AT,
        "page_id": page_id(URL),
        "url": URL,
        "host": "example.org",
        "crawl_id": "c1",
        "content_id": content_id("text"),
        "fetched_at": AT,
        "title": "Title",
        "text": "text",
    }
    return PageFound(**(given | changes))
