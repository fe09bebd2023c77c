from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from events import DECISIONS, LabelRecorded
from storage.port import LedgerQuery, LedgerRow
from storage.sqlite import SqliteStore
from tests.unit.dashboards.conftest import TOKEN, Clock
from tests.unit.dashboards.pages import action, decide, fields, page, text
from tests.unit.dashboards.sample_items import NOW, fill, judged, label, near

QUEUE = "/worth-a-look"


def rows(client: TestClient, address: str = QUEUE) -> list[str]:
    """Return where the rows on a page of the queue lead."""
    return [node.attributes["href"] or "" for node in page(client.get(address)).css("[data-row]")]


def ledger(store: SqliteStore, page_id: str) -> LedgerRow:
    (row,) = store.ledger(LedgerQuery(page_id=(page_id,))).rows
    return row


def cells(client: TestClient, address: str = QUEUE) -> list[list[str]]:
    """Return what the table says, row by row."""
    found = page(client.get(address)).css(".queue tbody tr")
    return [[" ".join(cell.text().split()) for cell in row.css("th, td")] for row in found]


def test_the_navigation_counts_the_pages_that_nobody_has_reviewed(client: TestClient, store: SqliteStore) -> None:
    events = [near(n) for n in range(4)]
    store.upsert([judged(), *events])
    store.record_decisions([label(events[0], "lawful")])
    for address in ("/", f"/items/{judged().page_id}", QUEUE, f"{QUEUE}/{events[1].page_id}"):
        tree = page(client.get(address))
        assert text(tree, f'#places [href="{QUEUE}"]') == "Worth a look 3 to review"
        (here,) = tree.css("#places [aria-current]")
        assert here.attributes["href"] == (QUEUE if address.startswith(QUEUE) else "/")


def test_the_queue_lists_highest_score_first_with_what_the_ledger_knows(
    client: TestClient, store: SqliteStore, clock: Clock
) -> None:
    store.upsert([judged()])
    clock.now = NOW + timedelta(hours=1)
    store.upsert([near(2, score=0.31), near(0, score=0.58)])
    clock.now = NOW + timedelta(days=2)
    store.upsert([near(1, score=0.44)])
    assert cells(client) == [
        ["0.58", "board[.]example[.]org", "English", "the seeds", "0", "20 Nov 2026"],
        ["0.44", "atelier[.]example[.]net", "French", "the same host", "1", "22 Nov 2026"],
        ["0.31", "notes[.]example[.]com", "Spanish", "forum[.]example[.]edu:8443", "2", "20 Nov 2026"],
    ]


def test_the_queue_says_what_it_is_and_why_there_is_no_text(client: TestClient, store: SqliteStore) -> None:
    store.upsert([near()])
    said = text(page(client.get(QUEUE)), ".intro")
    for part in ("did not flag", "Precision is low", "no title and no text", "not flagged leave none"):
        assert part in said


def test_an_empty_queue_has_a_calm_page(client: TestClient, store: SqliteStore) -> None:
    store.upsert([judged()])
    assert "Nothing waits here" in text(page(client.get(QUEUE)), ".empty")
    assert "Nothing here yet" in text(page(client.get(f"{QUEUE}?reviewed=yes")), ".empty")


def test_pages_of_the_queue_cover_every_row_once(client: TestClient, store: SqliteStore) -> None:
    store.upsert([near(n) for n in range(60)])
    seen: list[str] = []
    address: str | None = QUEUE
    while address:
        seen += [href.split("?")[0] for href in rows(client, address)]
        following = page(client.get(address)).css_first(".pages [rel=next]")
        address = following.attributes["href"] if following else None
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize("query", ["page=0", "page=-3", "page=x", "page=1e9", "reviewed=perhaps", "page=²"])
def test_an_address_that_makes_no_sense_shows_the_beginning(client: TestClient, store, query: str) -> None:
    store.upsert([near()])
    assert len(rows(client, f"{QUEUE}?{query}")) == 1


def test_a_page_beyond_the_end_leads_back(client: TestClient, store: SqliteStore) -> None:
    store.upsert([near()])
    tree = page(client.get(f"{QUEUE}?page=7"))
    assert tree.css_first(".empty a").attributes["href"] == QUEUE
    assert "become shorter" in text(tree, ".empty")


def test_the_real_address_is_given_only_to_those_who_ask_twice(client: TestClient, store: SqliteStore, caplog) -> None:
    event = near(2)
    store.upsert([event])
    path = f"{QUEUE}/{event.page_id}"
    for address in (QUEUE, path, f"{path}/address"):
        assert "example.com" not in client.get(address).text
        assert "example.edu" not in client.get(address).text
    tree = page(client.get(f"{path}/address"))
    assert action(tree, "#address form") == f"{path}/address"
    assert client.post(f"{path}/address", data={"csrf": "0" * 64}).status_code == 403
    with caplog.at_level("INFO"):
        given = page(client.post(f"{path}/address", data=fields(tree, "#address form")))
    assert given.css_first("#real").attributes["value"] == event.url
    assert given.css('a[href*="example.com"]') == []
    assert f"analyst amina took the address of page {event.page_id}" in caplog.text


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_settles_the_row_and_is_kept_without_an_item(
    client: TestClient, store: SqliteStore, recorded: list[LabelRecorded], clock: Clock, decision: str
) -> None:
    event = near()
    store.upsert([event])
    sent = decide(
        client, f"{QUEUE}/{event.page_id}", decision, reason=" Seen. ", subject=["firearm"], context="museum_history"
    )
    assert sent.status_code == 303
    (made,) = recorded
    assert (made.page_id, made.content_id, made.decision) == (event.page_id, event.content_id, decision)
    assert (made.analyst, made.reason, made.at) == ("amina", "Seen.", clock.now)
    assert (made.score, made.model) == (event.verdict.score, event.verdict.model)
    assert (made.subjects, made.techniques, made.context) == (("firearm",), (), "museum_history")
    assert list(store.decisions()) == [made]
    assert store.item(event.page_id) is None
    row = ledger(store, event.page_id)
    assert (row.reviewed_at, row.decision) == (clock.now, decision)
    assert rows(client) == []
    (told,) = cells(client, f"{QUEUE}?reviewed=yes")
    assert told[-1] == decision.replace("_", " ")


def test_it_goes_on_to_the_next_row_until_none_is_left(client: TestClient, store: SqliteStore) -> None:
    store.upsert([near(n) for n in range(5)])
    expected = [href.split("?")[0] for href in rows(client)]
    address, seen = rows(client)[0], []
    for _ in range(5):
        seen.append(address.split("?")[0])
        address = decide(client, address, "not_relevant").headers["location"]
    assert seen == expected
    tree = page(client.get(address))
    assert "Nothing waits here" in text(tree, ".empty")
    assert text(tree, ".toast b") == "not relevant"
    again = tree.css_first(".toast a").attributes["href"] or ""
    assert again.split("?")[0] == seen[-1]
    assert text(page(client.get(again)), ".head .pill") == "not relevant"


def test_previous_and_next_follow_the_queue(client: TestClient, store: SqliteStore) -> None:
    store.upsert([near(n) for n in range(30)])
    address = rows(client, f"{QUEUE}?page=2")[0]
    tree = page(client.get(address))
    assert text(tree, ".path > span.muted") == "26 of 30"
    assert tree.css_first(".path [data-key=b]").attributes["href"] == f"{QUEUE}?page=2"
    before = page(client.get(tree.css_first(".steps [rel=prev]").attributes["href"] or ""))
    assert text(before, ".path > span.muted") == "25 of 30"
    assert before.css_first(".path [data-key=b]").attributes["href"] == QUEUE
    after = page(client.get(tree.css_first(".steps [rel=next]").attributes["href"] or ""))
    assert text(after, ".path > span.muted") == "27 of 30"


def test_what_was_decided_never_looks_open_while_the_store_lags(open_app, store: SqliteStore) -> None:
    store.upsert([near(n) for n in range(3)])
    sent: list[LabelRecorded] = []
    client = open_app(record=sent.append)
    client.get("/", params={"token": TOKEN})
    first = address = rows(client)[0]
    for _ in range(3):
        address = decide(client, address, "lawful").headers["location"]
    assert len({one.page_id for one in sent}) == 3
    assert address.startswith(f"{QUEUE}?")
    assert text(page(client.get(first)), ".head .pill") == "lawful"


def test_when_it_cannot_be_recorded_nothing_typed_is_lost(open_app, store: SqliteStore) -> None:
    def record(_: LabelRecorded) -> None:
        raise ConnectionError("broker away")

    event = near()
    store.upsert([event])
    client = open_app(record=record)
    client.get("/", params={"token": TOKEN})
    failed = decide(client, f"{QUEUE}/{event.page_id}", "unsure", reason="A museum?", technique=["repair"])
    assert failed.status_code == 503
    tree = page(failed)
    assert "Not recorded" in text(tree, ".problem")
    assert tree.css_first("#reason").text() == "A museum?"
    assert [node.attributes["value"] for node in tree.css("[name=technique][checked]")] == ["repair"]
    assert ledger(store, event.page_id).reviewed_at is None


def test_a_page_that_was_judged_again_meanwhile_is_looked_at_again(client: TestClient, store, recorded: list) -> None:
    event = near()
    store.upsert([event])
    tree = page(client.get(f"{QUEUE}/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful", "reason": "Kept."}
    store.upsert([near(id="cd" * 16, fetched_at=NOW + timedelta(hours=2), at=NOW + timedelta(hours=2))])
    answer = client.post(action(tree, "#decide"), data=data)
    assert answer.status_code == 409
    assert page(answer).css_first("#reason").text() == "Kept."
    assert recorded == []


@pytest.mark.parametrize("changes", [{"decision": ""}, {"decision": "perhaps"}])
def test_a_form_without_a_known_decision_is_refused(client: TestClient, store, recorded: list, changes: dict) -> None:
    event = near()
    store.upsert([event])
    assert decide(client, f"{QUEUE}/{event.page_id}", **changes).status_code == 400
    assert recorded == []


def test_only_pages_of_the_queue_can_be_opened_asked_for_or_decided_here(
    client: TestClient, store: SqliteStore, recorded: list[LabelRecorded]
) -> None:
    flagged, plain, there = judged(), near(1, worth_a_look=False), near(2)
    store.upsert([flagged, plain, there])
    data = fields(page(client.get(f"{QUEUE}/{there.page_id}")), "#decide") | {"decision": "lawful"}
    for page_id in (flagged.page_id, plain.page_id, "0" * 32, "nonsense"):
        path = f"{QUEUE}/{page_id}"
        assert client.get(path).status_code == client.get(f"{path}/address").status_code == 404
        assert client.post(f"{path}/address", data=data).status_code == 404
        assert client.post(f"{path}/decision", data=data).status_code == 404
    assert recorded == []


def test_a_stranger_sees_nothing_of_the_queue(stranger: TestClient, store: SqliteStore) -> None:
    event = near()
    store.upsert([event])
    for path in (QUEUE, f"{QUEUE}/{event.page_id}", f"{QUEUE}/{event.page_id}/address"):
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")
    assert page(stranger.get("/login")).css("#places") == []


def test_hostile_hosts_and_addresses_come_out_inert(client: TestClient, store: SqliteStore) -> None:
    hostile = "<script>alert(1)</script>\"'{{ 7*7 }}"
    event = near(page_id="ab" * 16, host=f"a.example{hostile}", parent_url=hostile, url=f"https://a.example/{hostile}")
    store.upsert([event])
    for path in (QUEUE, f"{QUEUE}/{event.page_id}"):
        response = client.get(path)
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert "a.example" not in response.text


def test_behind_a_base_path_every_link_keeps_it(open_app, store: SqliteStore) -> None:
    fill(store, 2, decided=0)
    store.upsert([near(n) for n in range(30)])
    client = open_app(base_path="/review")
    client.get("/review/", params={"token": TOKEN})
    for path in (QUEUE, f"{QUEUE}/{near().page_id}", f"{QUEUE}/{near().page_id}/address"):
        tree = page(client.get(f"/review{path}"))
        for node in tree.css("a[href], form[action]"):
            target = node.attributes.get("href") or node.attributes.get("action") or ""
            assert target.startswith(("/review/", "#")), node.html
