import json
from collections import Counter

import pytest

from classifier.examples import CorpusError, corpus, duplicates, parse, quantity_with_unit, read, themes
from classifier.taxonomy import CONTEXTS, LANGUAGES, METHODS, SUBJECTS, TECHNIQUES

GOOD = {
    "id": "en-1",
    "group": "g",
    "register": "blog",
    "of_concern": False,
    "guide": True,
    "subjects": [],
    "techniques": [],
    "method": None,
    "context": "benign_howto",
    "pair": None,
    "title": "",
    "text": "Water the garden.",
}


@pytest.fixture(scope="module")
def shipped():
    return corpus()


def test_no_positive_carries_a_quantity_with_a_unit(shipped):
    """The rule above all rules, as far as a machine can hold it; `read` refuses such a file."""
    assert [e.id for e in shipped if e.of_concern and quantity_with_unit(f"{e.title} {e.text}")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_covers_the_taxonomy(shipped, language):
    own = [example for example in shipped if example.language == language]
    concern = [example for example in own if example.of_concern]
    assert len(own) >= 60
    assert len({example.group for example in own}) >= 40
    assert {example.context for example in own} >= set(CONTEXTS)
    assert {name for example in concern for name in example.subjects} == set(SUBJECTS)
    assert {name for example in concern for name in example.techniques} == set(TECHNIQUES)
    assert {example.method for example in concern} >= set(METHODS)
    pairs = Counter(example.pair for example in own if example.pair)
    assert sum(count >= 2 for count in pairs.values()) >= 10


def test_ids_are_unique_and_no_text_is_written_twice(shipped):
    assert len({example.id for example in shipped}) == len(shipped)
    assert duplicates(shipped) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("about 9 mm wide", "9 mm"),
        ("heat to 200°", "200°"),
        ("5 grains of it", "5 grains"),
        ("три 3 мм", "3 мм"),
        ("加 5 克", "5 克"),
        ("٥ ملم", "٥ ملم"),
        ("up to 40 %", "40 %"),
        ("chapter 9, picture 3", None),
        ("st3p 2 cl3an it", None),
    ],
)
def test_quantities_with_units_are_seen(text, found):
    assert quantity_with_unit(text) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"of_concern": True}, "has a context exactly when"),
        ({"context": None}, "has a context exactly when"),
        ({"context": "gardening"}, "not in the taxonomy: gardening"),
        ({"subjects": ["tank"]}, "not in the taxonomy: tank"),
        ({"text": "  "}, "empty text"),
        ({"of_concern": True, "context": None, "text": "take 9 mm"}, "quantity with a unit: '9 mm'"),
    ],
)
def test_a_wrong_example_is_refused(change, message):
    with pytest.raises(CorpusError, match=message):
        parse(GOOD | change, "en")


def test_a_wrong_line_is_named(tmp_path):
    path = tmp_path / "en.jsonl"
    path.write_text(json.dumps(GOOD) + "\n{broken\n")
    with pytest.raises(CorpusError, match=r"en\.jsonl, line 2"):
        read(path)


def test_groups_that_share_a_pair_are_one_theme():
    rows = [
        parse(GOOD | {"id": str(i), "group": group, "pair": pair}, "en")
        for i, (group, pair) in enumerate([("a", "p"), ("b", "p"), ("b", "q"), ("c", "q"), ("d", None)])
    ]
    named = themes(rows)
    assert len(set(named[:4])) == 1
    assert named[4] not in named[:4]
