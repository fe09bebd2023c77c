"""The model that ships is what training makes of the project alone (a few minutes on one core)."""

import pytest

from classifier import Document
from classifier.encoders.use import UseEncoder
from classifier.examples import corpus
from classifier.registry import SHIPPED, load, read_meta, save
from classifier.training import train

SAME = ("version", "encoder", "threshold", "worth_a_look", "examples", "data_sha256", "seed")


@pytest.mark.timeout(900)
def test_training_makes_the_shipped_model(tmp_path):
    examples = corpus()
    save(train(examples, UseEncoder()), tmp_path)
    made, shipped = read_meta(tmp_path), read_meta(SHIPPED)
    assert {name: made[name] for name in SAME} == {name: shipped[name] for name in SAME}
    assert made["metrics"] == pytest.approx(shipped["metrics"], abs=2e-3)
    pages = [Document(example.text, example.title) for example in examples[::20]]
    pages += [Document("\n\n".join(page.text for page in pages[i : i + 12])) for i in range(0, len(pages), 12)]
    scores = [[verdict.score for verdict in load(folder).judge(pages)] for folder in (tmp_path, SHIPPED)]
    # Processors of different makes round the last bits of matrix products differently.
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
