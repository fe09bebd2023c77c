from __future__ import annotations

from typing import Any

import pytest

from consumers.balance import Figures, Letters, Range, balance
from consumers.counting import Counts
from consumers.flow import GroupLook, PartitionLook, Waiting

CLASSIFY = Counts(read=100, outcomes={"page": 80, "duplicate": 15, "refused": 5}, outputs=100)
INDEX = Counts(read=100, outcomes={"flagged": 10, "not_flagged": 70, "duplicate": 15, "refused": 5})
NO_LETTERS = Letters(written=0, open=0, dropped=0, replayed={}, expired=False)


def group(stage: str, counts: Counts | None, **place: Any) -> GroupLook:
    topic = {"classify": "found", "index": "judged"}[stage]
    given: dict[str, Any] = {"partition": 0, "begin": 0, "end": 110, "committed": 110} | place
    return GroupLook(
        stage=stage, group=f"g-{stage}", topic=topic, members=1, partitions=(PartitionLook(counts=counts, **given),)
    )


def figures(
    classify: Counts = CLASSIFY,
    index: Counts = INDEX,
    *,
    later: Counts | None = None,
    waiting: tuple[Waiting, Waiting] = (Waiting(), Waiting()),
    **more: Any,
) -> Figures:
    usual: dict[str, Any] = {"published": Range(100, 100), "letters": NO_LETTERS, "rows": 100, "largest_crawl": 100}
    return Figures(
        before={"classify": group("classify", classify), "index": group("index", index)},
        after={"classify": group("classify", later or classify), "index": group("index", index)},
        waiting=dict(zip(("classify", "index"), waiting, strict=True)),
        **(usual | more),
    )


def failing(given: Figures) -> list[str]:
    return [check.what for check in balance(given).failing]


def test_what_is_all_there_balances() -> None:
    found = balance(figures())
    assert found.failing == ()
    assert (found.found, found.dead_letter, found.in_flight) == (100, 0, Range(0, 0))
    assert found.outcomes == {"flagged": 10, "not_flagged": 70, "duplicate": 15, "refused": 5}


def test_what_waits_in_the_topics_is_in_flight() -> None:
    given = figures(
        Counts(read=90, outcomes={"page": 90}, outputs=90),
        Counts(read=70, outcomes={"not_flagged": 70}),
        waiting=(Waiting(10, 10), Waiting(20, 20)),
    )
    assert balance(given).failing == ()
    assert balance(given).in_flight == Range(30, 30)


@pytest.mark.parametrize("published", [99, 101])
def test_a_page_that_classify_never_saw_or_saw_twice_is_noticed(published: int) -> None:
    assert [what.split(",")[0] for what in failing(figures(published=Range(published, published)))] == [
        "published by the spiders",
        "found",
    ]


def test_a_page_that_classify_swallowed_is_noticed() -> None:
    swallowed = Counts(read=100, outcomes={"page": 100}, outputs=99)
    assert "read by classify and no poison, and made by it" in failing(figures(swallowed))


@pytest.mark.parametrize("read", [99, 101])
def test_a_judgement_that_index_never_saw_or_saw_twice_is_noticed(read: int) -> None:
    index = Counts(read=read, outcomes={"not_flagged": read})
    assert "made by classify, and read by index or in flight" in failing(figures(index=index))


def test_a_row_that_is_gone_from_the_ledger_is_noticed() -> None:
    assert failing(figures(rows=99)) == ["rows of the ledger, and URLs of the largest crawl of late that must be there"]
    assert failing(figures(rows=99, largest_crawl=99)) == []


def test_a_dead_letter_that_is_gone_from_its_topic_is_noticed() -> None:
    poisoned = Counts(read=100, outcomes={"page": 99}, outputs=99, poison=1)
    index = Counts(read=99, outcomes={"not_flagged": 99})
    there = Letters(written=1, open=1, dropped=0, replayed={}, expired=False)
    assert failing(figures(poisoned, index, letters=there, rows=99)) == []
    assert balance(figures(poisoned, index, letters=there)).dead_letter == 1
    assert failing(figures(poisoned, index, rows=99)) == [
        "dead letters that the groups counted, and dead letters in the topics"
    ]


def test_dead_letters_that_expired_are_no_loss() -> None:
    poisoned = Counts(read=100, outcomes={"page": 99}, outputs=99, poison=1)
    index = Counts(read=99, outcomes={"not_flagged": 99})
    left = Letters(written=0, open=0, dropped=0, replayed={}, expired=True)
    assert failing(figures(poisoned, index, letters=left, rows=99)) == []


def test_a_dead_letter_that_was_sent_back_is_in_one_place_at_every_moment() -> None:
    there = Letters(written=1, open=0, dropped=0, replayed={"found": 1}, expired=False)
    poisoned = Counts(read=100, outcomes={"page": 99}, outputs=99, poison=1)
    index = Counts(read=99, outcomes={"not_flagged": 99})
    on_its_way = balance(figures(poisoned, index, letters=there, waiting=(Waiting(1, 1, 1), Waiting())))
    assert (on_its_way.failing, on_its_way.dead_letter, on_its_way.in_flight) == ((), 1, Range(0, 0))

    read = Counts(read=101, outcomes={"page": 100}, outputs=100, poison=1, replayed=1)
    between = balance(figures(read, index, letters=there, waiting=(Waiting(), Waiting(1, 1))))
    assert (between.failing, between.dead_letter, between.in_flight) == ((), 0, Range(1, 1))

    through = balance(figures(read, Counts(read=100, outcomes={"not_flagged": 100}), letters=there))
    assert (through.failing, through.dead_letter, through.in_flight) == ((), 0, Range(0, 0))


def test_a_dead_letter_that_was_sent_back_and_came_nowhere_is_noticed() -> None:
    there = Letters(written=0, open=0, dropped=0, replayed={"judged": 1}, expired=False)
    assert failing(figures(letters=there)) == ["dead letters that came back to judged, and those that were sent back"]


def test_a_page_too_large_to_be_judged_is_one_dead_letter_until_it_fits() -> None:
    there = Letters(written=1, open=0, dropped=0, replayed={}, expired=False)
    refused = Counts(read=100, outcomes={"page": 99}, outputs=100, rejected=1)
    index = Counts(read=100, outcomes={"not_flagged": 99, "dead_letter": 1})
    assert (
        balance(figures(refused, index, letters=there)).dead_letter,
        failing(figures(refused, index, letters=there)),
    ) == (1, [])

    back = Letters(written=1, open=0, dropped=0, replayed={"found": 1}, expired=False)
    again = Counts(read=101, outcomes={"page": 100}, outputs=101, rejected=1, replayed=1)
    index = Counts(read=101, outcomes={"not_flagged": 100, "dead_letter": 1})
    found = balance(figures(again, index, letters=back))
    assert (found.dead_letter, found.failing) == (0, ())


def test_letters_of_another_group_that_came_back_change_no_outcome() -> None:
    echoed = Counts(read=101, outcomes=INDEX.outcomes, echoes=1)
    letters = Letters(written=0, open=0, dropped=0, replayed={"judged": 1}, expired=False)
    assert balance(figures(index=echoed, letters=letters)).failing == ()
    assert balance(figures(index=echoed, letters=letters)).dead_letter == 0


def test_what_moves_during_the_look_is_no_difference() -> None:
    later = Counts(read=110, outcomes={"page": 110}, outputs=110)
    index = Counts(read=103, outcomes={"not_flagged": 103})
    given = figures(later=later, index=index, published=Range(95, 112), waiting=(Waiting(3, 3), Waiting()))
    assert balance(given).failing == ()


def test_so_many_that_nobody_counts_them_are_a_range() -> None:
    given = figures(
        Counts(), Counts(), published=Range(90_000, 90_000), waiting=(Waiting(0, 90_300), Waiting()), rows=0
    )
    assert (balance(given).failing, balance(given).in_flight) == ((), Range(0, 90_300))
    assert failing(msgspec_replaced(given, published=Range(90_301, 90_301)))


def msgspec_replaced(given: Figures, **changes: Any) -> Figures:
    import msgspec

    return msgspec.structs.replace(given, **changes)


def test_without_a_crawl_what_was_found_is_what_classify_reads() -> None:
    found = balance(figures(published=None, waiting=(Waiting(2, 2), Waiting())))
    assert (found.found, found.failing) == (102, ())


def test_urls_of_a_crawl_that_nobody_started_are_not_asked_of_the_spiders() -> None:
    given = figures(
        Counts(read=101, outcomes={"page": 100, "refused": 1}, outputs=101, nobodys=1),
        Counts(read=101, outcomes={"not_flagged": 100, "refused": 1}, nobodys=1),
    )
    assert balance(given).failing == ()


def test_offsets_that_nobody_counted_are_said_and_widen_what_may_be() -> None:
    place = {"begin": 0, "end": 110, "committed": 50}
    assert group("classify", None, **place).uncounted == 50
    assert group("classify", Counts(since=50), **place).uncounted == 50
    assert group("classify", Counts(), **place).uncounted == 0
    assert group("classify", None, begin=0, end=110, committed=None).uncounted == 0


def test_offsets_that_expired_unread_are_known() -> None:
    assert group("index", Counts(), begin=80, end=110, committed=50).expired == 30
    assert group("index", Counts(), begin=40, end=110, committed=50).expired == 0
    assert group("index", Counts(), begin=80, end=110, committed=50).lag == 30
