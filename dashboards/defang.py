"""URLs that nobody opens by accident: ``hxxps://example[.]org/path``."""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"\b(https?)(:|%3a)(//|%2f%2f)([^/?#\s]*)", re.IGNORECASE)
_BARE_HOST = re.compile(r"\bwww\.", re.IGNORECASE)


def defang(url: str) -> str:
    """Return ``url`` so that no program makes a link of it.

    Addresses inside the path or the query are defanged too; characters that cannot be seen or that turn the direction
    of writing are percent-encoded.
    """
    return _ADDRESS.sub(_broken, _BARE_HOST.sub("www[.]", _visible(url)))


def defang_host(host: str) -> str:
    """Return ``host`` with its dots in brackets."""
    return _broken_host(_visible(host))


def _broken(match: re.Match[str]) -> str:
    scheme, colon, slashes, host = match.groups()
    return f"{scheme.replace('t', 'x').replace('T', 'X')}{colon}{slashes}{_broken_host(host)}"


def _broken_host(host: str) -> str:
    if host.startswith("["):
        return host.replace(":", "[:]")
    return re.sub(r"(?<!\[)\.(?!\])", "[.]", host)


def _visible(text: str) -> str:
    return "".join(
        character
        if unicodedata.category(character)[0] not in "CZ"
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
        for character in text
    )
