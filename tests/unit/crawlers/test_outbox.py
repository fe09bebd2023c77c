from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from datetime import UTC, datetime

import pytest

from crawlers.outbox import AbandonedError, Outbox
from crawlers.sink import SinkUnavailableError
from events import PageFound, UrlEnded, new_id, page_id

AT = datetime(2026, 1, 2, tzinfo=UTC)


def event(path: str = "a") -> UrlEnded:
    url = f"https://example.org/{path}"
    return UrlEnded(
        id=new_id(),
        at=AT,
        page_id=page_id(url),
        url=url,
        host="example.org",
        crawl_id="c",
        outcome="failed",
        reason="dns",
    )


class SlowSink:
    """Answers when it is told to, from a thread of its own."""

    def __init__(self) -> None:
        self.futures: list[Future[float | None]] = []

    def put(self, event: PageFound | UrlEnded) -> Future[float | None]:
        self.futures.append(Future())
        return self.futures[-1]

    def answer(self, error: Exception | None = None, score: float | None = None) -> None:
        def work() -> None:
            for future in self.futures:
                if error is None:
                    future.set_result(score)
                else:
                    future.set_exception(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def flush(self) -> None: ...

    def close(self) -> None: ...


def test_put_returns_when_all_is_durable() -> None:
    async def story() -> tuple[int, bool, int]:
        sink = SlowSink()
        outbox = Outbox(sink)
        task = asyncio.create_task(outbox.put([event("a"), event("b")]))
        await asyncio.sleep(0)
        waiting, done_early = len(outbox), task.done()
        sink.answer()
        await task
        return waiting, done_early, len(outbox)

    assert asyncio.run(story()) == (2, False, 0)


@pytest.mark.parametrize("score", [0.7, None])
def test_put_returns_the_scores_that_the_sink_tells(score: float | None) -> None:
    async def story() -> list[float | None]:
        sink = SlowSink()
        task = asyncio.create_task(Outbox(sink).put([event("a"), event("b")]))
        await asyncio.sleep(0)
        sink.answer(score=score)
        return await task

    assert asyncio.run(story()) == [score, score]


@pytest.mark.parametrize("error", [SinkUnavailableError("gone"), RuntimeError("gone")])
def test_whatever_the_sink_raises_is_an_unavailable_sink(error: Exception) -> None:
    async def story() -> None:
        sink = SlowSink()
        task = asyncio.create_task(Outbox(sink).put([event("a"), event("b")]))
        await asyncio.sleep(0)
        sink.answer(error)
        await task

    with pytest.raises(SinkUnavailableError, match="gone"):
        asyncio.run(story())


def test_abandon_ends_the_wait_and_late_answers_do_no_harm() -> None:
    async def story() -> int:
        sink = SlowSink()
        outbox = Outbox(sink)
        task = asyncio.create_task(outbox.put([event()]))
        await asyncio.sleep(0)
        outbox.abandon()
        with pytest.raises(AbandonedError):
            await task
        sink.answer()
        await asyncio.sleep(0.01)
        return len(outbox)

    assert asyncio.run(story()) == 0
