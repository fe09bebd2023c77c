from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from storage.elastic.bulk import BACK_OFF_S, MAX_OPERATIONS, Answer, Bulk, Operation
from storage.port import StoreRejectedError, StoreUnavailableError


class FakeCluster:
    """Answers bulk requests: for each id, the answers in turn, and the last one for ever."""

    address = "http://cluster.example:9200"

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.answers = answers
        self.requests: list[list[str]] = []

    @contextmanager
    def translated(self) -> Iterator[FakeCluster]:
        yield self

    def bulk(self, *, operations: list[bytes], **_: Any) -> dict[str, Any]:
        headers = [msgspec.json.decode(line) for line in operations]
        actions = [line for line in headers if set(line) & {"create", "index", "delete"}]
        ids = [next(iter(line.values()))["_id"] for line in actions]
        self.requests.append(ids)
        items = [{next(iter(line)): self._next(one)} for line, one in zip(actions, ids, strict=True)]
        return {"items": items}

    def _next(self, one: str) -> dict[str, Any]:
        answers = self.answers.get(one, [{"status": 201}])
        return answers.pop(0) if len(answers) > 1 else answers[0]


BUSY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
CONFLICT = {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "it exists"}}
BAD = {
    "status": 400,
    "error": {"type": "document_parsing_exception", "reason": "no number", "caused_by": {"reason": "too large"}},
}


def send(cluster: FakeCluster, *ids: str) -> tuple[list[Answer], list[float]]:
    waits: list[float] = []
    operations = [Operation(index="an-index", id=one, document={"x": 1}, seq_no=None) for one in ids]
    return Bulk(cluster, waits.append).send(operations), waits  # type: ignore[arg-type]


def test_each_document_has_its_own_answer() -> None:
    answers, waits = send(FakeCluster(b=[CONFLICT], c=[BAD]), "a", "b", "c", "d")
    assert [answer.result for answer in answers] == ["done", "conflict", "rejected", "done"]
    assert answers[2].reason == "no number: too large"
    assert waits == []


def test_only_documents_that_met_an_overload_are_sent_again() -> None:
    cluster = FakeCluster(b=[BUSY, BUSY, {"status": 201}], c=[CONFLICT])
    answers, waits = send(cluster, "a", "b", "c")
    assert [answer.result for answer in answers] == ["done", "done", "conflict"]
    assert cluster.requests == [["a", "b", "c"], ["b"], ["b"]]
    assert waits == list(BACK_OFF_S[:2])


def test_lasting_overload_is_unavailable_after_the_last_wait() -> None:
    cluster = FakeCluster(b=[BUSY])
    with pytest.raises(StoreUnavailableError, match=r"cluster\.example:9200 is overloaded: 1 documents") as error:
        send(cluster, "a", "b")
    assert error.value.retry_after_s
    assert len(cluster.requests) == 1 + len(BACK_OFF_S)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"status": 404, "error": {"type": "index_not_found_exception", "reason": "no such index"}}, "set up"),
        ({"status": 403, "error": {"type": "cluster_block_exception", "reason": "read-only"}}, "read-only"),
        ({"status": 400, "error": {"type": "illegal_argument_exception", "reason": "no write index"}}, "no write"),
        (
            {"status": 400, "error": {"type": "strict_dynamic_mapping_exception", "reason": "no such field"}},
            r"no such field \(it was set up by an older guidewatch",
        ),
    ],
)
def test_refusal_that_is_not_about_a_document_is_no_dead_letter(error: dict[str, Any], reason: str) -> None:
    with pytest.raises(StoreRejectedError, match=reason):
        send(FakeCluster(b=[error]), "a", "b")


def test_many_documents_go_in_several_requests() -> None:
    cluster = FakeCluster()
    answers, _ = send(cluster, *(f"id-{n}" for n in range(MAX_OPERATIONS + 1)))
    assert {answer.result for answer in answers} == {"done"}
    assert [len(request) for request in cluster.requests] == [MAX_OPERATIONS, 1]


def test_deleting_what_is_gone_is_done() -> None:
    gone = Operation(index="an-index", id="a", document=None, seq_no=None)
    (answer,) = Bulk(FakeCluster(a=[{"status": 404}])).send([gone])  # type: ignore[arg-type]
    assert answer.result == "done"
