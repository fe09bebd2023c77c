from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from events import DECISIONS, LabelRecorded, PageJudged
from storage.sqlite import SqliteStore
from tests.contract.clustering import signed
from tests.unit.dashboards.conftest import TOKEN, Clock
from tests.unit.dashboards.pages import action, decide, fields, page, text
from tests.unit.dashboards.sample_items import fill, judged, label


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_says_who_what_when_and_on_which_verdict(
    client: TestClient, store: SqliteStore, recorded: list[LabelRecorded], clock: Clock, decision: str
) -> None:
    event = judged()
    store.upsert([event])
    sent = decide(client, f"/items/{event.page_id}", decision, reason="  Because.  ")
    assert sent.status_code == 303
    (label,) = recorded
    assert (label.page_id, label.content_id) == (event.page_id, event.content_id)
    assert (label.decision, label.analyst, label.reason, label.at) == (decision, "amina", "Because.", clock.now)
    assert (label.score, label.model) == (event.verdict.score, event.verdict.model)
    found = store.item(event.page_id)
    assert found is not None
    assert found.decision == decision


def test_subjects_and_techniques_are_sent_only_where_they_correct(client: TestClient, store, recorded: list) -> None:
    event = judged()
    store.upsert([event])
    address = f"/items/{event.page_id}"
    decide(client, address, "of_concern", subject=["firearm"], technique=["assembly"])
    decide(client, address, "of_concern", subject=["ammunition", "firearm", "x"], technique=["repair"], context="news")
    assert (recorded[0].subjects, recorded[0].techniques, recorded[0].context) == ((), (), None)
    assert recorded[1].subjects == ("firearm", "ammunition")
    assert recorded[1].techniques == ("repair",)
    assert recorded[1].context == "news"


def test_it_goes_on_to_the_next_open_item_until_none_is_left(client: TestClient, store: SqliteStore) -> None:
    fill(store, 8, decided=0)
    address = page(client.get("/")).css_first("[data-row]").attributes["href"] or ""
    seen = []
    for _ in range(8):
        assert address.startswith("/items/")
        seen.append(address.split("?")[0])
        sent = decide(client, address, "lawful")
        address = sent.headers["location"]
    assert len(set(seen)) == 8
    tree = page(client.get(address))
    assert text(tree, ".toast b") == "lawful"
    assert "Every item has a decision" in text(tree, ".empty")


def test_it_goes_on_within_the_list_of_the_reader(client: TestClient, store: SqliteStore) -> None:
    fill(store, 24, decided=0)
    address = page(client.get("/?language=ar&decision=all")).css_first("[data-row]").attributes["href"] or ""
    for _ in range(3):
        address = decide(client, address, "unsure").headers["location"]
        assert "language=ar" in address
        assert text(page(client.get(address)), ".head .pill") == "open"


def test_what_was_decided_never_looks_open_while_the_store_lags(open_app, store: SqliteStore) -> None:
    fill(store, 3, decided=0)
    sent: list[LabelRecorded] = []
    client = open_app(record=sent.append)
    client.get("/", params={"token": TOKEN})
    first = page(client.get("/")).css_first("[data-row]").attributes["href"] or ""
    address = first
    for _ in range(3):
        address = decide(client, address, "lawful").headers["location"]
    assert len({label.page_id for label in sent}) == 3
    assert address.startswith("/?")
    assert text(page(client.get(first)), ".head .pill") == "lawful"
    store.record_decisions(sent)
    assert len(page(client.get(first)).css(".history li")) == 1


def test_the_same_form_sent_twice_is_one_decision(
    client: TestClient, store: SqliteStore, recorded: list, clock: Clock
) -> None:
    event = judged()
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful"}
    for _ in range(2):
        assert client.post(action(tree, "#decide"), data=data).status_code == 303
    clock.move(1)
    client.post(action(tree, "#decide"), data=data | {"decision": "unsure"})
    assert len({label.id for label in recorded}) == 2
    found = store.item(event.page_id)
    assert found is not None
    assert [one.decision for one in found.decisions] == ["lawful", "unsure"]


def test_when_it_cannot_be_recorded_nothing_typed_is_lost(open_app, store: SqliteStore) -> None:
    down = [True]

    def record(label: LabelRecorded) -> None:
        if down[0]:
            raise ConnectionError("broker away")
        store.record_decisions([label])

    event = judged()
    store.upsert([event])
    client = open_app(record=record)
    client.get("/", params={"token": TOKEN})
    failed = decide(
        client, f"/items/{event.page_id}", "lawful", reason="It is a <museum>.", technique=["repair"], context="news"
    )
    assert failed.status_code == 503
    tree = page(failed)
    assert "Not recorded" in text(tree, ".problem")
    assert "broker" not in failed.text
    assert tree.css_first("#reason").text() == "It is a <museum>."
    assert [n.attributes["value"] for n in tree.css("[name=technique][checked]")] == ["repair"]
    assert tree.css_first("#context [selected]").attributes["value"] == "news"
    assert text(tree, ".head .pill") == "open"
    down[0] = False
    assert (
        client.post(action(tree, "#decide"), data=fields(tree, "#decide") | {"decision": "lawful"}).status_code == 303
    )


def test_a_page_that_was_judged_again_meanwhile_is_looked_at_again(client: TestClient, store, recorded: list) -> None:
    event = judged()
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful", "reason": "Kept."}
    later = event.fetched_at.replace(hour=23)
    store.upsert([judged(id="cd" * 16, fetched_at=later, score=0.7)])
    answer = client.post(action(tree, "#decide"), data=data)
    assert answer.status_code == 409
    assert "judged again" in text(page(answer), ".problem")
    assert page(answer).css_first("#reason").text() == "Kept."
    assert recorded == []


@pytest.mark.parametrize("decision", ["", "perhaps"])
def test_a_form_without_a_known_decision_is_refused(client: TestClient, store, recorded: list, decision: str) -> None:
    event = judged()
    store.upsert([event])
    assert decide(client, f"/items/{event.page_id}", decision).status_code == 400
    assert recorded == []


def mirrored(store: SqliteStore, count: int = 4) -> list[PageJudged]:
    """Write items with nearly the same text, the first of them the best, and return them."""
    events = [
        judged(f"https://m{n}.example/", text=f"Copy {n}.", minhash=signed(1, [n]), score=0.9 - n / 100)
        for n in range(count)
    ]
    store.upsert(events)
    return events


def together(client: TestClient, event: PageJudged) -> str:
    (box,) = page(client.get(f"/items/{event.page_id}")).css("#together")
    assert "checked" not in box.attributes
    return box.attributes["value"] or ""


def test_a_decision_takes_the_pages_with_nearly_the_same_text_along_if_it_is_asked_to(
    client: TestClient, store: SqliteStore, recorded: list[LabelRecorded]
) -> None:
    events = mirrored(store)
    address = f"/items/{events[0].page_id}"
    assert "Decide the 3 other pages" in text(page(client.get(address)), "label.together")
    sent = decide(client, address, "lawful", reason="A museum.", context="news", together=together(client, events[0]))
    assert sent.status_code == 303
    assert {label.page_id for label in recorded} == {event.page_id for event in events}
    assert len({label.id for label in recorded}) == 4
    for said in recorded:
        (event,) = (one for one in events if one.page_id == said.page_id)
        assert (said.decision, said.reason, said.context, said.analyst) == ("lawful", "A museum.", "news", "amina")
        assert (said.content_id, said.score, said.model) == (
            event.content_id,
            event.verdict.score,
            event.verdict.model,
        )
    assert text(page(client.get(sent.headers["location"])), ".toast") == "Recorded: lawful on 4 pages Look again"


def test_a_decision_that_is_not_asked_to_stays_on_its_page(client: TestClient, store, recorded: list) -> None:
    events = mirrored(store)
    decide(client, f"/items/{events[0].page_id}", "lawful")
    assert [label.page_id for label in recorded] == [events[0].page_id]


def test_what_somebody_decided_otherwise_is_left_as_it_is(client: TestClient, store, recorded: list) -> None:
    events = mirrored(store)
    store.record_decisions([label(events[0], "unsure"), label(events[1], "unsure"), label(events[2], "of_concern")])
    address = f"/items/{events[0].page_id}"
    decide(client, address, "lawful", together=together(client, events[0]))
    assert {one.page_id for one in recorded} == {events[n].page_id for n in (0, 1, 3)}
    found = store.item(events[2].page_id)
    assert found is not None
    assert found.decision == "of_concern"


def test_a_cluster_that_has_grown_meanwhile_is_looked_at_again(client: TestClient, store, recorded: list) -> None:
    events = mirrored(store)
    seen = together(client, events[0])
    store.upsert([judged("https://new.example/", text="New.", minhash=signed(1, [40]))])
    answer = decide(client, f"/items/{events[0].page_id}", "lawful", together=seen)
    assert answer.status_code == 409
    assert "not those that you saw" in text(page(answer), ".problem")
    assert recorded == []


def test_a_cluster_that_could_be_recorded_in_part_only_is_completed_by_the_same_form(open_app, store) -> None:
    given: list[str] = []

    def record(said: LabelRecorded) -> None:
        given.append(said.page_id)
        if len(given) == 3:
            raise ConnectionError
        store.record_decisions([said])

    events = mirrored(store)
    client = open_app(record=record)
    client.get("/", params={"token": TOKEN})
    address = f"/items/{events[0].page_id}"
    failed = decide(client, address, "lawful", reason="Kept.", together=together(client, events[0]))
    assert failed.status_code == 503
    tree = page(failed)
    assert "some of the other pages only" in text(tree, ".problem")
    (box,) = tree.css("#together[checked]")
    data = fields(tree, "#decide") | {"decision": "lawful", "reason": "Kept.", "together": box.attributes["value"]}
    assert client.post(action(tree, "#decide"), data=data).status_code == 303
    found = [store.item(event.page_id) for event in events]
    assert [[one.decision for one in item.decisions] for item in found if item] == [["lawful"]] * 4
