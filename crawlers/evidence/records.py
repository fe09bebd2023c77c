"""WARC 1.1 records (ISO 28500:2017) with SHA-256 digests, each packed into one gzip member."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from ipaddress import ip_address

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.utils import Digester
from warcio.warcwriter import BaseWARCWriter

Header = tuple[str, str]
DNS_OFFSET_FIELD = "X-Guidewatch-DNS-Offset"
"""In a response: where in the same file the record of its name's resolution is; WARC-Concurrent-To has its id."""
_LEVEL = 1
_REPLACED = {"transfer-encoding": "X-Crawler-Transfer-Encoding", "content-length": "X-Crawler-Content-Length"}


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What the name server of the system answered: addresses of a host, and when."""

    host: str
    addresses: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a record is in its file, and its id."""

    record_id: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its response, as they were on the wire (the body after transfer decoding)."""

    url: str
    at: datetime
    ip_address: str | None
    request_line: str
    request_headers: Sequence[Header]
    status_line: str
    response_headers: Sequence[Header]
    body: bytes


class WarcRecords(BaseWARCWriter):
    """Makes gzipped records in memory, with SHA-256 digests."""

    def __init__(self, warc_version: str) -> None:
        super().__init__(gzip=False, warc_version=warc_version)

    @staticmethod
    def _create_digester() -> Digester:
        return Digester("sha256")

    @staticmethod
    def _create_temp_file() -> BytesIO:
        return BytesIO()

    def ensure_digest(self, record: ArcWarcRecord, block: bool = True, payload: bool = True) -> None:
        """Give a record its digests; of one without HTTP headers the block is the payload, and one will do."""
        super().ensure_digest(record, block=block, payload=payload and record.http_headers is not None)

    def info(self, file_name: str, software: str, at: datetime) -> bytes:
        """Return the ``warcinfo`` record that opens a file."""
        record = self.create_warcinfo_record(file_name, {"software": software, "format": "WARC File Format 1.1"})
        record.rec_headers.replace_header("WARC-Date", _date(at))
        return self._packed(record)

    def dns(self, resolution: Resolution) -> tuple[str, bytes]:
        """Return the id and the record of an answer: ``dns:HOST`` (RFC 4501), ``text/dns`` (RFC 4027, RFC 2540).

        The system's resolver gives no times to live, so there are none.
        """
        lines = [f"{resolution.at:%Y%m%d%H%M%S}"]
        for address in resolution.addresses:
            kind = "A" if ip_address(address).version == 4 else "AAAA"
            lines.append(f"{resolution.host}.\tIN\t{kind}\t{address}")
        record = self.create_warc_record(
            f"dns:{resolution.host}",
            "resource",
            payload=BytesIO("".join(f"{line}\r\n" for line in lines).encode("ascii")),
            warc_content_type="text/dns",
            warc_headers_dict={"WARC-Date": _date(resolution.at)},
        )
        return record.rec_headers.get_header("WARC-Record-ID"), self._packed(record)

    def pair(self, exchange: Exchange, dns: Place | None) -> tuple[bytes, bytes]:
        """Return the response, which leads to the record of its name's resolution, and the request."""
        date = _date(exchange.at)
        protocol, _, status = exchange.status_line.partition(" ")
        headers = _fitting(exchange.response_headers, len(exchange.body))
        known = {"WARC-Date": date}
        if exchange.ip_address:
            known["WARC-IP-Address"] = exchange.ip_address
        if dns:
            known["WARC-Concurrent-To"] = dns.record_id
            known[DNS_OFFSET_FIELD] = str(dns.offset)
        response = self.create_warc_record(
            exchange.url,
            "response",
            payload=BytesIO(exchange.body),
            http_headers=StatusAndHeaders(status, headers, protocol=protocol),
            warc_headers_dict=known,
        )
        verb, _, rest = exchange.request_line.partition(" ")
        request = self.create_warc_record(
            exchange.url,
            "request",
            http_headers=StatusAndHeaders(f"{verb} {rest}", list(exchange.request_headers), is_http_request=True),
            warc_headers_dict={
                "WARC-Date": date,
                "WARC-Concurrent-To": response.rec_headers.get_header("WARC-Record-ID"),
            },
        )
        return self._packed(response), self._packed(request)

    def _packed(self, record: ArcWarcRecord) -> bytes:
        plain = BytesIO()
        self._write_warc_record(plain, record)
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        return packer.compress(plain.getbuffer()) + packer.flush()


def host_of(name: str) -> str:
    """Return a host name as it is compared and written: lower case, no dot at the end."""
    return name.lower().rstrip(".")


def _fitting(headers: Sequence[Header], length: int) -> list[Header]:
    """Return the headers as received, save those that no longer fit a body without transfer coding."""
    said = ("Content-Length", str(length))
    if not any(name.lower() == "transfer-encoding" for name, _ in headers) and any(
        name.lower() == "content-length" and value.strip() == said[1] for name, value in headers
    ):
        return list(headers)
    return [*((_REPLACED.get(name.lower(), name), value) for name, value in headers), said]


def _date(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
