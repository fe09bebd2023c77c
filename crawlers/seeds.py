"""Reading the list of URLs that a crawl starts from."""

from __future__ import annotations

from pathlib import Path

from crawlers.limits import MAX_URL_CHARS
from events import normalise_url


class SeedsError(ValueError):
    """The seeds are not usable; the message is one line for the user, with the line number where there is one."""


def check_seed(url: str) -> str:
    """Return ``url`` without surrounding space and fragment.

    Raises
    ------
    SeedsError
        It is not an absolute http(s) URL, or a too long one.
    """
    bare = url.strip().partition("#")[0]
    if len(bare) > MAX_URL_CHARS:
        raise SeedsError(f"longer than {MAX_URL_CHARS:,} characters: {_short(bare)}")
    try:
        if any(char.isspace() or not char.isprintable() for char in bare):
            raise ValueError(bare)
        normalise_url(bare)
    except ValueError as error:
        hint = "" if "://" in bare else " (it needs http:// or https:// in front)"
        raise SeedsError(f"not an http(s) URL: {_short(bare)}{hint}") from error
    return bare


def parse_seeds(text: str, *, name: str = "seeds") -> tuple[str, ...]:
    """Return the URLs in ``text``: one a line; blank lines and lines that begin with ``#`` are skipped.

    Raises
    ------
    SeedsError
        A line is malformed (the message starts with ``name:line``), or there is no URL at all.
    """
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            found[check_seed(line)] = None
        except SeedsError as error:
            raise SeedsError(f"{name}:{number}: {error}") from error
    if not found:
        raise SeedsError(f"{name}: no URL in it; write one a line")
    return tuple(found)


def read_seeds(path: Path) -> tuple[str, ...]:
    """Return the URLs in the UTF-8 file ``path``, without repetitions, in order.

    Raises
    ------
    SeedsError
        The file cannot be read, is not text, has a malformed line, or no URL.
    """
    return parse_seeds(read_text(path), name=str(path))


def read_text(path: Path) -> str:
    """Return the text of the UTF-8 file ``path``.

    Raises
    ------
    SeedsError
        The file cannot be read, or is not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SeedsError(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SeedsError(f"{path}: not a text file in UTF-8") from error
    if "\0" in text:
        raise SeedsError(f"{path}: not a text file")
    return text


def _short(text: str) -> str:
    shown = text if len(text) <= 80 else text[:79] + "…"
    return repr(shown)
