from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.benchmarks.extraction import BEGIN, END, EXTRACTORS, measure, placed, read, score, tables, words


def test_words_count_as_often_as_they_occur_in_both_texts() -> None:
    found = score(words("one one two, THREE three"), words("One two three four four"))
    assert (found.precision, found.recall) == (3 / 5, 3 / 5)
    assert found.f1 == pytest.approx(3 / 5)


@pytest.mark.parametrize(("text", "f1"), [("", 0.0), ("other", 0.0), ("Gold, words!", 1.0)])
def test_nothing_scores_nothing_and_all_scores_one(text: str, f1: float) -> None:
    assert score(words(text), words("gold words")).f1 == f1


def test_tables_go_between_the_markers() -> None:
    assert placed(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\n\nnew\n\n{END} b"
    with pytest.raises(ValueError, match="no place"):
        placed(f"a {END} {BEGIN}", "new")


def test_pages_without_a_gold_text_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "pages.tar"
    with tarfile.open(path, "w") as archive:
        for number, gold in enumerate(["A harmless text of some words.", "", None]):
            truth = {"ground_truth": {} if gold is None else {"main_content": gold}, "_internal": KIND}
            add(archive, f"dev_gt/{number:04}.json", json.dumps(truth).encode())
            add(archive, f"dev/{number:04}.html.gz", gzip.compress(f"<p>{gold}</p>".encode()))
    pages, without = read(path)
    assert (len(pages), without) == (1, 2)
    measured = {"guidewatch": measure(EXTRACTORS["guidewatch"], pages)}
    assert "| guidewatch | 1.000 | 1.000 | 1.000 |" in tables(measured, pages, without)


KIND = {"page_type": {"primary": "article"}}


def add(archive: tarfile.TarFile, name: str, body: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(body)
    archive.addfile(member, io.BytesIO(body))
