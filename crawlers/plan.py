"""What one crawl may do: seeds, limits, manners. Built once at the entry point, never changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from yarl import URL

from crawlers.guard import DEFAULT_PORTS
from crawlers.guard.address import literal_address, refusal
from crawlers.guard.off_limits import OffLimits
from crawlers.seeds import SeedsError, check_seed

_CONTACT = re.compile(r"^(https?://\S+|[^\s@()]+@[^\s@()]+\.[^\s@()]+)$")
_HOST_PORT = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}$")


class PlanError(ValueError):
    """The plan cannot be carried out as it stands; the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class CrawlPlan:
    """Everything that decides how a crawl behaves. robots.txt is always obeyed.

    Parameters
    ----------
    seeds
        Absolute http(s) URLs to start from.
    crawl_id
        Name of the crawl; a resumed crawl keeps the name it was started with.
    data_dir
        Folder for ``crawl/frontier.sqlite`` and ``warc/``.
    user_agent, contact
        Product token, and an e-mail address or URL where a site owner reaches a person. Only a crawl that is
        confined to exempted or loopback hosts may go without a contact.
    max_pages, max_pages_per_host
        How many URLs are fetched in all, and of one host; sitemaps, feeds and robots.txt are not counted.
    max_depth
        Links away from a seed (depth 0).
    delay_s
        Least seconds between two requests to a host; AutoThrottle may stretch it.
    concurrency, concurrency_per_host
        Requests under way at once.
    timeout_s
        Most seconds for one response in all, first to last byte.
    max_bytes
        Most bytes of one body, before and after decompression.
    allow_private
        ``host:port`` keys that the address guard lets pass, or ``"*"`` for every address that is not public; public
        ones stay refused without a contact, and those of cloud metadata always.
    ports
        Ports of public addresses that may be connected to.
    off_limits
        What is never asked.
    grace_s
        How long requests under way may go on after a stop; the rest of a stop takes up to 1 s more.
    max_unended
        No new request is made while so many URLs are being fetched, read, judged or stored; twice ``concurrency`` where
        that is more.
    source_seeds
        Those of the seeds that are sitemaps or feeds: they are fetched for their links and not counted.
    due_only
        Leave pages that earlier crawls have seen and that are not due yet; seeds always are.
    revisit_min_s, revisit_max_s
        Shortest and longest time until a page is due again.
    frontier
        Name of the frontier in ``crawl/``, so that a crawl of another kind is not taken up instead.
    focus
        Whether links are ordered by what they are expected to lead to: ``off`` for breadth first, ``soft`` for the best
        first, ``hard`` for giving poor ones up as refused. It needs a sink that returns scores.
    browser
        Path of Chromium, in which pages that say nothing without their scripts are rendered; empty to leave them.

    Raises
    ------
    PlanError
        A value is out of range, a seed is no URL, or public hosts are to be crawled without a contact.
    """

    seeds: tuple[str, ...]
    crawl_id: str
    data_dir: Path
    user_agent: str = "guidewatch/0.1"
    contact: str = ""
    max_pages: int = 1_000
    max_pages_per_host: int = 500
    max_depth: int = 5
    delay_s: float = 1.0
    concurrency: int = 16
    concurrency_per_host: int = 1
    timeout_s: float = 30.0
    max_bytes: int = 8_000_000
    allow_private: frozenset[str] = frozenset()
    ports: frozenset[int] = DEFAULT_PORTS
    off_limits: OffLimits = field(default_factory=OffLimits)
    grace_s: float = 1.2
    max_unended: int = 256
    source_seeds: frozenset[str] = frozenset()
    due_only: bool = False
    revisit_min_s: float = 21_600.0
    revisit_max_s: float = 2_592_000.0
    frontier: str = "frontier"
    focus: Literal["off", "soft", "hard"] = "soft"
    browser: str = ""

    def __post_init__(self) -> None:
        _check_numbers(self)
        if not self.seeds:
            raise PlanError("there is nothing to crawl: give at least one seed URL")
        for seed in self.seeds:
            try:
                check_seed(seed)
            except SeedsError as error:
                raise PlanError(str(error)) from error
        for key in self.allow_private - {"*"}:
            if not _HOST_PORT.match(key):
                raise PlanError(f"allow_private takes host:port, not {key!r}")
        if self.contact and not _CONTACT.match(self.contact):
            raise PlanError(f"the contact must be an e-mail address or an http(s) URL, not {self.contact!r}")
        _check_browser(self.browser)
        if not self.contact:
            _check_confined(self)

    @property
    def agent(self) -> str:
        """The User-Agent header: ``guidewatch/0.1 (+contact)``."""
        return f"{self.user_agent} (+{self.contact})" if self.contact else self.user_agent

    @property
    def robots_token(self) -> str:
        """The product token that robots.txt groups are matched against."""
        return self.user_agent.partition("/")[0].strip()


def _check_numbers(plan: CrawlPlan) -> None:
    for name in ("max_pages", "max_pages_per_host", "concurrency", "concurrency_per_host", "max_bytes"):
        if getattr(plan, name) < 1:
            raise PlanError(f"{name} must be at least 1")
    for name in ("max_depth", "delay_s", "grace_s"):
        if getattr(plan, name) < 0:
            raise PlanError(f"{name} must not be negative")
    if not 0 < plan.revisit_min_s <= plan.revisit_max_s:
        raise PlanError("revisit_min_s must be more than 0, and no more than revisit_max_s")
    if plan.timeout_s <= 0:
        raise PlanError("timeout_s must be more than 0")


def _check_browser(browser: str) -> None:
    if not browser:
        return
    if not Path(browser).is_file():
        raise PlanError(f"there is no browser {browser}: give the path of Chromium, or nothing")
    if find_spec("playwright") is None:
        raise PlanError("a browser needs Playwright: install guidewatch[browser]")


def _check_confined(plan: CrawlPlan) -> None:
    for seed in plan.seeds:
        url = URL(seed)
        host = url.raw_host or ""
        if f"{host}:{url.port}" in plan.allow_private or host == "localhost":
            continue
        address = literal_address(host)
        if address is None or refusal(address) is None:
            raise PlanError(
                f"{host} is a public host: say who is crawling with a contact address (e-mail or URL), "
                "it becomes part of the User-Agent"
            )
