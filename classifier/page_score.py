"""From passages to one calibrated page score.

The page model is a logistic regression on twenty features of the passages' probabilities. It is fitted on pages
composed of corpus passages that the heads had not seen: alone, in sequences, hidden among harmless ones, and
(as negatives) firearms news beside harmless guides, so that the conjunction must stand inside one passage.
A page that the screen finds clear is scored by what the screen said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from classifier.choosing import Chosen
from classifier.heads import PassageScores, logit
from classifier.memory import Floats

FEATURES = (
    "strongest passage",
    "mean of the three strongest passages",
    "strongest form × subject inside one passage",
    "title",
    "title's subject × strongest form",
    "of-concern mass of the context head, strongest passage",
    "lawful contexts, mean of the three strongest passages",
    "share of passages of concern",
    "neighbours of the strongest passage",
    "log number of passages",
    "subject of the strongest passage",
    "weaker of form and subject, strongest passage by that",
    "words of the subject in the strongest passage",
    "words of the subject in the passage that has most, the title included",
    "strong words of the subject near the strongest passage",
    "weak words of the subject near the strongest passage",
    "no strong word near the strongest passage",
    "no word of the subject near the strongest passage",
    "no strong word near × strongest passage",
    "no word near × strongest passage",
)


def features(passages: PassageScores, chosen: Chosen) -> Floats:
    """Return the page's features, shape (20,).

    Parameters
    ----------
    passages
        Scores of ``chosen.texts``, at least one.
    chosen
        Which passages of the page they are, and which row is the title.
    """
    title = chosen.title
    rows = np.arange(len(chosen.places))
    concern = passages.concern[rows]
    order = np.argsort(-concern, kind="stable")
    top = rows[order[:3]]
    best = int(order[0])
    beside = [int(i) for i in rows if abs(chosen.places[i] - chosen.places[best]) == 1]
    joint = passages.form[rows] * passages.subject[rows]
    around = [best, *beside] if title is None else [best, *beside, title]
    strong, weak = np.expm1(passages.mentions[around]).sum(axis=0)
    silent, mute = float(strong == 0), float(strong + weak == 0)
    title_concern = passages.concern[title] if title is not None else 0.2
    title_subject = passages.subject[title] if title is not None else 0.3
    return np.array(
        [
            _log_odds(concern[best]),
            float(np.mean(logit(passages.concern[top]))),
            _log_odds(float(joint.max())),
            _log_odds(title_concern),
            _log_odds(title_subject * float(passages.form[rows].max())),
            _log_odds(float(passages.contexts[rows, -1].max())),
            float(passages.contexts[top, :8].sum(axis=1).mean()),
            float((concern >= 0.5).sum() / chosen.total),
            _log_odds(float(np.mean(concern[beside]))) if beside else 0.0,
            float(np.log(chosen.total)),
            _log_odds(float(passages.subject[best])),
            _log_odds(float(np.minimum(passages.form[rows], passages.subject[rows]).max())),
            float(passages.mentions[best].sum()),
            float(passages.mentions[:, 0].max()),
            float(np.log1p(strong)),
            float(np.log1p(weak)),
            silent,
            mute,
            silent * _log_odds(concern[best]),
            mute * _log_odds(concern[best]),
        ]
    )


class PageScore:
    """The two fitted models.

    Parameters
    ----------
    page
        Logistic regression on `FEATURES`.
    clear
        Logistic regression on `clear_features`, or the probability where training knew but one answer.
    """

    def __init__(self, page: Any, clear: Any) -> None:
        self._page = page
        self._clear = clear

    def of(self, passages: PassageScores, chosen: Chosen) -> float:
        """Return the score of a page whose chosen texts have been scored."""
        return _probability(self._page, features(passages, chosen))

    def clear(self, chosen: Chosen) -> float:
        """Return the score of a page from what the screen said of it."""
        if isinstance(self._clear, float):
            return self._clear
        return _probability(self._clear, clear_features(chosen))


def clear_features(chosen: Chosen) -> Floats:
    """Return what tells of a clear page, shape (2,): the screen's log-odds, and the log number of passages."""
    return np.array([_log_odds(chosen.suspicion), float(np.log(max(1, chosen.total)))])


def matrix(pages: Sequence[Floats]) -> Floats:
    """Return the feature matrix, shape (pages, features)."""
    return np.vstack(pages) if pages else np.zeros((0, len(FEATURES)))


def _probability(model: Any, x: Floats) -> float:
    """Return what ``predict_proba`` would, without its checks: they cost more than the rest of a clear page's score."""
    return float(expit(x @ model.coef_[0] + model.intercept_[0]))


def _log_odds(p: float) -> float:
    return float(logit(np.array([p]))[0])
