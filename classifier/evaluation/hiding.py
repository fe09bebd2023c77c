"""Hide a guide inside a long harmless page of its language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from random import Random

from classifier.evaluation.rows import Row
from classifier.verdict import Document

TIMES = 20
"""How many times as long as the guide the page is."""
MOST_TEXTS = 400
MOST_CHARS = 4_000


class Background:
    """Harmless texts that are not about firearms, a sample for each language.

    Parameters
    ----------
    rows
        Pages to take from; read once, and at most 400 texts of at most 4,000 characters a language are kept.
    random
        Chooses them.
    """

    def __init__(self, rows: Iterable[Row], random: Random) -> None:
        self._texts: dict[str, list[Document]] = defaultdict(list)
        seen: dict[str, int] = defaultdict(int)
        for row in rows:
            if row.stratum != "neutral" or row.language is None or not row.text.strip():
                continue
            seen[row.language] += 1
            kept = self._texts[row.language]
            place = len(kept) if len(kept) < MOST_TEXTS else random.randrange(seen[row.language])
            if place < MOST_TEXTS:
                kept[place : place + 1] = [Document(row.text[:MOST_CHARS], row.title)]

    def languages(self) -> dict[str, int]:
        """Return how many texts there are in each language."""
        return {language: len(texts) for language, texts in self._texts.items()}

    def hide(self, row: Row, random: Random, times: int = TIMES) -> Document | None:
        """Return a page ``times`` as long as ``row``'s, with it as one section; None without texts of its language.

        The page has the title of its first harmless section; each other section opens with its own.
        """
        texts = self._texts.get(row.language or "", [])
        if not texts:
            return None
        room = (times - 1) * max(len(row.text), 1)
        sections: list[Document] = []
        order = random.sample(texts, len(texts))
        while room > 0:
            section = order[len(sections) % len(order)]
            sections.append(Document(_cut(section.text, room), section.title))
            room -= len(sections[-1].text) + 2
        place = random.randint(1, len(sections))
        parts = [*sections[:place], Document(row.text, row.title), *sections[place:]]
        text = "\n\n".join(
            part.text if i == 0 else f"{part.title}\n{part.text}".strip() for i, part in enumerate(parts)
        )
        return Document(text, sections[0].title)


def _cut(text: str, most: int) -> str:
    """Return at most ``most`` characters of ``text``, whole words where it has white space."""
    if len(text) <= most:
        return text
    words = text[:most].rsplit(maxsplit=1)
    return words[0] if len(words) == 2 else text[:most]
