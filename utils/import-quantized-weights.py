#!/usr/bin/env python3
"""A module that multiplies by a weight which another tool quantized.

usage: import-quantized-weights.py matmulnbits WEIGHT.npz -o OUT.mlir [options]
       import-quantized-weights.py gguf MODEL.gguf --tensor NAME -o OUT.mlir
       import-quantized-weights.py q4_0|q4_1|q8_0 BLOCKS --shape N,K -o OUT.mlir

`matmulnbits` reads the initializers and attributes of ONNX Runtime's op:
B, scales, optionally zero_points, and N, K, block_size, bits. `gguf` finds a
tensor by its name; the block formats read a file of bare blocks.

The integers, scales and zero points are kept as they are; nothing is
dequantized. OUT.mlir has one function, @main(tensor<MxKxf32>) ->
tensor<MxNxf32>, around one quant.scaled_matmul.

  --rows M             rows of the activations, a number or ? (default)
  --activations KIND   float (default: weight-only) or int8 (dynamic, a scale
                       for each row)
"""

import argparse
import os
import sys
import zipfile
import zlib

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "python"))
from quantsim import blocks  # noqa: E402
from quantsim.arith import pack_int4  # noqa: E402


def load(args):
    if args.format == "gguf":
        return blocks.read_gguf(args.input, args.tensor)
    if args.format == "matmulnbits":
        z = np.load(args.input)
        if not isinstance(z, np.lib.npyio.NpzFile):
            raise ValueError(f"{args.input} is not an .npz file")
        number = lambda key: int(z[key].item())
        return blocks.matmul_nbits(
            z["B"], z["scales"], number("N"), number("K"),
            number("block_size"),
            number("bits") if "bits" in z else 4,
            z["zero_points"] if "zero_points" in z else None)
    n, k = args.shape
    with open(args.input, "rb") as f:
        return blocks.ggml(f.read(), args.format, n, k)


class Module:
    """The text of the module and its resources."""

    def __init__(self):
        self.lines, self.resources = [], []

    def constant(self, name, array, element):
        array = np.ascontiguousarray(array)
        type_ = "tensor<" + "x".join(map(str, array.shape)) + f"x{element}>"
        self.lines.append(f"  %{name} = arith.constant "
                          f"dense_resource<imported_{name}> : {type_}")
        # A blob starts with its alignment.
        self.resources.append(f'      imported_{name}: "0x04000000'
                              f'{array.tobytes().hex().upper()}"')
        return type_


def emit(weight, rows, activations):
    n, k = weight.q.shape
    module = Module()
    if weight.bits == 4:
        packed = module.constant("packed", pack_int4(weight.q), "i8")
        w = f"tensor<{n}x{k}xi4>"
        module.lines.append(f"  %w = quant.unpack_int4 %packed : {packed} -> {w}")
    else:
        stored = weight.q.astype(np.uint8).view(np.int8)
        w = module.constant("w", stored, "i8")
    x, row = f"tensor<{rows}x{k}xf32>", f"tensor<{rows}xf32>"
    lhs, lhs_type, row_scale = "%x", x, ""
    if activations == "int8":
        lhs, lhs_type = "%q", f"tensor<{rows}x{k}xi8>"
        row_scale = f" row_scale(%sx : {row})"
        module.lines += [
            f"  %sx = quant.choose_qparams %x axes = [0] range = [-128, 127] "
            f": {x} -> {row}",
            f"  %q = quant.quantize %x scale(%sx : {row}) axes = [0] "
            f"range = [-128, 127] : {x} -> {lhs_type}"]
    operands = f" rhs_scale(%scale : {module.constant('scale', weight.scale, 'f32')})"
    if weight.zero_point is not None:
        zp = weight.zero_point.astype(np.int32)
        operands += f" rhs_zero_point(%zp : {module.constant('zp', zp, 'i32')})"
    if weight.offset is not None:
        operands += (f" rhs_offset(%offset : "
                     f"{module.constant('offset', weight.offset, 'f32')})")
    flags = f"group_size = {weight.group} : i64"
    flags += ", rhs_unsigned" if weight.unsigned else ""
    y = f"tensor<{rows}x{n}xf32>"
    module.lines += [
        f"  %y = quant.scaled_matmul ins({lhs}, %w : {lhs_type}, {w})"
        f"{row_scale}{operands} {{{flags}}} -> {y}",
        f"  return %y : {y}"]
    return (f"func.func @main(%x: {x}) -> {y} {{\n" + "\n".join(module.lines) +
            "\n}\n\n{-#\n  dialect_resources: {\n    builtin: {\n" +
            ",\n".join(module.resources) + "\n    }\n  }\n#-}\n")


def shape(text):
    n, k = map(int, text.split(","))
    return n, k


def rows(text):
    if text != "?" and not text.isdecimal():
        raise ValueError
    return text


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format",
                        choices=["matmulnbits", "gguf", *blocks.GGML_TYPES])
    parser.add_argument("input")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--tensor")
    parser.add_argument("--shape", type=shape)
    parser.add_argument("--rows", type=rows, default="?")
    parser.add_argument("--activations", default="float",
                        choices=["float", "int8"])
    args = parser.parse_args()
    if args.format == "gguf" and not args.tensor:
        parser.error("gguf needs --tensor")
    if args.format in blocks.GGML_TYPES and not args.shape:
        parser.error(f"{args.format} needs --shape")
    try:
        text = emit(load(args), args.rows, args.activations)
        with open(args.output, "w") as f:
            f.write(text)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile,
            zlib.error) as error:
        sys.exit(f"import-quantized-weights: {error}")


if __name__ == "__main__":
    main()
