"""What a process answers to those who ask how it is: the pure half of `guidewatch.metrics.server`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from guidewatch.metrics.families import gauge
from guidewatch.metrics.store_probe import StoreProbe

STALE_S = 30.0
"""A process that has not shown for so long that it is alive is not well."""
_REASON_CHARS = 200
_TEXT = "text/plain; charset=utf-8"

Families = Callable[[], Iterable[Metric]]
"""Returns the metric families of now."""


@dataclass(frozen=True)
class Answer:
    """A response, before it is on the wire."""

    status: int
    body: bytes
    content_type: str = _TEXT


@dataclass(frozen=True)
class Process:
    """What a process can say of itself; everything here is called from the server's threads.

    Parameters
    ----------
    stage
        What the process is, such as ``index`` or ``review``.
    why_not_alive, why_not_ready
        Return one line that says what is wrong, or nothing.
    families
        Return its metric families of now.
    store
        Asks the store that the process needs, if any.
    """

    stage: str
    why_not_alive: Callable[[], str]
    why_not_ready: Callable[[], str]
    families: Sequence[Families]
    store: StoreProbe | None = None


class _Collected(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


class Endpoint:
    """Answers GET requests for ``/metrics``, ``/healthz`` and ``/readyz``, and no others.

    Parameters
    ----------
    process
        Who is asked.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        store = [process.store.families] if process.store is not None else []
        for families in (self._build, *process.families, *store):
            self._registry.register(_Collected(families))

    def answer(self, path: str, accept: str) -> Answer:
        """Return the answer to a request.

        Parameters
        ----------
        path
            Of the request, with its query, which changes nothing.
        accept
            What the Accept header says; it chooses the format of the metrics.
        """
        match path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(accept)
                return Answer(200, encode(self._registry), content_type)
            case "/healthz":
                return _probe(self._process.why_not_alive())
            case "/readyz":
                store = self._process.store
                return _probe(self._process.why_not_ready() or (store.failure if store is not None else ""))
            case _:
                return Answer(404, b"not here\n")

    def _build(self) -> Iterator[Metric]:
        labels = {"version": version("guidewatch"), "stage": self._process.stage}
        yield gauge("guidewatch_build_info", "Version of guidewatch, and what this process is.", [(labels, 1)])


def why_stale(turned_at_s: float, now_s: float) -> str:
    """Return what is wrong with a loop that last turned at ``turned_at_s``, on the same scale as ``now_s``."""
    age_s = now_s - turned_at_s
    return f"the loop has not turned for {age_s:.0f} s" if age_s > STALE_S else ""


def _probe(wrong: str) -> Answer:
    if not wrong:
        return Answer(200, b"ok\n")
    line = " ".join(wrong.split())[:_REASON_CHARS]
    return Answer(503, line.encode("utf-8", "replace") + b"\n")
