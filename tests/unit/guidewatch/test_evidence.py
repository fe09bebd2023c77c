"""The command `guidewatch evidence`."""

import json
import os
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from guidewatch.cli import app
from guidewatch.commands import crawling
from guidewatch.commands import evidence as command
from guidewatch.errors import CommandFailedError, UserMistakeError, status_of
from tests.unit.consumers.vaults import KEYED, NONE, ONE, TWO, filled, objects, page

KEY = "GUIDEWATCH_EVIDENCE_VAULT_KEY"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("GUIDEWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def evidence(*arguments):
    return CliRunner().invoke(app, ["evidence", *map(str, arguments)], catch_exceptions=False)


def result(*arguments):
    done = evidence(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_vault_is_verified_by_its_data_folder_and_by_its_settings(tmp_path, monkeypatch):
    filled(tmp_path)
    by_folder = result("verify", "--data", tmp_path)
    monkeypatch.setenv("GUIDEWATCH_EVIDENCE_VAULT_DIR", str(tmp_path / "vault"))
    assert result("verify") == by_folder
    assert (by_folder["objects"], by_folder["lines"], by_folder["changes"]) == (3, 3, [])


def test_the_head_that_is_printed_is_the_one_that_is_checked(tmp_path):
    filled(tmp_path)
    done = evidence("verify", "--data", tmp_path)
    head = done.stderr.rpartition("Head of the log: ")[2].strip()
    assert evidence("verify", "--data", tmp_path, "--head", head).exit_code == 0
    log = tmp_path / "vault" / "log.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(CommandFailedError, match="2 changes"):
        evidence("verify", "--data", tmp_path, "--head", head)


def test_a_change_is_told_with_its_place_and_fails(tmp_path):
    filled(tmp_path)
    objects(tmp_path)[1].unlink()
    runner = CliRunner()
    done = runner.invoke(app, ["evidence", "verify", "--data", str(tmp_path), "--json"])
    assert isinstance(done.exception, CommandFailedError)
    assert status_of(done.exception) == 1
    (change,) = json.loads(done.stdout)["changes"]
    assert change["where"] == str(objects(tmp_path)[1].relative_to(tmp_path / "vault")).removesuffix(".enc")
    assert f"Changed: {change['where']}: the log names it, and it is not there" in done.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "--data", "nowhere"), "there is no folder nowhere"),
        (("verify",), "there is no vault in data/vault"),
        (("verify", "--data", ".", "--head", "xyz"), "64 hexadecimal digits"),
        (("show", "0" * 32), "say --to FILE"),
        (("show", "0" * 32, "--to", "-"), "say --to FILE"),
        (("show", "0" * 32, "--to", "/dev/stdout"), "is there already"),
        (("purge",), "say what is too old"),
        (("rekey",), "no key is set"),
        *(
            (("purge", "--older-than", age), "write a number and m, h, d or w")
            for age in ("30", "d", "0d", "030d", "-3d", "3 d", "1.5h", "30D", "3y", "1h30m", "٣d", "", "30d\n")
        ),
        (("purge", "--vault-older-than", "36501d"), "more than a hundred years"),
    ],
)
def test_a_mistake_is_one_line(arguments, said):
    with pytest.raises(UserMistakeError) as caught:
        evidence(*arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "age", "kept"),
    [
        ("90m", timedelta(minutes=90), "90m"),
        ("120m", timedelta(hours=2), "2h"),
        ("30d", timedelta(days=30), "30d"),
        ("14d", timedelta(days=14), "2w"),
        ("8w", timedelta(weeks=8), "8w"),
    ],
)
def test_ages_are_read_and_written_into_the_log(given, age, kept):
    assert command._age("--older-than", given) == age
    assert command._said(age) == kept


@pytest.fixture
def old(tmp_path):
    """Return a data folder whose records and first WARC file are years old by any clock."""
    filled(tmp_path, NONE)
    for path in (tmp_path / "warc").iterdir():
        os.utime(path, (0, 0))
    (tmp_path / "warc" / "new.warc.gz").write_bytes(b"new")
    return tmp_path


def test_a_dry_run_says_what_would_go_and_removes_nothing(old):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    found = result("purge", "--older-than", "1d", "--dry-run", "--data", old)
    size = (old / "warc" / "crawl-1-00000.warc.gz").stat().st_size
    assert found["warc"] == {"WARC files": 1, "bytes of WARC files": size, "WARC files in use, left": 0}
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


def test_a_purge_is_what_the_dry_run_said_and_leaves_a_vault_that_verifies(old):
    arguments = ("purge", "--older-than", "1d", "--vault-older-than", "1m", "--data", old)
    long_after = {"at": "2200-01-01"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(command, "datetime", _Later)
        said = result(*arguments, "--dry-run")
        assert result(*arguments) == said
    assert said["vault"]["records in the vault"] == 3
    assert [path.name for path in (old / "warc").iterdir()] == []
    lines = [json.loads(line) for line in (old / "vault" / "log.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["rule"]) for line in lines[3:]] == [
        ("warc_removed", "WARC files older than 1d"),
        ("removed", "records older than 1m"),
    ]
    assert all(line["at"].startswith(long_after["at"]) for line in lines[3:])
    assert result("verify", "--data", old)["objects"] == 0


class _Later:
    """A clock far ahead."""

    @staticmethod
    def now(zone):
        from datetime import datetime

        return datetime(2200, 1, 1, tzinfo=zone)


def test_a_key_is_made_used_and_changed(tmp_path, monkeypatch):
    first, second = (evidence("key").stdout.strip() for _ in range(2))
    filled(tmp_path)
    for keys, count in ((first, 3), (f"{second},{first}", 3), (second, 0)):
        monkeypatch.setenv(KEY, keys)
        assert result("rekey", "--data", tmp_path) == {"objects": count}
        assert result("verify", "--data", tmp_path)["signed"]
    monkeypatch.setenv(KEY, first)
    for arguments in (("verify",), ("rekey",), ("purge", "--older-than", "1d"), ("show", page(0), "--to", "x")):
        done = CliRunner().invoke(app, ["evidence", *arguments, "--data", str(tmp_path)])
        assert status_of(done.exception) == 2
        assert "which is not in GUIDEWATCH_EVIDENCE_VAULT_KEY" in str(done.exception)


def test_an_item_is_written_to_a_file_and_nothing_of_it_is_shown(tmp_path, monkeypatch):
    filled(tmp_path, KEYED)
    monkeypatch.setenv(KEY, ONE.secret.hex())
    done = evidence("show", page(1), "--to", tmp_path / "item.warc.gz", "--data", tmp_path, "--json")
    assert json.loads(done.stdout)["page_id"] == page(1)
    assert (tmp_path / "item.warc.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert "a.example" not in done.output
    assert "two" not in done.output


def test_a_page_that_is_not_there_is_a_failure(tmp_path):
    filled(tmp_path)
    done = CliRunner().invoke(app, ["evidence", "show", page(8), "--to", "x", "--data", str(tmp_path)])
    assert status_of(done.exception) == 1


DOC = (Path(__file__).parents[3] / "docs" / "evidence.md").read_text("utf-8")
GROUP = typer.main.get_command(app).commands["evidence"]


@pytest.mark.parametrize("line", re.findall(r"^\$ (guidewatch evidence [^\n]*)", DOC, re.MULTILINE))
def test_every_command_in_the_documentation_is_valid(line):
    name, *words = shlex.split(line)[2:]
    GROUP.commands[name].make_context(line, words)


@pytest.mark.parametrize("name", GROUP.commands)
def test_every_command_is_in_the_documentation(name):
    assert f"guidewatch evidence {name}" in DOC


def test_a_run_without_the_key_of_its_vault_does_not_begin(tmp_path, monkeypatch):
    filled(tmp_path, KEYED)
    monkeypatch.setenv(KEY, TWO.secret.hex())
    with pytest.raises(Exception, match=f"the vault uses the key {ONE.id}") as caught:
        crawling.embedded_sink(lambda pages: [], None, tmp_path)
    assert status_of(caught.value) == 2
