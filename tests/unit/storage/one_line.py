"""What is said of a store that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest


def one_line(error: pytest.ExceptionInfo[Exception], path: Path) -> str:
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message
