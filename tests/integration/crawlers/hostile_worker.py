"""A reader of documents that does what a hostile document might make the real one do."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from crawlers.extraction import Extracted
from crawlers.extraction.worker import Document, run, take_apart


def work(document: Document) -> Extracted:
    if b"crash" in document.body:
        os.kill(os.getpid(), signal.SIGSEGV)
    while b"loop" in document.body:
        pass
    if b"sleep" in document.body:
        time.sleep(60)
    if b"swell" in document.body:
        return Extracted(text=str(len(bytearray(4_000_000_000))))
    if b"flood" in document.body:
        return Extracted(text="x" * 40_000_000)
    if b"secret" in document.body:
        return Extracted(text=" ".join(sorted(os.environ)))
    if b"write" in document.body:
        Path(document.url).write_text("words")
    if b"number" in document.body:
        return Extracted(text=str(os.getpid()))
    if b"print" in document.body:
        os.write(1, b"noise")
    return take_apart(document)


if __name__ == "__main__":
    run(work)
