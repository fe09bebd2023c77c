import pytest

from events import Passage, encode
from guidewatch.errors import UserMistakeError
from guidewatch.labels import examples_from_decisions
from storage.sqlite import SqliteStore
from tests.contract.samples import judged, label, later, verdict

TEXT = "A page about a first thing. A page about a second thing."


@pytest.fixture
def store(tmp_path):
    made = SqliteStore(tmp_path / "guidewatch.sqlite")
    made.setup()
    says = verdict(
        passages=(Passage(start=0, end=27, score=0.9, form=0.9), Passage(start=28, end=56, score=0.8, form=0.2))
    )
    made.upsert([judged(name, says=says, text=TEXT) for name in ("one", "two", "three")])
    yield made
    made.close()


def test_decisions_become_passages_and_unsure_teaches_nothing(store):
    store.record_decisions(
        [
            label("one"),
            label("two", decision="lawful", context="museum_history"),
            label("three", decision="unsure"),
        ]
    )
    examples = examples_from_decisions("store", store)
    assert [(e.text, e.of_concern, e.context) for e in examples] == [
        ("A page about a first thing.", True, None),
        ("A page about a second thing.", True, None),
        ("A page about a first thing.", False, "museum_history"),
        ("A page about a second thing.", False, "museum_history"),
    ]
    assert examples[0].techniques == ("manufacture",)
    assert examples[2].techniques == ()


def test_the_last_decision_holds(store):
    store.record_decisions([label("one"), label("one", id="label-later", decision="not_relevant", at=later(hours=1))])
    assert {example.of_concern for example in examples_from_decisions("store", store)} == {False}


def test_copies_of_one_text_are_one_theme(store):
    store.record_decisions([label("one"), label("two")])
    assert len({example.group for example in examples_from_decisions("store", store)}) == 1


def test_labels_come_from_a_file_too(store, tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(encode(label("one")) + b"\n\n")
    assert len(examples_from_decisions(str(path), store)) == 2


def test_a_wrong_line_of_a_file_is_named(store, tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(encode(label("one")) + b"\n{}\n")
    with pytest.raises(UserMistakeError, match=r"labels\.jsonl, line 2"):
        examples_from_decisions(str(path), store)


def test_a_missing_file_is_the_users_mistake(store, tmp_path):
    with pytest.raises(UserMistakeError, match="no such file"):
        examples_from_decisions(str(tmp_path / "none.jsonl"), store)
