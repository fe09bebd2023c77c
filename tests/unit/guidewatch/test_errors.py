import signal
from importlib import import_module

import pytest

from guidewatch.errors import FAILED, FAILURES, MISTAKE, MISTAKES, UserMistakeError, one_line, status_of


@pytest.mark.parametrize("name", sorted(MISTAKES | FAILURES))
def test_every_known_error_is_there_under_its_name(name):
    module, _, kind = name.rpartition(".")
    found = getattr(import_module(module), kind)
    assert f"{found.__module__}.{found.__qualname__}" == name


def test_subclasses_are_known_too():
    assert status_of(ConnectionRefusedError("x")) == FAILED
    assert status_of(type("Own", (UserMistakeError,), {})("x")) == MISTAKE
    assert status_of(RuntimeError("x")) is None


def test_a_known_error_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended, one_line():
        raise UserMistakeError("this is\nwrong")
    assert ended.value.code == MISTAKE
    assert capsys.readouterr().err == "guidewatch: this is wrong\n"


def test_an_unknown_error_is_not_hidden():
    with pytest.raises(RuntimeError), one_line():
        raise RuntimeError("nobody expected this")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_one_line_and_its_status(capsys, number):
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(SystemExit) as ended, one_line():
            signal.raise_signal(number)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert ended.value.code == 128 + number
    assert capsys.readouterr().err.startswith("guidewatch: stopped")
