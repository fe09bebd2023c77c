from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

import classifier
from classifier.similarity import minhash
from classifier.verdict import Nearest
from consumers.judging import judge
from events import Evidence, PageFound, PageJudged, content_id, decode, encode, page_id

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EVIDENCE = Evidence(warc="a.warc.gz", offset=3, sha256="0" * 64)
PASSAGE = classifier.Passage(
    start=0,
    end=6,
    score=0.9,
    form=0.8,
    subject=0.7,
    words=(("garden", 0.5),),
    contexts={"news": 0.6, "hunting": 0.2},
    nearest=(Nearest(id="en-0123", similarity=0.82, of_concern=True), Nearest("fr-0009", 0.4, False)),
)


class Scripted:
    """Answers with these verdicts, and remembers what it was asked."""

    def __init__(self, *verdicts: classifier.Verdict) -> None:
        self._verdicts = list(verdicts)
        self.asked: list[classifier.Document] = []

    def judge(self, documents: Sequence[classifier.Document]) -> list[classifier.Verdict]:
        self.asked.extend(documents)
        return self._verdicts[: len(documents)]


def page(name: str = "one") -> PageFound:
    url = f"https://a.example/{name}"
    return PageFound(
        id=f"found-{name}",
        at=AT,
        page_id=page_id(url),
        url=url,
        host="a.example",
        crawl_id="crawl-1",
        content_id=content_id(name),
        fetched_at=AT,
        title=f"Title of {name}",
        text=f"A page about {name}.",
        text_truncated=True,
        depth=2,
        parent_url="https://a.example/",
        media_type="application/pdf",
        redirected_from=("https://a.example/old",),
        evidence=EVIDENCE,
    )


def verdict(outcome: str = "flagged", **fields: object) -> classifier.Verdict:
    usual = {"score": 0.9, "threshold": 0.5, "language": "en", "model": "m-1", "passages": (PASSAGE,), "reason": "So."}
    return classifier.Verdict(outcome=outcome, **(usual | fields))  # type: ignore[arg-type]


def judge_one(said: classifier.Verdict) -> PageJudged:
    (judged,) = judge(Scripted(said), [page()], lambda: AT)
    return decode(encode(judged), PageJudged)


def test_flagged_page_keeps_its_text_and_all_that_the_verdict_says() -> None:
    said = verdict(
        subjects={"firearm": 0.9}, techniques={"repair": 0.2}, methods={"kit": 0.1}, context=None,
    )  # fmt: skip
    judged = judge_one(said)
    assert (judged.title, judged.text) == (page().title, page().text)
    assert judged.verdict.flagged
    assert (judged.verdict.score, judged.verdict.threshold, judged.verdict.model) == (0.9, 0.5, "m-1")
    assert (judged.verdict.subjects, judged.verdict.techniques) == ({"firearm": 0.9}, {"repair": 0.2})
    assert (judged.verdict.methods, judged.verdict.context, judged.verdict.reason) == ({"kit": 0.1}, None, "So.")
    (passage,) = judged.verdict.passages
    assert (passage.start, passage.end, passage.score, passage.form, passage.subject) == (0, 6, 0.9, 0.8, 0.7)
    assert passage.words == (("garden", 0.5),)
    assert list(passage.contexts.items()) == [("news", 0.6), ("hunting", 0.2)]
    assert [(one.id, one.similarity, one.of_concern) for one in passage.nearest] == [
        ("en-0123", 0.82, True),
        ("fr-0009", 0.4, False),
    ]
    assert not judged.verdict.worth_a_look


@pytest.mark.parametrize("outcome", ["not_flagged", "unsupported"])
def test_page_that_is_not_flagged_keeps_no_word_of_its_text(outcome: str) -> None:
    judged = judge_one(verdict(outcome, score=0.1, context="hunting"))
    assert judged.verdict.outcome == outcome
    assert (judged.verdict.flagged, judged.title, judged.text) == (False, "", "")
    (passage,) = judged.verdict.passages
    assert (passage.words, passage.contexts, passage.nearest) == ((), {}, ())
    assert b"garden" not in encode(judged)


def test_flagged_page_carries_the_signature_of_its_text_and_no_other_page_one() -> None:
    assert judge_one(verdict()).minhash == minhash(page().text) != ""
    assert judge_one(verdict("not_flagged", score=0.4, worth_a_look=True)).minhash == ""


def test_page_worth_a_look_is_marked_and_keeps_no_text_either() -> None:
    judged = judge_one(verdict("not_flagged", score=0.4, worth_a_look=True))
    assert (judged.verdict.worth_a_look, judged.verdict.flagged) == (True, False)
    assert (judged.title, judged.text) == ("", "")
    assert b"garden" not in encode(judged)


def test_what_the_crawler_said_of_the_page_goes_on() -> None:
    judged = judge_one(verdict())
    for name in (
        "page_id", "url", "host", "crawl_id", "content_id", "fetched_at", "text_truncated", "depth", "parent_url",
        "status", "media_type", "redirected_from", "evidence",
    ):  # fmt: skip
        assert getattr(judged, name) == getattr(page(), name), name
    assert judged.at == AT


def test_order_is_kept_and_the_classifier_sees_titles_and_texts() -> None:
    asked = Scripted(verdict(score=0.9), verdict("not_flagged", score=0.2))
    judged = judge(asked, [page("one"), page("two")], lambda: AT)
    assert [one.verdict.score for one in judged] == [0.9, 0.2]
    assert [one.page_id for one in judged] == [page("one").page_id, page("two").page_id]
    assert asked.asked == [classifier.Document(page(name).text, page(name).title) for name in ("one", "two")]


def test_same_page_and_model_have_the_same_id_and_another_model_another() -> None:
    assert judge_one(verdict()).id == judge_one(verdict()).id
    assert judge_one(verdict()).id != judge_one(verdict(model="m-2")).id


def test_classifier_that_answers_too_little_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        judge(Scripted(verdict()), [page("one"), page("two")], lambda: AT)


def test_no_pages_are_no_judgements() -> None:
    assert judge(Scripted(), [], lambda: AT) == []
