"""One Chromium for a crawl; it has no network, and every request comes back to the crawl (docs/extraction.md)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from crawlers.extraction.process import ExtractionStoppedError
from crawlers.extraction.worker import Document
from crawlers.rendering.requests import Fetch, PageRequests

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright

logger = logging.getLogger(__name__)

_ARGUMENTS = (
    "--proxy-server=http://127.0.0.1:9",  # the discard port: whatever is not answered by the crawl ends here
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--blink-settings=imagesEnabled=false",
    "--js-flags=--max-old-space-size=512",
)
_NOTHING_ELSE = """
for (const name of ["WebSocket", "WebSocketStream", "WebTransport", "RTCPeerConnection", "webkitRTCPeerConnection",
    "EventSource", "Worker", "SharedWorker"]) {
    try { delete globalThis[name]; Object.defineProperty(globalThis, name, {value: undefined}); } catch {}
}
"""
_MARKUP = "document.documentElement ? document.documentElement.outerHTML.slice(0, 3000000) : ''"
_KEPT = ("LANG", "LC_ALL", "PATH", "TMPDIR")
"""What the browser sees of the environment: nothing secret."""
_QUIET_S = 0.5
_SETTLED = 0.8
"""After this part of its time a page is taken as it is."""
_START_S = 20.0
_CLOSE_S = 2.0
_MAX_FAILURES = 3
"""A browser that cannot be started so many times in a row is not tried again."""


class BrowserRenderer:
    """Renders one page after the other, each in a profile of its own; started for the first, anew after a crash.

    Parameters
    ----------
    executable
        Chromium.
    fetch
        Fetches what a page asks for.
    agent
        The User-Agent that scripts see.
    max_bytes
        Most bytes of all that one page asks for.
    limit_s
        Most seconds for one page.
    """

    def __init__(self, executable: Path, fetch: Fetch, *, agent: str, max_bytes: int, limit_s: float) -> None:
        self._executable = executable
        self._fetch = fetch
        self._agent = agent
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._turn = asyncio.Lock()
        self._driver: Playwright | None = None
        self._browser: Browser | None = None
        self._pid = 0
        self._failures = 0
        self._stopped = False

    async def render(self, document: Document) -> str | None:
        """Return the markup of a page when its scripts have run, or None where that comes to nothing.

        Raises
        ------
        ExtractionStoppedError
            The crawl stopped first.
        """
        from playwright.async_api import Error

        async with self._turn:
            if self._stopped:
                raise ExtractionStoppedError
            if self._failures >= _MAX_FAILURES:
                return None
            try:
                browser = await self._started()
                async with asyncio.timeout(self._limit_s):
                    return await self._rendered(browser, document)
            except (Error, TimeoutError, OSError) as error:
                if self._stopped:
                    raise ExtractionStoppedError from error
                logger.info("a page is not rendered: %s", str(error).partition("\n")[0] or type(error).__name__)
                await self._end()
                return None

    def stop_within(self, seconds: float) -> None:
        """Give the page that is being rendered this long, and refuse everything that comes later."""
        self._stopped = True
        asyncio.get_running_loop().call_later(seconds, self._kill)

    async def close(self) -> None:
        """End the browser."""
        self._stopped = True
        await self._end()

    async def _started(self) -> Browser:
        from playwright.async_api import async_playwright

        if self._browser is not None and self._browser.is_connected():
            return self._browser
        await self._end()
        self._failures += 1
        async with asyncio.timeout(_START_S):
            self._driver = await async_playwright().start()
            browser = await self._driver.chromium.launch(
                executable_path=self._executable,
                args=_ARGUMENTS,
                chromium_sandbox=os.geteuid() != 0,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            session = await browser.new_browser_cdp_session()
            processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
            self._pid = next(int(process["id"]) for process in processes if process["type"] == "browser")
        self._browser = browser
        self._failures = 0
        return browser

    async def _rendered(self, browser: Browser, document: Document) -> str:
        loop = asyncio.get_running_loop()
        until = loop.time() + _SETTLED * self._limit_s
        requests = PageRequests(document, self._fetch, self._max_bytes)
        context = await browser.new_context(
            user_agent=self._agent, accept_downloads=False, service_workers="block", offline=False
        )
        await context.add_init_script(_NOTHING_ELSE)
        await context.route("**/*", requests.answer)
        await context.route_web_socket("**/*", lambda socket: socket.close())
        page = await context.new_page()
        _keep_alone(context, page)
        await page.goto(document.url, wait_until="commit", timeout=self._limit_s * 1_000)
        await page.wait_for_load_state("domcontentloaded", timeout=self._limit_s * 1_000)
        while requests.quiet_s() < _QUIET_S and loop.time() < until:
            await asyncio.sleep(_QUIET_S / 5)
        markup = await _markup(context, page)
        await context.close()
        return markup

    async def _end(self) -> None:
        """End the browser and its driver; one that does not answer is killed."""
        from playwright.async_api import Error

        browser, driver = self._browser, self._driver
        self._browser = self._driver = None
        for ending in (browser.close() if browser else None, driver.stop() if driver else None):
            if ending is not None:
                with contextlib.suppress(Error, TimeoutError, OSError):
                    await asyncio.wait_for(ending, _CLOSE_S)
            self._kill()

    def _kill(self) -> None:
        pid, self._pid = self._pid, 0
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _keep_alone(context: BrowserContext, page: Page) -> None:
    """Close windows that the page opens, and dismiss what it would ask."""
    context.on("page", lambda other: asyncio.ensure_future(other.close()) if other is not page else None)
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))


async def _markup(context: BrowserContext, page: Page) -> str:
    """Return the page as it is now, read in a world that its scripts cannot reach."""
    session = await context.new_cdp_session(page)
    frame = (await session.send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
    world = await session.send("Page.createIsolatedWorld", {"frameId": frame})
    asked = {"expression": _MARKUP, "contextId": world["executionContextId"], "returnByValue": True}
    return str((await session.send("Runtime.evaluate", asked))["result"].get("value", ""))
