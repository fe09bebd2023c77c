"""What `guidewatch score` reads: one bad input is named, and loses none of the others."""

import codecs
import io
import json
import os
import sys
import threading

import pytest

from guidewatch.demo.pages import WEB
from guidewatch.documents import Given, Unreadable, of_files, of_lines

TEXT = "A page about a garden, with trees."
HTML = f"<html><title>Trees</title><body><p>{TEXT}</p></body></html>"


def read(tmp_path, *lines):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path, list(of_lines(str(path)))


def line(name, **fields):
    return json.dumps({"id": name, **fields}).encode()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"{broken", "malformed"),
        (b'{"id": "x"}', "either text or html"),
        (b'{"id": "x", "text": "a", "html": "b"}', "either text or html"),
        (b'{"id": "x", "text": null}', "either text or html"),
        (b'{"text": "a"}', "id"),
        (b'{"id": "x", "text": 5}', "$.text"),
        (b'{"id": "x", "html": ["a"]}', "$.html"),
        (b'{"id": "x", "text": "\\ud800", "title": 5}', "$.title"),
        (b'{"id": 1.5, "text": "a"}', "$.id"),
        (b'{"id": %s, "text": "a"}' % (b"1" * 5_000), "out of range"),
        (b'["x"]', "array"),
        (b"\xff\xfe", "malformed"),
        (b'{"id": "x", "text": "\xff"}', "utf-8"),
        (b"[" * 100_000, "array"),
        (b'{"id": "x", "text": ' * 50_000, ""),
    ],
)
def test_a_bad_line_is_named_and_those_around_it_are_read(tmp_path, bad, words):
    path, found = read(tmp_path, line("a", text=TEXT), bad, line("b", text=TEXT))
    before, wrong, after = found
    assert [before.id, after.id] == ["a", "b"]
    assert isinstance(wrong, Unreadable)
    assert wrong.where == f"{path}, line 2"
    assert words in wrong.reason
    assert "\n" not in wrong.reason


def test_blank_lines_are_skipped_and_counted(tmp_path):
    _, found = read(tmp_path, b"", line("a", text=TEXT), b"  \r", b"{", line(7, text=TEXT, title=None))
    assert [one.id if isinstance(one, Given) else one.where[-6:] for one in found] == ["a", "line 4", 7]


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(tmp_path):
    _, found = read(tmp_path, codecs.BOM_UTF8 + line("a", text=TEXT), line("b", html="\ufeff" + HTML))
    assert [(one.id, one.document.text) for one in found] == [("a", TEXT), ("b", TEXT)]


def test_json_lines_in_utf_16_are_said_once(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": "a", "text": "b"}\n' * 10, encoding="utf-16")
    (found,) = of_lines(str(path))
    assert "UTF-16" in found.reason


@pytest.mark.parametrize("field", ["text", "html"])
def test_half_a_character_is_replaced_and_the_page_is_read(tmp_path, field):
    half = f'{{"id": "a\\udfff", "title": "t\\ud83d", "{field}": "half \\ud800 and whole \\ud83d\\ude00"}}'.encode()
    _, (found,) = read(tmp_path, half)
    assert found.id == "a\ufffd"
    assert found.document.text == "half \ufffd and whole \U0001f600"
    assert field == "html" or found.document.title == "t\ufffd"


def test_control_characters_reach_the_classifier_as_they_are(tmp_path):
    every = "".join(map(chr, range(32))) + "\x7f\x85\u2028"
    raw = b'{"id": "raw", "text": "a\tb\x01c"}'
    _, found = read(tmp_path, line("escaped", text=every), raw)
    assert [one.document.text for one in found] == [every, "a\tb\x01c"]


def test_lines_are_read_from_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(line("a", text=TEXT) + b"\n",))
    writer.start()
    found = list(of_lines(str(pipe)))
    writer.join(5)
    assert [one.id for one in found] == ["a"]


def test_lines_are_read_from_standard_input_unless_it_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(line("a", text=TEXT) + b"\n{")))
    found = list(of_lines("-"))
    assert found[0].id == "a"
    assert found[1].where == "standard input, line 2"
    monkeypatch.setattr(sys, "stdin", None)
    assert [one.reason for one in of_lines("-")] == ["is closed"]


def test_a_source_of_lines_that_is_not_there_or_a_folder_is_named(tmp_path):
    for path, words in ((tmp_path / "none", "No such file"), (tmp_path, "directory")):
        (found,) = of_lines(str(path))
        assert found.where == str(path)
        assert words in found.reason


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.pdf", b"%PDF-1.7 and nothing of the kind", "pdf cannot be parsed"),
        ("a.pdf", b"", "pdf cannot be parsed"),
        ("a.gif", b"GIF89a", "not one of .htm"),
        ("a", b"\x89PNG\r\n\x1a\n" + bytes(99), "neither HTML nor text nor PDF"),
        ("a.txt", None, "No such file"),
    ],
)
def test_a_bad_file_is_named_and_those_around_it_are_read(tmp_path, name, body, words):
    good = tmp_path / "good.txt"
    good.write_text(TEXT)
    bad = tmp_path / name
    if body is not None:
        bad.write_bytes(body)
    before, wrong, after = of_files([good, bad, good])
    assert before == after == Given(str(good), before.document)
    assert wrong.where == str(bad)
    assert words in wrong.reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("name", "content"), [("a.txt", TEXT), ("a.html", HTML), ("a", TEXT), ("a", HTML)])
def test_files_may_begin_with_a_byte_order_mark(tmp_path, name, content, encoding):
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    path = tmp_path / name
    path.write_text(mark + content, encoding=encoding)
    (found,) = of_files([path])
    assert found.document.text == TEXT


@pytest.mark.parametrize("content", [TEXT.encode(), HTML.encode(), None], ids=["text", "html", "pdf"])
def test_what_comes_through_a_pipe_is_known_by_its_content(tmp_path, content):
    body = next(WEB.rglob("*.pdf")).read_bytes() if content is None else content
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(body,))
    writer.start()
    (found,) = of_files([pipe])
    writer.join(5)
    assert len(found.document.text) >= len(TEXT)
    assert "<" not in found.document.text


def test_a_folder_with_the_name_of_a_page_is_named(tmp_path):
    (tmp_path / "a.html").mkdir()
    (found,) = of_files([tmp_path / "a.html"])
    assert "directory" in found.reason


def test_a_file_whose_name_is_not_unicode_has_an_id_that_can_be_written(tmp_path):
    path = tmp_path / "\udcff.txt"
    path.write_text(TEXT)
    (found,) = of_files([path])
    assert found.id == f"{tmp_path}/\ufffd.txt"
