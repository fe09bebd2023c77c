"""The main job, embedded, as `make demo ARGS=--no-serve` runs it."""

import json
import re
import sqlite3

import pytest
from warcio.archiveiterator import ArchiveIterator

from storage import ItemQuery, LedgerQuery
from storage.sqlite import SqliteStore
from tests.e2e import processes


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = processes.run("demo", "--no-serve", "--json", "--data", str(folder), timeout_s=170)
    return folder, done, json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


@pytest.fixture(scope="module")
def store(demo):
    made = SqliteStore(demo[0] / "guidewatch.sqlite")
    made.setup()
    yield made
    made.close()


def test_it_ends_well_and_keeps_its_promises(demo):
    _, done, result = demo
    assert done.returncode == 0, done.stderr
    assert result["recall"] >= 0.90, result["missed"]
    assert result["false_positive_rate"] <= 0.05, result["flagged_wrongly"]
    assert result["forbidden_fetched"] == []
    assert result["not_reached"] == []
    assert "Traceback" not in done.stderr


def test_every_language_has_items(demo):
    found = demo[2]["found_by_language"]
    assert set(found) == {"ar", "zh", "en", "fr", "ru", "es"}
    assert min(found.values()) >= 7


def test_every_url_has_exactly_one_outcome(store):
    page = store.ledger(LedgerQuery(limit=10_000))
    assert (
        page.total == len(page.rows) == len({row.page_id for row in page.rows}) == sum(store.ledger_counts().values())
    )
    assert {row.outcome for row in page.rows} == {
        "flagged",
        "not_flagged",
        "duplicate",
        "unsupported",
        "refused",
        "failed",
    }


def test_the_calendar_trap_is_left(store):
    months = [row for row in store.ledger(LedgerQuery(limit=10_000)).rows if "/calendar/" in row.url]
    assert 2 <= len(months) <= 60


def test_unsupported_languages_are_counted_as_such(store):
    rows = store.ledger(LedgerQuery(outcome=("unsupported",), limit=100)).rows
    assert {row.language for row in rows} >= {"de", "pt", "ja"}


def test_a_redirect_chain_leads_to_its_page(store):
    rows = {row.url.rpartition("/")[2]: row for row in store.ledger(LedgerQuery(limit=10_000)).rows}
    about = rows["about.html"]
    assert [rows[name].duplicate_of for name in "abc"] == [about.page_id] * 3


def test_pages_that_are_not_flagged_leave_no_text(demo, store):
    texts = sqlite3.connect(demo[0] / "guidewatch.sqlite")
    dump = "\n".join(texts.iterdump())
    texts.close()
    assert store.search(ItemQuery()).total == store.ledger_counts()["flagged"]
    assert "Lanternfield" not in dump
    assert "The Lanternfield Web Ring" not in dump


def test_evidence_of_every_item_is_in_the_vault_and_every_warc_file_is_sound(demo, store):
    folder = demo[0]
    items = store.search(ItemQuery(limit=1000)).items
    for item in items:
        assert (folder / "vault" / item.evidence.sha256[:2] / f"{item.evidence.sha256[2:]}.warc.gz").is_file()
    verified = processes.run("evidence", "verify", "--data", str(folder), "--json")
    report = json.loads(verified.stdout)
    assert (verified.returncode, report["changes"], report["notices"]) == (0, [], []), verified.stderr
    assert report["objects"] == len({item.evidence.sha256 for item in items})
    kinds = []
    for path in (folder / "warc").glob("*.warc.gz"):
        with path.open("rb") as file:
            kinds += [record.rec_type for record in ArchiveIterator(file, check_digests="raise")]
    assert kinds.count("response") >= 200
    assert kinds.count("request") == kinds.count("response")


def test_the_feed_has_no_text_and_no_address_that_works(demo, store):
    edition = next((demo[0] / "feeds").glob("*.html")).read_text("utf-8")
    assert not re.search(r"https?://127\.", edition)
    for item in store.search(ItemQuery(limit=1000)).items:
        assert item.text[:60] not in edition
        assert not item.title or item.title not in edition
