#!/usr/bin/env python3
"""A module that multiplies by a weight which another tool quantized.

usage: import-quantized-weights.py matmulnbits WEIGHT.npz -o OUT.mlir [options]
       import-quantized-weights.py gguf MODEL.gguf --tensor NAME -o OUT.mlir
       import-quantized-weights.py q4_0|q4_k|.. BLOCKS --shape N,K -o OUT.mlir

`matmulnbits` reads the initializers and attributes of ONNX Runtime's op:
B, scales, optionally zero_points, g_idx and bias, and N, K, block_size, bits.
Columns that g_idx gives to groups out of order are sorted by them, and the
activations are gathered in that order. `gguf` finds a
tensor by its name; the block formats (q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k,
q6_k, iq4_nl, mxfp4) read a file of bare blocks. docs/llm.md is about whole models.

The integers, scales and zero points are kept as they are; nothing is
dequantized. OUT.mlir has one function, @main(tensor<MxKxf32>) ->
tensor<MxNxf32>, around one quant.scaled_matmul.

  --rows M             rows of the activations, a number or ? (default)
  --use-zero-points    packed zero points beside a g_idx are used, as the op's
                       definition says; by default they are not, as by ONNX
                       Runtime's CPU kernel, and a note says so
  --activations KIND   float (default: weight-only) or int8 (dynamic, a scale
                       for each row)
"""

import argparse
import os
import sys
import tempfile

import numpy as np

from quantmlir import blocks, checkpoint
from quantmlir.archive import Archive
from quantmlir.checkpoint import ggml

BLOCKS = {name.lower(): kind for name, kind in ggml.BY_NAME.items() if kind.group}


def load_nbits(path, as_runtime):
    z = Archive(path)
    z.check("B", "scales", "zero_points", "g_idx", "bias")
    bits = z.integer("bits") if "bits" in z else 4
    n, k, block = (z.integer(name) for name in ("N", "K", "block_size"))
    b, scale, zero = blocks.nbits_sizes(n, k, block, bits)
    optional = {}
    if "zero_points" in z:
        packed = z.type("zero_points") == np.uint8
        optional["zero_points"] = z.read("zero_points", "uf",
                                         zero if packed else scale)
    if "g_idx" in z:
        # As many as K, or as the blocks hold.
        counts = (k, -(-k // block) * block)
        optional["g_idx"] = z.read("g_idx", "iu", counts)
    if "bias" in z:
        optional["bias"] = z.read("bias", "f", n)
    if as_runtime and blocks.ignores_zero_points(
            bits, optional.get("zero_points"), optional.get("g_idx")):
        print("import-quantized-weights: note: zero_points are taken for 8, as "
              "ONNX Runtime's CPU kernel does where there is a g_idx; "
              "--use-zero-points uses them", file=sys.stderr)
    return blocks.matmul_nbits(z.read("B", "u", b).astype(np.uint8),
                               z.read("scales", "f", scale), n, k, block, bits,
                               as_runtime=as_runtime, **optional)


def load(args):
    if args.format == "gguf":
        weight = checkpoint.GGUF(args.input).tensor(args.tensor).weight()
        if isinstance(weight, np.ndarray):
            raise ValueError(f"tensor {args.tensor} holds floats")
        return weight
    if args.format == "matmulnbits":
        return load_nbits(args.input, not args.use_zero_points)
    n, k = args.shape
    with open(args.input, "rb") as f:
        return ggml.bare(f.read(), BLOCKS[args.format], n, k)


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


GATHER = """\
  %gather_0 = arith.constant 0 : {element}
  %padded = tensor.pad {lhs} low[0, 0] high[0, 1] {{
  ^bb0(%i: index, %j: index):
    tensor.yield %gather_0 : {element}
  }} : {source} to {padded}
  %gather_dim = arith.constant 0 : index
  %gather_rows = tensor.dim {lhs}, %gather_dim : {source}
  %gather_init = tensor.empty({dynamic}) : {result}
  %gathered = linalg.generic {{
      indexing_maps = [affine_map<(m, k) -> (k)>, affine_map<(m, k) -> (m, k)>],
      iterator_types = ["parallel", "parallel"]}}
      ins(%order : {order}) outs(%gather_init : {result}) {{
  ^bb0(%at: i32, %out: {element}):
    %row = linalg.index 0 : index
    %column = arith.index_cast %at : i32 to index
    %value = tensor.extract %padded[%row, %column] : {padded}
    linalg.yield %value : {element}
  }} -> {result}"""


def gather(module, lhs, element, weight, rows):
    """The columns of %`lhs` in the weight's order, zeros for padding."""
    order = module.constant("order", weight.order.astype(np.int32), "i32")
    type_ = lambda k: f"tensor<{rows}x{k}x{element}>"
    k = weight.q.shape[1]
    text = GATHER.format(
        lhs=lhs, element=element, source=type_(weight.columns),
        padded=type_(weight.columns + 1), result=type_(k), order=order,
        dynamic="%gather_rows" if rows == "?" else "")
    if element == "f32":
        text = text.replace("constant 0 : f32", "constant 0.0 : f32")
    module.lines.append(text)
    return "%gathered", type_(k)


def emit_weight(module, weight):
    n, k = weight.q.shape
    if weight.bits < 8:
        packed = module.constant("packed", blocks.pack(weight.q, weight.bits), "i8")
        w = f"tensor<{n}x{k}xi{weight.bits}>"
        module.lines.append(f"  %w = quant.unpack_int{weight.bits} %packed : "
                            f"{packed} -> {w}")
        return w
    return module.constant("w", weight.q.astype(np.uint8).view(np.int8), "i8")


def emit(weight, rows, activations):
    n, k = weight.q.shape
    module = Module()
    w = emit_weight(module, weight)
    columns = k if weight.order is None else weight.columns
    x, row = f"tensor<{rows}x{columns}xf32>", f"tensor<{rows}xf32>"
    lhs, lhs_type, row_scale, element = "%x", x, "", "f32"
    if activations == "int8":
        lhs, lhs_type, element = "%q", f"tensor<{rows}x{columns}xi8>", "i8"
        row_scale = f" row_scale(%sx : {row})"
        module.lines += [
            f"  %sx = quant.choose_qparams %x axes = [0] range = [-128, 127] "
            f": {x} -> {row}",
            f"  %q = quant.quantize %x scale(%sx : {row}) axes = [0] "
            f"range = [-128, 127] : {x} -> {lhs_type}"]
    if weight.order is not None:
        lhs, lhs_type = gather(module, lhs, element, weight, rows)
    operands = f" rhs_scale(%scale : {module.constant('scale', weight.scale, 'f32')})"
    for name, short, value in (
            ("rhs_zero_point", "zp", weight.zero_point),
            ("rhs_offset", "offset", weight.offset),
            ("bias", "bias", weight.bias)):
        if value is None:
            continue
        is_float = value.dtype.kind == "f"
        type_ = module.constant(
            short, value.astype(np.float32 if is_float else np.int32),
            "f32" if is_float else "i32")
        operands += f" {name}(%{short} : {type_})"
    flags = f"group_size = {weight.group} : i64"
    flags += ", rhs_unsigned" if weight.unsigned else ""
    if weight.codebook:
        flags += ", " + blocks.codebook_flag(weight.codebook)
    y = f"tensor<{rows}x{n}xf32>"
    module.lines += [
        f"  %y = quant.scaled_matmul ins({lhs}, %w : {lhs_type}, {w})"
        f"{row_scale}{operands} {{{flags}}} -> {y}",
        f"  return %y : {y}"]
    return (f"func.func @main(%x: {x}) -> {y} {{\n" + "\n".join(module.lines) +
            "\n}\n\n{-#\n  dialect_resources: {\n    builtin: {\n" +
            ",\n".join(module.resources) + "\n    }\n  }\n#-}\n")


def write(path, text):
    """All of the text or, where it does not fit, none."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w") as f:  # a terminal, a pipe
            f.write(text)
        return
    with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(path) or ".",
                                     delete=False) as f:
        try:
            f.write(text)
            f.flush()
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(f.name, 0o666 & ~umask)
            os.replace(f.name, path)
        except BaseException:
            os.unlink(f.name)
            raise


def shape(text):
    n, k = map(int, text.split(","))
    return n, k


def rows(text):
    if text != "?" and not (text.isascii() and text.isdecimal() and
                            int(text) < 2**31):
        raise ValueError
    return text


def main():
    parser = argparse.ArgumentParser(
        prog="import-quantized-weights.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format",
                        choices=["matmulnbits", "gguf", *BLOCKS])
    parser.add_argument("input")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--tensor")
    parser.add_argument("--shape", type=shape)
    parser.add_argument("--rows", type=rows, default="?")
    parser.add_argument("--use-zero-points", action="store_true")
    parser.add_argument("--activations", default="float",
                        choices=["float", "int8"])
    args = parser.parse_args()
    if args.format == "gguf" and not args.tensor:
        parser.error("gguf needs --tensor")
    if args.format in BLOCKS and not args.shape:
        parser.error(f"{args.format} needs --shape")
    try:
        write(args.output, emit(load(args), args.rows, args.activations))
    except Exception as error:  # Files come from anywhere.
        text = str(error) if isinstance(error, (ValueError, OSError)) else \
            f"{type(error).__name__} {error}"
        sys.exit("import-quantized-weights: " + " ".join(text.split()))


if __name__ == "__main__":
    main()
