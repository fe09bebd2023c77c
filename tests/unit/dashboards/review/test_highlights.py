from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dashboards.review.highlights import explained, moving_words, paragraphs
from events import Passage


def test_offsets_are_code_points_and_marks_go_over_line_breaks() -> None:
    text = "😀😀 before\nmarked one\nmarked two after"
    start, end = text.index("marked"), text.index(" after")
    lines = paragraphs(text, [Passage(start=start, end=end, score=0.9)])
    assert [[(s.text, s.level) for s in line] for line in lines] == [
        [("😀😀 before", 0)],
        [("marked one", 2)],
        [("marked two", 2), (" after", 0)],
    ]


def test_where_passages_overlap_the_strongest_counts() -> None:
    lines = paragraphs("abcdef", [Passage(start=0, end=4, score=0.3), Passage(start=2, end=6, score=0.8)])
    assert [(s.text, s.level, s.score) for s in lines[0]] == [("ab", 1, 0.3), ("cd", 2, 0.8), ("ef", 2, 0.8)]


@given(
    st.text("ab \n\r\u2028", max_size=60),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.floats(0, 1)), max_size=5),
)
def test_no_character_is_lost_whatever_the_offsets(text: str, edges: list[tuple[int, int, float]]) -> None:
    lines = paragraphs(text, [Passage(start=a, end=b, score=p) for a, b, p in edges])
    shown = "".join(s.text for line in lines for s in line)
    assert "".join(shown.split()) == "".join(text.split())


def test_words_are_ordered_by_how_far_they_moved_the_score() -> None:
    one = Passage(start=0, end=1, score=0.9, words=(("a", 0.2), ("b", -0.9)))
    two = Passage(start=1, end=2, score=0.9, words=(("a", 0.5), ("c", 0.1)))
    assert moving_words([one, two], most=2) == [("b", -0.9), ("a", 0.5)]


def test_the_strongest_passages_are_explained_strongest_first_and_contexts_likeliest_first() -> None:
    passages = [
        Passage(start=n, end=n + 1, score=n / 10, form=0.5, contexts={"news": 0.1, "hunting": 0.3}) for n in range(9)
    ]
    found = explained(passages, most=3)
    assert [(one.number, one.score) for one in found] == [(1, 0.8), (2, 0.7), (3, 0.6)]
    assert found[0].contexts == [("hunting", 0.3), ("news", 0.1)]


def test_of_passages_that_begin_together_the_stronger_is_named() -> None:
    lines = paragraphs("abcdef", [Passage(start=0, end=2, score=0.3), Passage(start=0, end=6, score=0.8)])
    assert [(s.text, s.begins) for s in lines[0]] == [("ab", 1), ("cdef", 0)]
