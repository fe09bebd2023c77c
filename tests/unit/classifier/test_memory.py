import numpy as np
from sklearn.svm import SVC

from classifier import memory
from classifier.memory import Memory

random = np.random.default_rng(0)
VECTORS = random.normal(size=(60, 8))
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
TARGETS = (VECTORS[:, 0] > 0).astype(np.int64)


def test_a_head_decides_as_the_machine_of_scikit_learn():
    machine = SVC(C=memory.PENALTY, gamma=memory.GAMMA, class_weight="balanced").fit(VECTORS, TARGETS)
    weights = memory.fit(memory.kernel(VECTORS, VECTORS), TARGETS)
    mine = Memory(VECTORS).decisions(VECTORS[:7], weights[:, None])[:, 0]
    assert np.allclose(mine, machine.decision_function(VECTORS[:7]), atol=1e-6)


def test_a_head_fitted_on_some_rows_ignores_the_others():
    rows = np.arange(40)
    weights = memory.fit(memory.kernel(VECTORS, VECTORS), TARGETS[rows], rows)
    assert not weights[40:-1].any()


def test_far_from_everything_a_head_falls_back_to_its_intercept():
    weights = memory.fit(memory.kernel(VECTORS, VECTORS), TARGETS)
    far = np.full((1, 8), 50.0)
    assert Memory(VECTORS).decisions(far, weights[:, None])[0, 0] == weights[-1]


def test_no_passages_give_no_decisions():
    assert Memory(VECTORS).decisions(np.zeros((0, 8)), np.zeros((61, 3))).shape == (0, 3)


def test_a_passage_resembles_itself_most_and_no_passage_resembles_another_by_less_than_nothing():
    nearest = Memory(VECTORS).nearest(VECTORS[:5], 3)
    assert [found[0][0] for found in nearest] == [0, 1, 2, 3, 4]
    assert all(len(found) == 3 and found == sorted(found, key=lambda one: -one[1]) for found in nearest)
    assert all(0.0 <= cosine <= 1.0 for found in nearest for _, cosine in found)


def test_fewer_passages_than_asked_for_are_all_nearest():
    assert [row for row, _ in Memory(VECTORS[:2]).nearest(VECTORS[1:2], 3)[0]] == [1, 0]
