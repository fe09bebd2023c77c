"""Compose pages from held-out passages, for fitting the page score and its threshold.

Kinds of pages: ``alone`` (one passage), ``series`` (several of one sort), ``hidden`` (one passage of concern in a
long harmless page), ``long`` (a long page without firearms), ``mixed``
(firearm news or law beside harmless guides: two halves that must not add up).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from classifier.examples import Example
from classifier.verdict import Document


@dataclass(frozen=True, slots=True)
class ComposedPage:
    """A page, whether it is how-to of concern, how it was made, and its language."""

    document: Document
    of_concern: bool
    kind: str
    language: str


def compose(examples: Sequence[Example], *, seed: int = 0) -> list[ComposedPage]:
    """Return pages made of ``examples`` (one held-out fold), the same for the same seed."""
    random = Random(seed)  # noqa: S311
    pages: list[ComposedPage] = []
    for language in dict.fromkeys(example.language for example in examples):
        own = [example for example in examples if example.language == language]
        concern = [example for example in own if example.of_concern]
        harmless = [example for example in own if not example.of_concern]
        pages += [_page([example], "alone", example.title) for example in own]
        if concern and harmless:
            pages += [_series(concern, random) for _ in concern]
            apart = [example for example in harmless if not example.subjects] or harmless
            pages += [_hidden(example, apart if random.random() < 0.8 else harmless, random) for example in concern]
            pages += [_series(_same_context(harmless, random), random) for _ in harmless]
            pages += [_mixed(harmless, random) for _ in range(len(harmless) // 2)]
            pages += [_long(apart, random) for _ in range(len(harmless) // 6)]
    return pages


def _page(parts: Sequence[Example], kind: str, title: str) -> ComposedPage:
    pieces = [f"{part.title}\n{part.text}" if i and part.title else part.text for i, part in enumerate(parts)]
    of_concern = any(part.of_concern for part in parts)
    return ComposedPage(Document("\n\n".join(pieces), title), of_concern, kind, parts[0].language)


def _series(examples: Sequence[Example], random: Random) -> ComposedPage:
    parts = random.sample(list(examples), min(len(examples), random.randint(2, 5)))
    return _page(parts, "series", parts[0].title)


def _hidden(example: Example, harmless: Sequence[Example], random: Random) -> ComposedPage:
    around = [random.choice(list(harmless)) for _ in range(random.choice((3, 6, 12, 20)))]
    place = random.randint(1, len(around))
    return _page([*around[:place], example, *around[place:]], "hidden", around[0].title)


def _long(harmless: Sequence[Example], random: Random) -> ComposedPage:
    parts = [random.choice(list(harmless)) for _ in range(random.choice((8, 12, 20)))]
    return _page(parts, "long", parts[0].title)


def _same_context(harmless: Sequence[Example], random: Random) -> list[Example]:
    context = random.choice(list(harmless)).context
    return [example for example in harmless if example.context == context]


def _mixed(harmless: Sequence[Example], random: Random) -> ComposedPage:
    about = [example for example in harmless if example.subjects]
    guides = [example for example in harmless if example.guide and not example.subjects]
    size = random.choice((1, 2, 4, 8))
    parts = [random.choice(source) for source in (about, guides) if source for _ in range(size)]
    random.shuffle(parts)
    parts = parts or list(harmless[:1])
    return _page(parts, "mixed", parts[0].title)
