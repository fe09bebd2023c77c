from __future__ import annotations

import asyncio
import gzip
import os
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from crawlers.evidence import DurableEvidence, EvidenceError, Exchange, FileLimit, WarcFiles

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def files(folder: Path, **options: int) -> WarcFiles:
    return WarcFiles(folder, "test-1", software="guidewatch/0", clock=lambda: AT, limit=FileLimit(**options))


def exchange(body: bytes = b"<p>hello", *headers: tuple[str, str], url: str = "https://example.org/a?b=c") -> Exchange:
    return Exchange(
        url=url,
        at=AT,
        ip_address="93.184.216.34",
        request_line="GET /a?b=c HTTP/1.1",
        request_headers=[("Host", "example.org"), ("User-Agent", "guidewatch/0")],
        status_line="HTTP/1.1 200 OK",
        response_headers=[("Content-Type", "text/html"), *headers],
        body=body,
    )


def check(path: Path) -> int:
    checker = Checker(SimpleNamespace(inputs=[str(path)], verbose=False))
    checker.process_all()
    return int(checker.exit_value)


def test_request_and_response_are_read_back_by_a_stranger(tmp_path: Path) -> None:
    warc = files(tmp_path)
    evidence = warc.write(exchange())
    warc.close()
    with (tmp_path / evidence.warc).open("rb") as file:
        records = []
        for record in ArchiveIterator(file, check_digests=True):
            records.append((record.rec_type, record.rec_headers, record.http_headers, record.content_stream().read()))
            assert record.digest_checker.passed is not False
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "request"]
    _, response, http, body = records[1]
    assert response.get_header("WARC-Target-URI") == "https://example.org/a?b=c"
    assert response.get_header("WARC-Date") == "2026-01-02T03:04:05.678901Z"
    assert response.get_header("WARC-IP-Address") == "93.184.216.34"
    assert response.get_header("WARC-Payload-Digest").startswith("sha256:")
    assert http.get_statuscode() == "200"
    assert body == b"<p>hello"
    _, request, sent, _ = records[2]
    assert request.get_header("WARC-Concurrent-To") == response.get_header("WARC-Record-ID")
    assert sent.get_header("User-Agent") == "guidewatch/0"


def test_the_evidence_leads_to_the_response_record(tmp_path: Path) -> None:
    warc = files(tmp_path)
    warc.write(exchange(b"first"))
    evidence = warc.write(exchange(b"second"))
    warc.close()
    unpacked = gzip.decompress((tmp_path / evidence.warc).read_bytes()[evidence.offset :])
    head = unpacked.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"WARC/1.1\r\n")
    assert b"WARC-Type: response" in head
    assert b"\r\n\r\nsecond\r\n\r\n" in unpacked
    assert evidence.sha256 == sha256(b"second").hexdigest()


def test_the_checker_of_warcio_is_content(tmp_path: Path) -> None:
    warc = files(tmp_path)
    for body in (b"", b"x" * 100_000, b"\x1f\x8b\x08raw gzip bytes", b"a\r\n\r\nb"):
        evidence = warc.write(exchange(body, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")))
    warc.close()
    assert check(tmp_path / evidence.warc) == 0


def test_transfer_headers_that_no_longer_fit_are_renamed(tmp_path: Path) -> None:
    warc = files(tmp_path)
    evidence = warc.write(exchange(b"hello", ("Transfer-Encoding", "chunked")))
    warc.close()
    text = gzip.decompress((tmp_path / evidence.warc).read_bytes())
    assert b"X-Crawler-Transfer-Encoding: chunked" in text
    assert b"\r\nTransfer-Encoding" not in text


def test_a_new_file_is_begun_by_size(tmp_path: Path) -> None:
    warc = files(tmp_path, max_bytes=1_500)
    names = {warc.write(exchange(bytes(str(n), "ascii") * 500)).warc for n in range(6)}
    warc.close()
    assert len(names) > 1
    assert {path.name for path in tmp_path.iterdir()} == names
    assert [check(path) for path in tmp_path.iterdir()] == [0] * len(names)


def test_a_new_file_is_begun_by_age(tmp_path: Path) -> None:
    now = [AT]
    warc = WarcFiles(
        tmp_path, "test-1", software="guidewatch/0", clock=lambda: now[0], limit=FileLimit(max_age=timedelta(hours=1))
    )
    names = []
    for minutes in (0, 59, 60, 61, 119, 120):
        now[0] = AT + timedelta(minutes=minutes)
        names.append(warc.write(exchange()).warc)
    warc.close()
    assert [int(name[7:12]) for name in names] == [0, 0, 1, 1, 1, 2]
    assert [check(path) for path in tmp_path.iterdir()] == [0, 0, 0]


def test_a_file_of_an_earlier_run_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "test-1-00000.warc.gz").write_bytes(b"cut short")
    with pytest.raises(EvidenceError):
        files(tmp_path).write(exchange())
    assert (tmp_path / "test-1-00000.warc.gz").read_bytes() == b"cut short"


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceError, match="cannot be written to"):
        files(tmp_path / "file" / "warc")


def test_files_and_folder_are_for_the_owner_only(tmp_path: Path) -> None:
    warc = files(tmp_path / "warc")
    warc.write(exchange())
    warc.close()
    assert (tmp_path / "warc").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "warc").iterdir()} == {0o600}


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return a list that gets (inode, size) of every file that is brought onto the disk."""
    seen: list[tuple[int, int]] = []
    real = os.fsync

    def fsync(number: int) -> None:
        found = os.fstat(number)
        seen.append((found.st_ino, found.st_size))
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_all_who_wait_share_one_sync_of_what_they_wrote(tmp_path: Path, synced: list[tuple[int, int]]) -> None:
    async def story() -> tuple[int, int, int]:
        warc = files(tmp_path)
        durable = DurableEvidence(warc, interval_s=0.05)
        waits = []
        for _ in range(20):
            path = tmp_path / warc.write(exchange()).warc
            waits.append(durable.wait())
        synced.clear()
        await asyncio.gather(*waits)
        first = len(synced)
        await asyncio.gather(*(durable.wait() for _ in range(20)))
        size = path.stat().st_size
        assert set(synced) == {(path.stat().st_ino, size)}
        warc.close()
        return first, len(synced), size

    first, both, _ = asyncio.run(story())
    assert (first, both) == (1, 3)


def test_a_disk_that_takes_nothing_is_told_to_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> list[object]:
        warc = files(tmp_path)
        warc.write(exchange())

        def full(number: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        durable = DurableEvidence(warc)
        found = await asyncio.gather(durable.wait(), durable.wait(), return_exceptions=True)
        warc.close()
        return list(found)

    found = asyncio.run(story())
    assert len(found) == 2
    assert all(isinstance(error, EvidenceError) and "No space left" in str(error) for error in found)


def test_a_full_file_is_on_the_disk_before_the_next_is_begun(tmp_path: Path, synced: list[tuple[int, int]]) -> None:
    warc = files(tmp_path, max_bytes=1)
    first = tmp_path / warc.write(exchange()).warc
    warc.write(exchange())
    assert (first.stat().st_ino, first.stat().st_size) in synced
    warc.close()


def test_no_header_breaks_a_record(tmp_path: Path) -> None:
    warc = files(tmp_path)
    evidence = warc.write(exchange(b"x", ("X-Odd", "caf\xe9 \u2028 "), ("", "empty"), ("X-Fold", "a\tb")))
    warc.close()
    assert check(tmp_path / evidence.warc) == 0
