from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from storage.sqlite import SqliteStore
from tests.contract.clustering import signed
from tests.unit.dashboards.pages import page, text
from tests.unit.dashboards.sample_items import fill, judged, label


def _titles(client: TestClient, address: str) -> list[str]:
    return [node.text() for node in page(client.get(address)).css(".row h2 a")]


def test_the_list_opens_on_what_nobody_has_decided(client: TestClient, store: SqliteStore) -> None:
    fill(store, 12, decided=5)
    tree = page(client.get("/"))
    assert text(tree, ".summary h1") == "7 items"
    assert text(tree, "#state-open") == "Open 7"
    assert text(tree, "#state-of_concern") == "Of concern 2"
    assert text(tree, "#state-all") == "All 12"
    assert text(tree, "#progress") == "5 of 12 reviewed"


def test_counts_beside_filters_say_what_the_filter_would_give(client: TestClient, store: SqliteStore) -> None:
    fill(store, 24, decided=0)
    tree = page(client.get("/?language=ar&language=fr"))
    assert text(tree, ".summary h1") == "8 items"
    for language in ("ar", "en"):
        (facet,) = tree.css(f"#f-language-{language}")
        count = int(facet.css_first(".count").text())
        found = page(client.get(f"/?language={language}"))
        assert text(found, ".summary h1") == f"{count} items"
    assert [chip.text().split()[1] for chip in tree.css(".chips a:not(.all)")] == ["Arabic", "French"]


def test_a_chip_takes_its_filter_off(client: TestClient, store: SqliteStore) -> None:
    fill(store, 12, decided=0)
    chip = page(client.get("/?language=ar&min_score=0.7")).css_first(".chips a")
    assert chip.attributes["href"] == "/?min_score=0.7"


@pytest.mark.parametrize(
    ("address", "titles"),
    [
        ("/?q=bread", ["Bread"]),
        ("/?language=ru", ["Хлеб"]),
        ("/?subject=ammunition", ["Bread"]),
        ("/?technique=repair", ["Хлеб"]),
        ("/?context=news", ["Bread"]),
        ("/?host=b.example", ["Хлеб"]),
        ("/?decision=lawful", ["Closed"]),
        ("/?min_score=0.95", ["Хлеб"]),
        ("/?q=nothing-like-it", []),
    ],
)
def test_filters_find_what_they_say(client: TestClient, store: SqliteStore, address: str, titles: list[str]) -> None:
    closed = judged("https://c.example/", title="Closed", text="three", score=0.8)
    store.upsert(
        [
            judged(
                "https://a.example/",
                title="Bread",
                text="one",
                subjects={"ammunition": 0.9},
                techniques={"assembly": 0.9},
                context="news",
                score=0.7,
            ),
            judged(
                "https://b.example/", title="Хлеб", text="two", language="ru", techniques={"repair": 0.6}, score=0.96
            ),
            closed,
        ]
    )
    store.record_decisions([label(closed, "lawful")])
    assert _titles(client, address) == titles


def test_pages_cover_every_item_once(client: TestClient, store: SqliteStore) -> None:
    fill(store, 60, decided=0)
    hrefs: list[str] = []
    address: str | None = "/?sort=oldest&rows=pages"
    while address:
        tree = page(client.get(address))
        hrefs += [(node.attributes["href"] or "").split("?")[0] for node in tree.css("[data-row]")]
        following = tree.css_first(".pages [rel=next]")
        address = following.attributes["href"] if following else None
    assert len(hrefs) == len(set(hrefs)) == 60


def test_texts_that_are_nearly_the_same_share_a_row_until_every_page_is_asked_for(client: TestClient, store) -> None:
    first = judged("https://a.example/1", title="First", minhash=signed(1), score=0.7)
    best = judged("https://b.example/2", title="Best", minhash=signed(1, range(9)), text="Edited.", score=0.9)
    alone = judged("https://c.example/3", title="Alone", minhash=signed(2), text="Other.", score=0.8)
    store.upsert([first, best, alone])
    tree = page(client.get("/"))
    assert text(tree, ".summary h1") == "3 items"
    assert text(tree, ".by") == "2 texts, one row each Show every page"
    assert [node.text() for node in tree.css(".row h2 a")] == ["Best", "Alone"]
    assert [node.text() for node in tree.css(".row .mirrors")] == ["2 pages"]
    every = page(client.get(tree.css_first(".by a").attributes["href"] or ""))
    assert [node.text() for node in every.css(".row h2 a")] == ["Best", "Alone", "First"]
    assert text(every, ".by") == "a row for every page One row a text"
    assert every.css_first(".by a").attributes["href"] == "/"
    store.record_decisions([label(best)])
    assert _titles(client, "/") == ["Alone", "First"]
    (mirrors,) = page(client.get("/?q=first")).css(".row .mirrors")
    assert _titles(client, mirrors.attributes["href"] or "") == ["Best", "First"]


def test_rows_show_no_number_no_link_out_and_no_long_text(client: TestClient, store: SqliteStore) -> None:
    store.upsert([judged("https://a.example/x", title="A 12 mm thing", text="Take 3/4 inch and ٥ مم. " * 40)])
    (row,) = page(client.get("/")).css(".row")
    assert row.css_first("h2").text() == "A ▮ thing"
    found = row.css_first(".excerpt").text()
    assert found.startswith("Take ▮ and ▮.")
    assert len(found) <= 240
    assert row.css_first(".host").text() == "a[.]example"
    assert "a.example" not in row.html


def test_an_empty_store_has_a_calm_page(client: TestClient) -> None:
    tree = page(client.get("/"))
    assert "Every item has a decision" in text(tree, ".empty")
    assert tree.css("svg.columns") == []


def test_the_chart_has_a_bar_for_every_interval_with_items(client: TestClient, store: SqliteStore) -> None:
    events = fill(store, 30, decided=0)
    bars = page(client.get("/")).css("svg.columns rect")
    assert len(bars) == len({event.fetched_at.date() for event in events})


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{ 7*7 }}"


def test_hostile_titles_texts_and_urls_come_out_inert(client: TestClient, store: SqliteStore) -> None:
    url = 'https://a.example/?q=%3Cscript%3E"><script>alert(3)</script>'
    event = judged(
        url, page_id="ab" * 16, host="a.example<script>", title=HOSTILE, text=HOSTILE, reason=HOSTILE, model=HOSTILE
    )
    store.upsert([event])
    store.record_decisions([label(event, "unsure", reason=HOSTILE, analyst=HOSTILE)])
    for path in (
        "/?decision=all",
        f"/items/{event.page_id}?decision=all",
        f"/?decision=all&q={HOSTILE}&host={HOSTILE}",
    ):
        response = client.get(path)
        assert response.status_code == 200
        tree = page(response)
        assert [node.attributes.get("src") for node in tree.css("script") if not node.attributes.get("src")] == []
        assert tree.css("img, [onerror]") == []
        assert "49" not in "".join(node.text() for node in tree.css("h1, h2"))
    assert text(page(client.get(f"/items/{event.page_id}")), ".head h1") == HOSTILE
