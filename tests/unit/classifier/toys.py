"""A toy encoder and a toy corpus, so that training takes a second."""

from __future__ import annotations

import hashlib

import numpy as np

from classifier.examples import Example

HARMLESS = ("garden", "soup", "bicycle", "curtain", "kite", "bread", "fence", "lantern")


class ToyEncoder:
    """Counts hashed words; the same text gives the same vector, alone or in a batch."""

    name = "use"
    at_once = 1

    def __init__(self, dim: int = 48) -> None:
        self.dim = dim
        self.encoded = 0

    def encode(self, texts):
        self.encoded += len(texts)
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, hashlib.md5(word.strip(".,:!?").encode()).digest()[0] % self.dim] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def toy_corpus() -> list[Example]:
    """Return hollow passages: guides of concern, firearm news, harmless guides."""
    made = []
    for i in range(48):
        word = HARMLESS[i % len(HARMLESS)]
        guide = "guide: do the first stage as in the picture, compare, then stage two."
        texts = (
            f"Step one of my pistol {guide} Reader {word}.",
            f"The police said on Monday that a pistol was found near the {word}; a court will decide in spring.",
            f"Step one of my {word} {guide}",
        )
        kind = i % 3
        concern = kind == 0
        made.append(
            Example(
                id=f"en-{i}",
                language="en",
                group=f"g{i}",
                register="blog",
                text=texts[kind],
                title="",
                of_concern=concern,
                guide=kind != 1,
                subjects=("firearm",) if kind != 2 else (),
                techniques=("manufacture",) if concern else (),
                method="workshop" if concern else None,
                context=(None, "news", "benign_howto")[kind],
            )
        )
    return made
