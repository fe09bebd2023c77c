"""Every command ends within 5 s of SIGTERM or Ctrl-C and says what it did; a killed run goes on where it was."""

import contextlib
import json
import signal
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from storage import ItemQuery, LedgerQuery
from storage.sqlite import SqliteStore
from tests.e2e import processes

SIGNALS = [signal.SIGTERM, signal.SIGINT]
PAGES = 120


class Site:
    """A loopback site: an index and many small pages, each served after ``pause_s``, or one that drips for ever."""

    def __init__(self, pause_s=0.0):
        self.asked = Counter()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.asked[self.path] += 1
                if self.path == "/drip":
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html")
                    self.end_headers()
                    with contextlib.suppress(ConnectionError):
                        for _ in range(600):
                            self.wfile.write(b"x")
                            time.sleep(0.1)
                    self.close_connection = True
                    return
                time.sleep(pause_s)
                body = site.body(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.url = "http://{}:{}".format(*self.server.server_address)
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()

    def body(self, path):
        if path == "/":
            links = "".join(f'<a href="/p{i}">{i}</a> ' for i in range(PAGES))
            return f"<title>Index</title><body>{links}<a href='/drip'>drip</a></body>".encode()
        if path.startswith("/p"):
            number = path.removeprefix("/p")
            text = f"The gardens of this village are open on Sundays; this is bed number {number}."
            if int(number) % 10 == 0:
                text = f"Welcome to my home-made pistol guide, do the first stage as in the picture. {text}"
            return f"<title>Page {number}</title><body><p>{text}".encode()
        return b""

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site():
    made = Site(pause_s=0.05)
    yield made
    made.close()


@pytest.fixture
def dripping():
    made = Site()
    yield made.url + "/drip"
    made.close()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_crawl_ends_within_5_s_although_a_page_drips(site, dripping, tmp_path, number):
    arguments = ["run", dripping, site.url + "/", "--data", str(tmp_path), "--allow-private", "--delay", "0"]
    with processes.started(*arguments) as run:
        processes.wait_for(lambda: len(site.asked) > 8, "some pages")
        _, err = processes.stop(run, number)
    assert run.returncode in (0, 128 + number), err
    assert "ended because" in err
    assert signal.Signals(number).name in err
    assert "Traceback" not in err


def test_a_killed_run_and_a_second_one_lose_and_double_nothing(site, tmp_path):
    arguments = ["run", site.url + "/", "--data", str(tmp_path), "--allow-private", "--delay", "0"]
    extra = {"GUIDEWATCH_CRAWL_TIMEOUT_S": "2"}
    with processes.started(*arguments, extra=extra) as run:
        processes.wait_for(lambda: len(site.asked) > 30, "some pages")
        run.kill()
        run.wait()
    before = sum(site.asked.values())
    assert before < PAGES
    done = processes.run(*arguments, "--json", extra=extra)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["summary"]["resumed"]
    store = SqliteStore(tmp_path / "guidewatch.sqlite")
    store.setup()
    rows = store.ledger(LedgerQuery(limit=1000)).rows
    items = store.search(ItemQuery(limit=1000)).items
    store.close()
    assert {row.url.removeprefix(site.url) for row in rows} == {"/", "/drip", *(f"/p{i}" for i in range(PAGES))}
    assert len(rows) == PAGES + 2
    assert sorted(item.url.removeprefix(site.url) for item in items) == sorted(f"/p{i}" for i in range(0, PAGES, 10))
    again = sum(count - 1 for path, count in site.asked.items() if path.startswith("/p"))
    assert again <= 64, "only what was under way when the run was killed is fetched again"


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", ["score", "train"])
def test_commands_that_compute_end_within_5_s(tmp_path, command, number):
    arguments = {"score": ["score", "--jsonl", "-"], "train": ["train", "--to", str(tmp_path / "model")]}[command]
    with processes.started(*arguments) as process:
        if command == "score":
            process.stdin.write('{"id": "a", "text": "A page about a garden."}\n' * 64)
            process.stdin.flush()
            assert process.stdout.readline()
        else:
            assert process.stderr.readline().startswith("Training on")
        _, err = processes.stop(process, number)
    assert process.returncode == 128 + number, err
    assert "guidewatch: stopped" in err
    assert "Traceback" not in err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_the_review_app_ends_within_5_s(tmp_path, number):
    store = SqliteStore(tmp_path / "guidewatch.sqlite")
    store.setup()
    store.close()
    with processes.started("review", "--data", str(tmp_path), "--port", "0") as app:
        assert "Review app: http://127.0.0.1:" in app.stderr.readline()
        _, err = processes.stop(app, number)
    assert app.returncode == 0, err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", SIGNALS)
def test_workers_end_within_5_s(kafka_bootstrap, elasticsearch_server, elasticsearch_prefix, tmp_path, number):
    extra = {
        "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "GUIDEWATCH_KAFKA_TOPIC_PREFIX": elasticsearch_prefix,
        "GUIDEWATCH_ELASTICSEARCH_HOSTS": elasticsearch_server.url,
        "GUIDEWATCH_ELASTICSEARCH_PREFIX": elasticsearch_prefix,
    }
    assert processes.run("setup", extra=extra).returncode == 0
    beats = {stage: tmp_path / f"{stage}.heartbeat" for stage in ("classify", "index", "label", "evidence")}
    with contextlib.ExitStack() as running:
        workers = {
            stage: running.enter_context(
                processes.started("work", stage, "--heartbeat", str(beat), "--json", extra=extra)
            )
            for stage, beat in beats.items()
        }
        for stage, beat in beats.items():
            processes.wait_for(
                lambda beat=beat: beat.exists() and b"running" in beat.read_bytes(), f"{stage} to run", 90
            )
        for stage, worker in workers.items():
            out, err = processes.stop(worker, number)
            assert worker.returncode == 0, err
            assert json.loads(out)["summary"]["records"] == 0
            assert not beats[stage].exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_spiders_and_those_who_follow_a_crawl_end_within_5_s(
    kafka_bootstrap, elasticsearch_server, elasticsearch_prefix, tmp_path, number, site, dripping
):
    extra = {
        "GUIDEWATCH_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "GUIDEWATCH_KAFKA_TOPIC_PREFIX": elasticsearch_prefix,
        "GUIDEWATCH_ELASTICSEARCH_HOSTS": elasticsearch_server.url,
        "GUIDEWATCH_ELASTICSEARCH_PREFIX": elasticsearch_prefix,
        "GUIDEWATCH_EVIDENCE_WARC_DIR": str(tmp_path / "warc"),
    }
    assert processes.run("setup", extra=extra).returncode == 0
    beat = tmp_path / "heartbeat"
    start = ["crawl", "start", dripping, site.url + "/", "--id", "drips", "--delay", "0"]
    spider = ["work", "spider", "--allow-private", "--json", "--heartbeat", str(beat)]
    with processes.started(*spider, extra=extra) as working, processes.started(*start, extra=extra) as following:
        processes.wait_for(lambda: len(site.asked) > 8, "some pages")
        processes.wait_for(lambda: b"running" in beat.read_bytes(), "the spider's heartbeat")
        _, err = processes.stop(following, number)
        assert following.returncode == 0, err
        assert "It goes on: `guidewatch crawl info drips`" in err
        out, err = processes.stop(working, number)
    assert working.returncode == 0, err
    assert "Traceback" not in err
    assert json.loads(out)["summary"]["outcomes"]["page"] > 0
    assert not beat.exists()
