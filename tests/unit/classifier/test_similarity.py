from __future__ import annotations

import base64
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.evaluation.disguise import disguise
from classifier.similarity import HASHES, minhash, signature

CORPUS = Path(__file__).parents[3] / "classifier" / "corpus"
ALIKE = 0.6
"""Where `storage.clusters` draws the line."""


def likeness(one: str, other: str) -> float:
    first, second = signature(one), signature(other)
    assert first is not None
    assert second is not None
    return float((first == second).mean())


def page(language: str, number: int = 0) -> str:
    """Return a page of ten passages of the corpus, one a line; pages with different numbers share none."""
    lines = (CORPUS / f"{language}.jsonl").read_text("utf-8").splitlines()[10 * number : 10 * number + 10]
    return "\n".join(json.loads(line)["text"].replace("\n", " ") for line in lines)


LANGUAGES = pytest.mark.parametrize("language", ["ar", "en", "es", "fr", "ru", "zh"])


@LANGUAGES
def test_case_punctuation_and_white_space_make_no_difference(language: str) -> None:
    text = page(language)
    assert minhash(text.upper()) == minhash(text)
    assert minhash("  " + text.replace("\n", "\n\n\t").replace(".", ";") + "…") == minhash(text)


@LANGUAGES
def test_mirror_with_other_boilerplate_is_alike(language: str) -> None:
    text, around = page(language), page(language, 1)
    part = len(text) // 10
    assert likeness(text, f"{around[:part]}\n{text}\n{around[-part:]}") >= ALIKE


@LANGUAGES
def test_mirror_with_its_paragraphs_in_another_order_is_alike(language: str) -> None:
    lines = page(language).split("\n")
    random.Random(1).shuffle(lines)
    assert likeness(page(language), "\n".join(lines)) >= ALIKE


@LANGUAGES
def test_mirror_with_disguised_words_is_alike(language: str) -> None:
    text = page(language)
    assert likeness(text, disguise(text, "mixed", random.Random(1), share=0.3)) >= ALIKE


@LANGUAGES
def test_mirror_of_which_the_end_is_missing_is_alike(language: str) -> None:
    text = page(language)
    assert likeness(text, text[: len(text) * 3 // 4]) >= ALIKE


@LANGUAGES
def test_two_texts_under_the_same_headings_are_not_alike(language: str) -> None:
    headings = page(language, 3).split("\n")

    def under_them(number: int) -> str:
        return "\n".join(
            f"{head[:40]}\n{body}" for head, body in zip(headings, page(language, number).split("\n"), strict=True)
        )

    assert likeness(under_them(0), under_them(1)) < ALIKE / 2


def test_share_of_equal_hashes_estimates_the_share_of_common_trigrams() -> None:
    words = [f"w{n}x" for n in range(2_000)]
    for shared in (200, 1_000, 1_800):
        first, second = words[: shared + 100], [*words[:shared], *(f"v{n}y" for n in range(100))]
        common = shared - 2
        true = common / (2 * (shared + 98) - common)
        assert likeness(" ".join(first), " ".join(second)) == pytest.approx(
            true, abs=4 * (true * (1 - true) / 128) ** 0.5
        )


def test_every_hash_has_its_own_word_of_a_text_as_the_least() -> None:
    hashes = signature(" ".join(f"w{n}x" for n in range(1_000)))
    assert hashes is not None
    assert (hashes.shape, hashes.dtype, len(set(hashes.tolist()))) == ((HASHES,), np.uint32, HASHES)


@pytest.mark.parametrize("text", ["", " \n", "…!?", "\u200b"])
def test_text_without_a_word_has_no_signature(text: str) -> None:
    assert signature(text) is None
    assert minhash(text) == ""


@pytest.mark.parametrize("text", ["word", "two words", "字", "\ud800 half", "\x00 nul", "x" * 100_000])
def test_any_text_with_a_word_has_one(text: str) -> None:
    assert len(base64.b64decode(minhash(text))) == 4 * HASHES


@pytest.mark.parametrize(
    ("text", "digest"),
    [("A page about nothing at all.", "c8d65aa8b54ea0c1"), ("关于什么都没有的一页。", "71e1192797828b5b")],
)
def test_signature_stays_the_same_for_ever(text: str, digest: str) -> None:
    """The stores keep signatures for years; if this fails, those in them no longer compare (ADR 0020)."""
    assert hashlib.sha256(minhash(text).encode()).hexdigest()[:16] == digest


def test_signature_does_not_depend_on_the_process() -> None:
    code = "from classifier.similarity import minhash; print(minhash('A page about nothing at all.'))"
    for seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert found.stdout.strip() == minhash("A page about nothing at all.")


@given(st.lists(st.text("abcdefgh", min_size=2, max_size=6), min_size=1, max_size=60), st.integers(0, 60))
def test_repeating_a_stretch_that_was_there_changes_only_its_seams(words: list[str], cut: int) -> None:
    text = " ".join(words)
    first, again = signature(text), signature(f"{text} {text}")
    assert first is not None
    assert again is not None
    assert (again <= first).all() or len(words) < 3


@given(st.text(max_size=400))
def test_signature_is_a_function_of_the_text_that_goes_over_the_wire(text: str) -> None:
    made = minhash(text)
    assert made == minhash(text)
    found = signature(text)
    assert (made == "") == (found is None)
    if found is not None:
        assert np.array_equal(np.frombuffer(base64.b64decode(made), "<u4"), found)
