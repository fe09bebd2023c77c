"""A real Chromium for the tests, driven by Playwright; ``GUIDEWATCH_TEST_CHROMIUM`` says which, else it is looked for.

A page of `watched_page` fails its test at the end if the browser complained (content security policy, script errors,
failed loads) or asked for anything outside loopback.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_MS = 15_000


def chromium() -> str:
    """Return the path of the browser; a missing one fails the test with one line."""
    given = os.environ.get("GUIDEWATCH_TEST_CHROMIUM")
    found = given or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found or not Path(found).exists():
        raise pytest.fail.Exception(
            "Chromium is missing: install it (Debian: apt-get install chromium) or set GUIDEWATCH_TEST_CHROMIUM",
            pytrace=False,
        )
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield the browser of a module: while it is open an event loop runs, and a later test may want one of its own."""
    path = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def watched_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Yield a function that opens a page in a profile of its own; its options are those of ``Browser.new_context``."""
    contexts, complaints = [], []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host not in ("127.0.0.1", "localhost", None):
            complaints.append(f"asked for {request.url}")

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        page.on("request", asked)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
