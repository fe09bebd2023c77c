"""The 500 real pages of the Web Content Extraction Benchmark's development part, served on loopback and crawled.

Uses ../shared/data, development data outside the project; skipped only where that folder does not exist.
"""

import gzip
import tarfile
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from storage import LedgerQuery
from storage.sqlite import SqliteStore
from tests.e2e import processes

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "html" / "wcxb_dev.tar"

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not ARCHIVE.parents[2].exists(), reason="../shared does not exist"),
]


@pytest.fixture(scope="module")
def pages():
    with tarfile.open(ARCHIVE) as archive:
        return {
            "/" + Path(member.name).name.removesuffix(".gz"): gzip.decompress(archive.extractfile(member).read())
            for member in archive.getmembers()
            if member.isfile() and member.name.startswith("dev/") and member.name.endswith(".html.gz")
        }


@pytest.fixture(scope="module")
def address(pages):
    index = "<html><body>" + "".join(f'<p><a href="{path}">{path}</a>' for path in pages) + "</body></html>"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = index.encode() if self.path == "/" else pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    yield "http://{}:{}".format(*server.server_address)
    server.shutdown()
    server.server_close()


def test_every_real_page_ends_in_one_outcome_and_hardly_any_is_flagged(pages, address, tmp_path):
    extra = {"GUIDEWATCH_CRAWL_MAX_PAGES_PER_HOST": "600"}
    done = processes.run(
        "run", address + "/", "--data", str(tmp_path), "--allow-private", "--delay", "0", "--max-depth", "1",
        extra=extra, timeout_s=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    store = SqliteStore(tmp_path / "guidewatch.sqlite")
    store.setup()
    rows = {row.url.removeprefix(address): row for row in store.ledger(LedgerQuery(limit=10_000)).rows}
    store.close()
    assert len(pages) == 500
    assert pages.keys() <= rows.keys()
    outcomes = Counter(rows[path].outcome for path in pages)
    assert outcomes.keys() <= {"flagged", "not_flagged", "duplicate", "unsupported"}, outcomes
    assert outcomes["flagged"] <= len(pages) / 100, [path for path in pages if rows[path].outcome == "flagged"]
    assert not (tmp_path / "dead-letters.jsonl").exists()
