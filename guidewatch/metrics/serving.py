"""Showing a process's metrics and health where the settings say, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from guidewatch import output

if TYPE_CHECKING:
    from guidewatch.metrics.process import Process


@contextmanager
def shown(make: Callable[[], Process]) -> Iterator[None]:
    """Show metrics and health while the block runs, if a port is set.

    Parameters
    ----------
    make
        Returns what is shown; not called, and nothing loaded, where no port is set.

    Raises
    ------
    UserMistakeError
        The address is taken or not ours.
    """
    from guidewatch import settings

    chosen = settings.load(settings.MetricsSettings)
    if chosen.port is None:
        yield
        return
    from guidewatch.metrics.process import Endpoint
    from guidewatch.metrics.server import MetricsServer

    process = make()
    server = MetricsServer(Endpoint(process), chosen.host, chosen.port)
    with server.running(), process.store.running() if process.store is not None else nullcontext():
        output.say(f"Metrics: {server.url}/metrics, health: /healthz and /readyz")
        yield
