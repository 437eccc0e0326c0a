"""Models as ONNX graphs, from the weights, with the structure of the exported
programs. Needs onnx, which the project does not."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


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

    def model(self, inputs, output):
        """The model with these shapes of in0, in1, ... and of out0."""
        def value(name, shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT,
                                                 shape)

        graph = helper.make_graph(
            self.nodes, "main",
            [value(f"in{i}", shape) for i, shape in enumerate(inputs)],
            [value("out0", output)], self.constants)
        return helper.make_model(graph, ir_version=10,
                                 opset_imports=[helper.make_opsetid("", 17)])


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
    return g.model([("b", 32, 384), ("b", 1, 1, 32), ("b", 32)], ("b", 384))


def digits(parameters):
    g = Graph()
    x = "in0"
    for name in "abc":
        x = g.op("Add", g.op("MatMul", x, parameters[name + ".weight"].T),
                 parameters[name + ".bias"],
                 output="out0" if name == "c" else None)
        if name != "c":
            x = g.op("Relu", x)
    return g.model([("b", 64)], ("b", 10))


def smollm2_layer(parameters):
    """A Llama decoder layer: 9 heads, 3 of keys and values, 64 wide."""
    g = Graph()
    base = "model.layers.4."

    def dense(x, name):
        return g.op("MatMul", x, parameters[f"{base}{name}.weight"].T)

    def norm(x, name):
        mean = g.op("ReduceMean", g.op("Mul", x, x), axes=[-1])
        root = g.op("Sqrt", g.op("Add", mean, np.float32(1e-5)))
        return g.op("Mul", g.op("Div", x, root),
                    parameters[f"{base}{name}.weight"])

    def heads(x, name, count):
        y = g.op("Reshape", dense(x, f"self_attn.{name}_proj"),
                 np.array([0, 0, count, 64], np.int64))
        return g.op("Transpose", y, perm=[0, 2, 1, 3])

    def rotate(x):
        low, high = (g.op("Slice", x, *(np.array([v], np.int64)
                                        for v in (begin, begin + 32, 3)))
                     for begin in (0, 32))
        turned = g.op("Concat", g.op("Neg", high), low, axis=-1)
        return g.op("Add", g.op("Mul", x, cos), g.op("Mul", turned, sin))

    cos, sin = (g.op("Unsqueeze", v, np.array([1], np.int64))
                for v in ("in2", "in3"))
    h = norm("in0", "input_layernorm")
    shared = np.repeat(np.arange(3), 3)  # query heads of each key head
    q = rotate(heads(h, "q", 9))
    k = g.op("Gather", rotate(heads(h, "k", 3)), shared, axis=1)
    v = g.op("Gather", heads(h, "v", 3), shared, axis=1)
    k = g.op("Transpose", k, perm=[0, 1, 3, 2])
    scores = g.op("Mul", g.op("MatMul", q, k), np.float32(0.125))
    p = g.op("Softmax", g.op("Add", scores, "in1"), axis=-1)
    context = g.op("Transpose", g.op("MatMul", p, v), perm=[0, 2, 1, 3])
    context = g.op("Reshape", context, np.array([0, 0, 576], np.int64))
    x = g.op("Add", "in0", dense(context, "self_attn.o_proj"))
    h = norm(x, "post_attention_layernorm")
    gate = dense(h, "mlp.gate_proj")
    gate = g.op("Mul", gate, g.op("Sigmoid", gate))
    h = g.op("Mul", gate, dense(h, "mlp.up_proj"))
    g.op("Add", x, dense(h, "mlp.down_proj"), output="out0")
    return g.model([("b", 64, 576), ("b", 1, 64, 64), ("b", 64, 64),
                    ("b", 64, 64)], ("b", 64, 576))


GRAPHS = {"minilm_l6_full_dynbatch_s32": minilm,
          "digits_mlp_dynbatch": digits,
          "smollm2_layer4_s64": smollm2_layer}
