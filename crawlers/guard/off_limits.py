"""What is never crawled: hosts with all below them, and URLs by pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from yarl import URL

_SCHEME = re.compile(r"^(?:https?|\*)://", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(r"^[\w.-]*\w(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$")


class OffLimitsError(ValueError):
    """The list cannot be used; the message is one line for the user, with the number of the line."""


@dataclass(frozen=True)
class OffLimits:
    """A list of what is never asked, not even for its robots.txt.

    Parameters
    ----------
    hosts
        Names and addresses, with or without port; a name stands for all names below it.
    patterns
        Whole URLs in which ``*`` stands for anything, without scheme where both are meant.
    """

    hosts: frozenset[str] = frozenset()
    patterns: tuple[tuple[str, ...], ...] = ()

    def forbids(self, url: str) -> bool:
        """Return whether ``url`` is on the list, however it is spelt."""
        if not self.hosts and not self.patterns:
            return False
        try:
            parsed = URL(url)
            host = _plain(parsed.raw_host or "")
        except ValueError:
            return False
        if self.hosts and self._lists(host, parsed.port):
            return True
        if not self.patterns:
            return False
        spelt = {_bare(text, host, parsed) for text in (parsed.raw_path_qs, parsed.path_qs)}
        forms = spelt | {f"{parsed.scheme}://{form}" for form in spelt}
        return any(_matches(pattern, form) for pattern in self.patterns for form in forms)

    def _lists(self, host: str, port: int | None) -> bool:
        shown = f"[{host}]" if ":" in host else host
        above = [shown]
        if ":" not in host:
            parts = host.split(".")
            above += [".".join(parts[at:]) for at in range(1, len(parts))]
        return any(name in self.hosts or f"{name}:{port}" in self.hosts for name in above)


def parse_off_limits(text: str, *, name: str = "off-limits") -> OffLimits:
    """Return the list in ``text``: one host or pattern a line; blank lines and ``#`` comments are skipped.

    Raises
    ------
    OffLimitsError
        A line is neither (the message starts with ``name:line``).
    """
    hosts: set[str] = set()
    patterns: list[tuple[str, ...]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition(" #")[0].strip()
        if not entry or entry.startswith("#"):
            continue
        try:
            if "/" in entry or "*" in entry:
                patterns.append(_pattern(entry))
            else:
                hosts.add(_host(entry))
        except ValueError as error:
            shown = entry if len(entry) <= 80 else entry[:79] + "…"
            raise OffLimitsError(f"{name}:{number}: {error}: {shown!r}") from error
    return OffLimits(frozenset(hosts), tuple(dict.fromkeys(patterns)))


def read_off_limits(path: Path) -> OffLimits:
    """Return the list in the UTF-8 file ``path``.

    Raises
    ------
    OffLimitsError
        The file cannot be read, is not text, or has a line that is neither a host nor a pattern.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise OffLimitsError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise OffLimitsError(f"{path}: not a text file in UTF-8") from error
    return parse_off_limits(text, name=str(path))


def _host(entry: str) -> str:
    if not _HOST.match(entry):
        raise ValueError("not a host name, an address, or a URL pattern")
    parsed = URL(f"http://{entry}/")
    name = _plain(parsed.raw_host or "")
    shown = f"[{name}]" if ":" in name else name
    return f"{shown}:{parsed.explicit_port}" if parsed.explicit_port is not None else shown


def _pattern(entry: str) -> tuple[str, ...]:
    if any(char.isspace() for char in entry):
        raise ValueError("a pattern has no spaces")
    if _OTHER_SCHEME.match(entry) and not _SCHEME.match(entry):
        raise ValueError("a pattern is for http or https")
    if not re.search(r"\w", _SCHEME.sub("", entry)):
        raise ValueError("the pattern would forbid everything")
    scheme, mark, rest = entry.rpartition("://")
    host, slash, path = rest.partition("/")
    lowered = f"{'' if scheme == '*' else scheme.lower() + mark}{host.lower()}{slash}{path}"
    return tuple(lowered.split("*"))


def _bare(path: str, host: str, parsed: URL) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}{path}" if parsed.is_default_port() else f"{shown}:{parsed.port}{path}"


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _matches(pattern: tuple[str, ...], text: str) -> bool:
    """Match in linear time: the pieces between the asterisks, one after the other."""
    first, *between = pattern
    if not between:
        return text == first
    last = between.pop()
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in between:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
