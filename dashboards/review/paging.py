"""Pages of a list, and the position of one entry in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from dashboards.review.filters import PAGE_SIZE


def pages(address: Callable[[int], str], number: int, total: int) -> dict[str, Any]:
    """Return what the links below a list need.

    Parameters
    ----------
    address
        Returns the address of a page by its number, from 1.
    number
        Of the page that is shown.
    total
        Entries in all pages.
    """
    last = max(1, -(-total // PAGE_SIZE))
    return {
        "last": last,
        "previous": address(min(number - 1, last)) if number > 1 else None,
        "next": address(number + 1) if number < last else None,
        "first_row": (number - 1) * PAGE_SIZE + 1,
        "last_row": min(total, number * PAGE_SIZE),
        "total": total,
    }


def page_of(at: int) -> int:
    """Return the number of the page on which the entry at position ``at`` (from 0) stands."""
    return at // PAGE_SIZE + 1


def position(request: Request) -> int:
    """Return where in its list the entry was when the reader opened it."""
    given = request.query_params.get("at", "")
    return min(int(given), 10_000) if given.isascii() and given.isdigit() and len(given) < 9 else 0
