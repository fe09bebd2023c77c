"""Sources on a schedule, and items looked at again, as people run them."""

import json
import signal
import time

import pytest

from guidewatch.demo.server import SampleWeb
from storage import ItemQuery
from storage.sqlite import SqliteStore
from tests.e2e import processes
from tests.integration.crawlers.site import Answer, Site, html, serve

QUICK = ("--allow-private", "--delay", "0")


@pytest.fixture
def site():
    feed = b"<rss><channel><item><link>/story</link></item></channel></rss>"
    routes = {
        "/": html("the front page of a museum", "/about"),
        "/about": html("about the museum and its hours", "/deep"),
        "/deep": html("a page that lies deep"),
        "/feed.xml": Answer(feed, headers=(("Content-Type", "application/rss+xml"),)),
        "/story": html("a story from the museum", "/more"),
        "/more": html("more of the story"),
    }
    with serve(Site(routes)) as made:
        yield made


def sources_file(folder, site, every="1d"):
    path = folder / "sources.toml"
    path.write_text(
        f'[[source]]\nurl = "{site.url("/")}"\nlabel = "Museum"\nevery = "{every}"\nmax_depth = 1\n\n'
        f'[[source]]\nurl = "{site.url("/feed.xml")}"\nkind = "feed"\nevery = "{every}"\nmax_depth = 1\n\n'
        f'[[source]]\nurl = "{site.url("/paused")}"\npaused = true\n',
        encoding="utf-8",
    )
    return str(path)


def test_a_watch_crawls_what_is_due_within_the_limits_of_each_source(site, tmp_path):
    path, data = sources_file(tmp_path, site), str(tmp_path / "data")
    first = processes.run("watch", path, "--data", data, "--once", "--json", *QUICK)
    assert first.returncode == 0, first.stderr
    assert [json.loads(line)["summary"]["finished"] for line in first.stdout.splitlines()] == [True, True]
    assert set(site.asked()) == {"/robots.txt", "/", "/about", "/feed.xml", "/story"}
    again = processes.run("watch", path, "--data", data, "--once", *QUICK)
    assert (again.returncode, "Nothing is due" in again.stderr) == (0, True)
    listed = processes.run("watch", path, "--data", data, "--list", "--json")
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [row["due_at"] is None for row in rows] == [False, False, True]
    assert [row["last"]["pages"] for row in rows[:2]] == [2, 1]
    assert "Museum" in processes.run("watch", path, "--data", data, "--list").stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_ends_within_seconds_while_it_waits(site, tmp_path, number):
    path, data = sources_file(tmp_path, site), str(tmp_path / "data")
    with processes.started("watch", path, "--data", data, *QUICK) as watch:
        deadline = time.monotonic() + 60
        while "/story" not in site.asked() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(3)
        watch.send_signal(number)
        _, errors = watch.communicate(timeout=6)
    assert watch.returncode == 0, errors
    assert "next: Museum" in errors
    assert "The watch has ended" in errors


def test_run_takes_a_file_of_sources_in_place_of_seeds(site, tmp_path):
    path, data = sources_file(tmp_path, site), str(tmp_path / "data")
    done = processes.run("run", path, "--data", data, "--json", *QUICK)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert set(site.asked()) == {"/robots.txt", "/", "/about", "/feed.xml", "/story"}


def test_a_mistake_in_the_file_is_one_line(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[[source]]\nurl = "http://127.0.0.1/"\nevery = "often"\n', encoding="utf-8")
    for command in ("watch", "run"):
        done = processes.run(command, str(path), "--data", str(tmp_path / "data"))
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "source 1 (http://127.0.0.1/): every: 'often' is no interval" in done.stderr


class ChangingWeb(SampleWeb):
    """The sample web, in which pages can disappear or change."""

    def __init__(self):
        super().__init__()
        self.instead = {}

    def answer(self, site, path):
        return self.instead.get((site, path)) or super().answer(site, path)


def body_with_more(web, item):
    """Return the body of a page with words more in its text, or None where its longest line is not in it as it is."""
    _, _, body = web.answer(*web.locate(item.url))
    line = max(item.text.split("\n"), key=len).encode()
    return body.replace(line, line + b" And a word more.", 1) if line in body else None


def test_items_are_looked_at_again(tmp_path):
    data = tmp_path / "data"
    web = ChangingWeb().start()
    try:
        done = processes.run("run", f"{web.origins['portal']}/", "--data", str(data), *QUICK)
        assert done.returncode == 0, done.stderr
        store = SqliteStore(data / "guidewatch.sqlite")
        store.setup()
        items = list(store.items(ItemQuery()))
        assert len(items) > 4
        gone, parked, *rest = items
        changed = next(item for item in rest if body_with_more(web, item) is not None)
        rest.remove(changed)
        web.instead[web.locate(gone.url)] = (410, {"Content-Type": "text/html"}, b"<p>gone")
        sale = b"<title>This domain is for sale</title><p>This domain is for sale."
        web.instead[web.locate(parked.url)] = (200, {"Content-Type": "text/html"}, sale)
        status, headers, _ = web.answer(*web.locate(changed.url))
        web.instead[web.locate(changed.url)] = (status, headers, body_with_more(web, changed))
        web.requests.clear()
        none = processes.run("recheck", "--data", str(data), "--json", *QUICK)
        assert json.loads(none.stdout)["checked"] == {}
        again = processes.run("recheck", "--data", str(data), "--older-than", "0d", "--json", *QUICK)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["checked"] == {"online": len(rest), "gone": 2, "changed": 1}
        asked = {path for _, path in web.requests if path != "/robots.txt"}
        assert len(asked) <= len(items)
        assert [check.reason for check in store.checks(gone.page_id)] == ["status 410"]
        assert [check.reason for check in store.checks(parked.page_id)] == ["parked"]
        assert {item.page_id for item in store.items(ItemQuery())} == {item.page_id for item in items}
        again = store.item(changed.page_id)
        assert again.previous_content_id == changed.content_id
        assert 0 < again.changed_share < 1
        store.close()
        status = processes.run("status", "--data", str(data), "--json")
        assert json.loads(status.stdout)["checks"]["gone"] == 2
        wrong = processes.run("recheck", "--data", str(data), "--older-than", "a while")
        assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    finally:
        web.stop()
