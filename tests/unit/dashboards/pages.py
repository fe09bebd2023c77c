"""Reading pages in tests the way a browser would."""

from __future__ import annotations

from typing import Any

from selectolax.lexbor import LexborHTMLParser as Page
from starlette.testclient import TestClient


def page(response: Any) -> Page:
    """Return the parsed body."""
    return Page(response.text)


def text(tree: Page, selector: str) -> str:
    """Return the text of the one element that matches."""
    (found,) = tree.css(selector)
    return " ".join(found.text(separator=" ").split())


def fields(tree: Page, form: str) -> dict[str, str]:
    """Return the hidden fields of a form."""
    return {
        node.attributes["name"] or "": node.attributes.get("value") or "" for node in tree.css(f"{form} [type=hidden]")
    }


def action(tree: Page, form: str) -> str:
    """Return where a form is sent."""
    (found,) = tree.css(form)
    return found.attributes["action"] or ""


def decide(client: TestClient, address: str, decision: str, **more: Any) -> Any:
    """Open an item and send its form."""
    opened = page(client.get(address))
    data = fields(opened, "#decide") | {"decision": decision} | more
    return client.post(action(opened, "#decide"), data=data)
