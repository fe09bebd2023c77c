"""Pages of the benchmark web as events, for what stands behind the crawl."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from random import Random

import msgspec

from events import PageFound, PageJudged, content_id, host_key, new_id, page_id
from tests.benchmarks.web import Place, Web

_CRAWL = "b" * 32


def found_pages(web: Web, seed: int = 0) -> Iterator[PageFound]:
    """Yield pages without end, each with a URL and a text of its own; one in twenty is of concern, as in the web."""
    rng = Random(f"{web.seed}/{seed}/pages")
    for number in count():
        place = Place(rng.randrange(web.hosts), rng.randrange(web.sections), rng.randrange(web.articles))
        passages = web.passages_of(place)
        url = f"https://host-{place.host}.example.org/{seed}/{number}.html"
        text = "\n".join([*(f"{passage.title}. {passage.text}" for passage in passages), f"№ {seed}-{number}"])
        at = datetime.now(UTC)
        yield PageFound(
            id=new_id(), at=at, page_id=page_id(url), url=url, host=host_key(url), crawl_id=_CRAWL,
            content_id=content_id(text), fetched_at=at, title=passages[0].title, text=text, depth=3,
            parent_url=f"https://host-{place.host}.example.org/", language_hint=web.language(place.host),
        )  # fmt: skip


def variants(judged: list[PageJudged], seed: int) -> Iterator[PageJudged]:
    """Yield judged pages without end, made of those given: each with a URL, a text and a signature of its own."""
    rng = Random(f"{seed}/variants")
    for number in count():
        one = judged[number % len(judged)]
        url = f"https://{one.host}/{seed}-{number}/"
        signature = base64.b64encode(rng.randbytes(512)).decode() if one.minhash else ""
        yield msgspec.structs.replace(
            one, id=new_id(), page_id=page_id(url), url=url, minhash=signature,
            content_id=content_id(f"{one.text} {seed}-{number}"),
        )  # fmt: skip
