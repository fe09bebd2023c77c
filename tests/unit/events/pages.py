"""Events to start from."""

from datetime import UTC, datetime

from events import Nearest, PageFound, PageJudged, Passage, Verdict, content_id, new_id, page_id

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


def judged(**changes):
    passage = Passage(
        start=0,
        end=4,
        score=0.9,
        contexts={"news": 0.6, "hunting": 0.2},
        nearest=(Nearest(id="en-0123", similarity=0.82, of_concern=True),),
    )
    verdict = Verdict(
        flagged=True,
        score=0.9,
        threshold=0.5,
        language="en",
        outcome="flagged",
        model="m-1",
        passages=(passage,),
    )
    found = page()
    given = {name: getattr(found, name) for name in PageJudged.__struct_fields__ if hasattr(found, name)}
    return PageJudged(**(given | {"schema": "judged/1", "verdict": verdict} | changes))
