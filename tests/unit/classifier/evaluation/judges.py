"""A stand-in for the classifier, and hollow labelled pages."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from classifier.verdict import Document, Passage, Verdict

THRESHOLD = 0.5


class WordJudge:
    """Flags what says ``flag``; ``fremd`` is in an unsupported language, ``hm`` in none that can be told."""

    version = "words-1"
    threshold = THRESHOLD

    class encoder:  # noqa: N801
        name = "none"

    class heads:  # noqa: N801
        @staticmethod
        def words(texts):
            return [tuple((word, 0.5) for word in text.lower().split()[:4]) for text in texts]

    def __init__(self) -> None:
        self.batches: list[int] = []

    def judge(self, documents: list[Document]) -> list[Verdict]:
        self.batches.append(len(documents))
        return [self._verdict(document) for document in documents]

    def _verdict(self, document: Document) -> Verdict:
        text = document.text.lower()
        common = {"threshold": THRESHOLD, "model": self.version}
        if "fremd" in text:
            return Verdict("unsupported", 0.0, language="de", reason=text, **common)
        score = 0.9 if "flag" in text else 0.3 if "perhaps" in text else 0.1
        return Verdict(
            "flagged" if score >= THRESHOLD else "not_flagged",
            score,
            language="und" if "hm" in text else "en",
            subjects={"firearm": 0.8, "part_or_component": 0.6 if "parts" in text else 0.2, "ammunition": 0.1},
            techniques={"manufacture": 0.7, "repair": 0.1},
            context=None if score >= THRESHOLD else "museum_history",
            passages=(Passage(0, len(document.text), score, 0.7, 0.6),),
            reason=f"This sentence has text of the page: {text}",
            **common,
        )


def write(path: Path, rows: list[dict], *, packed: bool = False) -> Path:
    data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def page(number: int, text: str, label: int | None = 0, **more) -> dict:
    row = {"id": f"p{number}", "text": text, "language": "en", **more}
    return row if label is None else {**row, "label": label}
