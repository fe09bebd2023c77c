from __future__ import annotations

import pytest

from storage.words import phrases, searchable, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Page, about pages!", ["a", "page", "about", "pages"]),
        ("home-made snake_case", ["home", "made", "snake", "case"]),
        ("Été STRASSE straße Łódź", ["ete", "strasse", "strasse", "łodz"]),
        ("Ёлка ёлка елка", ["елка", "елка", "елка"]),
        ("关于车间 page２", ["关", "于", "车", "间", "page2"]),
        ("السلاح سلاح والسلاح", ["سلاح"] * 3),
        ("أدوات إدارة مُفَصَّل", ["ادوات", "اداره", "مفصل"]),
        ("", []),
        ("… — !", []),
    ],
)
def test_words_are_folded_alike_in_six_languages(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected
    assert searchable(text) == " ".join(expected)


def test_query_is_one_phrase_for_each_stretch_between_spaces() -> None:
    assert phrases(" home-made  车间 !? page ") == [["home", "made"], ["车", "间"], ["page"]]
