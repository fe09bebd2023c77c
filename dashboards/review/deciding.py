"""Taking a decision."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import replace
from typing import cast, get_args

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.review.desk import desk_of, visit_of
from dashboards.review.filters import Filters
from dashboards.review.forms import field, fields, own_form
from dashboards.review.item_page import Draft, likely, position, show, wanted_item
from dashboards.review.neighbours import next_open
from events import CONTEXTS, DECISIONS, SUBJECTS, TECHNIQUES, LabelRecorded
from events.messages import Context, Decision, Subject, Technique
from storage.port import Item

MAX_REASON = 2000
_LABEL_ID = re.compile(r"^[0-9a-f]{32}$")
_log = logging.getLogger(__name__)

NOT_RECORDED = "Not recorded: the decision could not be passed on. Nothing you entered is lost; try again in a moment."
JUDGED_AGAIN = "Not recorded: the page was judged again since you opened it. Look at it once more, then decide."


async def decide(request: Request) -> Response:
    """Record a decision and go on to the next open item of the list."""
    form = await own_form(request)
    return await run_in_threadpool(_decide, request, form)


def _decide(request: Request, form: FormData) -> Response:
    desk, item = desk_of(request), wanted_item(request)
    decision, draft = field(form, "decision"), _draft(form)
    if decision not in DECISIONS:
        raise HTTPException(400, "The form says no decision.")
    if field(form, "judged_at") != item.judged_at.isoformat():
        return show(request, item, replace(draft, problem=JUDGED_AGAIN), 409)
    label = _label(request, item, cast(Decision, decision), draft)
    try:
        desk.record(label)
    except Exception:  # noqa: BLE001 - whatever the sink raises, the analyst keeps what was typed and can try again
        _log.exception("decision on page %s was not recorded", item.page_id)
        return show(request, item, replace(draft, problem=NOT_RECORDED), 503)
    desk.recent.add(label)
    return RedirectResponse(_onward(request, item, decision), 303)


def _draft(form: FormData) -> Draft:
    given = field(form, "label")
    draft = Draft(
        reason=field(form, "reason").strip()[:MAX_REASON],
        subjects=tuple(name for name in SUBJECTS if name in fields(form, "subject")),
        techniques=tuple(name for name in TECHNIQUES if name in fields(form, "technique")),
        context=field(form, "context") if field(form, "context") in CONTEXTS else "",
    )
    return replace(draft, label_id=given) if _LABEL_ID.match(given) else draft


def _label(request: Request, item: Item, decision: Decision, draft: Draft) -> LabelRecorded:
    """Return the event. Subjects and techniques are given only where they correct the classifier.

    The same form sent twice makes the same id, so that a double click is one decision.
    """
    desk, verdict = desk_of(request), item.verdict
    corrected_subjects = draft.subjects if set(draft.subjects) != set(likely(verdict.subjects)) else ()
    corrected_techniques = draft.techniques if set(draft.techniques) != set(likely(verdict.techniques)) else ()
    return LabelRecorded(
        id=hashlib.sha256(f"{draft.label_id} {decision}".encode()).hexdigest()[:32],
        at=desk.clock(),
        page_id=item.page_id,
        content_id=item.content_id,
        decision=decision,
        analyst=visit_of(request).analyst,
        reason=draft.reason,
        subjects=cast("tuple[Subject, ...]", corrected_subjects),
        techniques=cast("tuple[Technique, ...]", corrected_techniques),
        context=cast("Context", draft.context) if draft.context in get_args(Context) else None,
        score=verdict.score,
        model=verdict.model,
    )


def _onward(request: Request, item: Item, decision: str) -> str:
    desk, filters = desk_of(request), Filters.read(request.query_params)
    done = {"recorded": decision, "was": item.page_id}
    following = next_open(desk.store, desk.recent, filters, item.page_id, position(request))
    if following is None:
        return desk.url("/", filters.address(**done))
    return desk.url(f"/items/{following.page_id}", filters.address(at=following.at, **done))
