"""The backend of ``torch.compile(model, backend="quantmlir")``.

    fast = torch.compile(model.eval(), backend="quantmlir", options={
        "quantize": "weights=channel activations=dynamic-token"})
    with torch.no_grad():
        y = fast(x)

torch finds it by the entry point of the installed package. docs/pytorch.md is the
guide.
"""

import collections
import logging
import threading
import weakref

from . import _frontends, errors

# Options of `quantmlir.compile` that say nothing about where a program is from.
_OPTIONS = ("quantize", "target", "cpu", "features", "threads", "optimize",
            "schedules", "strict")
_LOGGER = logging.getLogger("quantmlir")


def backend(graph, example_inputs, *, options=None, mode=None,
            exporter=_frontends.import_graph):
    """Compiles a graph of torch's dynamo.

    Args:
        graph: the ``torch.fx.GraphModule``.
        example_inputs: what it will be called with: tensors, and sizes.
        options: dict of options of `quantmlir.compile`: quantize, target, cpu,
            features, threads, optimize, schedules, strict.
        mode: None or ``"default"``: torch's other modes mean nothing here.
        exporter: for tests; see `_frontends.import_graph`.

    Returns:
        A `CompiledGraph`.

    Raises:
        CompileError, InvalidArgument, MissingPackage: torch shows them as
            ``BackendCompilerFailed``, whose ``inner_exception`` they are.
    """
    options = _check_options(options, mode)
    _check_tensors(example_inputs)
    nodes = [node for node in graph.graph.nodes if node.op == "placeholder"]
    constants = frozenset(
        i for i, (node, value) in enumerate(zip(nodes, example_inputs))
        if _is_constant(node, value))
    compiled = CompiledGraph(graph, constants, options, exporter)
    # Sizes that are still symbols are numbers when the graph is called.
    if all(_is_tensor(value) or type(value) in (int, float, bool)
           for value in example_inputs):
        compiled.prepare(example_inputs)
    return compiled


def _check_options(options, mode):
    if mode not in (None, "default"):
        raise errors.InvalidArgument(
            f"mode: expected None or 'default', found {mode!r}")
    unknown = sorted(set(options or ()) - set(_OPTIONS))
    if unknown:
        raise errors.InvalidArgument(
            f"options: expected {', '.join(_OPTIONS)}, found {', '.join(unknown)}")
    return dict(options or {})


def _is_tensor(value):
    import torch
    return isinstance(value, torch.Tensor)


def _is_constant(node, value):
    """Whether an input is the module's: dynamo passes parameters and buffers in
    the same way as what the module is called with, and marks them."""
    import torch
    return isinstance(value, torch.nn.Parameter) or (
        isinstance(value, torch.Tensor)
        and "_dynamo_static_input_type" in (node.meta.get("tensor_dict") or {}))


def _identity(tensor):
    """Changes when a tensor is written to, or stands for other memory."""
    version = None if tensor.is_inference() else tensor._version
    return id(tensor), tensor.data_ptr(), version


class CompiledGraph:
    """What torch calls in a graph's place.

    The module's parameters and buffers are constants of the compiled model: that
    is what lets them be quantized. A call with other parameters, with parameters
    that were written to since, or with other sizes compiles again; the models of
    the last `KEPT` such calls are kept. Any number of threads may call it.
    """

    KEPT = 16

    def __init__(self, graph, constants, options, exporter):
        self._graph, self._constants = graph, constants
        self._options, self._exporter = options, exporter
        self._models = collections.OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *args):
        model, results = self.prepare(args)
        arrays = model(*(
            value for i, value in enumerate(args)
            if i not in self._constants and _is_tensor(value)))
        if not isinstance(arrays, tuple):
            arrays = () if arrays is None else (arrays,)
        tensors = map(_to_torch, arrays, model.signature.results)
        return tuple(next(tensors) if value is _frontends.TENSOR
                     else _to_bytes(next(tensors)) if value is _frontends.BYTES
                     else value for value in results)

    def prepare(self, args):
        """The model for such arguments, and what stands for each result."""
        key = tuple(self._describe(i, value) for i, value in enumerate(args))
        with self._lock:
            found = self._models.get(key)
            # An id may be that of a tensor that came after.
            if found is None or any(ref() is not args[i] for i, ref in found[1]):
                made = self._compile(args)
                refs = [(i, weakref.ref(args[i])) for i in self._constants]
                found = self._models[key] = made, refs
            self._models.move_to_end(key)
            while len(self._models) > self.KEPT:
                self._models.popitem(last=False)
        return found[0]

    def _describe(self, index, value):
        if not _is_tensor(value):
            return type(value), value
        if index in self._constants:
            return _identity(value)
        return value.dtype, tuple(value.shape)

    def _compile(self, args):
        from .compiler import compile
        program, results = self._exporter(self._graph, args, self._constants)
        model = compile(program, **self._options)
        for remark in model.remarks:
            _LOGGER.info("%s", remark)
        return model, results


def _check_tensors(args):
    import torch
    for i, value in enumerate(args):
        if not _is_tensor(value):
            continue
        if torch.is_grad_enabled() and value.requires_grad:
            raise errors.InvalidArgument(
                "expected a call that needs no gradients, within torch.no_grad() "
                f"or torch.inference_mode(): input {i} of the graph requires them")
        if value.device.type != "cpu":
            raise errors.InvalidArgument(
                f"input {i} of the graph: expected a tensor on the CPU, found one "
                f"on {value.device}")


def _to_bytes(tensor):
    import torch
    return tensor.view(torch.uint8)


def _to_torch(array, kind):
    """A tensor over the memory of `array`."""
    import numpy as np
    import torch
    # Types that NumPy's DLPack or torch's does not know cross as their bits.
    if kind.dtype == "bf16":
        return torch.from_dlpack(array.view(np.int16)).view(torch.bfloat16)
    if kind.dtype == "i1":
        return torch.from_dlpack(array.view(np.uint8)).view(torch.bool)
    return torch.from_dlpack(array)
