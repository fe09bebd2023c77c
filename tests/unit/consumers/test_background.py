from __future__ import annotations

import threading

import pytest

from consumers.background import Call


def test_result_is_there_once_the_wait_says_so() -> None:
    gate = threading.Event()

    def work() -> int:
        gate.wait(10)
        return 7

    call = Call(work, "test")
    assert not call.wait(0.01)
    gate.set()
    assert call.wait(10)
    assert call.result() == 7


def test_error_is_raised_where_the_result_is_asked_for() -> None:
    call: Call[float] = Call(lambda: 1 / 0, "test")
    assert call.wait(10)
    with pytest.raises(ZeroDivisionError):
        call.result()


def test_thread_does_not_keep_the_process_alive() -> None:
    threads: list[threading.Thread] = []
    call = Call(lambda: threads.append(threading.current_thread()), "named")
    assert call.wait(10)
    assert (threads[0].name, threads[0].daemon) == ("named", True)
