import json
import threading

import pytest

from events import PageJudged, UrlEnded, decode
from guidewatch.embedded import EmbeddedSink
from storage import StoreUnavailableError, UpsertReport
from tests.contract.samples import ended, verdict
from tests.unit.events.pages import page


class FakeStore:
    """Keeps what it is given, in order; fails or rejects as told."""

    def __init__(self, *, failures=0, rejects=()):
        self.written = []
        self.batches = []
        self.failures = failures
        self.rejects = set(rejects)

    def upsert(self, judged):
        if self.failures:
            self.failures -= 1
            raise StoreUnavailableError("down", retry_after_s=0.001)
        self.batches.append(len(judged))
        refused = [event for event in judged if event.page_id in self.rejects and isinstance(event, PageJudged)]
        self.written += [event for event in judged if event not in refused]
        return UpsertReport(rejected=tuple((event.page_id, "no such field") for event in refused))


def judge(pages):
    return [
        PageJudged(
            id=found.id, at=found.at, page_id=found.page_id, url=found.url, host=found.host, crawl_id=found.crawl_id,
            content_id=found.content_id, fetched_at=found.fetched_at,
            verdict=verdict(flagged="guide" in found.text), text=found.text if "guide" in found.text else "",
        )
        for found in pages
    ]  # fmt: skip


def pages(count, text="a page about a garden"):
    from events import page_id

    return [
        page(url=f"https://example.org/{i}", page_id=page_id(f"https://example.org/{i}"), text=text)
        for i in range(count)
    ]


@pytest.fixture
def sink_for(tmp_path):
    made = []

    def make(store, judge=judge, **options):
        sink = EmbeddedSink(judge, store, dead_letters=tmp_path / "dead.jsonl", **({"wait_s": 0.01} | options))
        made.append(sink)
        return sink

    yield make
    for sink in made:
        sink.close()


def test_a_future_resolves_only_when_the_page_is_in_the_store(sink_for):
    store = FakeStore()
    sink = sink_for(store)
    futures = [sink.put(found) for found in pages(5)]
    for future in futures:
        future.result(timeout=5)
        assert len(store.written) >= 1
    assert len(store.written) == 5
    assert sink.outcomes == {"not_flagged": 5}


def test_a_future_tells_the_score_of_a_page_that_was_judged(sink_for):
    sink = sink_for(FakeStore())
    found = pages(1)[0]
    assert sink.put(found).result(timeout=5) == judge([found])[0].verdict.score
    assert sink.put(ended("gone")).result(timeout=5) is None


def test_pages_and_ended_urls_share_a_batch(sink_for):
    store = FakeStore()
    sink = sink_for(store, wait_s=0.3)
    for event in [*pages(3), ended("gone")]:
        sink.put(event)
    sink.flush()
    assert store.batches == [4]
    assert sink.outcomes == {"not_flagged": 3, "failed": 1}


def test_a_batch_is_closed_at_its_size(sink_for):
    store = FakeStore()
    sink = sink_for(store, batch_pages=4, wait_s=5)
    for found in pages(8):
        sink.put(found)
    sink.flush()
    assert store.batches == [4, 4]


def test_evidence_is_kept_of_flagged_pages_only(sink_for):
    kept = []
    sink = sink_for(FakeStore(), keep_evidence=lambda judged: kept.append(judged.text))
    for text in ("a guide", "a garden"):
        sink.put(pages(1, text)[0])
    sink.flush()
    assert kept == ["a guide"]


def test_a_store_that_comes_back_gets_everything(sink_for):
    store = FakeStore(failures=3)
    sink = sink_for(store)
    sink.put(pages(1)[0]).result(timeout=5)
    assert len(store.written) == 1


def test_a_store_that_stays_away_fails_the_future_and_the_sink_lives_on(sink_for):
    store = FakeStore(failures=3)
    sink = sink_for(store, retries=2)
    with pytest.raises(StoreUnavailableError):
        sink.put(pages(1)[0]).result(timeout=5)
    sink.put(pages(1)[0]).result(timeout=5)
    assert len(store.written) == 1


def test_one_page_that_cannot_be_judged_does_not_fail_the_others(sink_for, tmp_path):
    def fragile(found):
        if any("poison" in one.text for one in found):
            raise RuntimeError("cannot read this")
        return judge(found)

    store = FakeStore()
    sink = sink_for(store, fragile, wait_s=0.3)
    for event in [*pages(3), page(text="poison")]:
        sink.put(event)
    sink.flush()
    assert sink.outcomes == {"not_flagged": 3, "dead_letter": 1}
    assert [event.outcome for event in store.written if isinstance(event, UrlEnded)] == ["dead_letter"]
    line = json.loads((tmp_path / "dead.jsonl").read_text())
    assert line["reason"] == "RuntimeError: cannot read this"
    assert decode(json.dumps(line["event"]).encode()).text == "poison"


def test_what_the_store_rejects_is_a_dead_letter_that_the_ledger_counts(sink_for, tmp_path):
    bad, good = pages(2)
    store = FakeStore(rejects=[bad.page_id])
    sink = sink_for(store, wait_s=0.3)
    for event in (bad, good):
        sink.put(event).result(timeout=5)
    assert {event.page_id: getattr(event, "outcome", "judged") for event in store.written} == {
        good.page_id: "judged",
        bad.page_id: "dead_letter",
    }
    assert "no such field" in (tmp_path / "dead.jsonl").read_text()


def test_flush_waits_for_what_is_under_way(sink_for):
    gate = threading.Event()

    def slow(found):
        gate.wait(5)
        return judge(found)

    sink = sink_for(FakeStore(), slow)
    future = sink.put(pages(1)[0])
    threading.Timer(0.1, gate.set).start()
    sink.flush()
    assert future.done()


def test_a_judge_that_fails_on_every_page_stops_the_crawl_and_buries_nothing(sink_for, tmp_path):
    def broken(found):
        raise RuntimeError("the model is broken")

    store = FakeStore()
    sink = sink_for(store, broken, wait_s=0.3)
    futures = [sink.put(found) for found in pages(3)]
    for future in futures:
        with pytest.raises(RuntimeError, match="the model is broken"):
            future.result(timeout=5)
    assert store.written == []
    assert not (tmp_path / "dead.jsonl").exists()


def test_closing_with_a_deadline_leaves_what_is_not_settled(sink_for):
    gate = threading.Event()

    def slow(found):
        gate.wait(10)
        return judge(found)

    sink = sink_for(FakeStore(), slow)
    future = sink.put(pages(1)[0])
    sink.close(within_s=0.05)
    assert not future.done()
    gate.set()
    future.result(timeout=5)
