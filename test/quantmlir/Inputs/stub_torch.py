"""What quantmlir.torch_backend asks of torch, over NumPy: CI has no torch."""

import sys
import types

import numpy as np


class Tensor:
    def __init__(self, array, requires_grad=False, device="cpu"):
        self.array = np.asarray(array)
        self.requires_grad = requires_grad
        self.device = types.SimpleNamespace(type=device)
        self._version = 0

    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)

    def data_ptr(self):
        return self.array.ctypes.data

    def is_inference(self):
        return False

    def detach(self):
        return self

    def fill_(self, value):
        self.array[...] = value
        self._version += 1

    def view(self, dtype):
        self.viewed = dtype
        return self

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Parameter(Tensor):
    pass


class Node:
    def __init__(self, name, is_static=False):
        self.op, self.name = "placeholder", name
        self.meta = {"tensor_dict": {"_dynamo_static_input_type": "guarded"}
                     if is_static else {}}


class Graph:
    """A torch.fx.GraphModule with such placeholders."""

    def __init__(self, *nodes):
        self.graph = types.SimpleNamespace(nodes=[*nodes, types.SimpleNamespace(
            op="output", name="output", meta={})])


def install():
    torch = sys.modules["torch"] = types.ModuleType("torch")
    torch.Tensor = Tensor
    torch.nn = types.SimpleNamespace(Parameter=Parameter, Module=type("Module", (), {}))
    torch.bool, torch.bfloat16 = "bool", "bfloat16"
    torch.gradients = True
    torch.is_grad_enabled = lambda: torch.gradients
    torch.from_dlpack = lambda array: Tensor(np.from_dlpack(array))
    return torch
