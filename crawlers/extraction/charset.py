"""Which character encoding a body really has, whatever it or its server says."""

from __future__ import annotations

import codecs
import re

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

_WIDE_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = re.compile(r"^(?:utf-?|iso-10646-)?(ucs-?2|ucs-?4|16|32)(?:-?([lb]e))?$")
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})""")
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_JUDGED = frozenset({"utf-16-le", "utf-16-be", "utf-16"})
"""What `wide_encoding` has ruled out before the others are tried."""
_HEAD_BYTES = 4_096
_SAMPLE_BYTES = 131_072
_WESTERN = frozenset({"windows-1252", "iso-8859-1", "latin-1"})
_MOST_DAMAGE = 0.01


def decode(body: bytes, content_type: str = "") -> tuple[str, str]:
    """Return ``body`` as text, and the encoding that was used.

    Order: byte order mark; valid UTF-8 with non-ASCII in it; what meta and HTTP header declare, if it fits; detection.
    A western default in the header yields to another encoding in the document, since servers add it unasked.
    """
    wide = wide_encoding(body, content_type)
    if wide is not None:
        return body.decode(wide, "replace").removeprefix("\ufeff"), wide
    if body.startswith(codecs.BOM_UTF8):
        return body[len(codecs.BOM_UTF8) :].decode("utf-8", "replace"), "utf-8"
    ascii_only = body.isascii()
    if not ascii_only:
        try:
            return body.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            pass
    best: tuple[float, str, str] | None = None
    for name in _candidates(body, content_type):
        text = _try(body, name)
        if text is None:
            continue
        damage = text.count("\ufffd") / max(1, len(text))
        if damage == 0:
            return text, name
        if best is None or damage < best[0]:
            best = (damage, text, name)
    if best is not None and best[0] <= _MOST_DAMAGE:
        return best[1], best[2]
    return _detected(body, best)


def wide_encoding(body: bytes, content_type: str = "") -> str | None:
    """Return the UTF-16 or UTF-32 that ``body`` is in, by its byte order mark or else by the header, or None.

    A header is not believed where the bytes belie it: UTF-8 has no zero bytes in it. Where it leaves the order of the
    bytes open, the one that varies less is the upper one.
    """
    for mark, name in _WIDE_BOMS:
        if body.startswith(mark) and _fits(body, name):
            return name
    in_header = _HEADER.search(content_type)
    said = _WIDE.match(in_header.group(1).lower().replace("_", "-")) if in_header else None
    if said is None:
        return None
    width = 4 if said.group(1) in {"32", "ucs4", "ucs-4"} else 2
    head = body[:_HEAD_BYTES]
    if b"\0" not in head and _is_utf8(body):
        return None
    first, last = (len(set(head[place::width])) for place in (0, width - 1))
    order = said.group(2) or ("be" if first < last else "le")
    name = f"utf-{8 * width}-{order}"
    return name if _fits(body, name) else None


def _fits(body: bytes, name: str) -> bool:
    head = body[:_HEAD_BYTES]
    text = head.decode(name, "replace")
    return text.count("\ufffd") <= 1 + len(text) * _MOST_DAMAGE


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _candidates(body: bytes, content_type: str) -> list[str]:
    head = body[:_HEAD_BYTES]
    in_header = _HEADER.search(content_type)
    in_body = _XML.search(head) or _META.search(head)
    header = _known(in_header.group(1)) if in_header else None
    document = _known(in_body.group(1).decode("ascii", "replace")) if in_body else None
    header, document = (None if name in _JUDGED else name for name in (header, document))
    ordered = [document, header] if header in _WESTERN else [header, document]
    return list(dict.fromkeys(name for name in ordered if name))


def _known(label: str) -> str | None:
    name = map_encoding_to_html5(label.lower(), True)
    if not name:
        return None
    try:
        codecs.lookup(name)
    except LookupError:
        return None
    return str(name).replace("cp125", "windows-125")


def _try(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name, "replace")
    except (LookupError, ValueError, AssertionError):
        return None


def _detected(body: bytes, best: tuple[float, str, str] | None) -> tuple[str, str]:
    name = _known(detect_encoding(body, max_len=_SAMPLE_BYTES) or "utf-8") or "utf-8"
    text = _try(body, name)
    if text is None or (best is not None and best[0] <= text.count("\ufffd") / max(1, len(text))):
        return (best[1], best[2]) if best is not None else (body.decode("utf-8", "replace"), "utf-8")
    return text, name
