from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from dashboards.review import sign_in_url
from dashboards.review.access import Doorman, Patience
from tests.unit.dashboards.conftest import ADDRESS, TOKEN, Clock
from tests.unit.dashboards.pages import fields, page, text


def _log_in(client: TestClient, token: str, **more: str):
    form = fields(page(client.get("/login")), "form.stack")
    return client.post("/login", data=form | {"token": token} | more)


def test_a_stranger_is_sent_to_sign_in_and_back_to_the_page_that_was_wanted(stranger: TestClient) -> None:
    sent = stranger.get("/items/abc?at=2")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/login?next=%2Fitems%2Fabc%3Fat%3D2"
    wanted = fields(page(stranger.get(sent.headers["location"])), "form.stack")["next"]
    back = _log_in(stranger, TOKEN, next=wanted)
    assert (back.status_code, back.headers["location"]) == (303, "/items/abc?at=2")
    assert text(page(stranger.get("/")), ".who .name") == "amina"


def test_the_session_cookie_is_http_only_strict_and_ends_after_twelve_hours(stranger: TestClient, clock: Clock) -> None:
    cookie = _log_in(stranger, TOKEN).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age=43200" in cookie
    clock.move(12 * 3600 - 1)
    assert stranger.get("/").status_code == 200
    clock.move(2)
    assert stranger.get("/").status_code == 303


def test_a_wrong_token_is_refused(stranger: TestClient) -> None:
    refused = _log_in(stranger, TOKEN + "x")
    assert refused.status_code == 401
    assert "not known" in text(page(refused), ".problem")
    assert stranger.get("/").status_code == 303


def test_the_token_leaves_the_address_bar(stranger: TestClient) -> None:
    sent = stranger.get(sign_in_url(ADDRESS, TOKEN) + "&language=ar")
    assert (sent.status_code, sent.headers["location"]) == (303, "/?language=ar")
    assert TOKEN not in sent.headers["set-cookie"]
    assert stranger.get("/").status_code == 200


def test_a_wrong_token_in_the_address_signs_nobody_in(stranger: TestClient) -> None:
    sent = stranger.get("/", params={"token": "wrong"})
    assert sent.headers["location"] == "/login?refused=1"
    assert stranger.get("/").status_code == 303


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_never_leads_to_another_site(stranger: TestClient, wanted: str) -> None:
    assert _log_in(stranger, TOKEN, next=wanted).headers["location"] == "/"


def test_those_who_guess_must_wait_longer_and_longer(stranger: TestClient, clock: Clock) -> None:
    for _ in range(5):
        waiting = _log_in(stranger, "guess")
    assert waiting.status_code == 429
    assert waiting.headers["retry-after"] == "2"
    assert stranger.get("/", params={"token": "guess"}).headers["location"] == "/login?refused=1"
    assert _log_in(stranger, "guess").headers["retry-after"] == "2"
    clock.move(3)
    assert _log_in(stranger, "guess").headers["retry-after"] == "4"


@pytest.mark.parametrize("by", ["address", "form"])
def test_the_right_token_is_let_in_at_once_after_any_number_of_wrong_ones(open_app, by: str) -> None:
    client = open_app()
    for _ in range(20):
        client.get("/", params={"token": "wrong"})
    sent = client.get("/", params={"token": TOKEN}) if by == "address" else _log_in(client, TOKEN)
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    assert client.get("/").status_code == 200
    client.cookies.clear()
    assert _log_in(client, "wrong").status_code == 401


def test_patience_has_an_end_and_forgives() -> None:
    clock = Clock()
    patience = Patience(clock, free=1, longest_s=60)
    for _ in range(50):
        patience.wrong("a")
    assert patience.wait_s("a") == 60
    assert patience.wait_s("b") == 0
    clock.move(61)
    assert patience.wait_s("a") == 0


def test_signing_out_ends_the_session_even_for_a_copied_cookie(client: TestClient) -> None:
    stolen = dict(client.cookies)
    data = fields(page(client.get("/")), ".who")
    assert client.post("/logout", data=data).headers["location"] == "/login"
    assert client.get("/").status_code == 303
    client.cookies.update(stolen)
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("changed", [{"tokens": {"amina": "another"}}, {"tokens": {"boris": "b"}}, {"secret": "t"}])
def test_a_changed_token_or_secret_ends_sessions(client: TestClient, open_app, changed: dict) -> None:
    other = open_app(**changed)
    other.cookies.update(dict(client.cookies))
    assert other.get("/").status_code == 303


def test_a_forged_cookie_is_no_session(stranger: TestClient) -> None:
    clock = Clock()
    _, forged = Doorman({"amina": TOKEN}, "another secret", clock).cookie("amina")
    stranger.cookies.set("guidewatch_session", forged)
    assert stranger.get("/").status_code == 303


@pytest.mark.parametrize("options", [{"secret": ""}, {"tokens": {"amina": ""}}, {"tokens": {"": "x"}}])
def test_empty_secrets_names_and_tokens_are_refused(open_app, options: dict) -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        open_app(**options)


def test_a_link_from_another_site_comes_in_by_a_page_of_ours(client: TestClient) -> None:
    cookies = dict(client.cookies)
    client.cookies.clear()
    bounced = client.get("/items/abc?at=1", headers={"sec-fetch-site": "cross-site"})
    assert bounced.status_code == 200
    assert 'content="0; url=/items/abc?at=1"' in bounced.text
    client.cookies.update(cookies)
    assert client.get("/items/abc?at=1", headers={"sec-fetch-site": "cross-site"}).status_code == 404


def test_an_htmx_request_without_a_session_moves_the_whole_page(stranger: TestClient) -> None:
    sent = stranger.get("/?language=ar", headers={"hx-request": "true"})
    assert (sent.status_code, sent.headers["hx-redirect"]) == (204, "/login?next=%2F%3Flanguage%3Dar")
