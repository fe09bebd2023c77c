import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from guidewatch import composition
from guidewatch.cli import app
from guidewatch.commands.people import _time
from guidewatch.errors import UserMistakeError


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    composition.sqlite_store(folder).close()
    return folder


def build(data, *arguments):
    command = ["feed", "build", "--data", str(data), "--to", str(data.parent / "feeds"), *arguments]
    return CliRunner().invoke(app, command, catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--edition", "<x>"], "edition '<x>'"),
        (["--edition", "../x"], "edition '../x'"),
        (["--edition", "/etc/x"], "edition '/etc/x'"),
        (["--edition", ".."], "edition '..'"),
        (["--edition", ""], "edition ''"),
        (["--edition", "x\n"], r"edition 'x\n'"),
        (["--edition", "édition"], r"edition '\xe9dition'"),
        (["--edition", "a" * 5_000], "aaa...'"),
        (["--since", "2999-01-01"], "would begin at 2999-01-01 00:00"),
        (["--since", "2026-11-02", "--until", "2026-11-02"], "would begin at 2026-11-02 00:00"),
        (["--since", "tomorrow"], "--since 'tomorrow'"),
        (["--since", ""], "--since ''"),
        (["--until", "2026-13-01"], "--until '2026-13-01'"),
        (["--since", "0001-01-01T00:00+05:00"], "--since '0001-01-01T00:00+05:00'"),
    ],
)
def test_a_wrong_edition_or_period_is_one_line_and_writes_nothing(data, arguments, words):
    with pytest.raises(UserMistakeError) as error:
        build(data, *arguments)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250
    assert [path.name for path in data.parent.iterdir()] == ["data"]


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/guidewatch"])
def test_a_feed_folder_that_cannot_be_written_is_the_users_mistake(data, place):
    (data.parent / "file").touch()
    with pytest.raises(UserMistakeError, match="choose another --to folder"):
        build(data, "--to", str(data.parent / place))


def test_an_edition_that_is_there_is_the_users_mistake(data):
    assert build(data, "--edition", "n1").exit_code == 0
    with pytest.raises(UserMistakeError, match="already in"):
        build(data, "--edition", "n1")


def test_an_edition_says_its_period_and_stands_in_its_folder(data):
    done = build(data, "--edition", "n.1_a", "--since", "2026-10-01", "--until", "2026-11-01T02:00+02:00", "--json")
    written = data.parent / "feeds" / "n.1_a-public.json"
    assert json.loads(done.stdout)["json"] == str(written)
    told = json.loads(written.read_bytes())
    assert (told["since"], told["until"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")


def test_a_time_without_a_zone_is_utc():
    assert _time("--since", "2026-11-24") == datetime(2026, 11, 24, tzinfo=UTC)
    assert _time("--since", None) is None
