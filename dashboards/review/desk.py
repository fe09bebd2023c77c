"""What every page of one app shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from dashboards.review.access import SESSION_S, Doorman, Patience, Visit
from dashboards.review.recent import Recent
from events import LabelRecorded
from storage.port import Store


@dataclass(frozen=True)
class Desk:
    """The parts of one app; ``base_path`` is empty or begins with a slash and does not end with one."""

    store: Store
    record: Callable[[LabelRecorded], None]
    doorman: Doorman
    patience: Patience
    recent: Recent
    templates: Jinja2Templates
    clock: Callable[[], datetime]
    base_path: str
    secure_cookies: bool = False

    def url(self, path: str, query: str = "") -> str:
        """Return the address of a page of ours."""
        return f"{self.base_path}{path}{'?' if query else ''}{query}"

    def keep(self, response: Response, cookie: str) -> None:
        """Set the session's cookie."""
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=SESSION_S,
            path=self.base_path or "/",
            httponly=True,
            samesite="strict",
            secure=self.secure_cookies,
        )


COOKIE = "guidewatch_session"


def desk_of(request: Request) -> Desk:
    """Return the app's parts."""
    return cast(Desk, request.app.state.desk)


def visit_of(request: Request) -> Visit:
    """Return the session that the gate has found or made."""
    return cast(Visit, request.state.visit)


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a rendered page."""
    desk = desk_of(request)
    visit = getattr(request.state, "visit", None)
    shared = {
        "url": desk.url,
        "analyst": visit.analyst if visit else "",
        "form_token": desk.doorman.form_token(visit) if visit else "",
        "toast": None,
        "progress": None,
        "place": "",
    }
    return desk.templates.TemplateResponse(request, template, {**shared, **context}, status, headers)
