"""A decoder of the llama family as ONNX Runtime computes it: the float weights of a
checkpoint in a graph of plain ONNX ops, for windows of one length, which its own
quantizers then change. Needs onnx, onnx_ir and onnxruntime, which the project does not."""

import pathlib
import tempfile

import numpy as np
import onnx
import onnx_ir  # noqa: F401 (the quantizer of blocks needs it)
import onnxruntime
from onnx import TensorProto, helper

from accuracy.onnx_graphs import Graph
from quantmlir.llm.layers import Layers
from quantmlir.llm.requantize import floats

F32 = np.float32
HEAD = "head"


class Decoder(Layers):
    """Nodes of a graph that has ids [S] for logits [S, vocabulary]."""

    def __init__(self, config, source, tokens):
        super().__init__(config, source, tokens)
        self.tokens, self.graph = tokens, Graph()

    def op(self, kind, *inputs, **attributes):
        return self.graph.op(kind, *inputs, **attributes)

    def shaped(self, x, shape):
        return self.op("Reshape", x, np.array(shape, np.int64))

    def weight(self, weight):
        return floats(weight.load()).astype(F32)

    def norm(self, x, weight):
        mean = self.op("ReduceMean", self.op("Mul", x, x), axes=[-1], keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, F32(self.config.eps)))
        return self.op("Mul", self.op("Div", x, root), weight.astype(F32))

    def linear(self, x, layer, part):
        weight = self.weight(self.source.linear(layer, part))
        y = self.op("MatMul", x, weight.T)
        if self.config.bias and part in "qkv":
            y = self.op("Add", y, self.source.bias(layer, part).astype(F32))
        return y

    def heads(self, x, layer, part):
        """[heads, S, D], of queries and keys turned."""
        c = self.config
        count = c.heads if part == "q" else c.kv_heads
        x = self.shaped(self.linear(x, layer, part), [self.tokens, count, c.head_dim])
        if part == "v":
            return self.op("Transpose", x, perm=[1, 0, 2])
        if c.qk_norm:
            x = self.layer_norm(x, layer, f"{part}_norm")
        x = self.op("Transpose", x, perm=[1, 0, 2])
        half = c.head_dim // 2
        a, b = (self.op("Slice", x, *(np.array([v], np.int64) for v in (at, at + half, 2)))
                for at in (0, half))
        low = self.op("Sub", self.op("Mul", a, self._cos), self.op("Mul", b, self._sin))
        high = self.op("Add", self.op("Mul", b, self._cos), self.op("Mul", a, self._sin))
        return self.op("Concat", low, high, axis=-1)

    def attention(self, x, layer):
        """Queries of a head of keys follow each other."""
        c, s = self.config, self.tokens
        q, k, v = (self.heads(x, layer, part) for part in "qkv")
        q = self.shaped(q, [c.kv_heads, c.heads // c.kv_heads, s, c.head_dim])
        k = self.op("Transpose", self.shaped(k, [c.kv_heads, 1, s, c.head_dim]),
                    perm=[0, 1, 3, 2])
        v = self.shaped(v, [c.kv_heads, 1, s, c.head_dim])
        score = self.op("Mul", self.op("MatMul", q, k), F32(c.head_dim ** -0.5))
        mask = np.where(self._mask, F32(0), F32(-np.inf))
        p = self.op("Softmax", self.op("Add", score, mask), axis=-1)
        heads = self.shaped(self.op("MatMul", p, v), [c.heads, s, c.head_dim])
        heads = self.op("Transpose", heads, perm=[1, 0, 2])
        return self.shaped(heads, [s, c.heads * c.head_dim])

    def mlp(self, x, layer):
        gate, up = (self.linear(x, layer, part) for part in ("gate", "up"))
        act = self.op("Mul", gate, self.op("Sigmoid", gate))
        return self.op("Mul", act, up)

    def model(self):
        c = self.config
        if c.activation != "silu" or c.shares is not None:
            raise NotImplementedError(f"{c.architecture} in ONNX's ops")
        rows = self.weight(self.source.embedding())
        h = self.op("Gather", rows * F32(c.embedding_scale), "ids")
        for layer in range(c.layers):
            x = self.attention(self.layer_norm(h, layer, "attn_norm"), layer)
            h = self.op("Add", h, self.linear(x, layer, "o"))
            x = self.mlp(self.layer_norm(h, layer, "ffn_norm"), layer)
            h = self.op("Add", h, self.linear(x, layer, "down"))
        x = self.norm(h, self.source.final_norm())
        head = self.source.head()
        weight = self.weight(head) if head else rows
        self.graph.op("MatMul", x, weight.T, output="logits")
        self.graph.nodes[-1].name = HEAD
        graph = helper.make_graph(
            self.graph.nodes, "main",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, [self.tokens])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT,
                                           [self.tokens, c.vocabulary])],
            self.graph.constants)
        return helper.make_model(graph, ir_version=10,
                                 opset_imports=[helper.make_opsetid("", 17)])


def by_nbits(model, **options):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    quantizer = MatMulNBitsQuantizer(model, block_size=32, is_symmetric=True,
                                     accuracy_level=4, **options)
    quantizer.process()
    return quantizer.model.model


def quantized(model, form, folder):
    """By ONNX Runtime's quantizers, the head too. `int8`: quantize_dynamic with a scale
    for each channel; `w4`: MatMulNBits, 4 bits in blocks of 32 without zero points, the
    head with 8, and activations of 8 bits in blocks of 32 (accuracy_level 4)."""
    if form == "float":
        return model
    if form == "w4":
        model = by_nbits(model, nodes_to_exclude=[HEAD])
        return by_nbits(model, bits=8)
    from onnxruntime.quantization import QuantType, quantize_dynamic
    source, target = folder / "float.onnx", folder / "int8.onnx"
    onnx.save(model, source)
    quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8,
                     op_types_to_quantize=["MatMul"])
    return onnx.load(target)


class OnnxRuntime:
    """Windows of ids to logits."""

    def __init__(self, config, source, tokens, form, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            model = quantized(Decoder(config, source, tokens).model(), form, folder)
            onnx.save(model, folder / "model.onnx")
            self.session = onnxruntime.InferenceSession(
                folder / "model.onnx", options, providers=["CPUExecutionProvider"])

    def __call__(self, ids):
        return self.session.run(None, {"ids": np.asarray(ids, np.int64)})[0]


def check(config, source, reference, ids, threads):
    """Ends the script unless float logits of these ids are the reference's."""
    logits = OnnxRuntime(config, source, len(ids), "float", threads)(ids)
    expected = reference(ids)
    distance = np.abs(logits - expected).max() / np.abs(expected).max()
    if not distance <= 1e-4:
        raise SystemExit(f"error: expected ONNX Runtime's float logits within 1e-4 of "
                         f"the largest of NumPy's, found {distance:.2g}")
