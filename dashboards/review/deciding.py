"""Taking a decision."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast, get_args

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.review.cluster import fingerprint, others_of, undecided
from dashboards.review.desk import desk_of, visit_of
from dashboards.review.draft import Draft, likely
from dashboards.review.filters import Filters
from dashboards.review.forms import field, fields, own_form
from dashboards.review.item_page import show, wanted_item
from dashboards.review.neighbours import items, next_open
from dashboards.review.paging import position
from dashboards.review.worth_a_look import PATH, Queue, rows, show_row, wanted_row
from events import CONTEXTS, DECISIONS, SUBJECTS, TECHNIQUES, LabelRecorded
from events.messages import Context, Decision, Subject, Technique
from storage.port import Item

MAX_REASON = 2000
_LABEL_ID = re.compile(r"^[0-9a-f]{32}$")
_log = logging.getLogger(__name__)

NOT_RECORDED = "Not recorded: the decision could not be passed on. Nothing you entered is lost; try again in a moment."
NOT_ON_ALL = (
    "Recorded here and on some of the other pages only: the rest could not be passed on. Try again in a moment."
)
CLUSTER_CHANGED = (
    "Not recorded: the pages with nearly the same text are not those that you saw. Look at them once more, then decide."
)
JUDGED_AGAIN = "Not recorded: the page was judged again since you opened it. Look at it once more, then decide."


@dataclass(frozen=True)
class _Case:
    """What is decided on, an item or a row of the second queue, and what to show before and after."""

    page_id: str
    content_id: str
    judged_at: datetime | None
    score: float | None
    model: str | None
    subjects: tuple[str, ...]
    techniques: tuple[str, ...]
    """What the classifier says, so that only a correction is recorded."""
    show: Callable[[Draft, int], Response]
    onward: Callable[[dict[str, object]], str]
    together: Sequence[Item] = ()
    """The pages with nearly the same text that the decision may take with it."""


async def decide(request: Request) -> Response:
    """Record a decision on an item and go on to the next open item of the list."""
    form = await own_form(request)
    return await run_in_threadpool(lambda: _decide(request, form, _item_case(request)))


async def decide_row(request: Request) -> Response:
    """Record a decision on a page of the second queue and go on to the next that nobody has reviewed."""
    form = await own_form(request)
    return await run_in_threadpool(lambda: _decide(request, form, _row_case(request)))


def _item_case(request: Request) -> _Case:
    desk, item, filters = desk_of(request), wanted_item(request), Filters.read(request.query_params)

    def onward(done: dict[str, object]) -> str:
        following = next_open(items(desk, filters), item.page_id, position(request))
        if following is None:
            return desk.url("/", filters.address(**done))
        return desk.url(f"/items/{following.page_id}", filters.address(at=following.at, **done))

    return _Case(
        page_id=item.page_id,
        content_id=item.content_id,
        judged_at=item.judged_at,
        score=item.verdict.score,
        model=item.verdict.model,
        subjects=likely(item.verdict.subjects),
        techniques=likely(item.verdict.techniques),
        show=lambda draft, status: show(request, desk.recent.over(item), draft, status),
        onward=onward,
        together=undecided(item, others_of(desk, item)),
    )


def _row_case(request: Request) -> _Case:
    desk, row, queue = desk_of(request), wanted_row(request), Queue.read(request.query_params)
    if row.content_id is None:
        raise HTTPException(404, "Nothing is known of the text of this page, so there is nothing to decide on.")

    def onward(done: dict[str, object]) -> str:
        following = next_open(rows(desk, queue), row.page_id, position(request))
        if following is None:
            return desk.url(PATH, queue.address(**done))
        return desk.url(f"{PATH}/{following.page_id}", queue.address(at=following.at, **done))

    return _Case(
        page_id=row.page_id,
        content_id=row.content_id,
        judged_at=row.judged_at,
        score=row.score,
        model=row.model,
        subjects=(),
        techniques=(),
        show=lambda draft, status: show_row(request, row, draft, status),
        onward=onward,
    )


def _decide(request: Request, form: FormData, case: _Case) -> Response:
    desk, decision, draft = desk_of(request), field(form, "decision"), _draft(form)
    if decision not in DECISIONS:
        raise HTTPException(400, "The form says no decision.")
    if field(form, "judged_at") != (case.judged_at.isoformat() if case.judged_at else ""):
        return case.show(replace(draft, problem=JUDGED_AGAIN), 409)
    if draft.together and field(form, "together") != fingerprint(case.together):
        return case.show(replace(draft, problem=CLUSTER_CHANGED, together=False), 409)
    labels = [_label(request, case, cast(Decision, decision), draft)]
    if draft.together:
        labels += [_label_too(labels[0], item) for item in case.together]
    for label in labels:
        try:
            desk.record(label)
        except Exception:  # noqa: BLE001 - whatever the sink raises, the analyst keeps what was typed and can try again
            _log.exception("decision on page %s was not recorded", label.page_id, extra={"page_id": label.page_id})
            return case.show(replace(draft, problem=NOT_RECORDED if label is labels[0] else NOT_ON_ALL), 503)
        desk.recent.add(label)
    done: dict[str, object] = {"recorded": decision, "was": case.page_id}
    return RedirectResponse(case.onward(done | ({"pages": len(labels)} if len(labels) > 1 else {})), 303)


def _draft(form: FormData) -> Draft:
    given = field(form, "label")
    draft = Draft(
        reason=field(form, "reason").strip()[:MAX_REASON],
        subjects=tuple(name for name in SUBJECTS if name in fields(form, "subject")),
        techniques=tuple(name for name in TECHNIQUES if name in fields(form, "technique")),
        context=field(form, "context") if field(form, "context") in CONTEXTS else "",
        together=field(form, "together") != "",
    )
    return replace(draft, label_id=given) if _LABEL_ID.match(given) else draft


def _label(request: Request, case: _Case, decision: Decision, draft: Draft) -> LabelRecorded:
    """Return the event. Subjects and techniques are given only where they correct the classifier.

    The same form sent twice makes the same id, so that a double click is one decision.
    """
    corrected_subjects = draft.subjects if set(draft.subjects) != set(case.subjects) else ()
    corrected_techniques = draft.techniques if set(draft.techniques) != set(case.techniques) else ()
    return LabelRecorded(
        id=hashlib.sha256(f"{draft.label_id} {decision}".encode()).hexdigest()[:32],
        at=desk_of(request).clock(),
        page_id=case.page_id,
        content_id=case.content_id,
        decision=decision,
        analyst=visit_of(request).analyst,
        reason=draft.reason,
        subjects=cast("tuple[Subject, ...]", corrected_subjects),
        techniques=cast("tuple[Technique, ...]", corrected_techniques),
        context=cast("Context", draft.context) if draft.context in get_args(Context) else None,
        score=case.score,
        model=case.model,
    )


def _label_too(label: LabelRecorded, item: Item) -> LabelRecorded:
    """Return the same decision on another page of the cluster, with what the classifier said of that one."""
    return msgspec.structs.replace(
        label,
        id=hashlib.sha256(f"{label.id} {item.page_id}".encode()).hexdigest()[:32],
        page_id=item.page_id,
        content_id=item.content_id,
        score=item.verdict.score,
        model=item.verdict.model,
    )
