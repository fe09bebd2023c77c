"""`make bench`: the screen and the default encoder against sentence-transformers on every passage, in one run.

The pages are those of the sample web, and every third of its guides again inside a page twenty times as long. Each way
judges the same pages with one thread; what is compared is CPU time. Recall is compared with the same model without its
screen. The start and the memory are those of fresh processes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from threadpoolctl import threadpool_limits

from classifier import Classifier, Document, load
from classifier.choosing import choose
from classifier.evaluation.hiding import Background
from classifier.evaluation.rows import Row
from classifier.screen import Screen
from classifier.verdict import Verdict
from guidewatch.demo.pages import WEB, truth
from guidewatch.documents import Given, of_files

BATCH = 32
EVERY = 6
"""Of so many guides one is hidden in a long page too."""


def pages() -> Iterator[Row]:
    """Yield the pages of the sample web that are judged."""
    for page in truth():
        path = WEB / page.site / page.path.lstrip("/")
        if page.label not in ("positive", "negative") or not path.is_file():
            continue
        for found in of_files([path]):
            if isinstance(found, Given):
                concern = page.label == "positive"
                stratum = "of concern" if concern else "hard" if page.subjects else "neutral"
                yield Row(
                    str(path), found.document.text, found.document.title, concern, page.language, page.kind,
                    page.subjects, page.techniques, page.site, stratum, "", 0,
                )  # fmt: skip


def mixed() -> tuple[list[Document], list[bool]]:
    """Return the pages of the benchmark and which are of concern."""
    rows = list(pages())
    random = Random(0)
    background = Background(rows, random)
    guides = [row for row in rows if row.of_concern]
    hidden = [page for row in guides[::EVERY] if (page := background.hide(row, random)) is not None]
    documents = [Document(row.text, row.title) for row in rows] + hidden
    return documents, [row.of_concern for row in rows] + [True] * len(hidden)


def judged(classifier: Classifier, documents: Sequence[Document]) -> tuple[list[Verdict], float]:
    """Return the verdicts, and the CPU seconds that they took."""
    classifier.judge(documents[:1])
    began = time.process_time()
    verdicts: list[Verdict] = []
    for start in range(0, len(documents), BATCH):
        verdicts += classifier.judge(documents[start : start + BATCH])
    return verdicts, time.process_time() - began


def every_passage(documents: Sequence[Document], model: str) -> float:
    """Return the CPU seconds of sentence-transformers for every passage of the pages, and nothing else."""
    from classifier.encoders.transformers import SentenceTransformersEncoder

    encoder = SentenceTransformersEncoder(model, threads=1)
    encoder.encode(["warm"])
    began = time.process_time()
    for document in documents:
        encoder.encode(choose(document).texts)
    return time.process_time() - began


def recall(verdicts: Sequence[Verdict], concern: Sequence[bool]) -> float:
    """Return the share of the pages of concern that are flagged."""
    flagged = [verdict.flagged for verdict, of_concern in zip(verdicts, concern, strict=True) if of_concern]
    return sum(flagged) / len(flagged)


def fresh_process(python: str) -> tuple[float, float]:
    """Return the seconds from the start of `guidewatch score` to its first verdict, on the clock and of CPU."""
    line = json.dumps({"id": "a", "text": "A page about a garden behind an old house."}).encode() + b"\n"
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([python, "-m", "guidewatch", "score", "--jsonl", "-"], input=line, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


WORKER = """
import re
from pathlib import Path
import consumers.classify, consumers.work, kafka
from tests.benchmarks.cascade import BATCH, load, mixed
documents, _ = mixed()
classifier = load()
for start in range(0, len(documents), BATCH):
    classifier.judge(documents[start : start + BATCH])
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def worker_memory_mb(python: str) -> float:
    """Return the peak resident memory, in MB, of a process with all that a classify worker loads, after the pages.

    Linux tells it by process; what `resource` tells begins with the peak of the parent.
    """
    done = subprocess.run([python, "-c", WORKER], capture_output=True, check=True)
    return float(done.stdout) / 1024


def main() -> None:
    """Print the table, and write it to ``--json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transformer", required=True, help="a sentence-transformers model: id or folder")
    parser.add_argument(
        "--python", default=sys.executable, help="of the installation whose start and memory are measured"
    )
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    wall_s, cpu_s = fresh_process(options.python)
    with threadpool_limits(1):
        documents, concern = mixed()
        classifier = load()
        verdicts, cascade_s = judged(classifier, documents)
        texts = sum(len(choose(document, classifier.screen).texts) for document in documents)
        classifier.screen = Screen(classifier.screen.models, bound=0.0, clear=0.0, most=sys.maxsize)
        without, unscreened_s = judged(classifier, documents)
        transformers_s = every_passage(documents, options.transformer)
    found = {
        "pages": len(documents),
        "pages of concern": sum(concern),
        "passages": sum(choose(document).total for document in documents),
        "texts that reach the encoder": texts,
        "cascade, CPU ms a page": cascade_s / len(documents) * 1e3,
        "every passage, same encoder, CPU ms a page": unscreened_s / len(documents) * 1e3,
        "every passage, sentence-transformers, CPU ms a page": transformers_s / len(documents) * 1e3,
        "cascade against sentence-transformers, times": transformers_s / cascade_s,
        "recall of the cascade": recall(verdicts, concern),
        "recall of every passage": recall(without, concern),
        "first verdict of a fresh process, s": wall_s,
        "first verdict of a fresh process, CPU s": cpu_s,
        "peak resident memory of a worker, MB": worker_memory_mb(options.python),
    }
    for name, value in found.items():
        sys.stdout.write(f"{name:55} {value:10,.3f}\n" if isinstance(value, float) else f"{name:55} {value:10,}\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
