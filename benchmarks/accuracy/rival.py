#!/usr/bin/env python3
"""A model quantized by ONNX Runtime's own quantizers, run on inputs.

    rival.py SCHEME OUT.npy --model=NAME --inputs=A.npy,...
                            [--build=build]

SCHEME is float, w8a8 (quantize_dynamic, per channel), w4 (MatMulNBits, block
32, symmetric, float activations) or w4a8 (the same, int8 activations, which
have a scale for each block of 32 too). The inputs are one for each argument, or
several with one dimension more in front; OUT is stacked likewise. Needs onnx
and onnxruntime, which the project does not; utils/accuracy-table.py calls it
with an interpreter that has them.
"""

import argparse
import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime

from accuracy.onnx_graphs import GRAPHS
from quantmlir import weights
from quantsim import catalog

ROOT = pathlib.Path(__file__).resolve().parents[2]


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


def load_parameters(name, build):
    """{parameter name: array}."""
    if catalog.CATALOG[name].minilm:
        return dict(weights.read_safetensors(catalog.minilm_weights(build)))
    return catalog.parameters(name, build)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scheme", choices=["float", "w8a8", "w4", "w4a8"])
    parser.add_argument("out")
    parser.add_argument("--model", required=True, choices=sorted(GRAPHS))
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--build", default=str(ROOT / "build"))
    args = parser.parse_args()
    arrays = [np.load(path) for path in args.inputs.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        model = GRAPHS[args.model](load_parameters(args.model, args.build))
        session = onnxruntime.InferenceSession(
            quantize(model, args.scheme, folder).SerializeToString(),
            providers=["CPUExecutionProvider"])
    if arrays[0].ndim == len(session.get_inputs()[0].shape):
        arrays = [array[None] for array in arrays]
    np.save(args.out, np.stack([
        session.run(None, {f"in{i}": array[run]
                           for i, array in enumerate(arrays)})[0]
        for run in range(len(arrays[0]))]))


if __name__ == "__main__":
    main()
