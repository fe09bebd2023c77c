from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from storage.sqlite import SqliteStore
from tests.unit.dashboards.conftest import TOKEN
from tests.unit.dashboards.pages import action, fields, page
from tests.unit.dashboards.sample_items import judged


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/worth-a-look", "/healthz", "/readyz", "/nothing", "/static/review.js", "/items/abc/decision"],
)
def test_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", ""])
def test_a_foreign_host_header_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8600", "localhost:8600", "[::1]:8600"])
def test_loopback_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_other_hosts_can_be_allowed(open_app) -> None:
    client = open_app(allowed_hosts=["review.example"])
    assert client.get("/healthz", headers={"host": "review.example"}).status_code == 200
    assert client.get("/healthz", headers={"host": "localhost"}).status_code == 400


def test_no_page_has_inline_scripts_or_styles_or_foreign_addresses(client: TestClient, store: SqliteStore) -> None:
    event = judged()
    store.upsert([event])
    near = judged("https://b.example/", flagged=False, outcome="not_flagged", worth_a_look=True, title="", text="")
    store.upsert([near])
    row = f"/worth-a-look/{near.page_id}"
    item = f"/items/{event.page_id}"
    for path in ("/", item, f"{item}/address", "/worth-a-look", row, f"{row}/address", "/nothing"):
        tree = page(client.get(path))
        assert tree.css("[style], style, script:not([src]), [onclick], [onload]") == []
        for node in tree.css("[src], [href], [action]"):
            for name in ("src", "href", "action"):
                assert (node.attributes.get(name) or "/").startswith(("/", "#main", "#passage-")), node.html


@pytest.mark.parametrize("forged", [{"csrf": ""}, {"csrf": "0" * 64}])
def test_a_form_without_its_token_is_refused(client: TestClient, store, recorded: list, forged: dict) -> None:
    event = judged()
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful"}
    assert client.post(action(tree, "#decide"), data=data | forged).status_code == 403
    assert client.post("/logout", data=forged).status_code == 403
    assert client.post(f"/items/{event.page_id}/address", data=forged).status_code == 403
    assert recorded == []
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_form_from_another_site_is_refused_even_with_its_token(
    client: TestClient, store, recorded: list, headers: dict
) -> None:
    event = judged()
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful"}
    assert client.post(action(tree, "#decide"), data=data, headers=headers).status_code == 403
    assert recorded == []


def test_the_form_token_of_another_session_is_refused(open_app, store, recorded: list) -> None:
    event = judged()
    store.upsert([event])
    first, second = open_app(), open_app()
    for client in (first, second):
        client.get("/", params={"token": TOKEN})
    tree = page(first.get(f"/items/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful"}
    assert second.post(action(tree, "#decide"), data=data).status_code == 403
    assert recorded == []


def test_the_header_that_htmx_sends_counts_as_the_token(client: TestClient, store, recorded: list) -> None:
    event = judged()
    store.upsert([event])
    data = fields(page(client.get(f"/items/{event.page_id}")), "#decide") | {"decision": "lawful"}
    token = data.pop("csrf")
    sent = client.post(f"/items/{event.page_id}/decision", data=data, headers={"x-csrf-token": token})
    assert sent.status_code == 303
    assert len(recorded) == 1


def test_a_form_that_is_too_large_is_refused(client: TestClient, store, recorded: list) -> None:
    event = judged()
    store.upsert([event])
    tree = page(client.get(f"/items/{event.page_id}"))
    data = fields(tree, "#decide") | {"decision": "lawful", "reason": "x" * 2_000_000}
    assert client.post(action(tree, "#decide"), data=data).status_code in (400, 413)
    assert recorded == []


def test_everything_lives_under_the_base_path(open_app, store) -> None:
    store.upsert([judged()])
    client = open_app(base_path="/review/")
    sent = client.get("/review/", params={"token": TOKEN})
    assert sent.headers["location"] == "/review/"
    assert "path=/review" in sent.headers["set-cookie"].lower()
    tree = page(client.get("/review/"))
    addresses = [node.attributes["href"] or "" for node in tree.css("[href]")]
    assert [href for href in addresses if not href.startswith(("/review/", "#main"))] == []
    assert client.get(next(href for href in addresses if "/items/" in href)).status_code == 200
    assert client.get("/").status_code in (303, 404)
