from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from dashboards.feeds import Edition, EditionExistsError, build_edition, publish_edition, write_edition
from storage.port import StoreUnavailableError
from storage.sqlite import SqliteStore
from tests.unit.dashboards.conftest import Clock
from tests.unit.dashboards.sample_items import fill


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "feeds"


def _build(store: SqliteStore, clock: Clock, name: str, *, restricted: bool = False) -> Edition:
    return build_edition(store, restricted=restricted, edition_id=name, clock=clock)


def test_an_edition_is_json_and_html_and_in_the_list(store: SqliteStore, clock: Clock, folder: Path) -> None:
    fill(store, 30, decided=20)
    data, html = write_edition(_build(store, clock, "2026-11"), folder)
    assert (data.name, html.name) == ("2026-11-public.json", "2026-11-public.html")
    told = json.loads(data.read_bytes())
    assert told["id"] == "2026-11-public"
    assert "page_ids" not in told
    assert "<script" not in html.read_text()
    index = json.loads((folder / "index.json").read_bytes())
    assert index["version"] == "https://jsonfeed.org/version/1.1"
    assert [(entry["id"], entry["url"]) for entry in index["items"]] == [("2026-11-public", "2026-11-public.html")]


def test_an_edition_is_never_overwritten(store: SqliteStore, clock: Clock, folder: Path) -> None:
    paths = write_edition(_build(store, clock, "2026-11"), folder)
    before = [path.read_bytes() for path in paths]
    fill(store, 30, decided=20)
    clock.move(60)
    with pytest.raises(EditionExistsError, match="already in"):
        write_edition(_build(store, clock, "2026-11"), folder)
    assert [path.read_bytes() for path in paths] == before


def test_a_page_without_its_data_is_not_overwritten_either(store: SqliteStore, clock: Clock, folder: Path) -> None:
    folder.mkdir()
    (folder / "2026-11-public.html").write_text("older")
    with pytest.raises(EditionExistsError):
        write_edition(_build(store, clock, "2026-11"), folder)
    assert [path.name for path in folder.iterdir()] == ["2026-11-public.html"]


def test_the_public_list_does_not_tell_of_restricted_editions(store: SqliteStore, clock: Clock, folder: Path) -> None:
    write_edition(_build(store, clock, "a"), folder)
    clock.move(60)
    write_edition(_build(store, clock, "b"), folder)
    data, html = write_edition(_build(store, clock, "b", restricted=True), folder)
    index = json.loads((folder / "index.json").read_bytes())
    assert [entry["id"] for entry in index["items"]] == ["b-public", "a-public"]
    for path in (data, html, folder / "index-restricted.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_but_finished_files_is_left(store: SqliteStore, clock: Clock, folder: Path) -> None:
    write_edition(_build(store, clock, "a"), folder)
    assert sorted(path.name for path in folder.iterdir()) == ["a-public.html", "a-public.json", "index.json"]


def test_publishing_notes_what_was_reported(store: SqliteStore, clock: Clock, folder: Path) -> None:
    fill(store, 30, decided=20)
    edition = _build(store, clock, "a")
    publish_edition(store, edition, folder)
    assert edition.page_ids
    for page_id in edition.page_ids:
        item = store.item(page_id)
        assert item is not None
        assert item.reported_in == ("a-public",)


class Forgetful:
    """A store that cannot note what was reported."""

    def mark_reported(self, *args: object) -> None:
        raise StoreUnavailableError("down")


def test_an_edition_that_cannot_be_noted_is_taken_back(store: SqliteStore, clock: Clock, folder: Path) -> None:
    edition = _build(store, clock, "a")
    with pytest.raises(StoreUnavailableError):
        publish_edition(Forgetful(), edition, folder)  # type: ignore[arg-type]
    assert json.loads((folder / "index.json").read_bytes())["items"] == []
    publish_edition(store, edition, folder)
