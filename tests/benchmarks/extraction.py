"""`make bench-extraction`: main text against gold text on real pages, guidewatch beside resiliparse and trafilatura.

The pages stay where they are: a tar of ``dev/ID.html.gz`` and ``dev_gt/ID.json``. A word is a run of letters, digits
and underscores, case folded; a page's precision and recall count each word as often as it occurs in both texts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import trafilatura
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from crawlers.extraction.charset import decode
from crawlers.extraction.main_text import main_text

BEGIN = "<!-- bench-extraction: begin (written by `make bench-extraction`) -->"
END = "<!-- bench-extraction: end -->"
WORD = re.compile(r"\w+")
WARM_UP = 5


class Page(NamedTuple):
    """One page: its type, its bytes, and the words of its gold text."""

    kind: str
    body: bytes
    gold: Counter[str]


class Score(NamedTuple):
    """Word-level scores of one page, or their means."""

    precision: float
    recall: float
    f1: float


def words(text: str) -> Counter[str]:
    """Return how often each word occurs."""
    return Counter(WORD.findall(text.casefold()))


def score(found: Counter[str], gold: Counter[str]) -> Score:
    """Return the scores of the words that were found; nothing found scores nothing."""
    both = (found & gold).total()
    if not both:
        return Score(0.0, 0.0, 0.0)
    precision, recall = both / found.total(), both / gold.total()
    return Score(precision, recall, 2 * precision * recall / (precision + recall))


def read(path: Path) -> tuple[list[Page], int]:
    """Return the pages that have a gold text, and how many have none."""
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers() if member.isfile()}
        parts = {name: stream.read() for name, stream in files.items() if stream is not None}
    pages, without = [], 0
    for name in sorted(name for name in parts if name.startswith("dev_gt/")):
        truth = json.loads(parts[name])
        gold = words(truth["ground_truth"].get("main_content") or "")
        if gold:
            body = gzip.decompress(parts[f"dev/{Path(name).stem}.html.gz"])
            pages.append(Page(truth["_internal"]["page_type"]["primary"], body, gold))
        else:
            without += 1
    return pages, without


def resiliparse_alone(body: bytes) -> str:
    """Return what resiliparse takes for main content."""
    tree = HTMLTree.parse(decode(body)[0])
    return str(extract_plain_text(tree, main_content=True, list_bullets=False, alt_texts=False))


EXTRACTORS: dict[str, Callable[[bytes], str | None]] = {
    "guidewatch": lambda body: main_text(decode(body)[0]),
    "resiliparse alone": resiliparse_alone,
    "trafilatura": trafilatura.extract,
    "trafilatura, fast": lambda body: trafilatura.extract(body, fast=True),
    "trafilatura, favouring recall": lambda body: trafilatura.extract(body, favor_recall=True),
}


class Measured(NamedTuple):
    """One extractor on all pages: its scores, page by page, and CPU milliseconds a page."""

    scores: list[Score]
    cpu_ms: float


def measure(extract: Callable[[bytes], str | None], pages: Sequence[Page]) -> Measured:
    """Run an extractor over all pages, after a few that do not count."""
    for page in pages[:WARM_UP]:
        extract(page.body)
    began = time.process_time()
    texts = [extract(page.body) or "" for page in pages]
    took = time.process_time() - began
    scores = [score(words(text), page.gold) for text, page in zip(texts, pages, strict=True)]
    return Measured(scores, took / len(pages) * 1e3)


def mean(scores: Sequence[Score]) -> Score:
    """Return the means over pages."""
    return Score(*(fmean(column) for column in zip(*scores, strict=True)))


def tables(measured: dict[str, Measured], pages: Sequence[Page], without: int) -> str:
    """Return the tables as Markdown."""
    kilobytes = fmean(len(page.body) for page in pages) / 1e3
    rows = []
    for name, (scores, cpu_ms) in measured.items():
        all_of_it = mean(scores)
        figures = (f"{all_of_it.f1:.3f}", f"{all_of_it.precision:.3f}", f"{all_of_it.recall:.3f}", f"{cpu_ms:.1f}")
        rows.append((name, *figures))
    kinds = Counter(page.kind for page in pages)
    intro = (
        f"{len(pages)} pages with a gold text ({without} without are left out), {kilobytes:.0f} kB each on average; "
        f"resiliparse {version('resiliparse')}, trafilatura {version('trafilatura')}."
    )
    parts = [intro, table(("extractor", "F1", "precision", "recall", "CPU ms a page"), rows)]
    for title, field in (("F1", "f1"), ("Recall", "recall")):
        rows = [
            (f"{kind} ({count})", *(f"{getattr(of_kind(m, pages, kind), field):.3f}" for m in measured.values()))
            for kind, count in kinds.most_common()
        ]
        parts.append(f"{title} by type of page:")
        parts.append(table(("type (pages)", *measured), rows))
    return "\n\n".join(parts)


def of_kind(measured: Measured, pages: Sequence[Page], kind: str) -> Score:
    """Return the mean scores on the pages of one type."""
    return mean([one for one, page in zip(measured.scores, pages, strict=True) if page.kind == kind])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(text: str, content: str) -> str:
    """Return ``text`` with ``content`` between the markers.

    Raises
    ------
    ValueError
        The markers are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no place for the tables: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"


def main() -> None:
    """Measure, print, and write the tables where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, help="tar file with the pages and their gold texts")
    parser.add_argument("--markdown", type=Path, help="file with markers, between which the tables are written")
    options = parser.parse_args()
    pages, without = read(options.pages)
    measured = {name: measure(extract, pages) for name, extract in EXTRACTORS.items()}
    content = tables(measured, pages, without)
    sys.stdout.write(f"{content}\n")
    if options.markdown:
        options.markdown.write_text(placed(options.markdown.read_text("utf-8"), content), "utf-8")


if __name__ == "__main__":
    main()
