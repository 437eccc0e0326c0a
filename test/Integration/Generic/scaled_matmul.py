# RUN: %python %s %t generic 2 -O0
# RUN: %python %s %t x86 2
# RUN: %python %s %t x86 1 --cpu=x86-64 -O0
"""quant.scaled_matmul against NumPy: integers exact to the bit.

scaled_matmul.py FOLDER TARGET SEEDS [quant-run options...]
"""

import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch, report
from Integration.Generic.Inputs.cases import constant_parameter, parameter
from quantsim import arith

F32 = np.float32
# M, N, K, G: whole and ragged groups, groups that are not a multiple of four,
# one for all of K, sizes at the edges of vectors and register tiles; the last
# ones have rows and groups for several blocks of AMX tiles.
SHAPES = [(1, 1, 1, 1), (1, 17, 64, 32), (3, 5, 70, 32), (4, 33, 96, 32),
          (7, 16, 65, 13), (2, 48, 33, 64), (8, 129, 256, 128),
          (9, 15, 130, 128), (17, 64, 128, 32), (1, 65, 129, 6),
          (33, 63, 100, 20), (5, 3, 15, 1), (65, 19, 160, 64),
          (70, 16, 64, 32), (16, 50, 128, 64), (21, 48, 320, 320), (40, 33, 640, 128),
          (300, 17, 384, 96)]


def block_sizes(group, k):
    """Sizes of blocks of activations that go with groups of the weight."""
    return [group, group, 2 * group, k + 1] + [
        b for b in (4, 32, group // 2) if b and group % b == 0] + [
        b for b in (16, 20) if group >= k]


def weight(batch, values, bits, is_constant):
    """The [N, K] operand, several in a byte for 4 and 2 bits."""
    n, k = values.shape
    pack = {2: arith.pack_int2, 4: arith.pack_int4,
            8: lambda q: q.astype(np.uint8).view(np.int8)}
    stored = pack[bits](values)
    if is_constant:
        data = "".join(f"{b:02X}" for b in stored.view(np.uint8).ravel())
        text = f'"0x{data}"' if stored.size > 1 else str(stored.ravel()[0])
        type_ = f"tensor<{'x'.join(map(str, stored.shape))}xi8>"
        operand = batch.line(f"arith.constant dense<{text}> : {type_}", type_)
    else:
        operand = batch.argument(stored)
    if bits == 8:
        return operand
    type_ = f"tensor<{n}x{k}xi{bits}>"
    return batch.line(
        f"quant.unpack_int{bits} {operand[0]} : {operand[1]} -> {type_}", type_)


def integer_rows(rng, pick, shape, lead, args, flags):
    """The left operand; adds what goes with its rows to `args` and `flags`."""
    m, _, k, group = shape
    lhs_unsigned = pick(True, False)
    limits = (0, 256) if lhs_unsigned else (-128, 128)
    x = rng.integers(*limits, lead + [m, k])
    flags += ["lhs_unsigned"] * lhs_unsigned
    rows = lead + [m]
    if pick(True, False):
        args["lhs_zero_point"] = rng.integers(*limits, pick(rows, []))
    if pick(True, True, False):
        args["row_scale"] = rng.uniform(0.01, 1, pick(rows, [])).astype(F32)
    if pick(True, False):
        size = pick(*block_sizes(group, k))
        flags.append(f"lhs_group_size = {size} : i64")
        args["lhs_scale"] = rng.uniform(
            0.01, 1, rows + [-(-k // size)]).astype(F32)
        args["lhs_group_size"] = size
    return x


def case(batch, rng, shape, float_lhs):
    m, n, k, group = shape
    pick = lambda *options: options[rng.integers(len(options))]
    lead = pick([], [], [2])
    bits, rhs_unsigned = pick(2, 2, 4, 4, 8), pick(True, False)
    low = 0 if rhs_unsigned else -(1 << bits - 1)
    limits = low, low + (1 << bits)
    groups = -(-k // group)
    q = rng.integers(*limits, (n, k))
    codes = rng.integers(-128, 128, 16) if bits == 4 and not rhs_unsigned and \
        pick(True, False) else None
    # Of a constant weight the parameters are constants: it is packed.
    is_constant = pick(True, True, False)
    rhs = weight(batch, q, bits, is_constant)
    args = {"rhs_scale": rng.uniform(0.001, 0.1, (n, groups)).astype(F32)}
    flags = [f"group_size = {group} : i64"] + ["rhs_unsigned"] * rhs_unsigned
    if codes is not None:
        flags.append(f"rhs_codebook = array<i8: {', '.join(map(str, codes))}>")
        q = codes[q & 15]
    dynamic = pick(True, False)
    if float_lhs:
        x = rng.standard_normal(lead + [m, k]).astype(F32)
    else:
        x = integer_rows(rng, pick, shape, lead, args, flags)
        if any(np.ndim(args.get(a, 0))
               for a in ("lhs_zero_point", "row_scale", "lhs_scale")):
            dynamic = False
    if codes is None and pick(True, False):
        args["rhs_zero_point"] = rng.integers(*limits, (n, groups))
    if pick(True, False, False):
        args["rhs_offset"] = rng.standard_normal((n, groups)).astype(F32)
    if pick(True, False):
        args["bias"] = rng.standard_normal(n).astype(F32)
    bits_of = x if float_lhs else x.astype(np.uint8).view(np.int8)
    lhs = batch.argument(bits_of, dynamic)
    text = f"quant.scaled_matmul ins({lhs[0]}, {rhs[0]} : {lhs[1]}, {rhs[1]})"
    for name in ("lhs_zero_point", "row_scale", "rhs_scale", "rhs_zero_point",
                 "rhs_offset", "bias", "lhs_scale"):
        if name in args:
            v = args[name]
            make = constant_parameter if is_constant and name.startswith("rhs") \
                else parameter
            text += f" {name}" + make(
                batch, v if v.dtype == F32 else v.astype(np.int32))
    sizes = lhs[1][len("tensor<"):].rsplit("x", 2)[0]
    y = batch.line(text + " {" + ", ".join(flags) + f"}} -> tensor<{sizes}x{n}xf32>",
                   f"tensor<{sizes}x{n}xf32>")
    what = f"scaled_matmul {shape} bits={bits} {lead} {sorted(args)} {flags}"
    if not float_lhs:
        return batch.expect(y, arith.scaled_matmul(x, q, group_size=group, **args),
                            what)
    w = arith.dequantize_groups(q, args["rhs_scale"], group,
                                args.get("rhs_zero_point"), args.get("rhs_offset"))
    exact = x.astype(np.float64) @ w.T + args.get("bias", 0)
    # Any order of k floats: within a rounding of each step.
    bound = (k + 8) * 2.0**-24 * (np.abs(x.astype(np.float64)) @ np.abs(w).T + 4)
    batch.expect(y, exact, what, bound)


def main(folder, target, seeds, *options):
    batches = []
    for seed in range(int(seeds)):
        for float_lhs in (False, True):
            rng = np.random.default_rng([seed, float_lhs])
            batch = Batch()
            for shape in SHAPES:
                case(batch, rng, shape, float_lhs)
            batches.append((batch, f"{folder}/{seed}-{float_lhs:d}"))
    return report(batches, target, *options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
