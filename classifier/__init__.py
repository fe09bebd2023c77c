"""A pure library: taxonomy, passages, encoders, heads, page score, training, evaluation, registry.

>>> from classifier import Document, load
>>> verdict = load().judge([Document(title="…", text="…")])[0]  # doctest: +SKIP
"""

from classifier.model import Classifier
from classifier.registry import ModelError, load
from classifier.verdict import Document, Nearest, Passage, Verdict

__all__ = ["Classifier", "Document", "ModelError", "Nearest", "Passage", "Verdict", "load"]
