"""Full-text search in six languages without language analyzers: one folding for texts and queries, in both stores.

Case, accents, compatibility forms, Arabic vowel signs and letter variants are folded away, the Arabic article is cut
off, and every Chinese or Japanese character is a word of its own, so that a query of several of them is a phrase.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿\U00020000-\U0003fffd]|[^\W_぀-ヿ㐀-䶿一-鿿豈-﫿\U00020000-\U0003fffd]+")
_ARABIC = str.maketrans({"ى": "ي", "ة": "ه", "ٱ": "ا", "ـ": None})
_ARTICLE = re.compile(r"^(?:[وبكف]?ال|لل)(?=[ء-ي]{2})")
_ARABIC_LETTER = re.compile(r"[ء-ي]")


def tokens(text: str) -> list[str]:
    """Return the words of ``text`` as they are searched, in order."""
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(_ARABIC)
    plain = folded if folded.isascii() else "".join(c for c in folded if not unicodedata.combining(c))
    found: list[str] = _WORD.findall(plain)
    if not _ARABIC_LETTER.search(plain):
        return found
    return [_ARTICLE.sub("", word) for word in found]


def searchable(text: str) -> str:
    """Return the words of ``text`` with single spaces between them, for an index that splits at white space."""
    return " ".join(tokens(text))


def phrases(query: str) -> list[list[str]]:
    """Return what must all occur: for each stretch of ``query`` between white space, its words in this order."""
    split = (tokens(part) for part in query.split())
    return [words for words in split if words]
