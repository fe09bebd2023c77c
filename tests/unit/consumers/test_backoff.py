from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.backoff import Backoff


def test_steps_double_up_to_the_cap_and_start_over_after_a_success() -> None:
    backoff = Backoff(1.0, 5.0, draw=lambda: 1.0)
    assert [backoff.next_s() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert backoff.failures == 5
    backoff.reset()
    assert (backoff.failures, backoff.next_s()) == (0, 1.0)


@given(draw=st.floats(0, 1), failures=st.integers(0, 2000))
def test_wait_is_between_half_a_step_and_a_step(draw: float, failures: int) -> None:
    backoff = Backoff(0.5, 30.0, draw=lambda: draw)
    backoff.failures = failures
    step = min(30.0, 0.5 * 2 ** min(failures, 20))
    assert step / 2 <= backoff.next_s() <= step


def test_hint_of_the_other_side_is_the_least() -> None:
    assert Backoff(1.0, 5.0, draw=lambda: 0.0).next_s(hint_s=7.0) == 7.0
    assert Backoff(1.0, 5.0, draw=lambda: 1.0).next_s(hint_s=0.1) == 1.0
