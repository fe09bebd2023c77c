from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.abc import ResolveResult
from warcio.archiveiterator import ArchiveIterator

from consumers.vault import records as vault_records
from crawlers.evidence import Exchange, Resolution, WarcFiles
from crawlers.evidence import records as warc_records
from crawlers.evidence.dns import noting
from tests.unit.crawlers.test_evidence_warc import AT, check, exchange, files

FIRST = Resolution(
    host="example.org", addresses=("93.184.216.34", "2606:2800:21f:cb07::1"), at=AT - timedelta(seconds=2)
)
SECOND = Resolution(host="example.org", addresses=("93.184.216.35",), at=AT)


def from_address(address: str, url: str = "https://example.org/a") -> Exchange:
    return Exchange(**{**vars(exchange(url=url)), "ip_address": address})


def read(folder: Path) -> list[list[tuple[str, dict[str, str], bytes]]]:
    """Return type, header and content of the records of each file."""
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        assert check(path) == 0
        with path.open("rb") as file:
            found.append(
                [
                    (record.rec_type, dict(record.rec_headers.headers), record.content_stream().read())
                    for record in ArchiveIterator(file, check_digests="raise")
                ]
            )
    return found


def written(
    folder: Path, *steps: Resolution | Exchange, **options: int
) -> list[list[tuple[str, dict[str, str], bytes]]]:
    warc = files(folder, **options)
    for step in steps:
        if isinstance(step, Resolution):
            warc.note(step)
        else:
            warc.write(step)
    warc.close()
    return read(folder)


def test_an_answer_is_written_once_before_the_first_response_and_all_lead_to_it(tmp_path: Path) -> None:
    (records,) = written(tmp_path, FIRST, *[from_address("93.184.216.34")] * 3)
    assert [kind for kind, *_ in records] == ["warcinfo", "resource", *["response", "request"] * 3]
    _, dns, content = records[1]
    assert (dns["WARC-Target-URI"], dns["Content-Type"]) == ("dns:example.org", "text/dns")
    assert dns["WARC-Date"] == "2026-01-02T03:04:03.678901Z"
    assert dns["WARC-Block-Digest"].startswith("sha256:")
    assert content.decode().splitlines() == [
        "20260102030403",
        "example.org.\tIN\tA\t93.184.216.34",
        "example.org.\tIN\tAAAA\t2606:2800:21f:cb07::1",
    ]
    assert {head["WARC-Concurrent-To"] for kind, head, _ in records if kind == "response"} == {dns["WARC-Record-ID"]}


def test_the_offset_in_a_response_leads_to_the_answer(tmp_path: Path) -> None:
    (records,) = written(tmp_path, from_address("93.184.216.34"), FIRST, *[from_address("93.184.216.34")] * 2)
    (path,) = tmp_path.iterdir()
    offsets = [head.get(warc_records.DNS_OFFSET_FIELD) for kind, head, _ in records if kind == "response"]
    assert offsets[0] is None
    assert offsets[1] == offsets[2]
    with path.open("rb") as file:
        file.seek(int(offsets[1]))
        assert next(iter(ArchiveIterator(file))).rec_headers.get_header("WARC-Target-URI") == "dns:example.org"


def test_the_vault_knows_the_field_by_the_same_name() -> None:
    assert vault_records.DNS_OFFSET_FIELD == warc_records.DNS_OFFSET_FIELD


def test_each_resolution_has_its_record_and_a_response_leads_to_the_one_with_its_address(tmp_path: Path) -> None:
    (records,) = written(
        tmp_path,
        FIRST,
        from_address("93.184.216.34"),
        SECOND,
        from_address("93.184.216.35"),
        from_address("93.184.216.34"),
    )
    dns = [head["WARC-Record-ID"] for kind, head, _ in records if kind == "resource"]
    assert len(dns) == 2
    responses = [head["WARC-Concurrent-To"] for kind, head, _ in records if kind == "response"]
    assert responses == [dns[0], dns[1], dns[0]]


def test_a_new_file_has_the_answers_it_needs(tmp_path: Path) -> None:
    found = written(tmp_path, FIRST, *[from_address("93.184.216.34")] * 3, max_bytes=1)
    assert [[kind for kind, *_ in records] for records in found] == [
        ["warcinfo", "resource", "response", "request"]
    ] * 3
    for records in found:
        assert records[2][1]["WARC-Concurrent-To"] == records[1][1]["WARC-Record-ID"]


def test_an_answer_that_a_whole_file_had_no_use_for_is_forgotten(tmp_path: Path) -> None:
    other = from_address("198.51.100.1", "https://other.example/")
    ours = from_address("93.184.216.34")
    found = written(tmp_path, FIRST, ours, ours, other, ours, max_bytes=1)
    kinds = ["resource" in [kind for kind, *_ in records] for records in found]
    assert kinds == [True, True, False, False]


@pytest.mark.parametrize(
    "fetched",
    [
        from_address("93.184.216.34", "https://other.example/"),
        from_address("127.0.0.1", "http://127.0.0.1/"),
        from_address("198.51.100.1"),
        Exchange(**{**vars(exchange()), "ip_address": None}),
    ],
    ids=["another host", "an address for a host", "another address", "unknown address"],
)
def test_a_response_that_no_answer_led_to_leads_to_none(tmp_path: Path, fetched: Exchange) -> None:
    (records,) = written(tmp_path, FIRST, fetched)
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "request"]
    assert "WARC-Concurrent-To" not in records[1][1]


@pytest.mark.parametrize("url", ["https://EXAMPLE.org/", "https://example.org./", "https://example.org:8443/x"])
def test_hosts_are_compared_as_names(tmp_path: Path, url: str) -> None:
    (records,) = written(tmp_path, FIRST, from_address("93.184.216.34", url))
    assert records[1][0] == "resource"


def result(address: str) -> ResolveResult:
    return ResolveResult(hostname="x", host=address, port=80, family=socket.AF_INET, proto=6, flags=0)


def test_a_lookup_tells_each_answer_with_its_time_and_only_once_each_address() -> None:
    async def lookup(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        return [result(address) for address in ("93.184.216.34", "93.184.216.34", "fe80::1%eth0")]

    told: list[Resolution] = []
    found = asyncio.run(noting(lookup, told.append, lambda: AT)("Example.org.", 80, socket.AF_INET))
    assert len(found) == 3
    assert told == [Resolution(host="example.org", addresses=("93.184.216.34", "fe80::1"), at=AT)]


def test_a_name_that_does_not_resolve_is_told_to_the_crawl_and_to_nobody_else() -> None:
    async def lookup(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        raise OSError("no such name")

    async def empty(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        return []

    told: list[Resolution] = []
    with pytest.raises(OSError, match="no such name"):
        asyncio.run(noting(lookup, told.append, lambda: datetime.now(UTC))("example.org", 80, socket.AF_INET))
    assert asyncio.run(noting(empty, told.append, lambda: AT)("example.org", 80, socket.AF_INET)) == []
    assert told == []


def test_an_answer_needs_no_sync_of_its_own(tmp_path: Path) -> None:
    """Answer, response and request are one write: what is durable of a page is durable of its answer."""
    warc = WarcFiles(tmp_path, "test-1", software="guidewatch/0", clock=lambda: AT)
    warc.note(FIRST)
    evidence = warc.write(from_address("93.184.216.34"))
    path = tmp_path / evidence.warc
    whole = path.read_bytes()
    warc.close()
    assert path.read_bytes() == whole
    assert b"dns:" not in whole[evidence.offset :]
