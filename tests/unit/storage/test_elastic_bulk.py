from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from storage.elastic.bulk import BACK_OFF_S, MAX_OPERATIONS, Answer, Bulk, Operation, SeqNo
from storage.port import StoreRejectedError, StoreUnavailableError


class FakeCluster:
    """Answers bulk requests: for each id, the answers in turn, and the last one for ever."""

    address = "http://cluster.example:9200"

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.answers = answers
        self.requests: list[list[str]] = []
        self.created: set[str] = set()

    @contextmanager
    def translated(self) -> Iterator[FakeCluster]:
        yield self

    def create(self, _: object, missing: set[str]) -> None:
        self.created |= missing
        for name in self.answers:
            self.answers[name] = [one for one in self.answers[name] if one is not MISSING] or [{"status": 201}]

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


MISSING = {"status": 404, "error": {"type": "index_not_found_exception", "reason": "no such index"}}
BLOCKED = {"status": 403, "error": {"type": "cluster_block_exception", "reason": "blocked by index write (api)"}}
BUSY = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}
CONFLICT = {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "it exists"}}
BAD = {
    "status": 400,
    "error": {"type": "document_parsing_exception", "reason": "no number", "caused_by": {"reason": "too large"}},
}


def send(cluster: FakeCluster, *ids: str) -> tuple[list[Answer], list[float]]:
    waits: list[float] = []
    operations = [Operation(index="an-index", id=one, document={"x": 1}, seq_no=None) for one in ids]
    return Bulk(cluster, cluster.create, waits.append).send(operations), waits  # type: ignore[arg-type]


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
    with pytest.raises(
        StoreUnavailableError, match=r"cluster\.example:9200 does not take 1 documents now: queue is full"
    ) as error:
        send(cluster, "a", "b")
    assert error.value.retry_after_s
    assert len(cluster.requests) == 1 + len(BACK_OFF_S)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"status": 403, "error": {"type": "security_exception", "reason": "unauthorized"}}, "unauthorized"),
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
    cluster = FakeCluster(a=[{"status": 404}])
    (answer,) = Bulk(cluster, cluster.create).send([gone])  # type: ignore[arg-type]
    assert answer.result == "done"


def test_index_that_is_not_there_is_created_and_the_document_sent_again_at_once() -> None:
    cluster = FakeCluster(b=[MISSING])
    answers, waits = send(cluster, "a", "b")
    assert [answer.result for answer in answers] == ["done", "done"]
    assert (cluster.created, cluster.requests, waits) == ({"an-index"}, [["a", "b"], ["b"]], [])


def test_index_that_is_closed_to_writers_is_unavailable_and_says_what_may_have_closed_it() -> None:
    with pytest.raises(StoreUnavailableError, match=r"1 documents now: blocked.*guidewatch index migrate"):
        send(FakeCluster(b=[BLOCKED]), "a", "b")


@pytest.mark.parametrize("error", [BLOCKED, MISSING])
def test_document_whose_index_was_closed_or_deleted_since_it_was_read_is_to_be_read_again(
    error: dict[str, Any],
) -> None:
    cluster = FakeCluster(a=[error])
    read = Operation(index="an-index-v1", id="a", document={"x": 1}, seq_no=SeqNo(1, 1))
    (answer,) = Bulk(cluster, cluster.create).send([read])  # type: ignore[arg-type]
    assert answer.result == "blocked"
    assert cluster.created == set()
