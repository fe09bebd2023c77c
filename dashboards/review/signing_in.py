"""Sign-in and sign-out."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.review.desk import COOKIE, desk_of, page, visit_of
from dashboards.review.forms import field, own_form
from dashboards.review.gate import let_in, local

REFUSED = "That token is not known here."


def login_page(request: Request) -> Response:
    """Show the form."""
    desk = desk_of(request)
    if visit_of(request).analyst:
        return RedirectResponse(desk.url("/"), 303)
    problem = REFUSED if "refused" in request.query_params else ""
    return _login(request, request.query_params.get("next", ""), problem, 200)


async def log_in(request: Request) -> Response:
    """Check the token, start a new session and go on to the page that was wanted."""
    desk = desk_of(request)
    form = await own_form(request)
    wanted = field(form, "next")
    analyst = let_in(desk, request, field(form, "token").strip())
    if analyst is None:
        return _login(request, wanted, REFUSED, 401)
    parts = urlsplit(wanted)
    path = parts.path if not parts.netloc and not parts.scheme else ""
    response = RedirectResponse(local(desk, path, parts.query), 303)
    desk.doorman.end(visit_of(request))
    desk.keep(response, desk.doorman.cookie(analyst)[1])
    return response


async def log_out(request: Request) -> Response:
    """End the session."""
    desk = desk_of(request)
    await own_form(request)
    desk.doorman.end(visit_of(request))
    response = RedirectResponse(desk.url("/login"), 303)
    response.delete_cookie(COOKIE, path=desk.base_path or "/", httponly=True, samesite="strict")
    return response


def _login(request: Request, wanted: str, problem: str, status: int) -> Response:
    desk = desk_of(request)
    wait_s = desk.patience.wait_s(request.client.host if request.client else "")
    headers = {}
    if wait_s > 0:
        status, headers = 429, {"Retry-After": str(math.ceil(wait_s))}
        problem = f"Too many wrong tokens. Wait {math.ceil(wait_s)} seconds, then try again."
    response = page(request, "login.html", {"wanted": wanted, "problem": problem}, status, headers)
    if cookie := getattr(request.state, "new_cookie", None):
        desk.keep(response, cookie)
    return response
