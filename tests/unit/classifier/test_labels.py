import numpy as np

from classifier.labels import LABELS, Gists
from classifier.lexicon import label_words
from tests.unit.classifier.toys import ToyEncoder


def test_probabilities_come_in_the_order_of_the_taxonomy(fitted):
    from classifier.heads import Heads

    heads = Heads({name: part for name, part in fitted.estimators.items() if name not in ("screen", "page")})
    texts = ["a pistol guide, stage one", "ammunition, stage two"]
    found = heads.labels(Gists(ToyEncoder().encode(texts), texts, ["", "a title"], ToyEncoder().encode(texts)))
    assert {kind: p.shape for kind, p in found.items()} == {kind: (2, len(names)) for kind, names in LABELS.items()}
    assert all(((p >= 0) & (p <= 1)).all() for p in found.values())
    assert heads.labels(Gists(np.zeros((0, 3)), [], [], np.zeros((0, 3))))["subjects"].shape == (0, 3)


def test_words_of_a_label_are_counted_in_every_language():
    pages = ["reactivated", "réactiver", "reactivar", "реактивация", "复活", "إحياء"]
    assert (label_words(pages)[:, 6] >= 1).all()
    assert not label_words(["the garden in winter"]).any()
