"""A web made up for benchmarks: hosts with sections, hubs, misleading anchors, six languages; and its server.

Every page follows from the seed and its number, so that a web of any size needs no room. One article in twenty is of
concern, most of them in sections of their own, which are reached through hubs that are not. Two in three of the other
sections are about everyday things (``everyday.json``), the rest come close to the subject. Texts of concern and those
close to it are of the training corpus (``classifier/corpus``): the judge knows them by heart, and what is measured
here is the crawl, not how well it judges. One anchor in seven says nothing; one in seven that lead to a page of
concern names something harmless, and one in three that name something of concern lead to a harmless page.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote

CORPUS = Path(__file__).parents[2] / "classifier" / "corpus"
EVERYDAY = Path(__file__).with_name("everyday.json")
LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")
_SECTIONS = (
    "archive", "board", "clips", "column", "corner", "cards", "desk", "diary", "drawer", "extra", "files", "folio",
    "house", "journal", "letters", "library", "list", "log", "loft", "notes", "pages", "papers", "pool", "reading",
    "room", "rounds", "shelf", "shed", "stories", "table", "threads", "topics", "trunk", "words", "yard",
)  # fmt: skip
_MORE = {
    "ar": ("المزيد", "التالي", "هنا"),
    "en": ("more", "next", "read on"),
    "es": ("más", "siguiente", "leer"),
    "fr": ("suite", "suivant", "lire"),
    "ru": ("далее", "ещё", "читать"),
    "zh": ("更多", "下一页", "阅读"),
}
_EVERYDAY = 0.67
"""Share of the sections without concern that are about everyday things."""
_PURE, _STRAY = 0.92, 0.005
"""Share of articles of concern in sections of concern, and in the others."""
_MISLEADING = {True: 0.14, False: 0.02}
"""Share of the links to pages that are of concern, or not, whose anchors say the opposite."""
_SILENT = 0.14
_LISTED = 20
"""Articles on a page of a hub."""
_STYLE = "<style>" + "".join(f".c{n}{{margin:{n}px;padding:0 {n}px;color:#{n:03d}}}" for n in range(90)) + "</style>"


class Passage(NamedTuple):
    title: str
    text: str
    context: str


class Place(NamedTuple):
    """A page of the web. ``section`` -1: the home page; ``number`` below 0: the page ``-number`` of a hub."""

    host: int
    section: int
    number: int


@dataclass(frozen=True)
class Web:
    """A web of ``hosts * sections * articles`` articles and their hubs.

    Parameters
    ----------
    seed
        Another seed, another web.
    hosts, sections, articles
        Hosts; sections of a host; articles of a section.
    """

    seed: int = 1
    hosts: int = 24
    sections: int = 10
    articles: int = 165

    @cached_property
    def passages(self) -> dict[tuple[str, bool], list[Passage]]:
        """Passages by language and whether they are of concern."""
        found: dict[tuple[str, bool], list[Passage]] = {}
        for language in LANGUAGES:
            for line in (CORPUS / f"{language}.jsonl").read_text("utf-8").splitlines():
                row = json.loads(line)
                title = row["title"] or row["text"][: 16 if language == "zh" else 48]
                key = (language, row["of_concern"])
                found.setdefault(key, []).append(Passage(title, row["text"], row["context"] or ""))
        return found

    @cached_property
    def sentences(self) -> dict[str, list[str]]:
        """Sentences about everyday things, by language."""
        found: dict[str, list[str]] = json.loads(EVERYDAY.read_text("utf-8"))
        return found

    @cached_property
    def layout(self) -> list[list[tuple[str, bool]]]:
        """Name of each section of each host, and whether it is of concern; hosts differ in how many are."""
        rng = Random(f"{self.seed}/layout")
        found = []
        for host in range(self.hosts):
            concern = round(self.sections * (0.0, 0.1, 0.0, 0.1)[host // len(LANGUAGES) % 4])
            of_concern = set(rng.sample(range(self.sections), concern))
            names = rng.sample(_SECTIONS, self.sections)
            found.append([(name, number in of_concern) for number, name in enumerate(names)])
        return found

    @cached_property
    def clusters(self) -> dict[tuple[str, bool], list[tuple[int, int]]]:
        """Sections as (host, section), by language and whether they are of concern."""
        found: dict[tuple[str, bool], list[tuple[int, int]]] = {}
        for host, sections in enumerate(self.layout):
            for section, (_, concern) in enumerate(sections):
                found.setdefault((self.language(host), concern), []).append((host, section))
        return found

    def language(self, host: int) -> str:
        return LANGUAGES[host % len(LANGUAGES)]

    def is_of_concern(self, place: Place) -> bool:
        """Return the truth of a page."""
        if place.section < 0 or place.number < 0:
            return False
        share = _PURE if self.layout[place.host][place.section][1] else _STRAY
        return Random(f"{self.seed}/truth/{place}").random() < share

    def is_everyday(self, place: Place) -> bool:
        """Return whether a harmless page on this host, in this section, is about everyday things."""
        concern = place.section >= 0 and self.layout[place.host][place.section][1]
        return not concern and Random(f"{self.seed}/matter/{place.host}/{place.section}").random() < _EVERYDAY

    def passages_of(self, place: Place) -> list[Passage]:
        """Return what an article is made of; its title is that of the first."""
        return _passages_of(self, place)

    def everyday(self, language: str, rng: Random) -> Passage:
        """Return a paragraph about everyday things."""
        said = rng.sample(self.sentences[language], rng.randint(4, 5))
        return Passage(said[0][: 16 if language == "zh" else 48], ("" if language == "zh" else " ").join(said[1:]), "")

    def path(self, place: Place) -> str:
        if place.section < 0:
            return "/"
        folder = self.layout[place.host][place.section][0]
        if place.number < 0:
            return f"/{folder}/" if place.number == -1 else f"/{folder}/page/{-place.number}/"
        if place.host % 2:
            return f"/{folder}/{place.number}.html"
        words = "".join(c if c.isalnum() else "-" for c in self.passages_of(place)[0].title.lower())[:40]
        return f"/{folder}/{quote('-'.join(filter(None, words.split('-'))))}-{place.number}.html"

    def places(self) -> Iterator[Place]:
        """Yield every page."""
        for host in range(self.hosts):
            yield Place(host, -1, 0)
            for section in range(self.sections):
                yield from (Place(host, section, -page) for page in range(1, self.hub_pages + 1))
                yield from (Place(host, section, number) for number in range(self.articles))

    def seeds(self) -> list[Place]:
        """Return an analyst's list: in each language a home page, and two articles of concern that were reported."""
        found = [Place(host, -1, 0) for host in range(len(LANGUAGES))]
        for language in LANGUAGES:
            rng = Random(f"{self.seed}/seeds/{language}")
            articles = [Place(*home, n) for home in self.clusters[language, True] for n in range(self.articles)]
            found += rng.sample([article for article in articles if self.is_of_concern(article)], 2)
        return found

    @property
    def hub_pages(self) -> int:
        return -(-self.articles // _LISTED)

    def links(self, place: Place, rng: Random) -> list[Place]:
        """Return where a page leads to, about forty pages."""
        host, section, number = place
        menu = [Place(host, -1, 0), *(Place(host, other, -1) for other in range(self.sections))]
        if section < 0:
            neighbours = [Place(rng.randrange(self.hosts), -1, 0) for _ in range(5)]
            return [*menu, *neighbours, *(self._anywhere(rng, host) for _ in range(20))]
        if number < 0:
            page = -number
            listed = range((page - 1) * _LISTED, min(page * _LISTED, self.articles))
            after = [Place(host, section, -page - 1)] if page < self.hub_pages else []
            return [*menu, *(Place(host, section, n) for n in listed), *after]
        near = [Place(host, section, (number + step) % self.articles) for step in (-2, -1, 1, 2, 3, 5, 8, 13)]
        near += [Place(host, section, rng.randrange(self.articles)) for _ in range(4)]
        alike = [self._alike(place, rng) for _ in range(5)]
        same_host = [self._anywhere(rng, host) for _ in range(6)]
        return [*menu, *near, *alike, *same_host, *(self._anywhere(rng) for _ in range(6))]

    def _alike(self, place: Place, rng: Random) -> Place:
        """Return an article on the same matter, mostly in the same language, on any host."""
        language = self.language(place.host) if rng.random() < 0.8 else rng.choice(LANGUAGES)
        clusters = self.clusters[language, self.is_of_concern(place)]
        return Place(*rng.choice(clusters), rng.randrange(self.articles))

    def _anywhere(self, rng: Random, host: int | None = None) -> Place:
        home = rng.randrange(self.hosts) if host is None else host
        return Place(home, rng.randrange(self.sections), rng.randrange(self.articles))

    def anchor(self, target: Place, rng: Random) -> tuple[str, str]:
        """Return anchor text and the words beside it."""
        language = self.language(target.host)
        if target.section < 0:
            return f"{language}-{target.host:02d}", ""
        if target.number < 0:
            return self.layout[target.host][target.section][0], ""
        chance = rng.random()
        if chance < _SILENT:
            return rng.choice(_MORE[language]), ""
        said = self.passages_of(target)[0]
        concern = self.is_of_concern(target)
        if chance < _SILENT + _MISLEADING[concern]:
            said = rng.choice(self.passages[language, not concern])
        return said.title, said.text[:90] if rng.random() < 0.5 else ""

    def page(self, place: Place, origins: Sequence[str]) -> bytes:
        """Return the HTML of a page; ``origins`` has the beginning of each host's URLs."""
        rng = Random(f"{self.seed}/page/{place}")
        language = self.language(place.host)
        if place.section < 0 or place.number < 0:
            everyday = self.is_everyday(place)
            other = self.everyday(language, rng) if everyday else rng.choice(self.passages[language, False])
            title, texts = f"{self.layout[place.host][place.section][0]} {place.host}", [other.text]
        else:
            made_of = self.passages_of(place)
            title, texts = made_of[0].title, [f"{made.title}. {made.text}" for made in made_of]
        rows: list[str] = []
        for target in self.links(place, rng):
            words, beside = self.anchor(target, rng)
            base = "" if target.host == place.host else origins[target.host]
            rows.append(
                f'<li class="row c{len(rows)}"><a class="link c{len(rows)}" href="{base}{self.path(target)}">'
                f"{html.escape(words)}</a> <span>{html.escape(beside)}</span></li>"
            )
        body = "".join(f"<p>{html.escape(text)}</p>" for text in texts)
        mark = f"{place.host}-{place.section}-{place.number}"
        return (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"{_STYLE}</head><body><nav><ul>{''.join(rows[:11])}</ul></nav><main><article><h1>{html.escape(title)}</h1>"
            f"{body}<p>№ {mark}</p></article></main><nav><ul>{''.join(rows[11:])}</ul></nav>"
            f"<footer>{mark}</footer></body></html>"
        ).encode()


@lru_cache(maxsize=20_000)
def _passages_of(web: Web, place: Place) -> list[Passage]:
    rng = Random(f"{web.seed}/text/{place}")
    concern = web.is_of_concern(place)
    if not concern and web.is_everyday(place):
        return [web.everyday(web.language(place.host), rng) for _ in range(rng.randint(4, 7))]
    passages = web.passages[web.language(place.host), concern]
    context = rng.choice(passages).context
    alike = [passage for passage in passages if passage.context == context]
    return rng.sample(alike, min(rng.randint(4, 7), len(alike)))
