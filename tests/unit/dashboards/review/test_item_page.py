from __future__ import annotations

from datetime import timedelta

from starlette.testclient import TestClient

from events import Nearest, Passage
from storage import Check, Retention
from storage.sqlite import SqliteStore
from tests.contract.clustering import signed
from tests.unit.dashboards.pages import fields, page, text
from tests.unit.dashboards.sample_items import NOW, fill, judged, label


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


def test_a_text_that_was_removed_because_it_was_old_is_said_to_be(client: TestClient, store: SqliteStore) -> None:
    event = judged(title="A title that goes")
    store.upsert([event])
    store.remove_old(Retention(text_before=event.fetched_at + timedelta(days=1)), NOW + timedelta(days=90))
    tree = page(client.get(f"/items/{event.page_id}"))
    assert text(tree, ".panel.text .muted").startswith(
        "Title, text and passages were old and were removed on 18 Feb 2027"
    )
    assert tree.css("#reveal, .veil") == []
    assert text(tree, ".head h1") == text(page(client.get("/")), ".rows h2") == "(title removed)"


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


def test_pages_with_nearly_the_same_text_are_named_and_how_like_they_are(client: TestClient, store) -> None:
    here, same = judged("https://a.example/1", minhash=signed(1)), judged("https://b.example/2", minhash=signed(1))
    edited = judged("https://d.example/4", text="Edited.", minhash=signed(1, range(16)))
    store.upsert([here, same, edited, judged("https://c.example/3", text="Another text.", minhash=signed(2))])
    store.record_decisions([label(same, "lawful")])
    tree = page(client.get(f"/items/{here.page_id}"))
    assert text(tree, ".cluster h2") == "3 pages with nearly the same text"
    assert {" ".join(node.text().split()) for node in tree.css(".copies li")} == {
        "hxxps://b[.]example/2 lawful same text",
        "hxxps://d[.]example/4 open 88 %",
    }
    listed = page(client.get(tree.css_first(".cluster p a").attributes["href"] or ""))
    assert text(listed, ".summary h1") == "3 items"
    assert len(listed.css("[data-row]")) == 3


def test_an_item_alone_says_nothing_of_mirrors(client: TestClient, store: SqliteStore) -> None:
    event = judged()
    store.upsert([event])
    assert page(client.get(f"/items/{event.page_id}")).css(".cluster, #together") == []


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


def test_each_deciding_passage_says_what_the_heads_saw_and_what_it_resembles(client: TestClient, store) -> None:
    text_ = "Nothing is said here.\nDo the first stage.\nThen ask again."
    strong = Passage(
        start=22,
        end=41,
        score=0.93,
        form=0.9,
        subject=0.8,
        contexts={"museum_history": 0.12, "news": 0.05},
        nearest=(
            Nearest(id="en-0123", similarity=0.82, of_concern=True),
            Nearest(id="<b>en-0009</b>", similarity=0.4, of_concern=False),
        ),
    )
    weak = Passage(start=42, end=57, score=0.31, form=0.3, subject=0.2)
    event = judged(text=text_, passages=(weak, strong))
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    first, second = (" ".join(node.text(separator=" ").split()) for node in tree.css(".explained details"))
    assert first.startswith("Passage 1 0.93")
    for said in ("form of a guide 90 %", "about firearms 80 %", "museum and history 12 %", "news 5 %"):
        assert said in first
    assert [" ".join(node.text().split()) for node in tree.css(".nearest li")] == [
        "training passage en-0123, a guide of concern, 0.82",
        "training passage <b>en-0009</b>, not of concern, 0.40",
    ]
    assert tree.css(".nearest a, .nearest b") == []
    assert second == "Passage 2 0.31 Show it in the text form of a guide 30 % about firearms 20 %"
    for number, marked in ((1, "Do the first stage."), (2, "Then ask again.")):
        assert tree.css_first(f'.explained [href="#passage-{number}"]') is not None
        assert text(tree, f"mark#passage-{number}") == marked


def test_an_item_from_before_the_explanations_has_no_empty_panel(client: TestClient, store: SqliteStore) -> None:
    event = judged(passages=(Passage(start=0, end=4, score=0.9),))
    store.upsert([event])
    assert page(client.get(f"/items/{event.page_id}")).css(".explained") == []


def test_what_was_found_when_the_page_was_looked_at_again_is_a_timeline(client: TestClient, store: SqliteStore) -> None:
    event = judged("https://a.example/x")
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    assert tree.css_first(".checks") is None
    first, second = (event.fetched_at + timedelta(days=days) for days in (7, 14))
    store.record_checks(
        [
            Check(page_id=event.page_id, at=first, state="online", status=200, content_id=event.content_id),
            Check(page_id=event.page_id, at=second, state="gone", reason="status 404", status=404),
        ]
    )
    tree = page(client.get(f"/items/{event.page_id}"))
    lines = [" ".join(line.text().split()) for line in tree.css(".checks li")]
    assert [line.split(" ")[0] for line in lines] == ["gone", "online", "First"]
    assert lines[0].startswith("gone status 404")
    assert "a.example" not in tree.css_first(".checks").text()
    assert "no longer (gone)" in text(tree, ".side")


def test_an_item_says_since_when_it_has_this_text(client: TestClient, store: SqliteStore) -> None:
    event = judged("https://a.example/x")
    store.upsert([event])
    at = event.fetched_at + timedelta(days=2)
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    changes = {"fetched_at": at, "at": at, "content_id": "c" * 32, "text": "Another text of the page.", "id": "2"}
    changes |= {"previous_content_id": event.content_id, "changed_share": 0.42}
    store.upsert([type(event)(**(fields | changes))])
    tree = page(client.get(f"/items/{event.page_id}"))
    assert "42 % of the words differ" in text(tree, ".checks")
