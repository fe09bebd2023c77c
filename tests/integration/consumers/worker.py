"""A classify worker in a process of its own, for tests that end processes: arguments ``BOOTSTRAP PREFIX INSTANCE HOW``.

``HOW`` says where it hangs for ever: ``never``, ``judging`` (in the middle of a batch), ``sent`` (all outputs of a
batch are in the log, the transaction is open). It prints a line when it is ready, when it hangs, and when it has ended.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

import classifier
from consumers.classify import ClassifyStage
from consumers.loop import ConsumeLoop
from consumers.stage import Output
from consumers.transaction import TransactionalWriter
from events import Topics
from tests.integration.consumers.backbone import Backbone, WordClassifier, clock, settings

HANG_AT = 70
"""Pages after which it hangs."""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def hang() -> None:
    say("hangs")
    threading.Event().wait()


class HangingClassifier(WordClassifier):
    def __init__(self) -> None:
        self._judged = 0

    def judge(self, documents: Sequence[classifier.Document]) -> list[classifier.Verdict]:
        self._judged += len(documents)
        if self._judged > HANG_AT:
            hang()
        return super().judge(documents)


class HangingWriter(TransactionalWriter):
    sent = 0

    def _send(self, producer: Any, outputs: Sequence[Output]) -> None:
        super()._send(producer, outputs)
        self.sent += len(outputs)
        if self.sent > HANG_AT:
            hang()


def main(bootstrap: str, prefix: str, instance: str, how: str) -> None:
    backbone = Backbone(bootstrap, Topics(prefix), None, None)
    judge = HangingClassifier() if how == "judging" else WordClassifier()
    member = backbone.member(instance)
    loop = ConsumeLoop(
        ClassifyStage(judge, backbone.topics, clock, slice_size=10), backbone.options, member, clock, settings()
    )
    if how == "sent":
        loop._writer = HangingWriter(backbone.options, member, timeout_s=10, transaction_timeout_s=5)
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    say("ready")
    say(f"ended: {loop.run(stop)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
