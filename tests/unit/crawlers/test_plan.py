from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlers.plan import CrawlPlan, PlanError
from crawlers.settings import settings_of


def plan(*seeds: str, **values: Any) -> CrawlPlan:
    return CrawlPlan(seeds=seeds or ("https://example.org/",), crawl_id="c", data_dir=Path("unused"), **values)


def test_public_hosts_without_a_contact_are_refused() -> None:
    with pytest.raises(PlanError, match=r"example\.org is a public host: .*contact"):
        plan()


@pytest.mark.parametrize("allowed", [frozenset({"*"}), frozenset({"127.0.0.1:8000"})])
def test_exempting_private_hosts_does_not_excuse_public_ones_from_a_contact(allowed: frozenset[str]) -> None:
    with pytest.raises(PlanError, match="contact"):
        plan("http://127.0.0.1:8000/", "https://example.org/", allow_private=allowed)


def test_a_crawl_of_exempted_hosts_needs_no_contact() -> None:
    assert plan("http://127.0.0.1:8000/", allow_private=frozenset({"127.0.0.1:8000"})).agent == "guidewatch/0.1"


@pytest.mark.parametrize("contact", ["monitor@example.org", "https://example.org/about-our-crawler"])
def test_the_contact_stands_in_the_user_agent(contact: str) -> None:
    made = plan(contact=contact)
    assert made.agent == f"guidewatch/0.1 (+{contact})"
    assert made.robots_token == "guidewatch"
    assert settings_of(made)["USER_AGENT"] == made.agent


@pytest.mark.parametrize("contact", ["me", "a@b", "x@example.org) evil", "https://"])
def test_a_contact_that_reaches_nobody_is_refused(contact: str) -> None:
    with pytest.raises(PlanError, match="contact"):
        plan(contact=contact)


@pytest.mark.parametrize(
    "values",
    [{"max_pages": 0}, {"max_depth": -1}, {"delay_s": -0.1}, {"timeout_s": 0}, {"concurrency_per_host": 0}],
)
def test_a_limit_out_of_range_is_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match=next(iter(values))):
        plan(contact="m@example.org", **values)


def test_an_exemption_without_a_port_is_refused() -> None:
    with pytest.raises(PlanError, match="host:port"):
        plan(contact="m@example.org", allow_private=frozenset({"127.0.0.1"}))


def test_settings_are_polite_by_default() -> None:
    settings = settings_of(plan(contact="m@example.org"))
    assert settings["DOWNLOAD_DELAY"] == 1.0
    assert settings["CONCURRENT_REQUESTS_PER_DOMAIN"] == 1
    assert settings["AUTOTHROTTLE_ENABLED"] is True
    assert settings["DOWNLOAD_DELAY_JITTER"] == 0
    assert settings["ROBOTSTXT_OBEY"] is True
    assert settings["COOKIES_ENABLED"] is False
    assert settings["TELNETCONSOLE_ENABLED"] is False
