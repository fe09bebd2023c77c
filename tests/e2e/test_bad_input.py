"""A user's mistake gets one clear line, exit status 2 (or 1 where something else is at fault), and nothing is lost."""

import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from classifier.registry import SHIPPED
from guidewatch import settings
from storage.sqlite import SqliteStore
from tests.e2e import processes


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def refused(done, status, *words):
    assert done.returncode == status, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("guidewatch: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"https://example.org/\n\n# fine\nnot a url\n", ["seeds.txt:4", "not a url"]),
        (b"# nothing\n\n", ["no URL in it"]),
        (b"", ["no URL in it"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe", ["not a text file"]),
    ],
    ids=["malformed", "only comments", "empty", "not text"],
)
def test_a_bad_seeds_file(tmp_path, content, words):
    seeds = tmp_path / "seeds.txt"
    seeds.write_bytes(content)
    refused(
        processes.run("run", str(seeds), "--data", str(tmp_path / "d"), "--contact", "a@b.example"),
        2,
        "seeds.txt",
        *words,
    )


def test_a_seeds_file_that_is_not_there(tmp_path):
    refused(processes.run("run", str(tmp_path / "none.txt"), "--data", str(tmp_path)), 2, "none.txt")


@pytest.mark.parametrize("line", ["two words", "ftp://example.org/*", "*"])
def test_a_bad_list_of_what_is_off_limits(tmp_path, line):
    listed = tmp_path / "off-limits.txt"
    listed.write_text(f"example.net\n{line}\n")
    asked = ("run", "https://example.org/", "--data", str(tmp_path / "d"), "--contact", "a@b.example")
    refused(processes.run(*asked, "--off-limits", str(listed)), 2, "off-limits.txt:2", line)


def test_a_list_of_what_is_off_limits_that_is_not_there(tmp_path):
    asked = ("run", "https://example.org/", "--data", str(tmp_path / "d"), "--contact", "a@b.example")
    refused(processes.run(*asked, "--off-limits", str(tmp_path / "none.txt")), 2, "none.txt", "cannot be read")


def test_a_public_host_without_a_contact(tmp_path):
    refused(processes.run("run", "https://example.org/", "--data", str(tmp_path)), 2, "contact", "example.org")


def test_a_host_that_does_not_answer(tmp_path):
    url = f"http://127.0.0.1:{free_port()}/"
    refused(
        processes.run("run", url, "--data", str(tmp_path), "--allow-private"), 1, "no page could be fetched", "refused"
    )


def test_a_private_address_is_refused_without_leave(tmp_path):
    url = f"http://127.0.0.1:{free_port()}/"
    done = processes.run("run", url, "--data", str(tmp_path), "--json")
    assert json.loads(done.stdout.splitlines()[-1])["outcomes"]["refused"] == 1


def test_a_data_folder_that_is_a_file(tmp_path):
    (tmp_path / "d").write_text("x")
    refused(processes.run("run", "http://127.0.0.1:1/", "--data", str(tmp_path / "d")), 2, "is a file")


def test_a_data_folder_without_permission():
    refused(
        processes.run("run", "http://127.0.0.1:1/", "--data", "/proc/guidewatch"),
        2,
        "/proc/guidewatch",
        "cannot be written",
    )


def test_a_store_that_is_not_there(tmp_path):
    refused(processes.run("status", "--data", str(tmp_path)), 2, "there is no guidewatch.sqlite")
    refused(processes.run("status", cwd=tmp_path), 2, "GUIDEWATCH_ELASTICSEARCH_HOSTS")


def test_a_store_that_is_damaged(tmp_path):
    (tmp_path / "guidewatch.sqlite").write_bytes(b"not a database, certainly not" * 100)
    refused(processes.run("status", "--data", str(tmp_path)), 2, "guidewatch.sqlite")


def test_an_edition_that_cannot_be(tmp_path):
    SqliteStore(tmp_path / "guidewatch.sqlite").setup()
    build = ["feed", "build", "--data", str(tmp_path), "--to", str(tmp_path / "feeds" / "here")]
    refused(processes.run(*build, "--edition", "../x"), 2, "../x", "letters")
    refused(processes.run(*build, "--since", "2999-01-01"), 2, "2999-01-01")
    refused(processes.run(*build, "--since", "soon"), 2, "--since", "soon")
    assert not (tmp_path / "feeds").exists()


def test_kafka_that_is_not_there(tmp_path):
    address = f"127.0.0.1:{free_port()}"
    extra = {
        "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": address,
        "GUIDEWATCH_ELASTICSEARCH_HOSTS": f"http://127.0.0.1:{free_port()}",
    }
    commands = [["work", stage] for stage in ("classify", "index", "label", "evidence")]
    commands += [["setup"], ["work", "spider"]]
    commands += [["crawl", "start", "http://127.0.0.1:1/"], ["crawl", "info"], ["crawl", "stop", "x"]]
    with ThreadPoolExecutor(len(commands)) as pool:  # each waits some seconds for Kafka to come
        for done in pool.map(lambda command: processes.run(*command, extra=extra, timeout_s=60), commands):
            refused(done, 1, "Kafka", address)


def test_elasticsearch_that_is_not_there():
    extra = {"GUIDEWATCH_ELASTICSEARCH_HOSTS": f"http://127.0.0.1:{free_port()}"}
    refused(processes.run("status", extra=extra, timeout_s=60), 1, "Elasticsearch")
    refused(processes.run("feed", "build", extra=extra, timeout_s=60), 1, "Elasticsearch")


def test_elasticsearch_that_is_not_configured():
    refused(processes.run("work", "index"), 2, "GUIDEWATCH_ELASTICSEARCH_HOSTS")


@pytest.mark.parametrize("damage", ["byte", "truncated", "meta", "missing", "no folder"])
def test_a_damaged_model(tmp_path, damage):
    folder = tmp_path / "model"
    if damage != "no folder":
        shutil.copytree(SHIPPED, folder)
    data = folder / "model.skops"
    if damage == "byte":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif damage == "truncated":
        data.write_bytes(data.read_bytes()[:1000])
    elif damage == "meta":
        (folder / "meta.json").write_text("{")
    elif damage == "missing":
        data.unlink()
    text = tmp_path / "page.txt"
    text.write_text("A page about a garden.")
    refused(processes.run("score", str(text), "--model", str(folder)), 2, str(folder))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{broken", ["line 2"]),
        (b'{"id": "x"}', ["line 2", "text or html"]),
        (b'{"id": "x", "text": 5}', ["line 2"]),
        (b'["x"]', ["line 2"]),
        (b"\xff\xfe", ["line 2"]),
    ],
)
def test_a_bad_json_line_is_named_and_those_around_it_are_judged(line, words):
    good = b'{"id": "%s", "text": "A page about a garden."}\n'
    done = processes.run("score", "--jsonl", "-", stdin=good % b"a" + line + b"\n" + good % b"b")
    refused(done, 2, *words)
    assert [json.loads(one)["id"] for one in done.stdout.splitlines()] == ["a", "b"]


def test_score_without_input():
    refused(processes.run("score"), 2, "--jsonl")
    refused(processes.run("score", "picture.gif"), 2, "picture.gif")


@pytest.mark.parametrize("name", ["GUIDEWATCH_CRAWL_MAX_PAGES", "GUIDEWATCH_LOG_LEVEL"])
def test_a_bad_setting_is_named(tmp_path, name):
    assert name in settings.names()
    refused(processes.run("run", "http://127.0.0.1:1/", "--data", str(tmp_path), extra={name: "no"}), 2, name)


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["run"], ["work", "cook"], ["run", "x", "--max-pages", "0"]]
)
def test_a_wrong_command_line_is_status_2(arguments):
    done = processes.run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
