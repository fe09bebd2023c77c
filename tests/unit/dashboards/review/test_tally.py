from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from dashboards.review.tally import Recorder, Tally
from events import LabelRecorded
from tests.contract.samples import label


def test_requests_are_counted_by_status_and_timed(client: TestClient) -> None:
    ticks = iter(range(100))
    tally = Tally(client.app, lambda: float(next(ticks)))
    with TestClient(tally, base_url="http://127.0.0.1", follow_redirects=False) as counted:
        assert [counted.get(path).status_code for path in ("/healthz", "/", "/login?token=wrong")] == [200, 303, 303]
        assert counted.get("/healthz", headers={"host": "evil.example"}).status_code == 400
    assert tally.requests == {"2xx": 1, "3xx": 2, "4xx": 1}
    assert tally.seconds == 4.0


def test_a_request_that_fails_is_counted_as_our_fault() -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    tally = Tally(broken)
    with pytest.raises(ZeroDivisionError):
        TestClient(tally).get("/")
    assert tally.requests == {"5xx": 1}


def test_only_decisions_that_were_taken_are_counted() -> None:
    taken: list[LabelRecorded] = []

    def record(one: LabelRecorded) -> None:
        if one.decision == "unsure":
            raise OSError("the store is away")
        taken.append(one)

    recorder = Recorder(record)
    recorder(label(decision="lawful"))
    with pytest.raises(OSError, match="away"):
        recorder(label(decision="unsure"))
    assert recorder.decisions == {"lawful": 1}
    assert len(taken) == 1
