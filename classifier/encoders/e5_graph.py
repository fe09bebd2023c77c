"""The ONNX graph of multilingual-e5-small for one text: embedded tokens in, the mean of the last layer out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from classifier.encoders.e5_weights import Floats, Weights

OPSET = 20
IR = 10
LEVELS = 63
"""Weights keep 7 of 8 bits: with all 8, processors without VNNI saturate and give other sums than those with it."""


def build(weights: Weights, *, quantised: bool = True) -> bytes:
    """Return the serialised model.

    Parameters
    ----------
    weights
        Where the tensors come from.
    quantised
        Whether matrix products are in 8-bit integers (inputs by text, weights by output) or in float32.

    Notes
    -----
    Input ``x``: float32 (tokens, dim), word plus position plus type embeddings. Output ``y``: float32 (dim,). BERT as
    in Devlin et al., https://arxiv.org/abs/1810.04805; pooling as in Wang et al., https://arxiv.org/abs/2402.05672.
    """
    graph = _Graph(weights, quantised=quantised)
    x = graph.norm("x", "emb.ln")
    for layer in range(weights.shape.layers):
        x = graph.layer(x, f"l{layer}")
    graph.mean(x)
    return graph.serialised()


class _Graph:
    def __init__(self, weights: Weights, *, quantised: bool) -> None:
        self._weights = weights
        self._quantised = quantised
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._rounded: set[str] = set()

    def layer(self, x: str, name: str) -> str:
        x = self.norm(self.add("Add", x, self._attention(x, name)), f"{name}.aln")
        inner = self.add("Gelu", self._linear(x, f"{name}.fi"))
        return self.norm(self.add("Add", x, self._linear(inner, f"{name}.fo")), f"{name}.oln")

    def norm(self, x: str, name: str) -> str:
        scale, bias = (self._constant(f"{name}.{part}", self._weights.floats(f"{name}.{part}")) for part in "wb")
        return self.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=self._weights.shape.epsilon)

    def mean(self, x: str) -> None:
        axes = self._constant("tokens", np.array([0], dtype=np.int64))
        self._nodes.append(helper.make_node("ReduceMean", [x, axes], ["y"], keepdims=0))

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def serialised(self) -> bytes:
        dim = self._weights.shape.dim
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["tokens", dim])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [dim])
        graph = helper.make_graph(self._nodes, "e5", [x], [y], list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        return bytes(model.SerializeToString())

    def _attention(self, x: str, name: str) -> str:
        shape = self._weights.shape
        width = shape.dim // shape.heads
        split = self._constant("split", np.array([-1, shape.heads, width], dtype=np.int64))
        joined = self._constant("joined", np.array([-1, shape.dim], dtype=np.int64))
        scale = self._constant("scale", np.array(width**-0.5, dtype=np.float32))
        query, key, value = (self.add("Reshape", self._linear(x, f"{name}.{part}"), split) for part in "qkv")
        query, value = (self.add("Transpose", part, perm=[1, 0, 2]) for part in (query, value))
        scores = self.add("MatMul", query, self.add("Transpose", key, perm=[1, 2, 0]))
        shares = self.add("Softmax", self.add("Mul", scores, scale), axis=-1)
        mixed = self.add("Transpose", self.add("MatMul", shares, value), perm=[1, 0, 2])
        return self._linear(self.add("Reshape", mixed, joined), f"{name}.ao")

    def _linear(self, x: str, name: str) -> str:
        matrix = self._weights.matrix(f"{name}.w").T
        bias = self._constant(f"{name}.b", self._weights.floats(f"{name}.b"))
        if not self._quantised:
            return self.add("Add", self.add("MatMul", x, self._constant(f"{name}.w", matrix)), bias)
        return self.add("Add", self._integer_product(x, name, matrix), bias)

    def _integer_product(self, x: str, name: str, matrix: Floats) -> str:
        steps = (np.abs(matrix).max(axis=0) / LEVELS).astype(np.float32)
        rounded = np.rint(matrix / steps).astype(np.int8)
        bytes_of, step, zero = f"{x}.q", f"{x}.step", f"{x}.zero"
        if bytes_of not in self._rounded:
            self._rounded.add(bytes_of)
            self._nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [bytes_of, step, zero]))
        product = self.add("MatMulInteger", bytes_of, self._constant(f"{name}.w", rounded), zero)
        back = self.add("Mul", step, self._constant(f"{name}.step", steps))
        return self.add("Mul", self.add("Cast", product, to=TensorProto.FLOAT), back)

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name
