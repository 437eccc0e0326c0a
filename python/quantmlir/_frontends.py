"""Programs of other frameworks, by way of torch-mlir, if it is installed.

torch-mlir's bytecode is newer than what MLIR 22 reads: its text is taken.
"""

import os
import sys

from .errors import CompileError, FileError, InvalidArgument, MissingPackage


def is_torch_module(program):
    """Whether `program` is a torch.nn.Module; torch is not imported for it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(program, torch.nn.Module)


def _need(what):
    try:
        import torch_mlir  # noqa: F401
    except ImportError as error:
        raise MissingPackage(
            f"{what} needs the package torch-mlir, which is not installed: "
            "pip install torch-mlir (docs/pytorch.md)") from error


# Stand, in what `import_graph` says of a graph's results, for the model's next: as
# it is, or as bytes without a sign, which MLIR's integers do not say.
TENSOR, BYTES = object(), object()


def import_torch(module, example_inputs, dynamic_shapes=None):
    """MLIR text of a torch.nn.Module."""
    _need("a torch.nn.Module")
    if not isinstance(example_inputs, (tuple, list)) or not example_inputs:
        raise InvalidArgument(
            "example_inputs: expected a tuple of tensors to export the "
            f"torch.nn.Module with, found {type(example_inputs).__name__}")
    training = [part for part in module.modules() if part.training]
    try:
        return _export(module.eval(), _apart(example_inputs), dynamic_shapes,
                       _check_results)
    finally:
        for part in training:
            part.training = True


def _apart(inputs):
    """The inputs, each a tensor of its own: those that are one object would become
    one input of the program."""
    import torch
    seen = set()

    def own(value):
        if isinstance(value, torch.Tensor) and id(value) in seen:
            return value.clone()
        seen.add(id(value))
        return value
    return torch.utils._pytree.tree_map(own, tuple(inputs))


def _check_results(program):
    """MLIR's integers have no sign: bytes would come back as int8."""
    import torch
    names = set(program.graph_signature.user_outputs)
    for node in program.graph.nodes:
        value = node.meta.get("val")
        if node.name in names and getattr(value, "dtype", None) == torch.uint8:
            raise InvalidArgument(
                "expected a module without results of torch.uint8, whose sign a "
                f"program does not have, found {node.name}: .to(torch.int16)")


def import_graph(graph, args, constants):
    """MLIR text of a graph of torch's dynamo for such arguments.

    Args:
        graph: the ``torch.fx.GraphModule``.
        args: its arguments, tensors and numbers. The program is for these
            numbers and for these sizes; its inputs are the tensors that are
            not among `constants`.
        constants: indices of the arguments that the program holds.

    Returns:
        The text, and a list of the graph's results: `TENSOR`, `BYTES`, or a value
        that is no tensor.
    """
    _need("torch.compile(..., backend=\"quantmlir\")")
    import torch
    results = []
    names = [node.name for node in graph.graph.nodes if node.op == "placeholder"]

    class Frozen(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.called = graph
            for i in constants:
                self.register_buffer(names[i], args[i].detach())

        def forward(self, *inputs):
            given = iter(inputs)
            values = self.called(*(
                getattr(self, names[i]) if i in constants
                else next(given) if isinstance(arg, torch.Tensor) else arg
                for i, arg in enumerate(args)))
            results[:] = [
                value if not isinstance(value, torch.Tensor)
                else BYTES if value.dtype == torch.uint8 else TENSOR
                for value in values]
            return tuple(value for value in values
                         if isinstance(value, torch.Tensor))

    tensors = tuple(arg for i, arg in enumerate(args)
                    if i not in constants and isinstance(arg, torch.Tensor))
    return _export(Frozen(), tensors, None), results


def _export(module, tensors, dynamic_shapes, check=lambda program: None):
    import torch
    from torch_mlir import fx
    from torch_mlir.extras.fx_decomp_util import get_decomposition_table
    try:
        with torch.no_grad():
            program = torch.export.export(
                module, tensors, dynamic_shapes=dynamic_shapes, strict=False)
            program = program.run_decompositions(get_decomposition_table())
            _check_pure(program.graph_signature)
            check(program)
            return str(fx.export_and_import(
                program, decomposition_table={},
                output_type=fx.OutputType.LINALG_ON_TENSORS)).encode()
    except InvalidArgument:
        raise
    except Exception as error:  # torch raises of many kinds
        raise CompileError(f"torch-mlir did not import the module: {error}",
                           [str(error)]) from error


def _check_pure(signature):
    """A model has no memory: what a call would change is refused."""
    for what, changed in (("inputs", signature.user_inputs_to_mutate),
                          ("buffers", signature.buffers_to_mutate)):
        if changed:
            raise InvalidArgument(
                f"expected a module that changes none of its {what}, found "
                f"changes of {', '.join(sorted(changed.values()))} (in training "
                "mode, normalizations count batches: module.eval())")


def import_onnx(path):
    """MLIR text of an .onnx file."""
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileError(f"{path}: No such file or directory")
    _need(f"{path}: an ONNX model")
    try:
        import onnx
    except ImportError as error:
        raise MissingPackage(f"{path}: an ONNX model needs the package onnx: "
                             "pip install onnx") from error
    from torch_mlir import ir
    from torch_mlir.compiler_utils import (
        OutputType, run_pipeline_with_repro_report, lower_mlir_module)
    from torch_mlir.dialects import torch as torch_dialect
    from torch_mlir.extras import onnx_importer
    try:
        model = onnx.shape_inference.infer_shapes(onnx.load(path))
        context = ir.Context()
        torch_dialect.register_dialect(context)
        info = onnx_importer.ModelInfo(model)
        module = info.create_module(context=context).operation
        onnx_importer.NodeImporter.define_function(
            info.main_graph, module).import_all()
        run_pipeline_with_repro_report(
            module, "builtin.module(torch-onnx-to-torch-backend-pipeline)",
            "ONNX to torch")
        return str(lower_mlir_module(
            False, OutputType.LINALG_ON_TENSORS, module)).encode()
    except Exception as error:
        raise CompileError(f"{path}: torch-mlir did not import the model: "
                           f"{error}", [str(error)]) from error
