"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable

_random = random.SystemRandom()


class Backoff:
    """Exponential back-off with jitter: each wait is drawn between half of the step and the whole of it.

    Parameters
    ----------
    base_s
        First step, in seconds; it doubles with each failure in a row.
    cap_s
        Longest step, in seconds.
    draw
        Returns a number in [0, 1).
    """

    def __init__(self, base_s: float, cap_s: float, draw: Callable[[], float] = _random.random) -> None:
        self._base_s = base_s
        self._cap_s = cap_s
        self._draw = draw
        self.failures = 0

    def next_s(self, hint_s: float | None = None) -> float:
        """Count a failure and return the seconds to wait: at least ``hint_s``, if the other side gave one."""
        step = min(self._cap_s, self._base_s * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return max(step * (0.5 + self._draw() / 2), hint_s or 0.0)

    def reset(self) -> None:
        """Forget the failures: something succeeded."""
        self.failures = 0
