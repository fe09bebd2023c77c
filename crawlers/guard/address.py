"""Pure decisions on IP addresses. Sources: IANA special-purpose registries, RFC 6052, RFC 3056, RFC 4291, RFC 6598."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_METADATA = tuple(
    ip_network(text)
    for text in (
        "169.254.169.0/24",  # most clouds; name and time servers of AWS
        "169.254.170.0/24",  # credentials of containers at AWS
        "169.254.0.23/32",  # Tencent
        "169.254.10.10/32",  # Tencent
        "169.254.42.42/32",  # Scaleway
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/64",  # AWS
        "fd20:ce::254/128",  # Google
        "fd00:c1::a9fe:a9fe/128",  # Oracle
        "fd00:42::42/128",  # Scaleway
        "fe80::a9fe:a9fe/128",  # OpenStack
    )
)
METADATA = "metadata address"
_SHARED = IPv4Network("100.64.0.0/10")
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_IPV4_COMPATIBLE = IPv6Network("::/96")
_IPV4_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
_NUMERIC_PART = re.compile(r"^(0[xX][0-9a-fA-F]*|[0-9]+)$")


def literal_address(host: str) -> Address | None:
    """Return the address that ``host`` spells out, or None where it is a name.

    Understands dotted IPv4, IPv6 with or without brackets and zone, and the decimal, octal, hexadecimal and
    shortened IPv4 forms that ``inet_aton`` takes.
    """
    bare = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    parts = bare.split(".")
    if len(parts) > 4 or not all(_NUMERIC_PART.match(part) for part in parts):
        return None
    try:
        return IPv4Address(socket.inet_aton(bare))
    except OSError:
        return None


def is_obscure(host: str) -> bool:
    """Return whether ``host`` spells an IPv4 address in another way than four decimal numbers."""
    bare = host.rstrip(".")
    return ":" not in bare and (address := literal_address(bare)) is not None and str(address) != host


def refusal(address: Address) -> str | None:
    """Return why ``address`` must not be connected to, such as ``private address``, or None where it is public."""
    if is_metadata(address):
        return METADATA
    if isinstance(address, IPv6Address):
        return _refusal_v6(address)
    if address in _SHARED:
        return "shared address"
    return _refusal_common(address)


def is_metadata(address: Address) -> bool:
    """Return whether a cloud answers at ``address``, in whatever IPv6 dress, with the machine's own credentials."""
    if isinstance(address, IPv6Address):
        plain = IPv6Address(int(address))
        if any(is_metadata(carried) for carried in _carried(plain)):
            return True
        return any(plain in network for network in _METADATA)
    return any(address in network for network in _METADATA)


def _refusal_v6(address: IPv6Address) -> str | None:
    if address in _NAT64_LOCAL:
        return "private address"
    embedded = _embedded(address)
    if embedded is not None:
        return refusal(embedded)
    if address.is_site_local:
        return "private address"
    return _refusal_common(address)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that ``address`` leads to by mapping, 6to4, Teredo, NAT64 or translation."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or address in _IPV4_TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _IPV4_COMPATIBLE and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _carried(address: IPv6Address) -> list[IPv4Address]:
    """Return every IPv4 address that ``address`` may lead to, also at the places of RFC 6052, 2.2 and by ISATAP."""
    packed = address.packed
    found = [embedded] if (embedded := _embedded(address)) is not None else []
    if address.teredo is not None:
        found.append(address.teredo[0])
    if packed[8:12] in (b"\0\0\x5e\xfe", b"\2\0\x5e\xfe"):
        found.append(IPv4Address(packed[12:]))
    if address in _NAT64_LOCAL:
        places = (packed[12:], packed[9:13], packed[7:8] + packed[9:12], packed[6:8] + packed[9:11])
        found += [IPv4Address(place) for place in places]
    return found


def _refusal_common(address: Address) -> str | None:
    if address.is_unspecified:
        return "unspecified address"
    if address.is_loopback:
        return "loopback address"
    if address.is_link_local:
        return "link-local address"
    if address.is_multicast:
        return "multicast address"
    if address.is_reserved:
        return "reserved address"
    if address.is_private or not address.is_global:
        return "private address"
    return None
