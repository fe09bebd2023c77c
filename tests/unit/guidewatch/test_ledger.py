from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from events import page_id
from guidewatch import composition
from guidewatch.cli import app
from guidewatch.commands.ledger import _steps
from guidewatch.errors import CommandFailedError, UserMistakeError
from storage import LedgerQuery
from storage.port import Check
from tests.contract.samples import ended, judged, label, later

URL = "https://a.example/one"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = composition.sqlite_store(tmp_path)
    store.upsert(
        [
            judged("one", url=URL),
            ended("two", url="https://a.example/two", outcome="failed", reason="status 404", status=404),
            ended("three", url="http://b.example:8080/three", outcome="refused", reason="robots"),
        ]
    )
    store.record_decisions([label("one", page_id=page_id(URL), decision="lawful")])
    store.mark_reported([page_id(URL)], "2026-11", later(hours=1))
    store.record_checks([Check(page_id=page_id(URL), at=later(hours=2), state="gone", reason="status 410")])
    store.close()
    return tmp_path


def ledger(folder: Path, *arguments: str):
    return CliRunner().invoke(app, ["ledger", *arguments, "--data", str(folder)])


@pytest.mark.parametrize(
    "name",
    [URL, "HTTPS://A.example:443/one?utm_source=x#part", "hxxps://a[.]example/one", "a.example/one", page_id(URL)],
)
def test_a_url_is_found_however_it_is_written(folder: Path, name: str) -> None:
    result = ledger(folder, name, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["row"]["page_id"], found["row"]["outcome"]) == (page_id(URL), "flagged")
    assert [check["state"] for check in found["checks"]] == ["gone"]


def test_every_step_of_a_url_has_its_time(folder: Path) -> None:
    store = composition.sqlite_store(folder)
    (row,) = store.ledger(LedgerQuery(page_id=(page_id(URL),))).rows
    (failed,) = store.ledger(LedgerQuery(outcome=("failed",))).rows
    store.close()
    steps = _steps(row)
    for step in ("found", "fetched", "judged", "indexed", "reviewed", "reported"):
        assert steps[step].startswith("20"), step
    assert steps["reviewed"].endswith("lawful")
    assert steps["still online"] == "no, gone when looked at 2026-11-24 14:00:00"
    assert (_steps(failed)["outcome"], _steps(failed)["judged"], _steps(failed)["still online"]) == (
        "failed: status 404",
        "-",
        "not known",
    )


@pytest.mark.parametrize("name", ["a.example", "A.example", "a[.]example", "a.example:443"])
def test_a_host_is_counted_by_outcome(folder: Path, name: str) -> None:
    found = json.loads(ledger(folder, name, "--json").stdout)
    assert (found["total"], found["outcomes"]["flagged"], found["outcomes"]["failed"]) == (2, 1, 1)
    assert len(json.loads(ledger(folder, name, "--limit", "1", "--json").stdout)["rows"]) == 1


def test_a_host_has_its_port(folder: Path) -> None:
    assert json.loads(ledger(folder, "b.example:8080", "--json").stdout)["outcomes"]["refused"] == 1


def test_people_see_addresses_defanged(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in (URL, "a.example"):
        ledger(folder, name)
    shown = capfd.readouterr()
    assert "https://" not in shown.out + shown.err


@pytest.mark.parametrize("name", ["https://a.example/nowhere", "nowhere.example", "0" * 32])
def test_what_is_not_in_the_ledger_is_said(folder: Path, name: str) -> None:
    result = ledger(folder, name)
    assert isinstance(result.exception, CommandFailedError)
    assert str(result.exception).endswith("is not in the ledger")


@pytest.mark.parametrize("name", ["ftp://a.example/x", "http://", "no such host", ""])
def test_what_is_no_address_is_a_mistake(folder: Path, name: str) -> None:
    assert isinstance(ledger(folder, name).exception, UserMistakeError)
