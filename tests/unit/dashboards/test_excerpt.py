from __future__ import annotations

from dashboards.excerpt import excerpt
from events import Passage
from storage.sqlite import SqliteStore
from tests.unit.dashboards.sample_items import judged


def _item(store: SqliteStore, text: str, *passages: Passage):
    event = judged(text=text, passages=passages)
    store.upsert([event])
    found = store.item(event.page_id)
    assert found is not None
    return found


def test_excerpt_is_the_strongest_passage_by_code_points(store: SqliteStore) -> None:
    text = "😀 opening\nweak one\nstrong one"
    weak, strong = text.index("weak"), text.index("strong")
    item = _item(
        store,
        text,
        Passage(start=weak, end=strong, score=0.4),
        Passage(start=strong, end=len(text), score=0.9),
    )
    assert excerpt(item) == "strong one"


def test_excerpt_is_masked_and_never_longer_than_asked(store: SqliteStore) -> None:
    item = _item(store, "12 mm and so on, " * 60)
    found = excerpt(item)
    assert len(found) <= 240
    assert found.startswith("▮ and so on, ▮ and")
    assert found.endswith("…")


def test_a_text_without_passages_gives_its_opening(store: SqliteStore) -> None:
    assert excerpt(_item(store, "  Just\n\n an opening ")) == "Just an opening"
