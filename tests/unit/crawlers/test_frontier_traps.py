from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.extraction.traces import bits_of, words_of
from crawlers.frontier.traps import Traps, refusal_of, shape_of
from crawlers.limits import MAX_URL_CHARS

HOST = "example.org"
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August"]


def learn(traps: Traps, host: str, url: str, text: str, links: list[str], *, repeated: bool = False) -> None:
    traps.learn(host, url, bits_of(words_of(text)), links, repeated=repeated)


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("https://example.org/calendar/2031/05", "/calendar/0/0"),
        ("https://example.org/c?month=5&year=2031", "/c?month=*&year=*"),
        ("https://example.org/c?year=2031&month=may", "/c?month=*&year=*"),
        ("https://example.org/about", "/about"),
    ],
)
def test_a_shape_is_blind_to_numbers_and_values(url: str, shape: str) -> None:
    assert shape_of(url) == shape


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/a/a/a/page", "trap"),
        ("https://example.org/x/a/b/a/b/a/b", "trap"),
        ("https://example.org/a/b/a/b/", None),
        ("https://example.org/2024/01/01/01/post", None),
        ("https://example.org/" + "q" * MAX_URL_CHARS, "url too long"),
        ("https://example.org/archive/2024/05/a-title", None),
    ],
)
def test_some_urls_are_refused_by_their_looks(url: str, reason: str | None) -> None:
    assert refusal_of(url) == reason


def test_an_endless_calendar_is_left() -> None:
    traps, fetched = Traps(limit=20), 0
    for number in range(500):
        url = f"https://example.org/calendar/{2030 + number // 12}/{number % 12 + 1}"
        if traps.is_closed(HOST, url):
            break
        fetched += 1
        following = f"https://example.org/calendar/{2030 + (number + 1) // 12}/{(number + 1) % 12 + 1}"
        learn(
            traps,
            HOST,
            url,
            f"Events in {MONTHS[number % 8]} {2030 + number // 12}. No events this month.",
            [following],
        )
    assert 12 < fetched < 40


def test_an_archive_of_real_texts_is_crawled_to_its_end() -> None:
    traps, random_words = Traps(limit=20), random.Random(7)
    vocabulary = ["".join(random_words.choices("abcdefghijklmnop", k=6)) for _ in range(3_000)]
    for number in range(400):
        url = f"https://example.org/archive/2020/{number}"
        assert not traps.is_closed(HOST, url)
        learn(traps, HOST, url, "Menu Home About " + " ".join(random_words.choices(vocabulary, k=120)), [])


def test_a_list_with_paging_goes_on_while_it_leads_to_new_pages() -> None:
    traps = Traps(limit=5)
    for number in range(100):
        url = f"https://example.org/list?page={number}"
        assert not traps.is_closed(HOST, url)
        learn(traps, HOST, url, "A list of entries, next page", [f"https://example.org/entry-{number}/text"])


def test_many_small_pages_that_lead_nowhere_are_no_trap() -> None:
    traps = Traps(limit=5)
    for number in range(100):
        url = f"https://example.org/photo/{number}"
        assert not traps.is_closed(HOST, url)
        learn(traps, HOST, url, f"Photo {number}", [])


def test_a_closed_shape_is_closed_for_its_host_only() -> None:
    traps = Traps(limit=2)
    for number in range(9):
        learn(traps, HOST, f"https://example.org/{number}", "the same words", [f"https://example.org/{number + 1}"])
    assert traps.is_closed(HOST, "https://example.org/77")
    assert not traps.is_closed("other.example", "https://other.example/77")
    assert not traps.is_closed(HOST, "https://example.org/page/77")


def test_what_was_learnt_can_be_saved_and_taken_up() -> None:
    traps = Traps(limit=2)
    for number in range(3):
        learn(traps, HOST, f"https://example.org/{number}", "the same words", [f"https://example.org/{number + 1}"])
    saved = traps.changed()
    assert traps.changed() == {}
    assert Traps(limit=2, counts=saved).is_closed(HOST, "https://example.org/5")


def test_words_that_none_of_the_last_pages_had_are_new_again() -> None:
    def closed_after(between: int) -> bool:
        traps = Traps(limit=1)
        for number, words in enumerate([10, *range(20, 20 + between), 10]):
            text = " ".join(chr(97 + words % 26) * (1 + words // 26) + letter for letter in "abcdefghij")
            learn(traps, HOST, f"https://example.org/{number}", text, [f"https://example.org/{number + 1}"])
        return traps.is_closed(HOST, "https://example.org/77")

    assert closed_after(7)
    assert not closed_after(11)


@pytest.mark.parametrize(("new", "closes"), [(1.0, False), (0.2, False), (0.03, True)])
def test_new_words_are_seen_among_very_many(new: float, closes: bool) -> None:
    traps = Traps(limit=3)
    count = 2_000
    for number in range(30):
        first = int(number * new * count)
        bits = bits_of(word(place) for place in range(first, first + count))
        traps.learn(HOST, f"https://example.org/{number}", bits, [f"https://example.org/{number + 1}"])
    assert traps.is_closed(HOST, "https://example.org/77") == closes


def word(number: int) -> str:
    """Return a word for each number."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


@given(st.text(alphabet=st.sampled_from("/ab1.-"), max_size=300))
def test_any_path_is_judged_at_once(path: str) -> None:
    assert refusal_of(f"https://example.org/{path}") in {None, "trap"}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/calendar/2030/01", "trap"),
        ("https://example.org/events/2031-12-05/", "trap"),
        ("https://example.org/c?date=2040-1", "trap"),
        ("https://example.org/c?year=2040&month=3", "trap"),
        ("https://example.org/c?month=3&year=2040", "trap"),
        ("https://example.org/calendar/2029/12", None),
        ("https://example.org/archive/1923/05", None),
        ("https://example.org/agenda-2050/01-aims", None),
        ("https://example.org/item/2040/99", None),
        ("https://example.org/item/204012/3", None),
    ],
)
def test_a_month_far_from_now_is_a_calendars(url: str, reason: str | None) -> None:
    assert refusal_of(url, 2026) == reason


def filters(chosen: frozenset[str]) -> str:
    return "https://example.org/shop?" + "&".join(f"{name}=1" for name in sorted(chosen))


def test_a_shop_with_ten_thousand_filters_is_left_and_its_first_page_is_not() -> None:
    traps, names = Traps(limit=1_000), "abcdefghijklmn"
    queue, known, fetched = [frozenset[str]()], {frozenset[str]()}, 0
    while queue and fetched < 500:
        chosen = queue.pop(0)
        if traps.refusal(HOST, filters(chosen)):
            break
        fetched += 1
        more = [wider for name in names if (wider := chosen | {name}) not in known]
        known.update(more)
        queue += more
        learn(traps, HOST, filters(chosen), "Tables, chairs and lamps", [filters(wider) for wider in more])
    assert 20 < fetched < 60
    assert traps.refusal(HOST, "https://example.org/shop") is None
    assert traps.refusal(HOST, "https://example.org/about?x=1") is None


def test_a_host_whose_pages_all_say_the_same_is_left() -> None:
    traps = Traps()
    for number in range(100):
        url = f"https://example.org/{MONTHS[number % 8]}{chr(97 + number // 8) * 3}"
        assert traps.refusal(HOST, url) is None
        learn(traps, HOST, url, "the very same words", [], repeated=number > 0)
    learn(traps, HOST, "https://example.org/x", "the very same words", [], repeated=True)
    assert traps.refusal(HOST, "https://example.org/fresh") == "nothing new"
    assert traps.refusal("other.example", "https://other.example/fresh") is None


def test_one_page_of_new_words_clears_a_host() -> None:
    traps = Traps()
    for number in range(250):
        text = "something altogether different and of some length" if number == 90 else "the very same words"
        learn(traps, HOST, f"https://example.org/p{chr(97 + number % 26)}", text, [], repeated=number not in (0, 90))
        if number == 150:
            assert traps.refusal(HOST, "https://example.org/fresh") is None
    assert traps.refusal(HOST, "https://example.org/fresh") == "nothing new"


@pytest.mark.parametrize(
    "reason", ["timeout", "dns", "connection refused", "html takes too long", "pdf crashes its reader"]
)
def test_a_host_that_comes_to_nothing_ten_times_in_a_row_is_left(reason: str) -> None:
    traps = Traps()
    for _ in range(9):
        traps.learn_end(HOST, "failed", reason)
    assert traps.refusal(HOST, "https://example.org/") is None
    traps.learn_end(HOST, "failed", reason)
    assert traps.refusal(HOST, "https://example.org/") == "host fails"


def test_an_answer_in_between_keeps_a_host() -> None:
    traps = Traps()
    for _ in range(9):
        traps.learn_end(HOST, "failed", "timeout")
        traps.learn_end(HOST, "failed", "status 404")
        traps.learn_end(HOST, "refused", "robots")
    assert traps.refusal(HOST, "https://example.org/") is None


def test_sitemaps_that_lead_on_do_not_weigh_on_their_host() -> None:
    traps = Traps()
    for _ in range(300):
        traps.learn_end(HOST, "unsupported", "sitemap", leads_on=True)
    assert traps.refusal(HOST, "https://example.org/") is None
