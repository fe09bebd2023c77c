import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier import Document
from classifier.heads import Heads
from classifier.model import LONG, Classifier
from classifier.page_score import PageScore
from classifier.registry import PARTS
from classifier.screen import Screen
from classifier.taxonomy import CONTEXTS
from tests.unit.classifier.toys import ToyEncoder, toy_corpus

GUIDE = "Step one of my pistol guide: do the first stage as in the picture, compare, then stage two. Reader garden."
NEWS = "The police said on Monday that a pistol was found near the station; a court will decide in spring."
HARMLESS = "Step one of my curtain guide: do the first stage as in the picture, compare, then stage two."


@pytest.fixture(scope="module")
def classifier(fitted):
    parts = fitted.estimators
    heads = Heads({name: part for name, part in parts.items() if name not in PARTS})
    return Classifier(
        encoder=ToyEncoder(),
        screen=Screen(parts),
        heads=heads,
        page_score=PageScore(parts["page"], parts["clear"]),
        threshold=0.5,
        worth_a_look=0.25,
        version="toy",
    )


def test_a_guide_of_concern_is_flagged_and_says_why(classifier):
    verdict = classifier.judge([Document(GUIDE)])[0]
    assert verdict.flagged
    assert verdict.score >= verdict.threshold
    assert verdict.passages[0].words
    assert "form of a guide" in verdict.reason
    assert verdict.context is None


def test_a_flag_says_what_each_head_said_and_what_it_resembles(classifier):
    passage = classifier.judge([Document(GUIDE)])[0].passages[0]
    assert list(passage.contexts.values()) == sorted(passage.contexts.values(), reverse=True)
    assert set(passage.contexts) < set(CONTEXTS)
    assert [one.similarity for one in passage.nearest] == sorted((n.similarity for n in passage.nearest), reverse=True)
    assert passage.nearest[0].of_concern
    assert {one.id for one in passage.nearest} <= {example.id for example in toy_corpus()}


def test_a_page_between_the_bounds_is_worth_a_look_and_not_flagged(classifier, monkeypatch):
    for score, flagged, look in ((0.24, False, False), (0.25, False, True), (0.49, False, True), (0.5, True, False)):
        monkeypatch.setattr(classifier, "_score", lambda *_, score=score: score)
        verdict = classifier.judge([Document(GUIDE)])[0]
        assert (verdict.flagged, verdict.worth_a_look) == (flagged, look)
        assert bool(verdict.passages[0].nearest) == flagged


def test_a_clear_page_reaches_no_encoder_and_scores_little(classifier):
    before = classifier.encoder.encoded
    verdict = classifier.judge([Document("The trees behind the old house are watered in the evening.", "Trees")])[0]
    assert classifier.encoder.encoded == before
    assert (verdict.flagged, verdict.worth_a_look, verdict.passages) == (False, False, ())
    assert 0.0 <= verdict.score < classifier.worth_a_look
    assert "screen" in verdict.reason


def test_labels_are_asked_of_pages_that_somebody_will_see(classifier, monkeypatch):
    guide, news = classifier.judge([Document(GUIDE), Document(NEWS)])
    assert guide.subjects and not news.subjects


def test_each_flag_of_a_batch_has_its_own_explanation(classifier):
    documents = [Document(NEWS), Document(GUIDE), Document(HARMLESS), Document(GUIDE.replace("garden", "soup"))]
    together = classifier.judge(documents)
    alone = [classifier.judge([document])[0] for document in documents]
    assert [v.passages for v in together] == [v.passages for v in alone]
    assert [v.subjects for v in together] == [v.subjects for v in alone]


@pytest.mark.parametrize("text", [NEWS, HARMLESS])
def test_news_and_harmless_guides_are_not(classifier, text):
    assert not classifier.judge([Document(text)])[0].flagged


def test_a_page_that_the_encoder_saw_says_what_it_reads_as(classifier, monkeypatch):
    monkeypatch.setattr(classifier.screen, "clear", 0.0)
    verdict = classifier.judge([Document(HARMLESS)])[0]
    assert verdict.context in CONTEXTS
    assert verdict.context.replace("_", " ") in verdict.reason


def test_a_guide_is_found_inside_a_long_harmless_page(classifier):
    text = "\n\n".join([HARMLESS] * 30 + [GUIDE] + [HARMLESS] * 30)
    verdict = classifier.judge([Document(text)])[0]
    passage = verdict.passages[0]
    assert "pistol" in text[passage.start : passage.end]


def test_only_some_passages_of_a_long_page_are_encoded(classifier):
    before = classifier.encoder.encoded
    classifier.judge([Document("\n\n".join([HARMLESS * 5] * 200))])
    assert classifier.encoder.encoded - before <= 50


def test_the_same_text_has_the_same_score_alone_or_in_a_batch(classifier):
    documents = [Document(text, title) for text in (GUIDE, NEWS, HARMLESS) for title in ("", "A title")]
    together = [verdict.score for verdict in classifier.judge(documents)]
    alone = [classifier.judge([document])[0].score for document in documents]
    assert np.allclose(together, alone, atol=1e-6)


def test_offsets_are_of_the_text_as_given(classifier):
    text = "  \n" + GUIDE.replace(" ", "\u00a0") + "  "
    passage = classifier.judge([Document(text)])[0].passages[0]
    assert text[passage.start : passage.end].startswith("Step")


@pytest.mark.parametrize("text", ["", " \n", "…", "x" * 1_000_000, "\x00\x01", "\ud800", "🙂" * 500])
def test_odd_texts_have_a_verdict(classifier, text):
    verdict = classifier.judge([Document(text, text[:50])])[0]
    assert 0.0 <= verdict.score <= 1.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(st.characters(), max_size=400), st.text(st.characters(), max_size=40))
def test_any_text_has_a_verdict(classifier, text, title):
    verdict = classifier.judge([Document(text, title)])[0]
    assert 0.0 <= verdict.score <= 1.0
    assert all(0 <= passage.start <= passage.end <= len(text) for passage in verdict.passages)


def test_an_unsupported_language_is_its_own_outcome(classifier):
    text = "Der Garten liegt hinter dem alten Haus, und die Nachbarn gießen seine Bäume jeden Morgen. " * 3
    verdict = classifier.judge([Document(text)])[0]
    assert (verdict.outcome, verdict.language, verdict.flagged) == ("unsupported", "de", False)


def test_a_long_page_that_never_names_the_subject_needs_a_clear_passage(classifier, monkeypatch):
    """One of many passages may mislead the heads; without a word of the subject the page counts half."""
    document = Document("\n\n".join([HARMLESS * 3] * LONG))
    before = classifier.judge([document])[0].score
    monkeypatch.setattr("classifier.model.SURE", 0.0)
    assert classifier.judge([document])[0].score == pytest.approx(2 * before, abs=2e-6)


def test_a_short_page_may_speak_in_code(classifier, monkeypatch):
    document = Document(HARMLESS)
    before = classifier.judge([document])[0].score
    monkeypatch.setattr("classifier.model.SURE", 0.0)
    assert classifier.judge([document])[0].score == before
