"""What a run says at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos.checking import Expected, Observed


@dataclass
class Report:
    """Figures of a run, and what is wrong."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    """Faults that were made, by kind; kills also by stage."""
    figures: dict[str, Any] = field(default_factory=dict)
    exits: list[dict[str, Any]] = field(default_factory=list)
    tracebacks: dict[str, int] = field(default_factory=dict)
    status: list[str] = field(default_factory=list)
    """What `guidewatch status` said when all had come to rest."""
    problems: list[str] = field(default_factory=list)

    def count(self, expected: Expected, observed: Observed) -> None:
        """Note how much there was."""
        self.figures |= {
            "events on pages.found": len(observed.found),
            "events on pages.judged": len(observed.judged),
            "outcomes": dict(sorted(Counter(outcome for _, outcome in observed.ledger).items())),
            "pages": len(observed.ledger),
            "items": len(observed.items),
            "decisions": len(observed.decisions),
            "dead letters": len(observed.letters),
            "records in the vault": len(observed.evidence),
            "pages of spiders": len(expected.crawled),
        }

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "done": dict(sorted(self.done.items()))}

    def table(self) -> str:
        """Return the report for people."""
        rows = [("seed", str(self.seed)), *((name, str(count)) for name, count in sorted(self.done.items()))]
        for name, value in self.figures.items():
            text = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
            rows.append((name, str(text)))
        if self.exits:
            rows.append(("workers that ended by themselves", str(len(self.exits))))
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        lines += [f"  ended by itself: {one['worker']} ({one['status']}): {one['last_line']}" for one in self.exits]
        lines += [f"  traceback in the log of {name}: {count}" for name, count in self.tracebacks.items()]
        lines += [f"  `guidewatch status`: {line}" for line in self.status]
        lines += ["", *(f"WRONG: {line}" for line in self.problems)]
        if not self.problems:
            lines.append("Nothing is lost, nothing is there twice.")
        return "\n".join(lines)
