from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from dashboards.feeds import build_edition
from dashboards.feeds.edition import StillOnline
from dashboards.feeds.page import edition_html
from storage import Check
from storage.sqlite import SqliteStore
from tests.unit.dashboards.conftest import Clock
from tests.unit.dashboards.sample_items import judged, label


class Watched:
    """A store with confirmed pages of a known age, some of them looked at again."""

    def __init__(self, store: SqliteStore, now: datetime) -> None:
        self.store = store
        self.now = now
        self.made = 0

    def page(self, days: float, state: Any = None, *, checked: float = 0.0, text: str = "", then: Any = None) -> None:
        """Add a page first seen so many days ago, found in ``state`` by a check ``checked`` days ago, ``then`` now."""
        self.made += 1
        at = self.now - timedelta(days)
        event = judged(f"https://host{self.made}.example/secret", text=text or f"Text {'x' * self.made}.")
        event = msgspec.structs.replace(event, fetched_at=at, at=at)
        self.store.upsert([event])
        self.store.record_decisions([label(event)])
        if state is not None:
            check = Check(page_id=event.page_id, at=self.now - timedelta(checked), state=state)
            assert self.store.record_checks([check]).rejected == ()
        if then is not None:
            self.store.record_checks([Check(page_id=event.page_id, at=self.now, state=then)])

    def edition(self, *, restricted: bool = True, since: datetime | None = None):
        return build_edition(self.store, restricted=restricted, edition_id="n", since=since, clock=lambda: self.now)

    def figures(self, **options: Any) -> dict[int, tuple[dict[str, int | None], float | None]]:
        return {one.days: (_states(one), one.share) for one in self.edition(**options).still_online}


def _states(one: StillOnline) -> dict[str, int | None]:
    return {cell.value: cell.texts for cell in one.states}


@pytest.fixture
def watched(store: SqliteStore, clock: Clock) -> Watched:
    return Watched(store, clock())


def test_texts_are_counted_that_are_old_enough(watched: Watched) -> None:
    watched.page(100, "online")
    watched.page(40, "gone")
    watched.page(40, "changed")
    watched.page(10, "online")
    watched.page(2, "online")
    assert watched.figures() == {
        7: ({"online": 3, "offline": 1}, 0.75),
        30: ({"online": 2, "offline": 1}, 0.6667),
        90: ({"online": 1}, 1.0),
    }


def test_a_check_that_came_too_early_or_could_not_tell_says_nothing(watched: Watched) -> None:
    watched.page(40, "online", checked=20)
    watched.page(40, "unreachable")
    watched.page(40, "online", checked=20, then="unreachable")
    assert watched.figures() == {
        7: ({"not_checked": 2, "online": 1}, 1.0),
        30: ({"not_checked": 3}, None),
    }


def test_a_text_is_online_while_one_of_its_addresses_is(watched: Watched) -> None:
    watched.page(40, "gone", text="Same.")
    watched.page(35, "online", text="Same.")
    watched.page(40, "gone", text="Other.")
    watched.page(35, None, text="Other.")
    assert watched.figures()[30] == ({"online": 1, "not_checked": 1}, 1.0)


def test_what_was_confirmed_before_the_period_counts_too(watched: Watched) -> None:
    watched.page(40, "online")
    assert watched.figures(since=watched.now - timedelta(days=5))[30] == ({"online": 1}, 1.0)


def test_without_confirmed_texts_there_is_no_figure(watched: Watched) -> None:
    assert watched.figures() == {}


def test_a_public_edition_gives_no_small_number_and_no_address(watched: Watched) -> None:
    for _ in range(4):
        watched.page(10, "online")
    watched.page(10, "gone")
    (figure,) = watched.edition(restricted=False).still_online
    assert (_states(figure), figure.share) == ({"other": 5}, None)
    for _ in range(2):
        watched.page(10, "gone")
    edition = watched.edition(restricted=False)
    (figure,) = edition.still_online
    assert (_states(figure), figure.share) == ({"online": 4, "offline": 3}, 0.5714)
    written = edition_html(edition) + msgspec.json.encode(edition.public_form()).decode()
    assert "of those checked, 57 % are still online" in written
    assert "secret" not in written
    assert "host1" not in written
