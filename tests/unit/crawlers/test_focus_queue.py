from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawlers.focus.queue import BestFirst
from crawlers.frontier import Kind, Row


class Links:
    """A table of links: number → (host, priority). ``later`` has what some are worth by now."""

    def __init__(self, **priorities: list[float]) -> None:
        self.queued: dict[int, tuple[str, float]] = {}
        self.later: dict[int, float] = {}
        self.kind = Kind.PAGE
        for host, found in priorities.items():
            for priority in found:
                self.queued[len(self.queued) + 1] = (host, priority)

    def best(self, host: str, limit: int) -> list[tuple[int, float]]:
        found = [(number, priority) for number, (home, priority) in self.queued.items() if home == host]
        return sorted(found, key=lambda link: (-link[1], link[0]))[:limit]

    def worth(self, number: int, priority: float) -> float | None:
        host, known = self.queued.get(number, ("", None))
        if known != priority:
            return None
        now = self.later.get(number, priority)
        self.queued[number] = (host, now)
        return now

    def begin(self, number: int) -> Row:
        host, _ = self.queued.pop(number)
        return Row(number, "0" * 32, f"http://{host}/{number}", host, 0, None, self.kind)

    def queue(
        self, *, per_host: int = 9_999, host_budget: int = 9_999, budget: int = 9_999, explore_every: int = 0
    ) -> BestFirst:
        made = BestFirst(self, per_host=per_host, host_budget=host_budget, budget=budget, explore_every=explore_every)
        for host in dict.fromkeys(host for host, _ in self.queued.values()):
            made.add(host, sum(home == host for home, _ in self.queued.values()))
        return made


def taken(queue: BestFirst) -> list[int]:
    found = []
    while (row := queue.take()) is not None:
        found.append(row.id)
    return found


def test_the_best_link_of_all_hosts_is_next() -> None:
    assert taken(Links(a=[0.2, 0.9], b=[0.5, 0.1]).queue()) == [2, 3, 1, 4]


def test_equal_links_are_taken_host_by_host_in_the_order_they_were_found() -> None:
    assert taken(Links(a=[0.5, 0.5], b=[0.5, 0.5]).queue()) == [1, 3, 2, 4]


def test_a_host_has_no_more_under_way_than_it_may() -> None:
    queue = Links(a=[0.9, 0.8], b=[0.1]).queue(per_host=1)
    assert taken(queue) == [1, 3]
    assert not queue.has_next()
    queue.release("a")
    assert queue.has_next()
    assert taken(queue) == [2]


def test_budgets_hold_and_a_refund_opens_them_again() -> None:
    queue = Links(a=[0.9, 0.8, 0.7], b=[0.1, 0.1]).queue(host_budget=2, budget=3)
    assert taken(queue) == [1, 2, 4]
    assert queue.is_spent("a") and queue.exhausted and not queue.has_next()
    queue.refund("b")
    assert taken(queue) == [5]


def test_sources_are_free() -> None:
    links = Links(a=[0.5, 0.5])
    links.kind = Kind.SOURCE
    assert taken(links.queue(budget=1, host_budget=1)) == [1, 2]


def test_a_link_that_has_lost_its_worth_waits() -> None:
    links = Links(a=[0.9, 0.5])
    links.later[1] = 0.1
    assert taken(links.queue()) == [2, 1]


def test_a_link_that_was_raised_comes_earlier() -> None:
    links = Links(a=[0.5, 0.1])
    queue = links.queue()
    links.queued[2] = ("a", 0.9)
    queue.offer("a", [(2, 0.9)], new=False)
    assert taken(queue) == [2, 1]


def test_a_link_that_was_taken_another_way_is_passed_over() -> None:
    links = Links(a=[0.9, 0.5])
    queue = links.queue()
    del links.queued[1]
    queue.drop("a")
    assert taken(queue) == [2]
    assert queue.queued == 0


def test_links_below_the_least_worth_are_left() -> None:
    queue = Links(a=[0.9, 0.05]).queue()
    queue.least = 0.1
    assert taken(queue) == [1]
    assert not queue.has_next()
    assert queue.queued == 1


def test_now_and_then_the_host_that_waited_longest_has_its_turn() -> None:
    assert taken(Links(a=[0.9, 0.9, 0.9, 0.9], b=[0.1]).queue(explore_every=2)).index(5) < 4


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=400),
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9)), max_size=200),
)
def test_every_link_is_taken_once_however_many_there_are_and_whatever_they_become(
    links: list[tuple[str, int]], changes: list[tuple[int, int]]
) -> None:
    table = Links()
    queue = table.queue()
    for number, (host, priority) in enumerate(links, start=1):
        table.queued[number] = (host, priority / 10)
        queue.offer(host, [(number, priority / 10)], new=True)
    found = [row.id for row in (queue.take() for _ in range(len(links) // 3)) if row is not None]
    for number, priority in changes:
        if number in table.queued:
            host = table.queued[number][0]
            table.queued[number] = (host, priority / 10)
            queue.offer(host, [(number, priority / 10)], new=False)
    found += taken(queue)
    assert sorted(found) == list(range(1, len(links) + 1))
    assert queue.queued == 0


def test_a_long_queue_is_taken_best_first_though_only_its_head_is_in_memory() -> None:
    table = Links()
    queue = table.queue()
    for number in range(1, 2_001):
        table.queued[number] = ("a", number / 2_000)
        queue.offer("a", [(number, number / 2_000)], new=True)
    assert taken(queue) == list(range(2_000, 0, -1))
