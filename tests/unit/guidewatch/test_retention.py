"""The command `guidewatch retention`."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from consumers.vault import Vault, read_keys
from guidewatch.cli import app
from guidewatch.errors import UserMistakeError
from storage.port import ItemQuery, LedgerQuery
from storage.sqlite import SqliteStore
from tests.contract.samples import ended, judged, label
from tests.unit.consumers.vaults import BODIES, objects, page
from tests.unit.consumers.warcs import written

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("GUIDEWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def ago(days):
    return NOW - timedelta(days=days)


@pytest.fixture
def store(tmp_path):
    """Return a store with a page of today, one of a hundred days ago, and a row of two hundred."""
    made = SqliteStore(tmp_path / "guidewatch.sqlite")
    made.setup()
    for name, days in (("new", 0), ("old", 100)):
        made._clock = lambda days=days: ago(days)
        made.upsert([judged(name, fetched_at=ago(days), at=ago(days))])
    made.record_decisions([label("old", at=ago(99))])
    made._clock = lambda: ago(200)
    made.upsert([ended("gone", at=ago(200))])
    yield made
    made.close()


def keep_evidence(folder, at):
    vault = Vault(folder / "vault", folder / "warc", keys=read_keys(""))
    for number, evidence in enumerate(written(folder / "warc", *BODIES)):
        vault.keep(evidence, page_id=page(number), url=f"http://a.example/{number}", at=at)


def run(*arguments):
    return CliRunner().invoke(app, ["retention", *map(str, arguments)], catch_exceptions=False)


def result(*arguments):
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_texts_rows_and_evidence_go_after_their_days(store, tmp_path, monkeypatch):
    keep_evidence(tmp_path, ago(100))
    monkeypatch.setenv("GUIDEWATCH_RETENTION_TEXT_DAYS", "30")
    monkeypatch.setenv("GUIDEWATCH_RETENTION_LEDGER_DAYS", "150")
    kept = len(objects(tmp_path))
    would = result("--data", tmp_path, "--dry-run")
    assert (would["texts"], would["rows of the ledger"], would["evidence"]["records in the vault"]) == (1, 1, kept)
    assert len(objects(tmp_path)) == kept > 0
    assert result("--data", tmp_path) == would
    assert not any(path.exists() for path in objects(tmp_path))
    assert {item.url[-3:]: item.text for item in store.items(ItemQuery())} == {"new": "A page about new.", "old": ""}
    assert store.ledger(LedgerQuery()).total == 2
    again = result("--data", tmp_path)
    assert (again["texts"], again["rows of the ledger"], again["evidence"]["records in the vault"]) == (0, 0, 0)


def test_a_text_that_is_gone_is_in_no_byte_of_the_file(store, tmp_path):
    old = judged("old", text="Unmistakable wording.", fetched_at=ago(98), at=ago(98))
    store.upsert([old])
    result("--data", tmp_path, "--text-days", "30")
    store.close()
    content = b"".join(path.read_bytes() for path in tmp_path.glob("guidewatch.sqlite*")).lower()
    assert b"unmistakable" not in content
    assert b"new" in content


def test_options_come_before_settings(store, tmp_path, monkeypatch):
    monkeypatch.setenv("GUIDEWATCH_RETENTION_TEXT_DAYS", "30")
    assert result("--data", tmp_path, "--text-days", "365", "--dry-run")["texts"] == 0
    assert result("--data", tmp_path, "--text-days", "90", "--dry-run")["texts"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing is ever too old"),
        (("--ledger-days", 30), "keep rows at least as long as texts"),
        (("--text-days", 60, "--ledger-days", 30), "keep rows at least as long as texts"),
    ],
)
def test_rules_that_make_no_sense_are_refused(store, tmp_path, arguments, message):
    with pytest.raises(UserMistakeError, match=message):
        run("--data", tmp_path, *arguments)


def test_nothing_goes_where_the_clock_is_behind_the_store(store, tmp_path):
    store._clock = lambda: NOW + timedelta(days=3)
    store.upsert([ended("tomorrow")])
    with pytest.raises(UserMistakeError, match=r"the store has heard of a page on .*nothing was removed"):
        run("--data", tmp_path, "--text-days", 30)
    assert all(item.text for item in store.items(ItemQuery()))


def test_nothing_goes_where_even_the_newest_would_go_unless_that_is_said(tmp_path):
    store = SqliteStore(tmp_path / "guidewatch.sqlite", clock=lambda: ago(100))
    store.setup()
    store.upsert([judged(fetched_at=ago(100), at=ago(100))])
    with pytest.raises(UserMistakeError, match=r"even the newest page, of .*say --everything"):
        run("--data", tmp_path, "--text-days", 30)
    assert result("--data", tmp_path, "--text-days", 30, "--everything")["texts"] == 1
    store.close()


def test_an_empty_store_has_nothing_to_remove(tmp_path):
    store = SqliteStore(tmp_path / "guidewatch.sqlite")
    store.setup()
    store.close()
    assert result("--data", tmp_path, "--text-days", 30)["texts"] == 0
