"""What is done to an installation, and when: all of it follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["kill", "hang", "join", "leave", "kafka-kill", "kafka-restart", "elasticsearch-stop"]

STAGES = ("classify", "index", "label", "evidence", "spider")
_WEIGHTS = (4, 3, 1, 2, 2)
"""How often a process of each stage is killed, beside the others."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is done.

    Parameters
    ----------
    at_s
        Seconds after the beginning of the load.
    kind
        What.
    stage
        Of a process of which stage; empty for the servers.
    lasts_s
        How long a process hangs, or a server is away.
    """

    at_s: float
    kind: Kind
    stage: str = ""
    lasts_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much of each.

    Parameters
    ----------
    kills
        kill -9 of a process.
    kafka_restarts
        Every second one is a kill -9 of the broker, beginning with the first.
    elasticsearch_stops, elasticsearch_away_s
        How often, and for how long.
    hangs, hang_s
        SIGSTOP until SIGCONT; the latter longer than the session time-out.
    rebalances
        Workers that are added; as many leave.
    """

    kills: int = 60
    kafka_restarts: int = 2
    elasticsearch_stops: int = 2
    elasticsearch_away_s: float = 60.0
    hangs: int = 4
    hang_s: float = 55.0
    rebalances: int = 6


def schedule(seed: int, duration_s: float, amounts: Amounts, stages: tuple[str, ...] = STAGES) -> list[Fault]:
    """Return the faults in the order of their times, spread over the load."""
    rng = Random(f"{seed}/schedule")
    victims = _victims(rng, amounts.kills, stages)
    faults = [Fault(at_s, "kill", stage) for at_s, stage in zip(_spread(rng, amounts.kills), victims, strict=True)]
    faults += [
        Fault(at_s, "kafka-kill" if number % 2 == 0 else "kafka-restart", lasts_s=rng.uniform(1.0, 4.0))
        for number, at_s in enumerate(_spread(rng, amounts.kafka_restarts))
    ]
    faults += [
        Fault(at_s, "elasticsearch-stop", lasts_s=amounts.elasticsearch_away_s)
        for at_s in _spread(rng, amounts.elasticsearch_stops)
    ]
    groups = [stage for stage in stages if stage != "spider"]
    faults += [
        Fault(at_s, "hang", groups[number % len(groups)], amounts.hang_s)
        for number, at_s in enumerate(_spread(rng, amounts.hangs))
    ]
    for kind in ("join", "leave"):
        faults += [
            Fault(at_s, kind, stages[number % len(stages)])
            for number, at_s in enumerate(_spread(rng, amounts.rebalances))
        ]
    scaled = [Fault(fault.at_s * duration_s, fault.kind, fault.stage, fault.lasts_s) for fault in faults]
    return sorted(scaled, key=lambda fault: fault.at_s)


def _spread(rng: Random, count: int) -> list[float]:
    """Return so many points in (0.05, 0.95), one in each equal part."""
    return [0.05 + 0.9 * (number + rng.random()) / count for number in range(count)]


def _victims(rng: Random, count: int, stages: tuple[str, ...]) -> list[str]:
    """Return whose process is killed each time: every stage is hit before chance decides."""
    weights = [weight for stage, weight in zip(STAGES, _WEIGHTS, strict=True) if stage in stages]
    found = [*stages, *rng.choices(stages, weights, k=max(0, count - len(stages)))][:count]
    rng.shuffle(found)
    return found
