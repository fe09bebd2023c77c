"""An analyst's work, in a real browser on the real store."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboards.review import ReviewServer, make_app, sign_in_url
from storage.port import LedgerQuery
from storage.sqlite import SqliteStore
from tests.unit.dashboards.sample_items import fill, judged, near

TOKEN = "a-token-of-amina"
HOSTILE = "<script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "items.sqlite")
    opened.setup()
    fill(opened, 30, decided=0)
    yield opened
    opened.close()


@pytest.fixture
def address(store: SqliteStore) -> Iterator[str]:
    app = make_app(
        store, record=lambda label: store.record_decisions([label]) and None, tokens={"amina": TOKEN}, secret="s"
    )
    server = ReviewServer(app, port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.url
    server.stop()
    thread.join(10)
    assert not thread.is_alive()


def _signed_in(page: Page, address: str) -> Page:
    page.goto(sign_in_url(address, TOKEN))
    expect(page).to_have_url(f"{address}/")
    return page


def _state(store: SqliteStore, page: Page) -> str | None:
    item = store.item(page.locator("[data-item]").get_attribute("data-item") or "")
    assert item is not None
    return item.decision


def test_an_analyst_signs_in_filters_reads_and_decides_by_keys(
    address: str, watched_page: Callable[..., Page], store: SqliteStore
) -> None:
    page = watched_page()
    page.goto(address)
    page.get_by_label("Your token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#f-language-fr").click()
    expect(page.locator(".chips")).to_contain_text("French")
    expect(page.locator("[data-row]")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".path")).to_contain_text("2 of 5")

    veil = page.locator(".veil")
    expect(veil).to_have_css("filter", re.compile("blur"))
    page.keyboard.press("r")
    expect(veil).to_have_css("filter", "none")

    page.get_by_label("Reason").fill("The form of a guide; c and l typed here decide nothing.")
    page_id = page.locator("[data-item]").get_attribute("data-item") or ""
    page.get_by_label("Reason").press("Escape")
    page.wait_for_timeout(600)
    page.keyboard.press("c")
    expect(page.locator(".toast")).to_contain_text("Recorded: of concern")
    expect(page.locator("[data-item]")).not_to_have_attribute("data-item", page_id)
    expect(page.locator(".veil")).to_have_css("filter", re.compile("blur"))
    expect(page.locator("#progress")).to_contain_text("1 of 30")
    item = store.item(page_id)
    assert item is not None
    (record,) = item.decisions
    assert (record.decision, record.analyst) == ("of_concern", "amina")
    assert record.reason.startswith("The form of a guide")
    assert "language=fr" in page.url

    page.go_back()
    expect(page.locator("[data-item]")).to_have_attribute("data-item", page_id)
    expect(page.locator(".history")).to_contain_text("amina")


def test_a_second_press_does_not_decide_the_next_item(
    address: str, watched_page: Callable[..., Page], store: SqliteStore
) -> None:
    page = _signed_in(watched_page(), address)
    page.locator("[data-row]").first.click()
    page.wait_for_selector("[data-item]")
    page.wait_for_timeout(600)
    press = "document.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', bubbles: true}))"
    page.evaluate(f"document.addEventListener('htmx:afterSettle', () => {press}, {{once: true}})")
    page.evaluate(f"{press}; {press}; {press}")
    expect(page.locator(".toast")).to_contain_text("not relevant")
    page.wait_for_timeout(300)
    assert len(list(store.decisions())) == 1


def test_all_work_can_be_done_without_scripts(
    address: str, watched_page: Callable[..., Page], store: SqliteStore
) -> None:
    page = watched_page(java_script_enabled=False)
    page.goto(address)
    page.get_by_label("Your token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.locator(".fold summary").click()
    page.locator("#sort").select_option("oldest")
    page.get_by_role("button", name="Apply").click()
    page.locator("[data-row]").first.click()
    page.locator("label[for=reveal]").click()
    expect(page.locator(".veil")).to_have_css("filter", "none")
    page.get_by_label("Reason").fill("Seen without scripts.")
    first = page.url
    page.get_by_role("button", name="Lawful").click()
    expect(page.locator(".toast")).to_contain_text("lawful")
    assert page.url.split("?")[0] != first.split("?")[0]
    (label,) = store.decisions()
    assert (label.decision, label.reason) == ("lawful", "Seen without scripts.")
    page.get_by_role("link", name="Copy the real address").click()
    page.get_by_role("button", name="Yes, copy").click()
    expect(page.locator("#real")).to_have_value(re.compile("^https://"))
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{address}/login")


def test_the_second_queue_is_worked_through_by_keys(
    address: str, watched_page: Callable[..., Page], store: SqliteStore
) -> None:
    events = [near(n) for n in range(3)]
    store.upsert(events)
    page = _signed_in(watched_page(permissions=["clipboard-read", "clipboard-write"]), address)
    expect(page.locator("#places")).to_contain_text("Worth a look 3")
    page.keyboard.press("w")
    expect(page).to_have_url(f"{address}/worth-a-look")
    expect(page.locator("#places [aria-current]")).to_contain_text("Worth a look")
    expect(page.locator("[data-row]")).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".path")).to_contain_text("2 of 3")
    expect(page.locator("[data-item]")).to_have_attribute("data-item", events[1].page_id)

    page.get_by_role("link", name="Copy the real address").click()
    assert events[1].url not in page.content()
    page.get_by_role("button", name="Yes, copy").click()
    expect(page.locator("[data-copied]")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == events[1].url

    page.locator(".path").click()
    page.wait_for_timeout(600)
    page.keyboard.press("n")
    expect(page.locator(".toast")).to_contain_text("Recorded: not relevant")
    expect(page.locator("[data-item]")).to_have_attribute("data-item", events[2].page_id)
    expect(page.locator("#places")).to_contain_text("Worth a look 2")
    (row,) = store.ledger(LedgerQuery(page_id=(events[1].page_id,))).rows
    assert row.decision == "not_relevant"
    assert row.reviewed_at is not None
    page.keyboard.press("b")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.keyboard.press("i")
    expect(page).to_have_url(f"{address}/")


def test_the_second_queue_can_be_settled_without_scripts(
    address: str, watched_page: Callable[..., Page], store: SqliteStore
) -> None:
    store.upsert([near()])
    page = watched_page(java_script_enabled=False)
    page.goto(sign_in_url(address, TOKEN))
    page.get_by_role("link", name="Worth a look").click()
    page.locator("[data-row]").click()
    page.get_by_role("link", name="Copy the real address").click()
    page.get_by_role("button", name="Yes, copy").click()
    expect(page.locator("#real")).to_have_value(near().url)
    page.get_by_role("link", name="Back to the page").click()
    page.get_by_role("button", name="Of concern").click()
    expect(page.locator(".toast")).to_contain_text("of concern")
    expect(page.locator(".empty")).to_contain_text("Nothing waits here")
    page.get_by_role("link", name="Reviewed").click()
    expect(page.locator(".queue .pill")).to_have_text("of concern")
    page.locator(".toast a, [data-row]").last.click()
    expect(page.locator(".choice[aria-pressed=true]")).to_contain_text("Of concern")


def test_a_passage_is_shown_in_the_text(address: str, watched_page: Callable[..., Page]) -> None:
    page = _signed_in(watched_page(), address)
    page.locator("[data-row]").first.click()
    page.locator(".explained summary").last.click()
    page.locator('.explained [href="#passage-2"]').click()
    expect(page.locator("#passage-2")).to_have_css("outline-style", "solid")
    expect(page.locator("[data-item]")).to_be_visible()


def test_arabic_is_set_from_the_right(address: str, watched_page: Callable[..., Page]) -> None:
    page = _signed_in(watched_page(viewport={"width": 400, "height": 800}), address)
    page.goto(f"{address}/?language=ar")
    row = page.locator(".row h2").first
    expect(row).to_have_css("direction", "rtl")
    page.locator("[data-row]").first.click()
    expect(page.locator(".head h1")).to_have_css("direction", "rtl")
    for line in page.locator(".veil p").all():
        expect(line).to_have_css("direction", "rtl")
    expect(page.locator("html")).to_have_css("direction", "ltr")


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_window(
    address: str, watched_page: Callable[..., Page], store: SqliteStore, width: int, scheme: str
) -> None:
    event = judged("https://long.example/" + "x" * 300, title="y" * 200, text="z" * 3000)
    wide = near(url="https://long.example/" + "w" * 300, host="x" * 60 + ".example", parent_url="https://" + "y" * 60)
    store.upsert([event, wide])
    page = _signed_in(watched_page(viewport={"width": width, "height": 800}, color_scheme=scheme), address)
    queue = "/worth-a-look"
    for path in ("/?decision=all", f"/items/{event.page_id}", queue, f"{queue}/{wide.page_id}"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_real_address_is_copied_only_after_a_yes(
    address: str, watched_page: Callable[..., Page], store: SqliteStore
) -> None:
    page = _signed_in(watched_page(permissions=["clipboard-read", "clipboard-write"]), address)
    page.locator("[data-row]").first.click()
    page.get_by_role("link", name="Copy the real address").click()
    item = store.item(page.locator("[data-item]").get_attribute("data-item") or "")
    assert item is not None
    assert item.url not in page.content()
    page.get_by_role("button", name="Yes, copy").click()
    expect(page.locator("[data-copied]")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == item.url


def test_a_hostile_page_stays_text(address: str, watched_page: Callable[..., Page], store: SqliteStore) -> None:
    event = judged("https://hostile.example/", title=HOSTILE, text=HOSTILE, reason=HOSTILE)
    store.upsert([event])
    page = _signed_in(watched_page(), address)
    page.goto(f"{address}/?q=broken")
    page.locator("[data-row]").first.click()
    expect(page.locator(".head h1")).to_have_text(HOSTILE)
    assert "broken'" in page.title()
    assert page.locator("main img, main script").count() == 0


def test_search_help_and_keys_of_another_script(address: str, watched_page: Callable[..., Page]) -> None:
    page = _signed_in(watched_page(), address)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("мастерской")
    page.keyboard.press("Enter")
    expect(page.locator(".chips")).to_contain_text("мастерской")
    page.locator("[data-row]").first.click()
    page.wait_for_selector("[data-item]")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'к', code: 'KeyR', bubbles: true}))")
    expect(page.locator(".veil")).to_have_css("filter", "none")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


SERVE = """
import sys
from pathlib import Path
from dashboards.review import make_app, serve
from storage.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.setup()
app = make_app(store, record=lambda label: None, tokens={"a": "b"}, secret="s")
serve(app, port=0, ready=lambda url: print(url, flush=True))
store.close()
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_in_time_and_lets_the_caller_finish(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVE, str(tmp_path / "items.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:
            assert answer.status == 200
        asked_at = time.monotonic()
        process.send_signal(number)
        assert process.stdout.readline().strip() == "ended"
        assert process.wait(10) == 0
        assert time.monotonic() - asked_at < 5
