"""Words of the subject in six languages, as a third view for the heads (ADR 0012).

The heads learn from a corpus in which most texts are about firearms; a page of a kind that they never saw must not
drift towards the subject for want of evidence. What it says counts: `strong` words name firearms or ammunition, `weak`
ones are parts and acts with other meanings too. Plain vocabulary, as in any dictionary.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_STRONG = {
    "en": r"\b(?:guns?|gunsmith\w*|handguns?|shotguns?|pistols?|rifles?|revolvers?|carbines?|muskets?|firearms?|"
    r"weapons?|ammo|ammunition|submachine|homebuilt arms?|zip ?guns?)\b",
    "fr": r"\b(?:armes?|armuri\w+|fusils?|pistolets?|carabines?|revolvers?|munitions?|cartouches?|flingues?|"
    r"mitrail\w+)\b",
    "es": r"\b(?:armas?|armer\w+|fusil(?:es)?|pistolas?|escopetas?|rifles?|rev[oó]lver(?:es)?|carabinas?|"
    r"munici[oó]n\w*|"
    r"cartuchos?|balas?|trabucos?|chumbera|hechiza)\b",
    "ru": r"\b(?:руж[ьеё]\w*|пистолет\w*|винтовк\w*|револьвер\w*|карабин\w*|обрез\w*|оружи\w*|оружей\w*|огнестрел\w*|"
    r"ствол\w*|патрон\w*|боеприпас\w*|самопал\w*|наган\w*|пушк\w*|пукал\w*)\b",
    "zh": r"枪|槍|武器|弹药|彈藥|子弹|子彈|军火|軍火|火器|火铳|銃|弹匣|彈匣",
    "ar": r"سلاح|أسلح|اسلح|بندق|بنادق|مسدس|ذخير|ذخائر|رصاص|خرطوش|خراطيش|رشاش|فرد خرطوش|بارود|شوزن|فشك",
}
_WEAK = {
    "en": r"\b(?:barrels?|triggers?|receivers?|magazines?|mags?|firing pins?|bolts?|cartridges?|bullets?|"
    r"rounds?|primers?|"
    r"reload\w*|handload\w*|calib\w+|muzzles?|holsters?|silencers?|suppressors?|shoot\w*|deactivat\w*|reactivat\w*|"
    r"blank-?firing|airsoft|full-?auto|armou?r\w*|arms)\b",
    "fr": r"\b(?:canons?|culasses?|d[ée]tentes?|chargeurs?|percuteurs?|douilles?|balles?|amorces?|calibres?|"
    r"tir(?:er|s|e)?|"
    r"neutralis\w+|g[âa]chettes?)\b",
    "es": r"\b(?:ca[ñn][oó]n(?:es)?|cerrojos?|gatillos?|percutor(?:es)?|cargador(?:es)?|correderas?|"
    r"casquillos?|calibres?|"
    r"dispar\w+|inutilizad\w+|tiros?)\b",
    "ru": r"\b(?:затвор\w*|курок|курк\w*|спуск\w*|магазин\w*|гильз\w*|пул[яиьею]\w*|калибр\w*|ударник\w*|травмат\w*|"
    r"выстрел\w*|стрел\w+|ммг|холост\w*)\b",
    "zh": r"弹壳|彈殼|扳机|扳機|撞针|撞針|击发|擊發|机匣|機匣|套筒|底火|弹夹|开火|射击|射擊|猎|獵",
    "ar": r"سبطان|قصبة|ماسور|زناد|مخزن|عيار|طلق|إبرة|ابرة|قاذف|ناري",
}
_LATIN = re.compile("[a-z]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_ANY = re.compile("")
_SCRIPTS = {"en": _LATIN, "fr": _LATIN, "es": _LATIN, "ru": _CYRILLIC}
"""A text without a letter of the script is not searched for its words; elsewhere a search costs next to nothing."""


class _Words:
    """Counts words, in lower case, by the script that they are written in.

    Parameters
    ----------
    by_language
        A regular expression for each language, whose only capitals stand in words.
    """

    def __init__(self, by_language: dict[str, str]) -> None:
        of_script: dict[re.Pattern[str], list[str]] = {}
        for language, words in by_language.items():
            of_script.setdefault(_SCRIPTS.get(language, _ANY), []).append(words.lower())
        self._views = [(script, re.compile("|".join(words))) for script, words in of_script.items()]

    def count(self, text: str) -> int:
        """Return how often a text in lower case has any of the words."""
        return sum(len(view.findall(text)) for script, view in self._views if script.search(text))


_VIEWS = (_Words(_STRONG), _Words(_WEAK))


def mentions(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return log(1 + count) of strong and of weak words in each normalised text, shape (n, 2)."""
    return np.log1p(_counts(texts, _VIEWS))


def label_words(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return how often each normalised text uses the words of each label in ``label_words.toml``, shape (n, 9)."""
    return _counts(texts, _label_views())


def _counts(texts: Sequence[str], views: Sequence[_Words]) -> NDArray[np.float64]:
    counts = [[view.count(text) for view in views] for text in map(str.lower, texts)]
    return np.array(counts, dtype=np.float64).reshape(len(texts), len(views))


@lru_cache(maxsize=1)
def _label_views() -> tuple[_Words, ...]:
    labels = tomllib.loads(Path(__file__).with_name("label_words.toml").read_text(encoding="utf-8"))
    return tuple(_Words(words) for words in labels.values())
