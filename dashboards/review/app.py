"""Putting the review app together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from dashboards.charts import meter
from dashboards.defang import defang, defang_host
from dashboards.labels import day, label, moment
from dashboards.review import failures
from dashboards.review.access import Doorman, Patience
from dashboards.review.addresses import ask_item_address, ask_row_address, give_item_address, give_row_address
from dashboards.review.deciding import decide, decide_row
from dashboards.review.desk import Desk
from dashboards.review.gate import SecurityHeaders, SignInGate
from dashboards.review.item_page import item_page
from dashboards.review.list_page import list_page
from dashboards.review.recent import Recent
from dashboards.review.signing_in import log_in, log_out, login_page
from dashboards.review.worth_a_look import PATH, queue_page, row_page
from events import LabelRecorded
from storage.port import Store, StoreRejectedError, StoreUnavailableError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def _utc_now() -> datetime:
    return datetime.now(UTC)


def make_app(
    store: Store,
    *,
    record: Callable[[LabelRecorded], None],
    tokens: Mapping[str, str],
    secret: str,
    base_path: str = "",
    allowed_hosts: Sequence[str] = LOOPBACK,
    secure_cookies: bool = False,
    clock: Callable[[], datetime] = _utc_now,
) -> Starlette:
    """Return the review app.

    Parameters
    ----------
    store
        Where the items are; only read.
    record
        Takes every decision and returns when it is durable; if it raises, the analyst is told and can try again.
        Called from several threads.
    tokens
        Analyst name to token.
    secret
        Signs sessions and forms; the same in every process that serves the app.
    base_path
        Where the app lives behind a proxy that passes the path on unchanged, such as ``/review``; empty for the root.
    allowed_hosts
        Values of the Host header (without port) to answer to; anything else is refused.
    secure_cookies
        Send the session cookie over TLS only.
    clock
        Says what time it is (aware UTC).

    Raises
    ------
    ValueError
        An empty secret, name or token, or a base path that does not begin with a slash.
    """
    base = base_path.rstrip("/")
    if base and not base.startswith("/"):
        raise ValueError(f"base path {base_path!r} must begin with a slash")
    doorman = Doorman(tokens, secret, clock)
    desk = Desk(
        store=store,
        record=record,
        doorman=doorman,
        patience=Patience(clock),
        recent=Recent(),
        templates=Jinja2Templates(env=_templates()),
        clock=clock,
        base_path=base,
        secure_cookies=secure_cookies,
    )
    app = Starlette(
        routes=_routes(base),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
            Middleware(SignInGate, desk=desk),
        ],
        exception_handlers={
            HTTPException: failures.on_http,
            StoreUnavailableError: failures.on_store_unavailable,
            StoreRejectedError: failures.on_store_rejected,
            Exception: failures.on_error,
        },
    )
    app.state.desk = desk
    return app


def sign_in_url(base_url: str, token: str) -> str:
    """Return a link that signs its reader in; the app takes the token out of the address bar at once."""
    return f"{base_url.rstrip('/')}/?{urlencode({'token': token})}"


def _routes(base: str) -> list[Route | Mount]:
    static = resources.files("dashboards.review") / "static"
    item, row = f"{base}/items/{{page_id:str}}", f"{base}{PATH}/{{page_id:str}}"
    return [
        Route(f"{base}/", list_page, name="list"),
        Route(item, item_page),
        Route(f"{item}/decision", decide, methods=["POST"]),
        Route(f"{item}/address", ask_item_address),
        Route(f"{item}/address", give_item_address, methods=["POST"]),
        Route(f"{base}{PATH}", queue_page),
        Route(row, row_page),
        Route(f"{row}/decision", decide_row, methods=["POST"]),
        Route(f"{row}/address", ask_row_address),
        Route(f"{row}/address", give_row_address, methods=["POST"]),
        Route(f"{base}/login", login_page),
        Route(f"{base}/login", log_in, methods=["POST"]),
        Route(f"{base}/logout", log_out, methods=["POST"]),
        Route(f"{base}/healthz", failures.healthz),
        Route(f"{base}/readyz", failures.readyz),
        Mount(f"{base}/static", StaticFiles(directory=str(static)), name="static"),
    ]


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("dashboards.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        defang=defang, defang_host=defang_host, label=label, day=day, moment=moment, percent=_percent
    )
    environment.globals.update(meter=meter)
    return environment


def _percent(probability: float) -> str:
    return f"{100 * probability:.0f} %"
