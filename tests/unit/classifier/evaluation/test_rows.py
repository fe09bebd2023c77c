import pytest

from classifier.evaluation.rows import DataError, check, read
from classifier.examples import CORPUS
from tests.unit.classifier.evaluation.judges import page, write


def rows_of(path):
    return list(read([check(path)]))


def test_every_field_is_read_under_each_of_its_names(tmp_path):
    path = write(
        tmp_path / "a.jsonl",
        [
            {
                "id": 7,
                "text": "T",
                "title": "H",
                "of_concern": True,
                "lang": "fr",
                "kind": "blog",
                "subject": ["firearm"],
                "technique": "repair",
                "source": "s",
                "unknown": {"is": "ignored"},
            },
            page(2, "x", 0, subjects=[], hard=True),
            page(3, "x", 0, about_firearms=True),
            page(4, "x", 0, about_firearms=False),
        ],
    )
    first, second, third, fourth = rows_of(path)
    assert (first.id, first.title, first.of_concern, first.language, first.kind) == ("7", "H", True, "fr", "blog")
    assert (first.subjects, first.techniques, first.source) == (("firearm",), ("repair",), "s")
    assert (first.file, first.line, first.stratum) == ("a.jsonl", 1, "of concern")
    assert (second.subjects, second.techniques, second.source, second.kind) == ((), None, "a", "not given")
    assert [row.stratum for row in (second, third, fourth)] == ["hard", "about firearms", "neutral"]


def test_gzip_is_told_by_its_bytes_and_not_by_its_name(tmp_path):
    path = write(tmp_path / "packed.jsonl", [page(1, "x", 1), page(2, "y", 0)], packed=True)
    held = check(path)
    assert (held.rows, held.positives, held.labelled) == (2, 1, True)
    assert [row.text for row in rows_of(path)] == ["x", "y"]


def test_a_file_without_any_label_is_of_harmless_pages_and_says_so(tmp_path):
    held = check(write(tmp_path / "a.jsonl", [page(1, "x", None), page(2, "y", None)]))
    assert not held.labelled
    assert held.positives == 0


@pytest.mark.parametrize(
    ("given", "read_as"), [("zh-Hant", "zh"), ("EN_us", "en"), ("und", None), ("", None), ("tr", "tr")]
)
def test_a_language_is_the_first_part_of_its_tag(tmp_path, given, read_as):
    assert rows_of(write(tmp_path / "a.jsonl", [page(1, "x", 1, language=given)]))[0].language == read_as


def test_the_training_corpus_is_read_as_it_is_with_the_language_of_its_file_name():
    rows = rows_of(CORPUS / "fr.jsonl")
    assert {row.language for row in rows} == {"fr"}
    assert any(row.of_concern and row.subjects and row.techniques for row in rows)
    assert "tutorial" in {row.kind for row in rows}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"{", "line 2"),
        (b'{"id": "a"}', "line 2.*text"),
        (b'{"id": "a", "text": 3}', "line 2.*text"),
        (b'{"id": "a", "text": "x", "label": 2}', "line 2.*0 or 1"),
        (b'{"id": "a", "text": "x", "label": "yes"}', "line 2.*label"),
        (b'{"id": "a", "text": "x", "label": 1, "of_concern": false}', "line 2.*contradict"),
        (b'{"id": "a", "text": "x", "label": 1, "subjects": ["cannon"]}', "line 2.*'cannon'.*taxonomy: firearm"),
        (b'{"id": "a", "text": "x", "label": 1, "technique": "sewing"}', "line 2.*'sewing'"),
        (b'{"id": "a", "text": "x"}', "line 2.*no `label`"),
        (b'{"id": "a", "text": "\xff", "label": 1}', "line 2"),
        (b'["a"]', "line 2"),
    ],
)
def test_a_bad_line_is_named_by_file_and_number(tmp_path, line, complaint):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"id": "ok", "text": "x", "label": 0}\n' + line + b"\n")
    with pytest.raises(DataError, match=f"bad.jsonl, {complaint}"):
        check(path)


def test_a_missing_an_empty_and_a_cut_off_file_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        check(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_bytes(b"\n \n")
    with pytest.raises(DataError, match=r"empty\.jsonl: there is no page"):
        check(tmp_path / "empty.jsonl")
    path = write(tmp_path / "cut.gz", [page(i, f"text {i * 7919}", 0) for i in range(500)], packed=True)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"cut\.gz: damaged after line \d+"):
        check(path)
