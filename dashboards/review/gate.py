"""What stands before every page: security headers, and the question who is there."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.review.access import Visit
from dashboards.review.desk import COOKIE, Desk, page

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """Puts `SECURITY_HEADERS` on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class SignInGate:
    """Finds the session of a request, and lets nobody but analysts past; sign-in, static files and health are open.

    A ``?token=`` on any page signs in and goes on to the same page without it.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app, self._desk = app, desk
        self._open = (desk.url("/static/"), desk.url("/healthz"), desk.url("/readyz"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(self._open):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        cookie = request.cookies.get(COOKIE, "")
        visit = self._desk.doorman.visit(cookie) if cookie else None
        request.state.visit = visit or Visit("")
        answer = self._by_token(request) or (None if visit and visit.analyst else self._stranger(request, visit))
        await (answer or self._app)(scope, receive, send)

    def _by_token(self, request: Request) -> Response | None:
        token = request.query_params.get("token")
        if token is None or request.method != "GET":
            return None
        response: Response
        if analyst := let_in(self._desk, request, token):
            rest = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
            response = RedirectResponse(local(self._desk, request.url.path, urlencode(rest)), 303)
            self._desk.keep(response, self._desk.doorman.cookie(analyst)[1])
            return response
        return RedirectResponse(self._desk.url("/login", "refused=1"), 303)

    def _stranger(self, request: Request, visit: Visit | None) -> Response | None:
        if request.url.path == self._desk.url("/login"):
            if visit is None:
                request.state.visit, request.state.new_cookie = self._desk.doorman.cookie()
            return None
        if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
            # A strict cookie is not sent along a link from another site; coming from our own page, it is.
            return page(request, "onward.html", {"onward": local(self._desk, request.url.path, request.url.query)})
        wanted = local(self._desk, request.url.path, request.url.query) if request.method == "GET" else ""
        target = self._desk.url("/login", f"next={quote(wanted, safe='')}" if wanted else "")
        if request.headers.get("hx-request"):
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)


def let_in(desk: Desk, request: Request, token: str) -> str | None:
    """Return the analyst with this token, or None if it is wrong.

    A right token is let in at once, whoever has guessed from the same address before: behind a proxy all analysts share
    one, and any page that an analyst opens may send wrong tokens to a loopback address. Tokens are too long to guess.
    """
    client = request.client.host if request.client else ""
    analyst = desk.doorman.analyst_with(token)
    if analyst:
        desk.patience.right(client)
    elif desk.patience.wait_s(client) <= 0:
        desk.patience.wrong(client)
    return analyst


def local(desk: Desk, path: str, query: str = "") -> str:
    """Return an address of ours: this one, or the list where this one leads elsewhere."""
    home = desk.url("/")
    ours = path.startswith(home) and not path.startswith("//") and "\\" not in path and path.isprintable()
    return f"{quote(path)}{'?' if query else ''}{query}" if ours else home
