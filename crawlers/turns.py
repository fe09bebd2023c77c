"""Whose turn it is, as the plan says: hosts in rotation, or the links that promise most."""

from __future__ import annotations

from typing import Any

from crawlers.focus import Focus
from crawlers.frontier import Frontier
from crawlers.frontier.budgets import HostBudgets
from crawlers.frontier.rotation import Rotation
from crawlers.plan import CrawlPlan


def turns_of(plan: CrawlPlan, frontier: Frontier) -> tuple[Focus | None, HostBudgets[Any]]:
    """Return what a focused crawl learns, None where it is breadth first, and the hosts in their order."""
    limits = {
        "per_host": plan.concurrency_per_host,
        "host_budget": plan.max_pages_per_host,
        "budget": plan.max_pages,
    }
    if plan.focus == "off":
        return None, Rotation(frontier.load, **limits)
    focus = Focus(frontier, plan.focus, **limits)
    return focus, focus.queue
