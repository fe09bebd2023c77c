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
_VIEWS = tuple(re.compile("|".join(words.values()), re.IGNORECASE) for words in (_STRONG, _WEAK))


def mentions(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return log(1 + count) of strong and of weak words in each normalised text, shape (n, 2)."""
    counts = [[len(view.findall(text)) for view in _VIEWS] for text in texts]
    return np.log1p(np.array(counts, dtype=np.float64).reshape(len(texts), 2))


def label_words(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return how often each normalised text uses the words of each label in ``label_words.toml``, shape (n, 9)."""
    views = _label_views()
    counts = [[len(view.findall(text)) for view in views] for text in texts]
    return np.array(counts, dtype=np.float64).reshape(len(texts), len(views))


@lru_cache(maxsize=1)
def _label_views() -> tuple[re.Pattern[str], ...]:
    labels = tomllib.loads(Path(__file__).with_name("label_words.toml").read_text(encoding="utf-8"))
    return tuple(re.compile("|".join(words.values()), re.IGNORECASE) for words in labels.values())
