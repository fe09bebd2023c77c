"""A focused crawl: links are ordered by what they are expected to lead to, and every verdict teaches (ADR 0014)."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from crawlers.focus.features import folder_of, title_features
from crawlers.focus.learner import History, LinkLearner, Standing
from crawlers.focus.queue import BestFirst
from crawlers.frontier import Frontier, Kind, Lesson, Link, Prospect, Row

Mode = Literal["soft", "hard"]
_Link = Prospect | Lesson

OF_CONCERN = 0.5
"""A page with this score or more is one to go on from."""

_FIRST = 2.0
"""Priority of seeds, above every expectation."""
_SOURCE = 0.5
"""Priority of sitemaps and feeds: before links that lead nowhere, after those that promise something."""
_EXPLORE_EVERY = 64
_LESSONS = 20_000
_PENDING_PAGES = 1_000
_RESCORE_AT = (16, 32, 64, 128)
_RESCORE_EVERY = 256
_RESCORED = 2_000
_SEASONED = 200
"""Pages after which the learner may give links up."""
_LEAST = 0.1
_FAR = 4
"""In ``hard``, links of pages that are so many pages away from one of concern are worth nothing."""
_CHANGE = 0.01
"""A priority that would change by less is left as it is."""
_CITATIONS = 4
"""Further pages of concern that link to a page change little: what is queued is not looked at again at once."""
_BEGINNING_CHARS = 200


class _Pending(NamedTuple):
    """A page on its way to a verdict: the link to it, the page ids of the links on it, and its own words."""

    link: Prospect
    onward: tuple[str, ...] = ()
    words: bytes = b""


class Focus:
    """What one crawl learns of its links. It is learnt again from the frontier's rows, and forgotten with them.

    Parameters
    ----------
    frontier
        Keeps the links, their features and the verdicts.
    mode
        ``soft`` takes poor links last and the best of a neglected host now and then; ``hard`` gives poor ones up.
    per_host, host_budget, budget
        As for `crawlers.focus.queue.BestFirst`.
    """

    def __init__(self, frontier: Frontier, mode: Mode, *, per_host: int, host_budget: int, budget: int) -> None:
        self._frontier = frontier
        self._hard = mode == "hard"
        self._learner = LinkLearner()
        self._history = History()
        self._under_way: dict[int, _Pending] = {}
        self._looked_at: Prospect | None = None
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._rescored = 0
        self.queue = BestFirst(
            self,
            per_host=per_host,
            host_budget=host_budget,
            budget=budget,
            explore_every=0 if self._hard else _EXPLORE_EVERY,
        )
        frontier.lift(_SOURCE)
        for lesson in frontier.lessons(_LESSONS):
            self._learn(lesson)
        self._rescore()

    def enqueue(self, links: Iterable[Link], parent: int | None) -> list[Link]:
        """Queue the links that are new, each with what it is expected to be worth, and return them.

        Parameters
        ----------
        links
            Links of one page, or seeds.
        parent
            Row number of the page on which they stand; None for seeds.
        """
        above = self._under_way.get(parent) if parent is not None else None
        distance = above.link.distance + 1 if above is not None else 0
        fresh = [link._replace(distance=distance) for link in links if not self._frontier.knows(link.page_id)]
        hopes = self._expect([_prospect(0, link) for link in fresh])
        new = self._frontier.enqueue(
            (link._replace(priority=_fixed(link, parent, hope)) for link, hope in zip(fresh, hopes, strict=True)),
            parent,
        )
        found = [_prospect(number, link) for number, link in new]
        if parent is not None and above is not None:
            self._under_way[parent] = above._replace(onward=tuple(link.page_id for link in fresh))
        self._offer(((each.host, each.id, each.priority) for each in found), new=True)
        return [link for _, link in new]

    def reach(self, row: Row, owner: Row) -> None:
        """Note that the request of ``row`` has led to the page of ``owner``, which may be another."""
        if row.id != owner.id and row.id in self._under_way:
            self._under_way[owner.id] = self._under_way.pop(row.id)

    def read(self, owner: Row, known: Sequence[str], title: str, text: str) -> None:
        """Note that a page was read, and that its verdict may come.

        Parameters
        ----------
        owner
            Row of the page.
        known
            Page ids of the links on it that were known.
        title, text
            What it says of itself.
        """
        via = self._under_way.pop(owner.id, None)
        if via is None:
            via = _Pending(Prospect(owner.id, owner.host, 0.0, b"", 0))
            self._history.begin(b"")
        self._pending[owner.page_id] = via._replace(
            onward=(*via.onward, *known), words=title_features(title, text[:_BEGINNING_CHARS])
        )
        if len(self._pending) > _PENDING_PAGES:
            self._end(self._pending.popitem(last=False)[1])

    def forget(self, row: Row) -> None:
        """Note that ``row`` has ended as no page to judge."""
        for ended in (self._under_way.pop(row.id, None), self._pending.pop(row.page_id, None)):
            if ended is not None:
                self._end(ended)

    def judged(self, page_id: str, score: float) -> None:
        """Learn from the verdict on a page that was read; where that is too long ago, nothing is learnt."""
        pending = self._pending.pop(page_id, None)
        if pending is None:
            return
        self._end(pending)
        link = pending.link
        self._frontier.note_score(link.id, score)
        self._learn(Lesson(link.host, link.features, link.distance, link.cited, link.citing, score), pending.words)
        leads_on = score >= OF_CONCERN
        distance, most = (0, _CITATIONS) if leads_on else (link.distance + 1, 1)
        self._reprice(self._frontier.cite(pending.onward, score, distance, most))
        seen = self._learner.seen
        if link.features and (seen in _RESCORE_AT or seen % _RESCORE_EVERY == 0):
            self._rescore()

    def best(self, host: str, limit: int) -> list[tuple[int, float]]:
        """Return (row number, priority) of the best queued links of ``host``."""
        return self._frontier.best(host, limit)

    def worth(self, number: int, priority: float) -> float | None:
        """Return what a link is worth by now, and write it down; None where it is not queued with ``priority``."""
        found = self._frontier.prospect(number)
        if found is None or found.priority != priority:
            return None
        self._looked_at = found
        if not found.features:
            return priority
        hope = self._hope(found)
        if abs(hope - priority) <= _CHANGE:
            return priority
        self._frontier.reprice([(number, hope)])
        return hope

    def begin(self, number: int) -> Row:
        """Take the link that was looked at last out of the queue."""
        if self._looked_at is not None and self._looked_at.id == number:
            self._under_way[number] = _Pending(self._looked_at)
            self._history.begin(folder_of(self._looked_at.features))
        return self._frontier.begin(number)

    def _end(self, pending: _Pending) -> None:
        self._history.end(folder_of(pending.link.features))

    def _learn(self, lesson: Lesson, words: bytes = b"") -> None:
        self._learner.learn(lesson.features, self._standing(lesson), lesson.score, words)
        self._history.add(lesson.host, folder_of(lesson.features), lesson.score)
        if self._hard and self._learner.seen >= _SEASONED:
            self.queue.least = _LEAST

    def _standing(self, link: _Link) -> Standing:
        host, folder = self._history.of(link.host, folder_of(link.features))
        near = (link.cited + self._history.mean) / (link.citing + 1)
        return Standing(near, link.cited, host, folder, link.distance)

    def _expect(self, links: Sequence[_Link]) -> list[float]:
        hopes = self._learner.expect([link.features for link in links], [self._standing(link) for link in links])
        if not self._hard:
            return hopes
        return [hope if link.distance < _FAR else 0.0 for hope, link in zip(hopes, links, strict=True)]

    def _hope(self, link: Prospect) -> float:
        return self._expect([link])[0]

    def _reprice(self, links: Sequence[Prospect]) -> None:
        """Write down what links are worth by now, and tell the queue."""
        changed = [
            (link.host, link.id, hope)
            for link, hope in zip(links, self._expect(links), strict=True)
            if link.features and abs(hope - link.priority) > _CHANGE
        ]
        self._frontier.reprice([(number, hope) for _, number, hope in changed])
        self._offer(changed, new=False)

    def _offer(self, links: Iterable[tuple[str, int, float]], *, new: bool) -> None:
        by_host: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for host, number, hope in links:
            by_host[host].append((number, hope))
        for host, found in by_host.items():
            self.queue.offer(host, found, new=new)

    def _rescore(self) -> None:
        """Look at some of the queued links again, the next ones the next time."""
        links = self._frontier.prospects(self._rescored, _RESCORED)
        self._rescored = links[-1].id if len(links) == _RESCORED else 0
        self._reprice(links)


def _fixed(link: Link, parent: int | None, hope: float) -> float:
    if link.kind is Kind.SOURCE:
        return _SOURCE
    return hope if parent is not None else _FIRST


def _prospect(number: int, link: Link) -> Prospect:
    return Prospect(number, link.host, link.priority, link.features, link.distance)
