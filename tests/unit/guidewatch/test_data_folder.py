import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawlers.frontier import Frontier
from crawlers.run import DataFolderError
from guidewatch import composition, data_folder
from guidewatch.cli import app
from guidewatch.commands import crawling
from guidewatch.errors import UserMistakeError
from tests.contract.samples import judged
from tests.unit.read_only import folder_for_all, read_only


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def wide(tmp_path):
    """Return a data folder as an older version may have left it."""
    data = tmp_path / "data"
    for name in (
        "guidewatch.sqlite",
        "dead-letters.jsonl",
        "crawl/frontier.sqlite",
        "warc/a.warc.gz",
        "vault/log.jsonl",
    ):
        path = data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        path.chmod(0o666)
    for folder in (data, *filter(type(data).is_dir, data.iterdir())):
        folder.chmod(0o777)
    return data


def test_what_an_older_version_left_open_is_closed_to_others(wide):
    data_folder.opened(wide)
    found = {path: mode(path) for path in (wide, *wide.rglob("*"))}
    assert len(found) == 9
    assert found == {path: 0o700 if path.is_dir() else 0o600 for path in found}


def test_a_new_folder_and_its_store_are_for_the_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        data = data_folder.opened(tmp_path / "new" / "data")
        composition.sqlite_store(data).close()
    finally:
        os.umask(before)
    assert mode(data) == 0o700
    assert {mode(path) for path in data.iterdir()} == {0o600}


def test_the_store_is_closed_to_others_by_those_who_read_it(tmp_path):
    composition.sqlite_store(tmp_path).close()
    (tmp_path / "guidewatch.sqlite").chmod(0o644)
    assert CliRunner().invoke(app, ["status", "--data", str(tmp_path)]).exit_code == 0
    assert mode(tmp_path / "guidewatch.sqlite") == 0o600


def test_other_files_links_and_shared_folders_stay_as_they_are(tmp_path):
    public, elsewhere = tmp_path / "feed.html", tmp_path / "elsewhere"
    for path in (public, elsewhere):
        path.touch()
        path.chmod(0o644)
    (tmp_path / "dead-letters.jsonl").symlink_to(elsewhere)
    tmp_path.chmod(0o1777)
    data_folder.opened(tmp_path)
    assert [mode(path) for path in (public, elsewhere, tmp_path)] == [0o644, 0o644, 0o1777]


def test_a_folder_that_only_owners_take_from_stays_as_it_is(wide):
    wide.chmod(0o1777)
    data_folder.opened(wide)
    assert (mode(wide), mode(wide / "guidewatch.sqlite")) == (0o1777, 0o600)


@pytest.mark.parametrize(("before", "after"), [(0o777, 0o755), (0o775, 0o755), (0o750, 0o750)])
def test_a_folder_with_something_else_in_it_stays_as_readable_as_it_is(wide, before, after):
    (wide / "letters").mkdir()
    wide.chmod(before)
    data_folder.opened(wide)
    assert (mode(wide), mode(wide / "guidewatch.sqlite"), mode(wide / "warc")) == (after, 0o600, 0o700)


def test_files_of_others_stay_as_they_are(wide, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    data_folder.close_to_others(wide)
    assert mode(wide / "guidewatch.sqlite") == 0o666


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_in_the_place_of_the_folder_is_the_users_mistake(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UserMistakeError, match="is a file, not a folder"):
        data_folder.opened(tmp_path / name)


def test_a_folder_in_use_is_said_before_the_model_is_loaded(tmp_path, monkeypatch):
    def never(model=None):
        raise AssertionError("loaded")

    monkeypatch.setattr(composition, "classifier", never)
    plan = crawling.make_plan(["http://127.0.0.1:1/"], tmp_path, {}, allow_private=True)
    other = Frontier(tmp_path / "crawl" / "frontier.sqlite")
    try:
        with pytest.raises(DataFolderError, match="is in use"):
            crawling.run_embedded(plan)
    finally:
        other.close()


def test_status_reads_a_folder_that_may_not_be_written():
    with folder_for_all() as data:
        store = composition.sqlite_store(data)
        store.upsert([judged()])
        store.close()
        with read_only(data):
            done = CliRunner().invoke(app, ["status", "--data", str(data), "--json"])
        assert done.exit_code == 0, done.output
        assert '"flagged":1' in done.stdout
        assert [path.name for path in data.iterdir()] == ["guidewatch.sqlite"]


@pytest.mark.parametrize("command", [["review", "--port", "0"], ["feed", "build"]], ids=" ".join)
def test_what_has_to_write_says_so_of_a_folder_that_may_not_be_written(command):
    with folder_for_all() as data:
        composition.sqlite_store(data).close()
        with read_only(data), pytest.raises(UserMistakeError) as error:
            CliRunner().invoke(app, [*command, "--data", str(data)], catch_exceptions=False)
    assert str(error.value).startswith(f"{data}/guidewatch.sqlite may only be read, and {command[0]} ")


def test_a_folder_without_a_store_is_the_users_mistake(tmp_path):
    with pytest.raises(UserMistakeError, match="run a crawl"):
        composition.existing_store(tmp_path)


@pytest.mark.parametrize("name", [data_folder.DEAD_LETTERS_FILE, "warc", "vault"])
def test_what_is_kept_of_pages_is_in_the_page_on_lawful_use(name):
    told = (Path(__file__).parents[3] / "docs" / "lawful-use.md").read_text("utf-8")
    assert f"`<data>/{name}`" in told
