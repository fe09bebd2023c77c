"""Whether a page is one that a registrar or a host has put where a site was.

Conservative: a page that is taken for parked counts as gone. So a long text never is one, and of a short one it takes
two phrases, or one in the title, beside the name of the host, or with hardly a word around it.
"""

from __future__ import annotations

import re
import unicodedata

_MAX_CHARS = 2_500
_HARDLY_A_WORD = 200

_PHRASES = tuple(
    re.compile(pattern)
    for pattern in (
        # English
        r"\bdomain(?: name)?(?: \S+)? (?:is|may be|might be|could be) (?:for sale|available for (?:purchase|sale))",
        r"\b(?:buy|purchase|inquire about|make an offer (?:on|for)) this domain\b",
        r"\bdomain(?: name)?(?: \S+)? (?:has |is )?expired\b",
        r"\bdomain(?: name)?(?: \S+)? is (?:currently )?parked\b|\bparked (?:free|domain)\b|\bdomain parking\b",
        r"\b(?:this account|this website|this site|hosting account) (?:has been|is) suspended\b|^account suspended$",
        # French: "domaine" alone is also an estate
        r"\bce (?:nom de )?domaine (?:\S+ )?(?:est|serait|peut etre) (?:a vendre|en vente|parque|expire)",
        r"\bnom de domaine (?:\S+ )?(?:est )?(?:a vendre|en vente|expire|parque)",
        r"\bachet(?:er|ez) ce (?:nom de )?domaine\b",
        r"\b(?:ce site|ce compte|ce compte d'hebergement) (?:est|a ete) suspendu\b",
        # Spanish
        r"\b(?:este|el) (?:nombre de )?dominio (?:\S+ )?(?:esta|puede estar) (?:en venta|a la venta|aparcado|caducado)",
        r"\b(?:nombre de )?dominio (?:en venta|caducado|aparcado)\b",
        r"\bcompr(?:ar?|e) este dominio\b",
        r"\b(?:esta cuenta|este sitio) (?:ha sido|esta) suspendid[ao]\b",
        # German, since many registrars speak it
        r"\bdomain (?:\S+ )?(?:steht |ist )?(?:zum verkauf|zu verkaufen|geparkt)\b",
        r"\bdiese domain kaufen\b",
        # Russian
        r"\bдомен(?:ное имя)? (?:\S+ )?(?:продается|выставлен[оа]? на продажу|припаркован|не продлен)",
        r"\bкупить (?:этот |данны[ий] )?домен\b",
        r"\bсрок регистрации домена(?: \S+)? (?:истек|закончился)",
        r"\b(?:сайт|аккаунт|хостинг) (?:заблокирован|приостановлен|отключен)\b",
        # Chinese, simplified and traditional
        r"(?:域名|网域|網域|網址)[^。\n]{0,20}(?:出售|转让|轉讓|待售)",
        r"(?:购买|購買)(?:此|该|該|这个|這個)(?:域名|网域|網域)",
        r"(?:域名|网域|網域)[^。\n]{0,10}(?:已过期|已過期|已到期|停放)",
        # Arabic, without vowel signs and with one form of alif
        r"(?:النطاق|الدومين)[^.\n]{0,30}للبيع",
        r"شراء هذا (?:النطاق|الدومين)",
        r"(?:انتهت صلاحيه|انتهاء صلاحيه) (?:اسم )?(?:هذا )?(?:النطاق|الدومين)",
    )
)
_FRESH_HOST = re.compile(
    r"^(?:welcome to nginx!?|apache2? .{0,40}default page.*|.{0,40}test page for the .{0,60}(?:http )?server.*"
    r"|iis windows(?: server)?|(?:default web site page|web server's default page|default plesk page"
    r"|domain default page|future home of something quite cool).*)$"
)
_ALIF = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ة": "ه", "ى": "ي", "ё": "е", "’": "'"})


def is_parked(title: str, text: str, host: str) -> bool:
    """Return whether a page only says that its domain is for sale, parked, expired or suspended, or its server new.

    Parameters
    ----------
    title, text
        Of the page.
    host
        Its host, with or without port.
    """
    if len(text) > _MAX_CHARS:
        return False
    head, body = _folded(title), _folded(text)
    if _FRESH_HOST.match(head):
        return True
    hits = sum(phrase.search(head) is not None or phrase.search(body) is not None for phrase in _PHRASES)
    if hits != 1:
        return hits > 1
    name = host.partition(":")[0].removeprefix("www.").lower()
    in_title = any(phrase.search(head) for phrase in _PHRASES)
    return in_title or len(body) <= _HARDLY_A_WORD or (bool(name) and name in f"{head} {body}")


def _folded(text: str) -> str:
    """Return ``text`` in lower case, on one line a paragraph, without accents and vowel signs."""
    bare = unicodedata.normalize("NFKD", text.lower().translate(_ALIF))
    marks = "".join(char for char in bare if not unicodedata.combining(char))
    return "\n".join(
        " ".join(line.split()) for line in unicodedata.normalize("NFC", marks).translate(_ALIF).split("\n")
    )
