"""The taxonomy stands twice, because neither package imports the other; here the two are held together."""

import classifier.taxonomy as ours
import events


def test_classifier_and_events_speak_the_same_words():
    assert ours.SUBJECTS == events.SUBJECTS
    assert ours.TECHNIQUES == events.TECHNIQUES
    assert ours.METHODS == events.METHODS
    assert ours.CONTEXTS == events.CONTEXTS
