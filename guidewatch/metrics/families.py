"""Metric families from values: nothing is counted here, a scrape looks at what the processes know of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from consumers.figures import BUCKETS_S, Histogram

Samples = Iterable[tuple[Mapping[str, str], float]]
"""Labels and value; every sample of a family has the same labels."""


def gauge(name: str, documentation: str, samples: Samples) -> Metric:
    """Return a gauge with these samples."""
    return _filled(GaugeMetricFamily(name, documentation), samples)


def counter(name: str, documentation: str, samples: Samples) -> Metric:
    """Return a counter with these samples; ``name`` has no ``_total``, which the format puts there."""
    family = CounterMetricFamily(name, documentation)
    for labels, value in samples:
        family.add_sample(f"{family.name}_total", dict(labels), value)
    return family


def histogram(name: str, documentation: str, samples: Iterable[tuple[Mapping[str, str], Histogram]]) -> Metric:
    """Return a histogram of durations in seconds with these samples."""
    bounds = [*map(str, BUCKETS_S), "+Inf"]
    family: Metric = HistogramMetricFamily(name, documentation)
    for labels, one in samples:
        cumulative = list(accumulate(one.counts))
        for bound, count in zip(bounds, cumulative, strict=True):
            family.add_sample(f"{name}_bucket", {**labels, "le": bound}, count)
        family.add_sample(f"{name}_count", dict(labels), cumulative[-1])
        family.add_sample(f"{name}_sum", dict(labels), one.sum_s)
    return family


def one_of(name: str, documentation: str, labels: Mapping[str, str], states: Sequence[str], now: str) -> Metric:
    """Return a gauge that is 1 for the state that holds now and 0 for the others; the last label is ``state``."""
    return gauge(name, documentation, [({**labels, "state": state}, state == now) for state in states])


def _filled(family: Metric, samples: Samples) -> Metric:
    for labels, value in samples:
        family.add_sample(family.name, dict(labels), value)
    return family
