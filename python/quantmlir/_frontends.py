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
            f"{what} needs the package torch-mlir, which is not installed "
            "(docs/python.md)") from error


def import_torch(module, example_inputs):
    """MLIR text of a torch.nn.Module."""
    _need("a torch.nn.Module")
    if not example_inputs:
        raise InvalidArgument(
            "example_inputs: expected a tuple of tensors to export the "
            "torch.nn.Module with")
    from torch_mlir import fx
    try:
        return str(fx.export_and_import(
            module.eval(), *example_inputs,
            output_type=fx.OutputType.LINALG_ON_TENSORS)).encode()
    except Exception as error:  # torch raises of many kinds
        raise CompileError(f"torch-mlir did not import the module: {error}",
                           [str(error)]) from error


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
