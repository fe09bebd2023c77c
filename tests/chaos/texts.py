"""What the pages of a run say: texts of the training corpus and of the sample web, whose outcome is known beforehand.

A text is used only where the shipped model gives it the same outcome, far from the threshold, whatever number stands
under it. So the outcome of twenty thousand pages is known from a few hundred judgements.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import classifier
from crawlers.extraction import UnreadableError, extract_html
from guidewatch.demo.pages import WEB, truth
from tests.benchmarks.web import LANGUAGES, Web

OUTCOMES = ("flagged", "not_flagged", "unsupported")
_PROBES = (1, 123, 98_765)
_MARGIN = 0.15


class Text(NamedTuple):
    """A title and a main text."""

    title: str
    text: str


def numbered(text: Text, number: int) -> str:
    """Return the main text of the page with this number."""
    return f"{text.text}\n\n№ {number}"


def sure_texts(judge: classifier.Classifier, seed: int, most: int) -> tuple[dict[str, list[Text]], str]:
    """Return up to ``most`` texts of each outcome, and the version of the model."""
    candidates = [*_composed(seed, most), *_sample_web(seed, most)]
    documents = [classifier.Document(numbered(one, n), one.title) for one in candidates for n in _PROBES]
    verdicts = judge.judge(documents)
    found: dict[str, list[Text]] = {outcome: [] for outcome in OUTCOMES}
    for place, one in enumerate(candidates):
        outcome = _agreed(verdicts[place * len(_PROBES) : (place + 1) * len(_PROBES)])
        if outcome is not None and len(found[outcome]) < most:
            found[outcome].append(one)
    return found, verdicts[0].model


def _agreed(verdicts: Sequence[classifier.Verdict]) -> str | None:
    outcomes = {verdict.outcome for verdict in verdicts}
    far = all(abs(one.score - one.threshold) > _MARGIN for one in verdicts)
    return outcomes.pop() if len(outcomes) == 1 and far else None


def _composed(seed: int, most: int) -> list[Text]:
    """Return articles made of passages of the corpus, of one context each."""
    rng, passages = Random(f"{seed}/texts"), Web().passages
    found = []
    for number in range(2 * most):
        some = passages[LANGUAGES[number % len(LANGUAGES)], number % 4 == 0]
        context = rng.choice(some).context
        alike = [passage for passage in some if passage.context == context]
        chosen = rng.sample(alike, min(3, len(alike)))
        found.append(Text(chosen[0].title, "\n\n".join(passage.text for passage in chosen)))
    return found


def _sample_web(seed: int, most: int) -> list[Text]:
    pages = [page for page in truth() if page.label in ("positive", "negative", "unsupported")]
    wanted = [page for page in pages if page.label == "unsupported"]
    wanted += Random(f"{seed}/pages").sample(pages, min(most, len(pages)))
    found = []
    for page in wanted:
        path = WEB / page.site / page.path.lstrip("/")
        if path.suffix != ".html" or not path.is_file():
            continue
        try:
            taken = extract_html(path.read_bytes())
        except UnreadableError:
            continue
        found.append(Text(taken.title, taken.text))
    return found
