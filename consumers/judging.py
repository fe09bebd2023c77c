"""From pages to verdicts: the classifier on one side, the events on the other. Knows nothing of Kafka."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import msgspec

import classifier
from classifier.similarity import minhash
from events import PageFound, PageJudged, Verdict


class Judge(Protocol):
    """What is asked of a classifier; `classifier.Classifier` is one."""

    def judge(self, documents: Sequence[classifier.Document]) -> list[classifier.Verdict]:
        """Return one verdict a document, in order."""


def judge(judge: Judge, pages: Sequence[PageFound], clock: Callable[[], datetime]) -> list[PageJudged]:
    """Return one judged page a page, in order.

    Title, text and the signature of the text are there only where the page is flagged (DESIGN §2). The id of a
    judgement follows from the page event and the model, so a repeated judgement is recognised as the same.

    Parameters
    ----------
    judge
        The classifier.
    pages
        Pages to judge.
    clock
        Returns now, aware UTC.
    """
    verdicts = judge.judge([classifier.Document(text=page.text, title=page.title) for page in pages])
    at = clock()
    return [_judged(page, verdict, at) for page, verdict in zip(pages, verdicts, strict=True)]


def _judged(page: PageFound, verdict: classifier.Verdict, at: datetime) -> PageJudged:
    return PageJudged(
        id=sha256(f"{page.id}/{verdict.model}".encode()).hexdigest()[:32],
        at=at,
        page_id=page.page_id,
        url=page.url,
        host=page.host,
        crawl_id=page.crawl_id,
        content_id=page.content_id,
        fetched_at=page.fetched_at,
        verdict=_verdict(verdict),
        title=page.title if verdict.flagged else "",
        text=page.text if verdict.flagged else "",
        text_truncated=page.text_truncated,
        depth=page.depth,
        parent_url=page.parent_url,
        status=page.status,
        media_type=page.media_type,
        redirected_from=page.redirected_from,
        evidence=page.evidence,
        previous_content_id=page.previous_content_id,
        changed_share=page.changed_share,
        minhash=minhash(page.text) if verdict.flagged else "",
    )


def _verdict(verdict: classifier.Verdict) -> Verdict:
    return msgspec.convert(
        {
            "flagged": verdict.flagged,
            "score": verdict.score,
            "threshold": verdict.threshold,
            "language": verdict.language,
            "outcome": verdict.outcome,
            "model": verdict.model,
            "subjects": verdict.subjects,
            "techniques": verdict.techniques,
            "methods": verdict.methods,
            "context": verdict.context,
            "passages": tuple(_passage(passage, explained=verdict.flagged) for passage in verdict.passages),
            "reason": verdict.reason,
            "worth_a_look": verdict.worth_a_look,
        },
        Verdict,
    )


def _passage(passage: classifier.Passage, *, explained: bool) -> dict[str, Any]:
    """Return the fields of the passage; what explains a flag stays behind where there is none, as the page's words."""
    fields: dict[str, Any] = {
        "start": passage.start,
        "end": passage.end,
        "score": passage.score,
        "form": passage.form,
        "subject": passage.subject,
    }
    if explained:
        fields |= {
            "words": passage.words,
            "contexts": passage.contexts,
            "nearest": tuple(asdict(one) for one in passage.nearest),
        }
    return fields
