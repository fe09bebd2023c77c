from __future__ import annotations

import asyncio
import itertools
import time

from crawlers.distributed.turns import HostTurns

DELAY_S = 0.05


async def ask(turns: HostTurns, log: list[tuple[str, float, float]], host: str, not_before_s: float = 0.0) -> None:
    async with turns.turn(host, DELAY_S, not_before_s):
        began = time.monotonic()
        await asyncio.sleep(0.01)
        log.append((host, began, time.monotonic()))


def test_one_at_a_time_at_a_host_with_the_delay_from_answer_to_request() -> None:
    async def all_at_once() -> list[tuple[str, float, float]]:
        turns, log = HostTurns(), []
        await asyncio.gather(*(ask(turns, log, "a") for _ in range(4)))
        return log

    log = asyncio.run(all_at_once())
    assert all(after[1] - before[2] >= DELAY_S for before, after in itertools.pairwise(log))


def test_hosts_do_not_wait_for_each_other() -> None:
    async def all_at_once() -> list[tuple[str, float, float]]:
        turns, log = HostTurns(), []
        await asyncio.gather(*(ask(turns, log, host) for host in "abc"))
        return log

    log = asyncio.run(all_at_once())
    assert max(began for _, began, _ in log) <= min(ended for _, _, ended in log)


def test_nobody_is_asked_before_its_time() -> None:
    async def one() -> tuple[float, float]:
        turns, log = HostTurns(), []
        opens_at_s = time.monotonic() + 0.1
        await ask(turns, log, "a", opens_at_s)
        return opens_at_s, log[0][1]

    opens_at_s, began = asyncio.run(one())
    assert began >= opens_at_s


def test_a_request_that_fails_counts_like_an_answer() -> None:
    async def two() -> tuple[float, float]:
        turns, log = HostTurns(), []
        try:
            async with turns.turn("a", DELAY_S, 0.0):
                raise OSError
        except OSError:
            failed = time.monotonic()
        await ask(turns, log, "a")
        return failed, log[0][1]

    failed, began = asyncio.run(two())
    assert began - failed >= DELAY_S * 0.9


def test_hosts_that_nobody_asks_any_more_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr("crawlers.distributed.turns._KEPT_HOSTS", 3)
    now = [0.0]

    async def many() -> int:
        turns = HostTurns(lambda: now[0])
        for number in range(3):
            async with turns.turn(f"h{number}", 0.0, 0.0):
                pass
        now[0] = 10_000.0
        async with turns.turn("new", 0.0, 0.0):
            pass
        return len(turns._hosts)

    assert asyncio.run(many()) == 1
