# REQUIRES: torch, torch-mlir
# RUN: rm -rf %t && mkdir %t
# RUN: %extras-python %s %src %t | FileCheck %s
"""torch.compile(model, backend="quantmlir"): the code of docs/pytorch.md, found by
pyproject.toml's entry point, and what a backend of torch has to keep."""

# CHECK: {{^3[0-9]}} dB
# CHECK: (tensor<?x256xf32>) -> (tensor<?x64xf32>)

import os
import pathlib
import re
import sys
import tomllib

import torch

source, folder = map(pathlib.Path, sys.argv[1:])
os.chdir(folder)
# As pip would have left it.
with open(source / "pyproject.toml", "rb") as f:
    points = tomllib.load(f)["project"]["entry-points"]
info = folder / "site" / "quantmlir-0.dist-info"
info.mkdir(parents=True)
(info / "METADATA").write_text("Metadata-Version: 2.1\nName: quantmlir\nVersion: 0\n")
(info / "entry_points.txt").write_text("".join(
    f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in entries.items())
    for group, entries in points.items()))
sys.path.insert(0, str(folder / "site"))

text = (source / "docs" / "pytorch.md").read_text()
blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
assert len(blocks) == 3, len(blocks)
exec(compile("\n".join(blocks), "docs/pytorch.md", "exec"), {})
assert {"model.so", "model.mlir"} <= set(os.listdir("."))

from torch._dynamo.exc import BackendCompilerFailed

import quantmlir
from quantmlir import CompileError, InvalidArgument, MissingPackage


def compiled(module, **options):
    torch._dynamo.reset()
    return torch.compile(module, backend="quantmlir", **options)


class Everything(torch.nn.Module):
    """Parameters between inputs; buffers; a tensor that is neither; results of
    every kind."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(8, 16)
        self.norm = torch.nn.BatchNorm1d(16)
        self.register_buffer("buffer", torch.randn(16))
        self.plain = torch.arange(16.0)

    def forward(self, x, scale, y):
        z = self.norm(self.linear(x)) + self.buffer + self.plain
        return (z * scale - y, x.shape[0], None, z > 0, z.to(torch.bfloat16),
                (x, self.linear.weight))


def same(found, expected):
    if isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype and found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-2 if
                                   found.dtype == torch.bfloat16 else 1e-5, atol=1e-5)
    elif isinstance(expected, tuple):
        assert len(found) == len(expected)
        for pair in zip(found, expected):
            same(*pair)
    else:
        assert type(found) is type(expected) and found == expected


def refused(kind, call, *words):
    try:
        call()
    except BackendCompilerFailed as error:
        assert type(error.inner_exception) is kind, error
        for word in words:
            assert word in str(error), (word, str(error))
        return
    raise AssertionError(f"{words} was expected")


model = Everything().eval()
fast = compiled(model)
with torch.no_grad():
    # The third size is one that torch leaves to the backend.
    for rows, scale in ((4, 2.0), (5, 2.0), (6, 3.0), (5, 3.0)):
        args = torch.randn(rows, 8), scale, torch.randn(16)
        same(fast(*args), model(*args))
    # Written to, and replaced.
    model.linear.weight.mul_(2)
    same(fast(*args), model(*args))
    model.linear.bias = torch.nn.Parameter(torch.ones(16))
    same(fast(*args), model(*args))
    # Not in C order.
    args = torch.randn(8, 5).T, *args[1:]
    same(fast(*args), model(*args))
    # A module's training mode is what it was.
    dropout = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Dropout(),
                                  model.norm)
    assert [part.training for part in dropout.modules()] == [True, True, True, False]
    alone = quantmlir.compile(dropout[:2], example_inputs=args[:1])
    assert [part.training for part in dropout.modules()] == [True, True, True, False]
    same(torch.from_dlpack(alone(args[0])), dropout[0](args[0]))
    refused(InvalidArgument, lambda: compiled(model.train())(*args), "none of its buffers",
            "running_mean", "eval()")


class Difference(torch.nn.Module):
    def forward(self, a, b):
        return a - b


class Bytes(torch.nn.Module):
    def forward(self, x):
        return (x * 255).round().clamp(0, 255).to(torch.uint8)


def raises(call, *words):
    try:
        call()
    except InvalidArgument as error:
        assert all(word in str(error) for word in words), error
        return
    raise AssertionError(f"{words} was expected")


# Examples that are one tensor are two inputs.
x = torch.ones(2, 3)
apart = quantmlir.compile(Difference(), example_inputs=(x, x))
assert (apart(5 * x, 2 * x) == 3).all()
raises(lambda: quantmlir.compile(Difference(), example_inputs=x),
       "expected a tuple of tensors", "found Tensor")
# Bytes have no sign.
with torch.no_grad():
    same(compiled(Bytes())(torch.tensor([0, .5, 1])), torch.tensor([0, 128, 255],
                                                                   dtype=torch.uint8))
raises(lambda: quantmlir.compile(Bytes(), example_inputs=(x,)), "results of torch.uint8")


def writes(x):
    x.add_(1)
    return x * 2


x = torch.zeros(4)
refused(InvalidArgument, lambda: compiled(writes)(x), "none of its inputs")
assert torch.equal(x, torch.zeros(4))
refused(InvalidArgument, lambda: compiled(model.eval())(*args), "torch.no_grad()")
refused(CompileError, lambda: compiled(torch.linalg.eigvals)(torch.eye(3)),
        "torch-mlir did not import the module")
refused(InvalidArgument, lambda: compiled(torch.abs, options={"weights": 4})(x),
        "found weights")
refused(InvalidArgument, lambda: compiled(torch.abs, mode="max-autotune")(x),
        "found 'max-autotune'")
with torch.inference_mode():
    same(compiled(torch.matmul)(torch.ones(2, 3), torch.ones(3, 2)),
         torch.full((2, 2), 3.0))
sys.modules["torch_mlir"] = None  # as if it were not installed
refused(MissingPackage, lambda: compiled(torch.abs)(x), "pip install torch-mlir")
# torch's own way back.
with torch._dynamo.config.patch(suppress_errors=True):
    same(compiled(torch.abs)(x - 1), torch.ones(4))
