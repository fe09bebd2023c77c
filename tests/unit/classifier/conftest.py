import pytest

from classifier.training import train
from tests.unit.classifier.toys import ToyEncoder, toy_corpus


@pytest.fixture(scope="session")
def training():
    """A toy model, and what was told of the progress."""
    told = []
    return train(toy_corpus(), ToyEncoder(), columns=1024, progress=lambda *step: told.append(step)), told


@pytest.fixture(scope="session")
def fitted(training):
    return training[0]
