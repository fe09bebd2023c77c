from random import Random

import pytest

from classifier.evaluation.derived import derived_tests, disguised, hidden
from classifier.evaluation.hiding import MOST_TEXTS, Background
from classifier.evaluation.rows import check, read
from tests.unit.classifier.evaluation.judges import WordJudge, page, write

GUIDE = ("flag " * 30).strip()


@pytest.fixture
def data(tmp_path):
    rows = [page(1, GUIDE, 1, title="G"), page(2, "plain guide " * 10, 1)]
    rows += [page(10 + i, f"harmless text {i} " * 20, 0, title=f"Title {i}") for i in range(30)]
    rows += [page(50, "hard " * 50, 0, hard=True), page(51, "about " * 50, 0, about_firearms=True)]
    rows += [page(60, GUIDE, 1, language="fr")]
    return check(write(tmp_path / "a.jsonl", rows))


def test_a_guide_is_one_section_of_a_page_twenty_times_as_long(data):
    guide = next(read([data]))
    made = Background(read([data]), Random(0)).hide(guide, Random(1))
    assert len(made.text) == pytest.approx(20 * len(guide.text), rel=0.05)
    assert made.text.count(guide.text) == 1
    assert f"G\n{guide.text}" in made.text
    assert made.title.startswith("Title")
    assert not made.text.startswith(guide.text)
    assert "hard" not in made.text
    assert "about" not in made.text


def test_the_background_is_a_bounded_sample_and_the_same_for_the_same_seed(tmp_path):
    held = check(write(tmp_path / "b.jsonl", [page(i, f"text {i}", 0) for i in range(MOST_TEXTS + 300)]))
    first, again = (Background(read([held]), Random(3)) for _ in range(2))
    assert first.languages() == {"en": MOST_TEXTS}
    guide = next(read([held]))
    assert first.hide(guide, Random(0)) == again.hide(guide, Random(0))


def test_texts_of_white_space_or_of_one_long_word_are_hidden_in_too(tmp_path):
    rows = [page(1, "flag", 1), page(2, " \n x", 0), page(3, "y" * 5000, 0)]
    held = check(write(tmp_path / "c.jsonl", rows))
    made = Background(read([held]), Random(0)).hide(next(read([held])), Random(0))
    assert "flag" in made.text


def test_the_cost_is_counted_against_the_same_guides_as_they_are(data):
    background = Background(read([data]), Random(0))
    found = derived_tests(WordJudge(), [data], [hidden(background, 0), disguised(0)], lambda *_: None)
    assert found.without_background == 1
    tests = {(one.test, one.kind, one.language): one for one in found.tests}
    whole = tests["hidden", "hidden", "all"]
    assert (whole.recall.count, whole.recall.of, whole.plain_recall, whole.cost_points) == (1, 2, 0.5, 0.0)
    wide = tests["disguised", "full width, every word", "all"]
    assert (wide.recall.count, wide.recall.of) == (0, 3)
    assert wide.plain_recall == pytest.approx(2 / 3)
    assert wide.cost_points == pytest.approx(100 * 2 / 3)
    assert {language for test, _, language in tests if test == "disguised"} == {"all", "en", "fr"}
    every = tests["disguised", "all", "all"]
    assert every.recall.of == sum(
        one.recall.of for key, one in tests.items() if key[0] == "disguised" and key[1] != "all"
    )


def test_derived_tests_do_not_depend_on_what_else_is_in_the_data(data, tmp_path):
    found = derived_tests(WordJudge(), [data], [disguised(7)], lambda *_: None)
    again = derived_tests(WordJudge(), [data], [disguised(7)], lambda *_: None)
    assert found == again
