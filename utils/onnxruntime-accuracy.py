#!/usr/bin/env python3
"""MiniLM quantized by ONNX Runtime's own quantizers, scored on sentences.

    onnxruntime-accuracy.py SCHEME EMBEDDINGS.npy [--build=build]

SCHEME is float, w8a8 (quantize_dynamic, per channel), w4 (MatMulNBits, block
32, symmetric, float activations) or w4a8 (the same, int8 activations). Builds
the ONNX model from the weights with the graph of the exported program, runs it
on the sentences of the cases and writes the embeddings. Needs onnx and
onnxruntime, which the project does not; utils/accuracy-table.py calls it with
an interpreter that has them.
"""

import argparse
import importlib.util
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from quantsim import catalog, weights  # noqa: E402


def load_score():
    """utils/score-minilm.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "score_minilm", ROOT / "utils" / "score-minilm.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Graph:
    """Nodes and initializers, added as they are needed."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(
            np.ascontiguousarray(array), name))
        return name

    def op(self, kind, *inputs, output=None, **attributes):
        self.count += 1
        name = output or f"t{self.count}"
        inputs = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(helper.make_node(
            kind, inputs, [name], name=f"n{self.count}", **attributes))
        return name


def minilm(parameters):
    g = Graph()
    f32 = np.float32

    def dense(x, name):
        y = g.op("MatMul", x, parameters[name + ".weight"].T.astype(f32))
        return g.op("Add", y, parameters[name + ".bias"].astype(f32))

    def norm(x, name):
        return g.op("LayerNormalization", x,
                    parameters[name + ".LayerNorm.weight"].astype(f32),
                    parameters[name + ".LayerNorm.bias"].astype(f32),
                    axis=-1, epsilon=1e-12)

    def heads(x, perm):
        y = g.op("Reshape", x, np.array([0, 0, 12, 32], np.int64))
        return g.op("Transpose", y, perm=perm)

    x = "in0"
    for i in range(6):
        base = f"encoder.layer.{i}."
        q = heads(dense(x, base + "attention.self.query"), [0, 2, 1, 3])
        k = heads(dense(x, base + "attention.self.key"), [0, 2, 3, 1])
        v = heads(dense(x, base + "attention.self.value"), [0, 2, 1, 3])
        scores = g.op("Mul", g.op("MatMul", q, k), f32(1 / np.sqrt(32)))
        p = g.op("Softmax", g.op("Add", scores, "in1"), axis=-1)
        context = g.op("Transpose", g.op("MatMul", p, v), perm=[0, 2, 1, 3])
        context = g.op("Reshape", context, np.array([0, 0, 384], np.int64))
        y = dense(context, base + "attention.output.dense")
        x = norm(g.op("Add", y, x), base + "attention.output")
        h = dense(x, base + "intermediate.dense")
        erf = g.op("Erf", g.op("Div", h, f32(np.sqrt(2))))
        h = g.op("Mul", h, g.op("Mul", g.op("Add", erf, f32(1)), f32(0.5)))
        y = dense(h, base + "output.dense")
        x = norm(g.op("Add", y, x), base + "output")
    keep = g.op("Unsqueeze", "in2", np.array([2], np.int64))
    total = g.op("ReduceSum", g.op("Mul", x, keep), np.array([1], np.int64),
                 keepdims=0)
    count = g.op("ReduceSum", keep, np.array([1], np.int64), keepdims=0)
    pooled = g.op("Div", total, count)
    length = g.op("Sqrt", g.op("ReduceSum", g.op("Mul", pooled, pooled),
                               np.array([1], np.int64), keepdims=1))
    g.op("Div", pooled, length, output="out0")

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        g.nodes, "minilm", [value("in0", "b", 32, 384),
                            value("in1", "b", 1, 1, 32), value("in2", "b", 32)],
        [value("out0", "b", 384)], g.constants)
    return helper.make_model(graph, ir_version=10,
                             opset_imports=[helper.make_opsetid("", 17)])


def quantize(model, scheme, folder):
    if scheme == "float":
        return model
    if scheme == "w8a8":
        from onnxruntime.quantization import QuantType, quantize_dynamic
        source, target = f"{folder}/float.onnx", f"{folder}/int8.onnx"
        onnx.save(model, source)
        quantize_dynamic(source, target, per_channel=True,
                         weight_type=QuantType.QInt8,
                         op_types_to_quantize=["MatMul"])
        return onnx.load(target)
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        MatMulNBitsQuantizer)
    quantizer = MatMulNBitsQuantizer(
        model, block_size=32, is_symmetric=True,
        accuracy_level=4 if scheme == "w4a8" else None)
    quantizer.process()
    return quantizer.model.model


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scheme", choices=["float", "w8a8", "w4", "w4a8"])
    parser.add_argument("out")
    parser.add_argument("--build", default=str(ROOT / "build"))
    args = parser.parse_args()
    score = load_score()
    parameters = dict(weights.read_safetensors(
        catalog.minilm_weights(args.build)))
    with np.load(catalog.locate("minilm_l6_accuracy_open.npz")) as archive:
        z = {key: archive[key] for key in archive.files}
    mask = z["mask"].astype(np.float32)
    inputs = {"in0": score.embed(z),
              "in1": ((1 - mask) * np.float32(-10000))[:, None, None, :],
              "in2": mask}
    with tempfile.TemporaryDirectory() as folder:
        model = quantize(minilm(parameters), args.scheme, folder)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"])
        # One sentence a call: a dynamic scale is of the whole tensor, so
        # larger batches would only be worse.
        rows = [session.run(None, {key: value[i:i + 1] for key, value
                                   in inputs.items()})[0]
                for i in range(len(mask))]
    np.save(args.out, np.concatenate(rows))


if __name__ == "__main__":
    main()
