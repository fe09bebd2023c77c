"""The contract of `guidewatch score`: others build on it."""

import json

from guidewatch.demo import truth
from guidewatch.demo.pages import WEB
from tests.e2e import processes

KEYS = [
    "id",
    "flagged",
    "score",
    "threshold",
    "language",
    "outcome",
    "subjects",
    "techniques",
    "context",
    "passages",
    "model",
]
HOLLOW = "Welcome to part two of my home-made pistol guide. Do the first stage as in picture one, compare, then go on."


def lines(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_json_lines_in_json_lines_out_in_order():
    given = [
        {"id": "b", "title": "A guide", "text": HOLLOW},
        {"id": "a", "text": "The garden lies behind the old house, and the neighbours water its trees."},
        {
            "id": "h",
            "url": "https://example.org/",
            "html": f"<html><title>Guide</title><body><p>{HOLLOW}</p></body></html>",
        },
        {
            "id": "d",
            "text": "Der Garten liegt hinter dem alten Haus, und die Nachbarn gießen seine Bäume jeden Morgen. " * 3,
        },
        {"id": "e", "text": ""},
    ]
    found = lines(processes.run("score", "--jsonl", "-", stdin="\n".join(map(json.dumps, given)).encode()))
    assert [line["id"] for line in found] == ["b", "a", "h", "d", "e"]
    for line in found:
        assert list(line) == KEYS
        assert line["flagged"] == (line["outcome"] == "flagged") == (line["score"] >= line["threshold"])
    assert [line["outcome"] for line in found] == ["flagged", "not_flagged", "flagged", "unsupported", "not_flagged"]
    first = found[0]
    assert set(first["subjects"]) == {"firearm", "part_or_component", "ammunition"}
    passage = first["passages"][0]
    assert HOLLOW[passage["start"] : passage["end"]].startswith("Welcome")
    assert passage.keys() == {"start", "end", "score"}
    assert first["context"] is None
    assert found[1]["context"] is None  # the screen found it clear


def test_files_of_three_kinds(tmp_path):
    text = tmp_path / "page.txt"
    text.write_text(HOLLOW)
    html = next(
        page for page in truth() if page.site == "fr" and page.label == "positive" and page.path.endswith(".html")
    )
    pdf = next(page for page in truth() if page.path.endswith(".pdf") and page.label == "positive")
    paths = [str(text), *(str(WEB / page.site / page.path.lstrip("/")) for page in (html, pdf))]
    found = lines(processes.run("score", *paths))
    assert [line["id"] for line in found] == paths
    assert [line["language"] for line in found] == ["en", "fr", "es"]
    assert all(line["flagged"] for line in found)


def test_texts_without_measure_are_judged():
    garden = "A page about a garden, its trees and its neighbours. "
    given = [
        {"id": "ten megabytes", "text": garden * 200_000},
        {"id": "one word", "text": "x" * 1_000_000},
        {"id": "control", "text": "".join(map(chr, range(32))) + garden + "\x7f\x9b\u202e"},
        {"id": "half", "text": "\ud800" + garden},
        {"id": "html", "html": "<p>" + "<b>" * 5_000 + garden},
    ]
    found = lines(processes.run("score", "--jsonl", "/dev/stdin", stdin="\n".join(map(json.dumps, given)).encode()))
    assert [line["id"] for line in found] == [one["id"] for one in given]
    assert not any(line["flagged"] for line in found)
