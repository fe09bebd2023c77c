"""Which errors are the user's mistakes (exit status 2) and which are failures (1); each gets one line, no traceback."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

DONE = 0
FAILED = 1
MISTAKE = 2


class UserMistakeError(ValueError):
    """What the user asked for cannot be done as asked; the message says what is wrong and what to do."""


class CommandFailedError(RuntimeError):
    """The command could not do its work; the message is one line."""


def _mistakes() -> tuple[type[BaseException], ...]:
    from classifier.encoder import EncoderError
    from classifier.examples import CorpusError
    from classifier.registry import ModelError
    from consumers.connection import BrokerRefusedError
    from crawlers.plan import PlanError
    from crawlers.run import DataFolderError
    from crawlers.seeds import SeedsError
    from guidewatch.settings import SettingsError
    from storage import StoreRejectedError

    return (
        UserMistakeError,
        SettingsError,
        SeedsError,
        PlanError,
        DataFolderError,
        ModelError,
        EncoderError,
        CorpusError,
        StoreRejectedError,
        BrokerRefusedError,
    )


def _failures() -> tuple[type[BaseException], ...]:
    from consumers.connection import BrokerUnavailableError
    from crawlers.sink import SinkUnavailableError
    from storage import StoreUnavailableError

    return (CommandFailedError, StoreUnavailableError, SinkUnavailableError, BrokerUnavailableError, OSError)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


@contextmanager
def one_line() -> Iterator[None]:
    """Turn known errors of the block into one line on standard error and the exit status; so with SIGTERM and Ctrl-C.

    Commands that have something to finish in good order take the signals themselves.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        sys.stderr.write("guidewatch: stopped; what was not finished was not written\n")
        raise SystemExit(128 + (interrupt.args[0] if interrupt.args else signal.SIGINT)) from None
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing to say, and nobody to say it to
        raise SystemExit(FAILED) from None
    except Exception as error:
        if isinstance(error, _mistakes()):
            status = MISTAKE
        elif isinstance(error, _failures()):
            status = FAILED
        else:
            raise
        sys.stderr.write(f"guidewatch: {' '.join(str(error).split())}\n")
        raise SystemExit(status) from error
