"""The trace of a page: W3C trace context in the headers of its messages, from the fetch to the index (ADR 0023).

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import NonRecordingSpan, SpanContext, format_trace_id, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Headers = Sequence[tuple[str, bytes]]

_ID = re.compile(r"^(?!0{16})[0-9a-f]{16}(?!0{16})[0-9a-f]{16}$")
_PROPAGATOR = TraceContextTextMapPropagator()


class _HeadersGetter(Getter[Headers]):
    """Reads the headers of a message; a name that stands there twice is not read: nobody can tell which one counts."""

    def get(self, carrier: Headers, key: str) -> list[str] | None:
        values = [value.decode("ascii", "replace") for name, value in carrier if name == key]
        return values if len(values) == 1 else None

    def keys(self, carrier: Headers) -> list[str]:
        return [name for name, _ in carrier]


_GETTER = _HeadersGetter()


def started(event_id: str) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that begin the trace of a URL that was just fetched.

    The id of the trace is the id of the event, so that either leads to the other.

    Parameters
    ----------
    event_id
        What `events.new_id` made: 32 hexadecimal digits; of any other id no trace is begun.
    """
    if not _ID.match(event_id):
        return ()
    fetch = SpanContext(trace_id=int(event_id, 16), span_id=int(event_id[16:], 16), is_remote=False)
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, set_span_in_context(NonRecordingSpan(fetch)))
    return tuple((name, value.encode("ascii")) for name, value in carrier.items())


def trace_id(headers: Headers) -> str:
    """Return the id of the trace that a message belongs to, or nothing where its headers name none."""
    context = get_current_span(_PROPAGATOR.extract(headers, getter=_GETTER)).get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""
