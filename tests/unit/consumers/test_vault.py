from __future__ import annotations

import gzip
import json
import os
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from warcio.archiveiterator import ArchiveIterator

from consumers.vault import EvidenceMissingError, EvidenceRefusedError, Placed, Vault
from crawlers.evidence import Resolution
from events import Evidence
from tests.unit.consumers.warcs import AT, written

BODY = b"<html>A page about gardens.</html>"


@pytest.fixture
def warcs(tmp_path: Path) -> Path:
    return tmp_path / "warc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def keep(folder: Path, warcs: Path, evidence: Evidence, page_id: str = "p1", vault: Vault | None = None) -> Placed:
    return (vault or Vault(folder, warcs)).keep(evidence, page_id=page_id, url="http://a.example/", at=AT)


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "log.jsonl")


def test_record_is_kept_whole_under_the_digest_of_its_payload(folder: Path, warcs: Path) -> None:
    _, evidence, _ = written(warcs, b"first", BODY, b"third")
    kept = keep(folder, warcs, evidence)
    assert (kept.path, kept.fresh) == (folder / evidence.sha256[:2] / f"{evidence.sha256[2:]}.warc.gz", True)
    whole = (warcs / evidence.warc).read_bytes()
    copy = kept.path.read_bytes()
    assert whole[evidence.offset : evidence.offset + len(copy)] == copy
    with kept.path.open("rb") as file:
        found = [
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read())
            for record in ArchiveIterator(file)
        ]
    assert found == [("response", "http://a.example/", BODY), ("request", "http://a.example/", b"")]


def test_answer_of_the_name_server_comes_along_wherever_it_is_in_the_file(folder: Path, warcs: Path) -> None:
    resolution = Resolution(host="a.example", addresses=("127.0.0.1",), at=AT)
    _, evidence = written(warcs, b"first", BODY, resolutions=(resolution,))
    with keep(folder, warcs, evidence).path.open("rb") as file:
        records = [
            (record.rec_type, record.rec_headers, record.content_stream().read()) for record in ArchiveIterator(file)
        ]
    assert [kind for kind, *_ in records] == ["response", "request", "resource"]
    (_, response, _), (_, request, _), (_, dns, answer) = records
    assert dns.get_header("WARC-Target-URI") == "dns:a.example"
    assert answer == b"20261124120000\r\na.example.\tIN\tA\t127.0.0.1\r\n"
    assert response.get_header("WARC-Concurrent-To") == dns.get_header("WARC-Record-ID")
    assert request.get_header("WARC-Concurrent-To") == response.get_header("WARC-Record-ID")


def test_neighbours_that_do_not_belong_to_the_response_stay_behind(folder: Path, warcs: Path) -> None:
    (other,) = written(warcs / "other", b"other")
    (evidence,) = written(warcs, BODY)
    ours, theirs = (warcs / evidence.warc).read_bytes(), (warcs / "other" / other.warc).read_bytes()
    (request,) = gzip.decompress(theirs[other.offset :]).split(b"WARC/1.1\r\n")[2:]
    response = gzip.decompress(ours[evidence.offset :]).split(b"WARC/1.1\r\n")[1]
    packed = [gzip.compress(b"WARC/1.1\r\n" + record) for record in (response, request)]
    (warcs / "mixed.warc.gz").write_bytes(b"".join(packed))
    kept = keep(folder, warcs, Evidence(warc="mixed.warc.gz", offset=0, sha256=evidence.sha256))
    assert kept.path.read_bytes() == packed[0]


def test_log_says_which_page_named_which_record(folder: Path, warcs: Path) -> None:
    (evidence,) = written(warcs, BODY)
    keep(folder, warcs, evidence)
    (line,) = lines(folder)
    kept = files(folder)[0].read_bytes()
    seal = line.pop("seal")
    assert (log := (folder / "log.jsonl").read_bytes()).endswith(b',"seal":"%s"}\n' % str(seal).encode())
    assert seal == sha256(log[: -len(',"seal":""}\n') - 64]).hexdigest()
    assert line == {
        "n": 1,
        "prev": "0" * 64,
        "kind": "kept",
        "object_sha256": sha256(kept).hexdigest(),
        "at": "2026-11-24T12:00:00Z",
        "page_id": "p1",
        "url": "http://a.example/",
        "sha256": evidence.sha256,
        "warc": evidence.warc,
        "offset": evidence.offset,
    }


def test_keeping_again_changes_nothing_in_this_process_or_another(folder: Path, warcs: Path) -> None:
    (evidence,) = written(warcs, BODY)
    vault = Vault(folder, warcs)
    assert keep(folder, warcs, evidence, vault=vault).fresh
    before = files(folder)[0].stat().st_mtime_ns
    assert not keep(folder, warcs, evidence, vault=vault).fresh
    assert not keep(folder, warcs, evidence).fresh
    assert [path.stat().st_mtime_ns for path in files(folder)] == [before]
    assert len(lines(folder)) == 1


def test_two_pages_with_one_payload_share_a_record_and_have_a_line_each(folder: Path, warcs: Path) -> None:
    one, two = written(warcs, BODY, BODY)
    keep(folder, warcs, one, "p1")
    keep(folder, warcs, two, "p2")
    assert len(files(folder)) == 1
    assert [line["page_id"] for line in lines(folder)] == ["p1", "p2"]


def test_line_that_a_crash_lost_is_written_on_the_next_attempt(folder: Path, warcs: Path) -> None:
    one, two = written(warcs, BODY, b"other")
    keep(folder, warcs, one)
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-9])
    keep(folder, warcs, one)
    keep(folder, warcs, two, "p2")
    keep(folder, warcs, two, "p2")
    assert [line["page_id"] for line in lines(folder)] == ["p1", "p2"]


def test_payload_is_hashed_before_content_decoding(folder: Path, warcs: Path) -> None:
    (evidence,) = written(warcs, gzip.compress(BODY), headers=(("Content-Encoding", "gzip"),))
    assert keep(folder, warcs, evidence).fresh


def test_chunked_payload_of_another_crawler_is_hashed_after_transfer_decoding(folder: Path, warcs: Path) -> None:
    warcs.mkdir()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    http = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked
    record = (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\n"
        b"Content-Type: application/http; msgtype=response\r\n"
        b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (len(http), http)
    )
    (warcs / "other.warc.gz").write_bytes(gzip.compress(record))
    (evidence,) = written(folder.parent / "ours", BODY)
    assert keep(folder, warcs, Evidence(warc="other.warc.gz", offset=0, sha256=evidence.sha256)).fresh


def test_large_record_is_copied_in_pieces(folder: Path, warcs: Path) -> None:
    body = bytes(range(256)) * 4000
    (evidence,) = written(warcs, body)
    assert body + b"\r\n\r\n" in gzip.decompress(keep(folder, warcs, evidence).path.read_bytes())


def test_file_that_is_not_there_may_come(folder: Path, warcs: Path) -> None:
    (evidence,) = written(warcs, BODY)
    with pytest.raises(EvidenceMissingError, match=r"other\.warc\.gz is not in the WARC folder"):
        keep(folder, warcs, msgspec.structs.replace(evidence, warc="other.warc.gz"))


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_record_that_is_cut_short_may_come(folder: Path, warcs: Path, cut: int) -> None:
    (evidence,) = written(warcs, BODY)
    file = warcs / evidence.warc
    whole = file.read_bytes()
    file.write_bytes(whole[: evidence.offset + cut])
    with pytest.raises(EvidenceMissingError, match="ends before the record does"):
        keep(folder, warcs, evidence)
    assert files(folder) == []
    file.write_bytes(whole)
    assert keep(folder, warcs, evidence).fresh


def test_folder_that_is_not_there_is_no_fault_of_the_record(folder: Path, warcs: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no WARC folder"):
        keep(folder, warcs, Evidence(warc="a.warc.gz", offset=0, sha256="0" * 64))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "0" * 64}, "has the digest"),
        ({"sha256": "../../outside"}, "not a SHA-256"),
        ({"warc": "../secret.warc.gz"}, "not a place in the WARC folder"),
        ({"warc": "/etc/hostname"}, "not a place in the WARC folder"),
        ({"warc": ""}, "not a place in the WARC folder"),
        ({"offset": -1}, "not a place in the WARC folder"),
        ({"offset": 1}, "no gzip member"),
        ({"offset": 0}, "not a WARC response"),
    ],
)
def test_record_that_is_not_what_the_event_says_is_refused(
    folder: Path, warcs: Path, change: dict[str, object], reason: str
) -> None:
    (evidence,) = written(warcs, BODY)
    with pytest.raises(EvidenceRefusedError, match=reason):
        keep(folder, warcs, msgspec.structs.replace(evidence, **change))
    assert not folder.exists() or files(folder) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"no record at all", b"WARC/1.1\r\nWARC-Type: response\r\n\r\n", b"WARC/1.1\r\nContent-Length: x\r\n\r\n"],
)
def test_gzip_that_is_no_whole_record_is_refused(folder: Path, warcs: Path, content: bytes) -> None:
    warcs.mkdir()
    (warcs / "a.warc.gz").write_bytes(gzip.compress(content))
    with pytest.raises(EvidenceRefusedError):
        keep(folder, warcs, Evidence(warc="a.warc.gz", offset=0, sha256="0" * 64))


def test_record_that_unpacks_too_large_is_refused(folder: Path, warcs: Path) -> None:
    (evidence,) = written(warcs, b"0" * 1_000_000)
    with pytest.raises(EvidenceRefusedError, match="larger than 200000 bytes"):
        keep(folder, warcs, evidence, vault=Vault(folder, warcs, max_bytes=200_000))


def test_vault_is_for_its_owner_alone_whatever_the_umask(folder: Path, warcs: Path) -> None:
    (evidence,) = written(warcs, BODY)
    before = os.umask(0)
    try:
        keep(folder, warcs, evidence)
    finally:
        os.umask(before)
    made = {path: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert {path.name: mode for path, mode in made.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}
    assert len(made) == 4
