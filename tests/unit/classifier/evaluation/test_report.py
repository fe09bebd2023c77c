import json
import re

import pytest

from classifier import examples
from classifier.evaluation import worst
from classifier.evaluation.markdown import BEGIN, END, MarkersError, card_tables, documentation_tables, placed
from classifier.evaluation.page import report_html
from classifier.evaluation.report import as_json, text_of
from classifier.evaluation.running import Plan, check_all, evaluate
from classifier.evaluation.summary import goals, languages, measures
from tests.unit.classifier.evaluation.judges import WordJudge, page, write

MARKER = "zyxmarkerword"
PLAN = Plan(hidden=True, disguised=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rows = [
        page(1, f"flag parts the {MARKER}", 1, title=MARKER, subjects=["firearm"], techniques=["manufacture"]),
        page(2, f"nothing the {MARKER}", 1, title=MARKER, subjects=["firearm"], techniques=["repair"], kind="blog"),
        page(3, f"flag the {MARKER}", 0, title=MARKER, kind="<b>news</b>"),
        page(4, f"calm {MARKER} " * 40, 0),
        page(5, f"calm {MARKER} " * 40, 0, language="fr"),
    ]
    unlabelled = [page(6, f"fremd {MARKER}", None, language="tr", hard=True), page(7, f"hm {MARKER}", None)]
    return [write(folder / "a.jsonl", rows), write(folder / "b.jsonl.gz", unlabelled, packed=True)]


@pytest.fixture(scope="module")
def report(data):
    files = check_all(data, lambda *_: None)
    return evaluate(WordJudge(), files, PLAN, lambda *_: None)


@pytest.fixture(scope="module")
def html(report):
    return report_html(report)


def test_the_json_has_a_stable_form(report):
    made = as_json(report)
    assert list(made) == ["schema", "model", "data", "notes", "goals", "pages", "derived", "cross_validation"]
    assert made["schema"] == "evaluation/1"
    assert made["model"] == {"version": "words-1", "encoder": "none", "threshold": 0.5}
    assert list(made["pages"]) == [
        "overall",
        "outcomes",
        "foreign",
        "average_precision",
        "roc_auc",
        "calibration_error",
        "brier",
        "precision_at_base_rates",
        "subjects",
        "techniques",
        "tables",
        "reliability",
        "curve",
        "histogram",
        "missed",
        "false_alarms",
    ]
    assert list(made["pages"]["overall"]) == [
        "values",
        "pages",
        "of_concern",
        "harmless",
        "flagged",
        "unsupported",
        "undetermined",
        "recall",
        "precision",
        "false_positive_rate",
    ]
    assert made["pages"]["overall"]["recall"] == {"value": 0.5, "low": 0.094531, "high": 0.905469, "count": 1, "of": 2}
    assert made["pages"]["outcomes"] == {"flagged": 2, "not_flagged": 4, "unsupported": 1}
    assert made["cross_validation"] is None


def test_the_same_data_give_the_same_bytes_and_floats_have_six_digits(report, html, data):
    again = evaluate(WordJudge(), check_all(data, lambda *_: None), PLAN, lambda *_: None)
    assert text_of(report) == text_of(again)
    assert html == report_html(again)
    assert not re.search(r"\d\.\d{7}", text_of(report))
    assert json.loads(text_of(report)) == as_json(report)


def test_the_notes_say_what_is_missing_from_the_data(report):
    assert any("b.jsonl.gz has no labels: its 2 pages count as harmless" in note for note in report.notes)
    assert any(
        "1 pages are in languages that the model does not judge, and in none of the rates: 1 were" in note
        for note in report.notes
    )
    assert any("1 pages have too little text" in note for note in report.notes)


def test_labels_are_counted_on_flagged_guides_only(report):
    assert report.pages.subjects.pages == 1
    by_name = {one.label: one for one in report.pages.subjects.labels}
    assert (by_name["firearm"].f1, by_name["part_or_component"].predicted) == (1.0, 1)
    assert report.pages.techniques.macro_f1 == 1.0


def test_errors_are_listed_with_their_reasons(report):
    missed = report.pages.missed[0]
    assert (missed.id, missed.file, missed.line, missed.kind) == ("p2", "a.jsonl", 2, "blog")
    assert missed.reason == "strongest passage 0.10: form of a guide 0.70, subject 0.60; reads as museum history"
    passage = missed.passages[0]
    assert (passage.start, passage.end) == (0, len(f"nothing the {MARKER}"))
    assert [word for word, _ in passage.words] == ["nothing", "the"]
    assert passage.words_withheld == 1
    assert [error.id for error in report.pages.false_alarms] == ["p3"]


def test_no_text_and_no_title_of_a_page_is_in_any_output(report, html):
    written = [text_of(report), html, card_tables(report), documentation_tables(report)]
    for one in written:
        assert MARKER not in one.lower()
        assert "calm" not in one
    assert all("p2" in one for one in written[:2])


def test_only_words_of_the_corpus_are_published():
    chinese = next(example for example in examples.corpus(languages=("zh",)))
    assert worst.published("the")
    assert not worst.published(MARKER)
    assert worst.published(re.search(r"[\u4e00-\u9fff]{2}", chinese.text).group())
    assert not worst.published("龘靐")


def test_the_page_needs_no_script_and_no_network_and_escapes_what_it_is_given(html):
    assert "<script" not in html
    assert not re.search(r"""(?:src|href)=["'](?!#)""", html.replace("xlink:href", "xlink"))
    assert "<b>news</b>" not in html
    assert "&lt;b&gt;news&lt;/b&gt;" in html
    assert html.count("<svg") == 4
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert not re.search(r"#0(\d)0\1\x30\1", html)


def test_a_report_of_harmless_pages_only_and_one_without_a_page_are_written_too(data):
    files = check_all(data[1:], lambda *_: None)
    harmless = evaluate(WordJudge(), files, Plan(), lambda *_: None)
    assert harmless.pages.overall.recall is None
    assert "<svg" in report_html(harmless)
    nothing = evaluate(WordJudge(), (), Plan(), lambda *_: None)
    assert "<svg" not in report_html(nothing)
    for made in (harmless, nothing):
        assert documentation_tables(made).startswith("### Measured")
        assert json.loads(text_of(made))["derived"] is None


def test_tables_go_between_the_markers_and_leave_the_prose(report):
    before, after = "# Classifier\n\nProse.\n\n", "\n\nMore prose.\n"
    once = placed(f"{before}{BEGIN}\n\nbygone\n\n{END}{after}", card_tables(report))
    assert once.startswith(before)
    assert once.endswith(after)
    assert "bygone" not in once
    assert placed(once, card_tables(report)) == once
    assert placed("", "x") == f"{BEGIN}\n\nx\n\n{END}\n"
    assert placed("Prose.\n", "x") == f"Prose.\n\n{BEGIN}\n\nx\n\n{END}\n"
    for broken in (f"{BEGIN} only", f"{END} only", f"{END} {BEGIN}"):
        with pytest.raises(MarkersError):
            placed(broken, "x")


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head(report):
    for block in documentation_tables(report).split("\n\n"):
        if block.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_the_terminal_gets_compact_tables(report):
    assert measures(report.pages)["recall, %"] == "50.0 (9.5 to 90.5)"
    assert languages(report.pages).row_count == 3
    assert goals(report.goals).row_count == len(report.goals)
