"""What runs in the process of its own: documents come in on a socket, what they say goes out on it (ADR 0016).

A frame is its length in 8 bytes, then MessagePack. A closed socket ends the process: it never outlives the crawl.
"""

from __future__ import annotations

import gc
import os
import re
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec
from selectolax.lexbor import SelectolaxError

from crawlers.extraction.extracted import Extracted
from crawlers.extraction.html import extract_html
from crawlers.extraction.markdown import extract_markdown
from crawlers.extraction.pdf import UnreadableError, extract_pdf
from crawlers.extraction.traces import traces_of

LENGTH_BYTES = 8
READY = b"ready"
"""The first frame, sent when a document can be taken."""


class Document(msgspec.Struct, frozen=True, array_like=True):
    """A body to be taken apart, with what is known of it; ``words``: whether those of its links are wanted."""

    pdf: bool
    url: str
    content_type: str
    body: bytes
    markdown: bool = False
    words: bool = True


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a document says; or why it says nothing: it is ``unreadable``, or reading it went wrong (``error``).

    After the ``last`` answer the process ends.
    """

    extracted: Extracted | None = None
    unreadable: str = ""
    error: str = ""
    last: bool = False


class Limits(msgspec.Struct, frozen=True, array_like=True):
    """What one document may take. ``wall_s`` and ``answer_bytes`` are watched from outside."""

    cpu_s: int = 5
    wall_s: float = 20.0
    memory_bytes: int = 1_500_000_000
    answer_bytes: int = 32_000_000


MEMORY = "MemoryError"
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_GC_THRESHOLD = 20_000
_FULL = 0.5
"""A process that has held more than this part of its memory is not used again."""


def take_apart(document: Document) -> Extracted:
    """Return what ``document`` says, with the traces of its text.

    Raises
    ------
    UnreadableError
        It is a PDF that cannot be read.
    """
    extracted = _extracted(document)
    return replace(extracted, traces=traces_of(extracted.title, extracted.text))


def _extracted(document: Document) -> Extracted:
    if document.pdf:
        return extract_pdf(document.body)
    if document.markdown:
        return extract_markdown(document.body, url=document.url, content_type=document.content_type)
    return extract_html(document.body, url=document.url, content_type=document.content_type, words=document.words)


def serve(source: BinaryIO, target: BinaryIO, limits: Limits, work: Callable[[Document], Extracted]) -> None:
    """Answer documents until the socket is closed or much memory has been used."""
    decoder = msgspec.msgpack.Decoder(Document)
    while length := source.read(LENGTH_BYTES):
        document = decoder.decode(source.read(int.from_bytes(length)))
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_s)
        answer = _answer(document, work)
        full = _is_full(limits.memory_bytes * _FULL)
        answer = msgspec.structs.replace(answer, last=full or bool(answer.error))
        _send(target, msgspec.msgpack.encode(answer))
        if answer.last:
            return


def _send(target: BinaryIO, frame: bytes) -> None:
    target.write(len(frame).to_bytes(LENGTH_BYTES) + frame)
    target.flush()


def _is_full(most: float) -> bool:
    """Return whether this process has ever held more than ``most`` bytes.

    What `resource` tells begins with the peak of the parent, and costs less to ask.
    """
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 <= most:
        return False
    try:
        found = _PEAK.search(Path("/proc/self/status").read_text("ascii", "replace"))
    except OSError:
        found = None
    return found is None or int(found[1]) * 1024 > most


def _limit(what: int, most: int) -> None:
    """Set a limit, or keep to the lower one under which the crawl itself runs."""
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _answer(document: Document, work: Callable[[Document], Extracted]) -> Answer:
    try:
        return Answer(extracted=work(document))
    except UnreadableError as error:
        return Answer(unreadable=str(error))
    except (MemoryError, SelectolaxError):
        return Answer(error=MEMORY)
    except Exception as error:  # noqa: BLE001 the document's own edge
        return Answer(error=type(error).__name__)


def run(work: Callable[[Document], Extracted]) -> None:
    """Serve on standard input and output, under the limits that the first argument gives as JSON."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for number in (signal.SIGXCPU, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    _send(target, READY)
    serve(source, target, limits, work)


if __name__ == "__main__":
    run(take_apart)
