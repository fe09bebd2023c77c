from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest
from aiohttp.abc import ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from crawlers.guard import AddressPolicy, GuardRefusedError, literal_address, refusal
from crawlers.guard.resolver import GuardedResolver

STRICT = AddressPolicy(frozenset())


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback address"),
        ("127.8.8.8", "loopback address"),
        ("::1", "loopback address"),
        ("10.0.0.1", "private address"),
        ("172.16.0.1", "private address"),
        ("192.168.1.1", "private address"),
        ("fd12::1", "private address"),
        ("fec0::1", "private address"),
        ("169.254.1.1", "link-local address"),
        ("fe80::1", "link-local address"),
        ("169.254.169.254", "metadata address"),
        ("100.100.100.200", "metadata address"),
        ("fd00:ec2::254", "metadata address"),
        ("100.64.0.1", "shared address"),
        ("224.0.0.1", "multicast address"),
        ("ff02::1", "multicast address"),
        ("240.0.0.1", "reserved address"),
        ("255.255.255.255", "reserved address"),
        ("0.0.0.0", "unspecified address"),
        ("::", "unspecified address"),
        ("192.0.2.1", "private address"),
        ("198.18.0.1", "private address"),
        ("::ffff:127.0.0.1", "loopback address"),
        ("::ffff:169.254.169.254", "metadata address"),
        ("2002:7f00:1::", "loopback address"),
        ("2002:a00:1::1", "private address"),
        ("64:ff9b::7f00:1", "loopback address"),
        ("64:ff9b::a9fe:a9fe", "metadata address"),
        ("64:ff9b:1::1", "private address"),
        ("::127.0.0.1", "loopback address"),
        ("::ffff:0:127.0.0.1", "loopback address"),
    ],
)
def test_a_forbidden_address_is_named(address: str, why: str) -> None:
    assert refusal(ip_address(address)) == why


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.1", "127.0.0.1.", "017700000001"],
)
def test_every_spelling_of_a_loopback_address_is_understood(host: str) -> None:
    assert literal_address(host) == ip_address("127.0.0.1")


@pytest.mark.parametrize("host", ["example.org", "1.example.org", "deadbeef", "1.2.3.4.5", "0xzz"])
def test_a_name_is_no_literal(host: str) -> None:
    assert literal_address(host) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1/", "loopback address"),
        ("http://[::1]:80/", "loopback address"),
        ("http://[::ffff:10.0.0.1]/", "private address"),
        ("http://2130706433/", "obscure address"),
        ("http://0x7f000001/", "obscure address"),
        ("http://0177.0.0.1/", "obscure address"),
        ("http://127.1/", "obscure address"),
        ("http://user@127.0.0.1/", "loopback address"),
        ("http://example.org@127.0.0.1/", "loopback address"),
        ("http://①②⑦.⓪.⓪.①/", "loopback address"),
        ("http://user@example.org/", "user info"),
        ("http://:secret@example.org/", "user info"),
        ("http://example.org:22/", "port"),
        ("http://example.org:0/", "port"),
        ("https://93.184.216.34:6379/", "port"),
        ("http://example.org:99999/", "malformed URL"),
        ("ftp://example.org/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.org/", "scheme"),
    ],
)
def test_a_forbidden_url_is_refused_before_any_lookup(url: str, why: str) -> None:
    with pytest.raises(GuardRefusedError) as caught:
        STRICT.check_url(url)
    assert caught.value.reason == f"guard: {why}"


def test_an_exemption_is_for_the_very_port() -> None:
    policy = AddressPolicy(frozenset({"127.0.0.1:8001"}))
    policy.check_url("http://127.0.0.1:8001/")
    with pytest.raises(GuardRefusedError):
        policy.check_url("http://127.0.0.1:8002/")


@pytest.mark.parametrize("port", ["", ":80", ":443", ":8080", ":8443"])
def test_the_usual_ports_of_public_hosts_may_be_asked(port: str) -> None:
    STRICT.check_url(f"http://example.org{port}/")


def test_ports_bind_public_addresses_only() -> None:
    policy = AddressPolicy(frozenset({"*", "pages.example:9999"}), ports=frozenset({81}))
    policy.check_url("http://127.0.0.1:8001/")
    policy.check_url("http://inside.example:8001/")
    policy.check_url("http://93.184.216.34:81/")
    policy.check_address("inside.example", 8001, ip_address("10.0.0.1"))
    policy.check_address("pages.example", 9999, ip_address("93.184.216.34"))
    with pytest.raises(GuardRefusedError, match="port"):
        policy.check_address("inside.example", 8001, ip_address("93.184.216.34"))
    with pytest.raises(GuardRefusedError, match="port"):
        policy.check_url("http://93.184.216.34:80/")


def test_a_crawl_without_contact_keeps_to_exempt_hosts() -> None:
    policy = AddressPolicy(frozenset({"127.0.0.1:8001"}), public=False)
    policy.check_url("http://127.0.0.1:8001/")
    for url in ("https://example.org/", "http://93.184.216.34/"):
        with pytest.raises(GuardRefusedError, match="no contact address"):
            policy.check_url(url)


def test_any_private_address_is_no_leave_for_public_ones_without_contact() -> None:
    policy = AddressPolicy(frozenset("*"), public=False)
    policy.check_url("http://127.0.0.1:8001/")
    policy.check_url("http://pages.example/")
    assert resolve(policy, "10.0.0.1")
    with pytest.raises(GuardRefusedError, match="no contact"):
        policy.check_url("http://93.184.216.34/")
    for addresses in (("93.184.216.34",), ("10.0.0.1", "93.184.216.34")):
        with pytest.raises(GuardRefusedError, match="no contact"):
            resolve(policy, *addresses)
    resolve(AddressPolicy(frozenset("*")), "10.0.0.1", "93.184.216.34")


METADATA = [
    "169.254.169.254",
    "169.254.169.253",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.42.42",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fe80::a9fe:a9fe",
]
DRESSED = [
    "::ffff:169.254.169.254",
    "::ffff:168.63.129.16",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "2002:a9fe:a9fe::1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::168.63.129.16",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:0:a9:fea9:fe00:0",
    "64:ff9b:1:a9:fe:a9fe::",
    "2001:0:808:808:0:0:5601:5601",
    "fd12::5efe:169.254.169.254",
    "fe80::a9fe:a9fe%1",
]


@pytest.mark.parametrize("address", METADATA + DRESSED)
@pytest.mark.parametrize("allowed", ["*", "pages.example:80"])
def test_the_metadata_addresses_of_clouds_are_refused_whatever_is_allowed(address: str, allowed: str) -> None:
    policy = AddressPolicy(frozenset({allowed}))
    with pytest.raises(GuardRefusedError) as caught:
        policy.check_address("pages.example", 80, ip_address(address))
    assert caught.value.reason == "guard: metadata address"
    with pytest.raises(GuardRefusedError, match="metadata address"):
        resolve(policy, "10.0.0.1", address)


@pytest.mark.parametrize("address", METADATA)
def test_a_metadata_address_cannot_be_exempted_in_a_url(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    policy = AddressPolicy(frozenset({"*", f"{host}:80"}))
    with pytest.raises(GuardRefusedError, match="metadata address"):
        policy.check_url(f"http://{host}/")


@pytest.mark.parametrize("address", ["169.254.1.1", "10.0.0.1", "fd12::1", "fe80::1", "64:ff9b:1::a00:1", "127.0.0.1"])
def test_other_addresses_that_are_not_public_pass_if_all_may(address: str) -> None:
    AddressPolicy(frozenset("*")).check_address("pages.example", 80, ip_address(address))


class FakeNames:
    """A lookup that answers from a table and remembers what it was asked."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        self.asked.append(host)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.addresses
        ]


def resolve(policy: AddressPolicy, *addresses: str, port: int = 80) -> list[ResolveResult]:
    return asyncio.run(GuardedResolver(policy, FakeNames(*addresses)).resolve("pages.example", port))


def test_a_name_that_points_inside_is_refused() -> None:
    with pytest.raises(GuardRefusedError, match="metadata address"):
        resolve(STRICT, "169.254.169.254")


def test_one_forbidden_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(GuardRefusedError, match="private address"):
        resolve(STRICT, "93.184.216.34", "10.0.0.1")


def test_public_addresses_come_through_unchanged() -> None:
    assert [found["host"] for found in resolve(STRICT, "93.184.216.34")] == ["93.184.216.34"]


def test_an_exempt_name_may_point_inside_on_its_port_only() -> None:
    policy = AddressPolicy(frozenset({"pages.example:8001"}))
    assert resolve(policy, "127.0.0.1", port=8001)
    with pytest.raises(GuardRefusedError):
        resolve(policy, "127.0.0.1", port=8002)


def test_only_addresses_that_were_checked_count_as_checked() -> None:
    async def ask() -> GuardedResolver:
        resolver = GuardedResolver(STRICT, FakeNames("93.184.216.34"))
        await resolver.resolve("pages.example", 80)
        return resolver

    resolver = asyncio.run(ask())
    assert resolver.was_checked("93.184.216.34", 80)
    assert not resolver.was_checked("93.184.216.34", 81)
    assert not resolver.was_checked("10.0.0.1", 80)


def test_a_name_without_address_is_an_os_error() -> None:
    with pytest.raises(OSError, match="no address"):
        resolve(STRICT)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_ipv6_dress(address: object) -> None:
    plain = ip_address(str(address))
    number = int(plain)
    for dressed in (
        ip_address((0xFFFF << 32) | number),
        ip_address((0x64FF9B << 96) | number),
        ip_address((0x2002 << 112) | (number << 80)),
    ):
        assert refusal(dressed) == refusal(plain)


@given(st.text())
def test_no_text_makes_the_guard_stumble(text: str) -> None:
    try:
        STRICT.check_url(text)
    except GuardRefusedError as error:
        assert error.reason.startswith("guard: ")
