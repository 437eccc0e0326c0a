# RUN: %python %s
"""The backend of torch.compile without torch and torch-mlir: which arguments are
constants, the order of inputs and results, what is compiled again, no copies.
quantmlir/pytorch.py is the same with both."""

import logging
import sys

import numpy as np

from Inputs import stub_torch
from Inputs.stub_torch import Graph, Node, Parameter, Tensor

torch = stub_torch.install()
from quantmlir import InvalidArgument, MissingPackage, torch_backend
from quantmlir._frontends import TENSOR
from Artifact.Inputs import programs
from quantcheck.raising import raises

exported = []


def exporter(graph, args, constants):
    """x * w - y, y as it is, a number, whether x > 0: of (w, n, x, y)."""
    exported.append((args, constants))
    n = args[1]
    t, b = f"tensor<{n}xf32>", f"tensor<{n}xi1>"
    return f"""
func.func @main(%x: {t}, %y: {t}) -> ({t}, {t}, {b}) {{
  %zero = arith.constant dense<0.0> : {t}
  %w = arith.constant {programs.text(args[0].array)} : {t}
  %p = arith.mulf %x, %w : {t}
  %d = arith.subf %p, %y : {t}
  %s = arith.cmpf ogt, %x, %zero : {t}
  return %d, %y, %s : {t}, {t}, {b}
}}
""".encode(), [TENSOR, n, TENSOR, None, TENSOR]


def tensors(n, seed=0):
    rng = np.random.default_rng(seed)
    return [Tensor(rng.standard_normal(n).astype(np.float32)) for _ in range(2)]


def check(compiled, w, n, x, y, count):
    """One call, after which `count` programs were made."""
    difference, size, same, nothing, positive = compiled(w, n, x, y)
    assert np.array_equal(difference.array, x.array * w.array - y.array)
    assert np.array_equal(same.array, y.array) and size == n and nothing is None
    assert positive.viewed == "bool"
    assert np.array_equal(positive.array, (x.array > 0).astype(np.uint8))
    assert len(exported) == count, (len(exported), count)
    # Results lie where the model put them.
    assert difference.array.base is not None and not difference.array.flags.owndata


graph = Graph(Node("w"), Node("n"), Node("x"), Node("y"))
w = Parameter(np.arange(4, dtype=np.float32))
x, y = tensors(4)
compiled = torch_backend.backend(graph, [w, 4, x, y], exporter=exporter)
# Sizes are known: compiled at once, and never again for the like.
assert len(exported) == 1 and exported[0][1] == {0}
check(compiled, w, 4, x, y, 1)
check(compiled, w, 4, *tensors(4, seed=1), 1)
# Written to; replaced by another; other sizes; and back.
w.fill_(3)
check(compiled, w, 4, x, y, 2)
other = Parameter(w.array + 1)
check(compiled, other, 4, x, y, 3)
check(compiled, w, 4, x, y, 3)
w5 = Parameter(np.ones(5, np.float32))
check(compiled, w5, 5, *tensors(5), 4)
check(compiled, other, 4, x, y, 4)
# Not for ever: the oldest goes.
for i in range(compiled.KEPT):
    check(compiled, Parameter(np.full(4, i, np.float32)), 4, x, y, 5 + i)
check(compiled, w5, 5, *tensors(5), 5 + compiled.KEPT)

# A buffer is marked, a size is a symbol: compiled when it is called.
exported.clear()
marked = Graph(Node("w", is_static=True), Node("n"), Node("x"), Node("y"))
buffer = Tensor(w.array)
compiled = torch_backend.backend(marked, [buffer, object(), x, y], exporter=exporter,
                                 options={"target": "generic"})
assert not exported
check(compiled, buffer, 4, x, y, 1)
assert exported[0][1] == {0}

# Memory of a result: bits where NumPy's DLPack has no type.
class Kind:
    dtype = "bf16"


bits = np.array([1, 2], np.uint16)
result = torch_backend._to_torch(bits, Kind)
assert result.viewed == "bfloat16" and np.shares_memory(result.array, bits)
Kind.dtype = "f32"
floats = np.ones(2, np.float32)
assert np.shares_memory(torch_backend._to_torch(floats, Kind).array, floats)

# What stays in float is said.
said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("quantmlir").addHandler(handler)
logging.getLogger("quantmlir").setLevel(logging.INFO)
product = """
func.func @main(%x: tensor<4x4xf32>, %w: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%zero : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}"""
square = Tensor(np.ones((4, 4), np.float32))
torch_backend.backend(Graph(Node("x"), Node("w")), [square, square],
                      options={"quantize": "weights=channel"},
                      exporter=lambda *_: (product.encode(), [TENSOR]))
assert any("remark" in line for line in said), said

# Refused.
make = lambda *args, **options: torch_backend.backend(
    graph, args or [w, 4, x, y], exporter=exporter, **options)
raises(InvalidArgument, lambda: make(mode="max-autotune"),
       "mode: expected None or 'default', found 'max-autotune'")
raises(InvalidArgument, lambda: make(options={"weights": 4}),
       "options: expected quantize, target", "found weights")
raises(InvalidArgument, lambda: make(w, 4, x, Tensor(y.array, device="cuda")),
       "input 3 of the graph: expected a tensor on the CPU")
grown = Tensor(x.array, requires_grad=True)
raises(InvalidArgument, lambda: make(w, 4, grown, y),
       "torch.no_grad()", "input 2 of the graph requires them")
torch.gradients = False
make(w, 4, grown, y)
sys.modules["torch_mlir"] = None  # as if it were not installed
raises(MissingPackage, lambda: torch_backend.backend(graph, [w, 4, x, y]),
       'torch.compile(..., backend="quantmlir")', "pip install torch-mlir")
