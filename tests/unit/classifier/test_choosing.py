import numpy as np
import pytest

from classifier import Document
from classifier.choosing import choose, choose_all
from classifier.screen import Screen, fit

GUIDE = "Step one of my pistol guide: do the first stage as in the picture, then compare."
GARDEN = "The garden lies behind the old house, and the neighbours water its trees every morning."
TEXTS = [GUIDE, GARDEN, GUIDE.replace("pistol", "rifle"), GARDEN.replace("trees", "roses")]


@pytest.fixture(scope="module")
def models():
    return fit(TEXTS, np.array([1, 0, 1, 0]))


@pytest.fixture
def screen(models):
    return Screen(models, bound=0.5)


def page(*passages):
    """Return a text in which each passage stands alone, however short it is."""
    return "\n\n".join(passage * 4 for passage in passages)


def test_an_empty_page_has_nothing_and_a_title_alone_is_a_passage():
    assert choose(Document("")).texts == ()
    alone = choose(Document("", "A title"))
    assert alone.texts == ("A title", "A title")
    assert (alone.total, alone.title, alone.places) == (1, 1, (0,))


def test_without_a_screen_everything_goes_on_and_the_title_twice():
    text = page(GARDEN, GARDEN, GUIDE)
    chosen = choose(Document(text, "A title"))
    assert chosen.places == tuple(range(chosen.total))
    assert chosen.title == len(chosen.texts) - 1
    assert chosen.texts[0].startswith("A title\nThe garden")
    assert text[chosen.spans[-1].start : chosen.spans[-1].end].endswith("then compare.")


def test_the_screen_lets_the_guide_through_with_the_title_and_its_place(screen):
    text = page(*[GARDEN] * 6, GUIDE, *[GARDEN] * 6)
    whole, chosen = choose(Document(text, "A title")), choose(Document(text, "A title"), screen)
    assert chosen.total == whole.total > len(chosen.places)
    assert "A title" in chosen.texts
    assert any("pistol" in one for one in chosen.texts)
    assert all(whole.spans[place] == span for place, span in zip(chosen.places, chosen.spans, strict=True))


def test_of_a_page_under_suspicion_only_the_strongest_passage_goes_on(models):
    screen = Screen(models, bound=0.99, clear=0.0)
    chosen = choose(Document(page(*[GARDEN] * 9), "A title"), screen)
    assert (len(chosen.texts), chosen.title) == (1, None)


def test_of_a_clear_page_nothing_goes_on_but_what_the_screen_said(models):
    chosen = choose(Document(page(*[GARDEN] * 9), "A title"), Screen(models, bound=0.99, clear=0.9))
    assert (chosen.texts, chosen.title) == ((), None)
    assert chosen.total == len(choose(Document(page(*[GARDEN] * 9), "A title")).spans)
    assert 0.0 < chosen.suspicion < 0.9


def test_pages_are_screened_together_as_they_are_alone(screen):
    documents = [Document(""), Document(page(GARDEN, GUIDE), "A title"), Document("", "A title"), Document(page(GUIDE))]
    together = choose_all(documents, screen)
    assert together == [choose(document, screen) for document in documents]


def test_the_screen_picks_at_most_so_many_in_reading_order(models):
    screen = Screen(models, bound=0.5, most=3)
    picked = screen.pick(np.array([0.6, 0.1, 0.9, 0.7, 0.8]))
    assert picked == [2, 3, 4]
    assert screen.score([]).shape == (0,)
    assert screen.pick(np.zeros(0)) == []
