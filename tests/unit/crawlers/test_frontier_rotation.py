from __future__ import annotations

from crawlers.frontier import Kind, Row
from crawlers.frontier.rotation import Rotation


class Queues:
    """Rows by host, as the table would give them."""

    def __init__(self, **counts: int) -> None:
        self.rows = {host: [self.row(host, n) for n in range(count)] for host, count in counts.items()}

    @staticmethod
    def row(host: str, number: int, kind: Kind = Kind.PAGE) -> Row:
        return Row(hash((host, number)), "0" * 32, f"http://{host}/{number}", host, 0, None, kind)

    def load(self, host: str, limit: int) -> list[Row]:
        taken, self.rows[host] = self.rows[host][:limit], self.rows[host][limit:]
        return taken

    def rotation(self, *, per_host: int = 1, host_budget: int = 100, budget: int = 100) -> Rotation:
        made = Rotation(self.load, per_host=per_host, host_budget=host_budget, budget=budget, buffer=2)
        for host, rows in self.rows.items():
            made.add(host, len(rows))
        return made


def take_all(rotation: Rotation) -> list[str]:
    hosts = []
    while (row := rotation.take()) is not None:
        hosts.append(row.host)
    return hosts


def test_hosts_take_turns() -> None:
    rotation = Queues(a=5, b=2, c=1).rotation(per_host=9)
    assert take_all(rotation) == ["a", "b", "c", "a", "b", "a", "a", "a"]


def test_a_host_has_no_more_under_way_than_it_may() -> None:
    rotation = Queues(a=3, b=1).rotation(per_host=1)
    assert take_all(rotation) == ["a", "b"]
    rotation.release("a")
    assert take_all(rotation) == ["a"]
    assert rotation.active == 2


def test_the_host_budget_is_kept() -> None:
    rotation = Queues(a=5, b=5).rotation(per_host=9, host_budget=2)
    assert sorted(take_all(rotation)) == ["a", "a", "b", "b"]
    assert not rotation.has_next()


def test_the_whole_budget_is_kept_and_a_refund_reopens_it() -> None:
    rotation = Queues(a=5, b=5).rotation(per_host=9, budget=3)
    assert len(take_all(rotation)) == 3
    assert not rotation.has_next()
    rotation.refund("b")
    assert rotation.has_next()
    assert len(take_all(rotation)) == 1


def test_what_earlier_runs_fetched_counts() -> None:
    rotation = Queues(a=5).rotation(per_host=9, host_budget=3)
    rotation.spend("a", 2)
    assert take_all(rotation) == ["a"]


def test_sources_are_free() -> None:
    queues = Queues(a=0)
    queues.rows["a"] = [Queues.row("a", n, Kind.SOURCE) for n in range(3)]
    rotation = queues.rotation(per_host=9, budget=1)
    assert len(take_all(rotation)) == 3
    assert rotation.spent == 0


def test_rows_added_later_are_found() -> None:
    queues = Queues(a=1)
    rotation = queues.rotation(per_host=9)
    assert take_all(rotation) == ["a"]
    assert not rotation.has_next()
    queues.rows["a"] = [Queues.row("a", 7)]
    rotation.add("a", 1)
    assert rotation.has_next()
    assert take_all(rotation) == ["a"]


def test_the_queue_is_counted_in_table_and_memory() -> None:
    rotation = Queues(a=5, b=1).rotation(per_host=9)
    rotation.take()
    assert rotation.queued == 5
