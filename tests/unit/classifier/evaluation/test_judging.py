import numpy as np

from classifier.evaluation.judging import judge_rows, judged
from classifier.evaluation.rows import check, read
from classifier.evaluation.tables import cell, table
from classifier.verdict import Document
from tests.unit.classifier.evaluation.judges import WordJudge, page, write


def results(tmp_path, rows, worst=5, told=lambda *_: None):
    held = check(write(tmp_path / "a.jsonl", rows))
    return judge_rows(WordJudge(), read([held]), held.rows, worst=worst, progress=told)


def test_long_work_goes_in_batches_of_bounded_size_and_tells_how_far_it_is(tmp_path):
    told = []
    results(tmp_path, [page(i, "x") for i in range(150)], told=lambda *step: told.append(step))
    assert told[0] == ("judging pages", 32, 150)
    assert told[-1] == ("judging pages", 150, 150)
    assert len(told) == 5
    judge = WordJudge()
    list(judged(judge, ((i, Document("x" * 400_000)) for i in range(7))))
    assert judge.batches == [3, 3, 1]


def test_an_unsupported_page_is_an_outcome_of_its_own_and_never_not_flagged(tmp_path):
    found = results(
        tmp_path,
        [page(1, "fremd", 0, language="tr"), page(2, "fremd", 1, language="tr"), page(3, "plain", 0)],
    )
    whole = cell((), found.pages)
    assert (whole.pages, whole.unsupported) == (3, 2)
    assert whole.recall is None
    assert whole.false_positive_rate.of == 1
    assert found.missed == []


def test_a_page_declared_foreign_is_in_no_rate_whatever_it_was_taken_for(tmp_path):
    rows = [page(1, "plain", 0, language="tr"), page(2, "flag", 0, language="tr"), page(3, "flag", 1, language="tr")]
    found = results(tmp_path, [*rows, page(4, "plain", 0)])
    whole = cell((), found.pages)
    assert (whole.unsupported, whole.flagged, whole.recall, whole.precision) == (3, 0, None, None)
    assert (whole.false_positive_rate.count, whole.false_positive_rate.of) == (0, 1)
    assert [error.judged.id for error in found.alarms] == ["p2"]


def test_a_guide_in_one_of_the_six_that_is_taken_for_another_language_is_missed(tmp_path):
    found = results(tmp_path, [page(1, "fremd", 1), page(2, "flag", 1), page(3, "fremd", 0)])
    whole = cell((), found.pages)
    assert (whole.recall.count, whole.recall.of, whole.unsupported) == (1, 2, 2)
    assert whole.false_positive_rate is None
    assert [error.judged.id for error in found.missed] == ["p1"]


def test_a_page_of_unknown_language_is_judged_and_counted_as_such(tmp_path):
    whole = cell((), results(tmp_path, [page(1, "hm", 0), page(2, "hm flag", 0)]).pages)
    assert (whole.undetermined, whole.false_positive_rate.count, whole.false_positive_rate.of) == (2, 1, 2)


def test_the_worst_errors_are_the_surest_ones(tmp_path):
    texts = [("perhaps", 1), ("no", 1), ("flag", 0), ("flag", 1), ("no", 0), ("no", 1), ("flag", 0)]
    found = results(tmp_path, [page(i, text, label) for i, (text, label) in enumerate(texts)], worst=2)
    assert [error.judged.id for error in found.missed] == ["p1", "p5"]
    assert [error.judged.id for error in found.alarms] == ["p2", "p6"]
    assert results(tmp_path, [page(1, "flag", 0)], worst=0).alarms == []


def test_cells_count_by_hand(tmp_path):
    rows = [
        page(1, "flag", 1, subjects=["firearm", "ammunition"], kind="blog"),
        page(2, "no", 1, subjects=["firearm"], kind="wiki", language="fr"),
        page(3, "flag", 0, kind="blog"),
        page(4, "no", 0, kind="blog", language="fr"),
        page(5, "no", 0, kind="blog"),
    ]
    pages = results(tmp_path, rows).pages
    by_language = {one.values[0]: one for one in table(("language",), pages).cells}
    assert list(by_language) == ["en", "fr"]
    english = by_language["en"]
    assert (english.pages, english.of_concern, english.harmless, english.flagged) == (3, 1, 2, 2)
    assert (english.recall.value, english.precision.value, english.false_positive_rate.value) == (1.0, 0.5, 0.5)
    assert by_language["fr"].precision is None
    subjects = table(("subject",), pages).cells
    assert [(one.values[0], one.pages) for one in subjects] == [("firearm", 2), ("ammunition", 1), ("none", 3)]
    crossed = table(("language", "kind"), pages).cells
    assert [one.values for one in crossed] == [("en", "blog"), ("fr", "blog"), ("fr", "wiki")]
    assert np.sum([one.pages for one in crossed]) == 5
