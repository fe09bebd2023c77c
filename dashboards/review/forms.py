"""Reading forms that really come from our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboards.review.desk import desk_of, visit_of

MAX_FIELDS = 64
MAX_FIELD_BYTES = 16_384


async def own_form(request: Request) -> FormData:
    """Return the fields of a form.

    Raises
    ------
    HTTPException
        403 if it was not sent from a page of this session; 413 or 400 if it is too large or malformed.
    """
    if int(request.headers.get("content-length") or 0) > MAX_FIELDS * MAX_FIELD_BYTES:
        raise HTTPException(413, "The form is too large.")
    if not _may_be_ours(request):
        raise HTTPException(403, "The form was sent from another site.")
    form = await request.form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    given = request.headers.get("x-csrf-token") or field(form, "csrf")
    if not desk_of(request).doorman.is_form_token(visit_of(request), given):
        raise HTTPException(403, "This form belongs to a session that has ended. Go back, reload the page, try again.")
    return form


def _may_be_ours(request: Request) -> bool:
    """Return whether the browser says nothing against it; under our referrer policy it may say ``Origin: null``."""
    origin = request.headers.get("origin", "null")
    same = origin == "null" or urlsplit(origin).netloc == request.headers.get("host")
    return same and request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def field(form: FormData, name: str) -> str:
    """Return a text field, empty if it is not there."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def fields(form: FormData, name: str) -> tuple[str, ...]:
    """Return every value of a text field."""
    return tuple(value for value in form.getlist(name) if isinstance(value, str))
