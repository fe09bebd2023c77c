from __future__ import annotations

from starlette.testclient import TestClient

from storage.sqlite import SqliteStore
from tests.unit.dashboards.pages import fields, page, text
from tests.unit.dashboards.sample_items import fill, judged, label


def test_an_item_says_why_it_was_flagged_and_where_the_evidence_is(client: TestClient, store: SqliteStore) -> None:
    event = judged("https://a.example/x?y=1")
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    assert text(tree, ".why") == event.verdict.reason
    assert text(tree, ".gauge") == "0.91 threshold 0.62"
    assert text(tree, ".url") == "hxxps://a[.]example/x?y=1"
    assert [mark.text() for mark in tree.css(".veil mark")] == ["Do the first stage as in the picture."]
    assert text(tree, ".words li") == "stage +0.80"
    side = text(tree, ".side")
    for said in ("firearm 92 %", "2026-11-20-000.warc.gz", "4096", "ab" * 32, "Outcome flagged", event.verdict.model):
        assert said in side


def test_the_real_address_is_not_on_the_page_until_it_is_asked_for_twice(client: TestClient, store) -> None:
    event = judged("https://a.example/x")
    store.upsert([event])
    address = f"/items/{event.page_id}/address"
    for path in (f"/items/{event.page_id}", address):
        assert "a.example" not in client.get(path).text
    tree = page(client.get(address))
    given = page(client.post(address, data=fields(tree, "#address form")))
    assert given.css_first("#real").attributes["value"] == "https://a.example/x"
    assert given.css('a[href*="a.example"]') == []


def test_the_text_is_hidden_until_it_is_revealed(client: TestClient, store: SqliteStore) -> None:
    event = judged()
    store.upsert([event])
    reveal = page(client.get(f"/items/{event.page_id}")).css_first("#reveal")
    assert "checked" not in reveal.attributes
    assert reveal.attributes["data-key"] == "r"


def test_text_finds_its_own_direction_and_says_its_language(client: TestClient, store: SqliteStore) -> None:
    event = judged(text="سطر أول\nsecond line", title="عنوان", language="ar")
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    assert tree.css_first(".head h1").attributes == {"dir": "auto", "lang": "ar", "tabindex": "-1"}
    assert tree.css_first(".veil").attributes["lang"] == "ar"
    assert [line.attributes["dir"] for line in tree.css(".veil p")] == ["auto", "auto"]


def test_previous_and_next_follow_the_list_with_its_filters(client: TestClient, store: SqliteStore) -> None:
    fill(store, 30, decided=0)
    rows = [node.attributes["href"] or "" for node in page(client.get("/?language=ar&sort=oldest")).css("[data-row]")]
    address, seen = rows[0], []
    while True:
        tree = page(client.get(address))
        seen.append(address.split("?")[0])
        assert text(tree, ".path > span.muted") == f"{len(seen)} of 5"
        following = tree.css_first(".steps [rel=next]")
        if following is None:
            break
        address = following.attributes["href"] or ""
    assert seen == [row.split("?")[0] for row in rows]
    before = tree.css_first(".steps [rel=prev]").attributes["href"] or ""
    assert before.startswith(seen[-2])


def test_copies_of_the_same_text_are_named(client: TestClient, store: SqliteStore) -> None:
    here, there = judged("https://a.example/1"), judged("https://b.example/2")
    store.upsert([here, there, judged("https://c.example/3", text="Another text.")])
    store.record_decisions([label(there, "lawful")])
    tree = page(client.get(f"/items/{here.page_id}"))
    assert text(tree, ".copies") == "hxxps://b[.]example/2 lawful"


def test_the_history_shows_newest_first(client: TestClient, store: SqliteStore) -> None:
    event = judged()
    store.upsert([event])
    first = label(event, "unsure", reason="To be asked.")
    last = label(event, "lawful", at=first.at.replace(hour=23), analyst="boris", context="news")
    store.record_decisions([first, last])
    shown = [" ".join(node.text().split()) for node in page(client.get(f"/items/{event.page_id}")).css(".history li")]
    assert shown[0].startswith("lawful boris")
    assert "context news" in shown[0]
    assert shown[1].endswith("To be asked.")


def test_an_item_that_is_gone_is_a_page_of_its_own(client: TestClient) -> None:
    response = client.get(f"/items/{'0' * 32}")
    assert response.status_code == 404
    assert "no such item" in text(page(response), "#main")
