"""Members of the kinds of faults that reports had, as folders for
utils/reports.sh: make_members.py DIR. Expected results are NumPy's."""

import pathlib
import sys

import numpy as np

random = np.random.default_rng(11)
ROOT = pathlib.Path(sys.argv[1])
F32 = np.float32
NAMES = {"float16": "f16", "float32": "f32", "int8": "i8", "int32": "i32",
         "int64": "i64"}


def type_of(array):
    shape = "".join(f"{n}x" for n in array.shape)
    return f"tensor<{shape}{NAMES[array.dtype.name]}>"


def write(name, inputs, expected, body, result):
    """`body` computes `result` of %0, %1, ..."""
    folder = ROOT / name
    folder.mkdir(parents=True)
    arguments = ", ".join(f"%{i}: {type_of(a)}" for i, a in enumerate(inputs))
    type_ = type_of(expected)
    (folder / "model.mlir").write_text(
        f"func.func @main({arguments}) -> {type_} {{\n{body}"
        f"return {result} : {type_}\n}}\n")
    for i, array in enumerate(inputs):
        np.save(folder / f"in{i}.npy", array)
    np.save(folder / "expected.npy", expected)


def constant(name, array):
    return (f'{name} = arith.constant dense<"0x{array.tobytes().hex().upper()}"'
            f"> : {type_of(array)}\n")


def elementwise(name, operands, dims, maps, element, lines, shape):
    """A generic over `dims`; `operands` are (name, type), which %a, %b, ...
    stand for in `lines`, and %r is what it gives. Tensors have capitals."""
    type_ = f"tensor<{'x'.join(map(str, shape))}x{element}>"
    maps = ", ".join(f"affine_map<({dims}) -> ({m})>" for m in [*maps, dims])
    kinds = ", ".join(['"parallel"'] * len(dims.split(",")))
    names, types = zip(*operands)
    arguments = ", ".join(f"%{letter}: {t[7:-1].split('x')[-1]}"
                          for letter, t in zip("abcdef", types))
    return (f"{name}.e = tensor.empty() : {type_}\n"
            f"{name} = linalg.generic {{indexing_maps = [{maps}], "
            f"iterator_types = [{kinds}]}} ins({', '.join(names)} : "
            f"{', '.join(types)}) outs({name}.e : {type_}) {{\n"
            f"^bb0({arguments}, %out: {element}):\n  " + "\n  ".join(lines) +
            f"\n  linalg.yield %r : {element}\n}} -> {type_}\n")


def transposed_product(name, x, w, expected):
    """x times w^T; x and w are (name, array type)."""
    type_ = type_of(expected)
    element = type_[7:-1].split("x")[-1]
    zero = "0" if element[0] == "i" else "0.0"
    maps = ", ".join(f"affine_map<(m, n, k) -> ({m})>"
                     for m in ("m, k", "n, k", "m, n"))
    return (f"{name}.z = arith.constant {zero} : {element}\n"
            f"{name}.e = tensor.empty() : {type_}\n"
            f"{name}.f = linalg.fill ins({name}.z : {element}) "
            f"outs({name}.e : {type_}) -> {type_}\n"
            f"{name} = linalg.matmul indexing_maps = [{maps}] ins({x[0]}, "
            f"{w[0]} : {x[1]}, {w[1]}) outs({name}.f : {type_}) -> {type_}\n")


def integers(*shape, low=-128, high=127):
    return random.integers(low, high, shape, np.int8, endpoint=True)


def scales(*shape):
    return random.uniform(.005, .03, shape).astype(F32)


def floats(*shape):
    return random.standard_normal(shape).astype(F32)


def product(x, real):
    return (x.astype(np.float64) @ real.T).astype(F32)


CONVERT = ["%f = arith.sitofp %a : i8 to f32"]
SCALE = CONVERT + ["%r = arith.mulf %f, %b : f32"]


def weight_only(name, body, shape, real, x):
    """A body that computes %W of `shape`."""
    y = product(x, real)
    type_ = f"tensor<{shape[0]}x{shape[1]}xf32>"
    write(name, [x], y, body + transposed_product(
        "%Y", ("%0", type_of(x)), ("%W", type_), y), "%Y")


def fractional_zero_points():
    """They are no zero points: the weight stays floats."""
    q, s, z, x = integers(7, 12), scales(7), floats(7), floats(3, 12)
    real = (q - z[:, None].astype(np.float64)) * s[:, None]
    lines = CONVERT + ["%d = arith.subf %f, %c : f32",
                       "%r = arith.mulf %d, %b : f32"]
    operands = [("%Q", type_of(q)), ("%S", type_of(s)), ("%Z", type_of(z))]
    body = elementwise("%W", operands, "n, k", ["n, k", "n", "n"], "f32",
                       lines, (7, 12))
    weight_only("fractional_zero_points", constant("%Q", q) +
                constant("%S", s) + constant("%Z", z) + body, (7, 12), real, x)
    # The scale, or the weight, of the run time.
    y = product(x, real)
    again = body.replace("%Q,", "%1,").replace("%S,", "%2,")
    write("fractional_zero_points_scale_argument", [x, q, s], y,
          constant("%Z", z) + again + transposed_product(
              "%Y", ("%0", type_of(x)), ("%W", "tensor<7x12xf32>"), y), "%Y")


def concatenated():
    """Two weights, dequantized apart, one with a zero point."""
    a, sa, b, x = integers(5, 12), scales(5), integers(4, 12), floats(3, 12)
    real = np.concatenate([a * sa[:, None].astype(np.float64),
                           (b.astype(np.float64) - 3) * float(F32(.03))])
    body = constant("%A", a) + constant("%S", sa) + constant("%B", b)
    body += elementwise("%U", [("%A", type_of(a)), ("%S", type_of(sa))],
                        "n, k", ["n, k", "n"], "f32", SCALE, (5, 12))
    body += elementwise(
        "%V", [("%B", type_of(b))], "n, k", ["n, k"], "f32",
        ["%s = arith.constant 0.03 : f32", "%z = arith.constant 3.0 : f32",
         *CONVERT, "%d = arith.subf %f, %z : f32",
         "%r = arith.mulf %d, %s : f32"], (4, 12))
    for how, text in {
            "concat": "%W = tensor.concat dim(0) %U, %V : (tensor<5x12xf32>, "
                      "tensor<4x12xf32>) -> tensor<9x12xf32>\n",
            "insert_slice":
                "%E = tensor.empty() : tensor<9x12xf32>\n"
                "%I = tensor.insert_slice %U into %E[0, 0] [5, 12] [1, 1] : "
                "tensor<5x12xf32> into tensor<9x12xf32>\n"
                "%W = tensor.insert_slice %V into %I[5, 0] [4, 12] [1, 1] : "
                "tensor<4x12xf32> into tensor<9x12xf32>\n"}.items():
        weight_only(f"concatenated_by_{how}", body + text, (9, 12), real, x)


def super_blocks():
    """Integer scales of blocks, multiplied as integers; fma with an offset."""
    q, inner = integers(7, 3, 8, low=0, high=15), integers(7, 3, low=1, high=63)
    outer, x = scales(7), floats(3, 24)
    offset = (-5.0 * inner * outer[:, None].astype(np.float64)).astype(F32)
    real = ((q.astype(np.float64) - 5) * inner[..., None] *
            outer[:, None, None]).reshape(7, 24)
    body = "".join(constant(name, array) for name, array in (
        ("%Q", q), ("%I", inner), ("%S", outer), ("%O", offset)))
    body += elementwise(
        "%V", [("%Q", type_of(q)), ("%I", type_of(inner)),
               ("%S", type_of(outer)), ("%O", type_of(offset))],
        "n, g, k", ["n, g, k", "n, g", "n", "n, g"], "f32",
        ["%e = arith.extui %a : i8 to i32", "%t = arith.extui %b : i8 to i32",
         "%p = arith.muli %t, %e : i32", "%f = arith.sitofp %p : i32 to f32",
         "%r = math.fma %f, %c, %d : f32"], (7, 3, 8))
    body += ("%W = tensor.collapse_shape %V [[0], [1, 2]] : "
             "tensor<7x3x8xf32> into tensor<7x24xf32>\n")
    weight_only("super_blocks", body, (7, 24), real, x)


def empty():
    """K, the rows or the columns are none."""
    for name, (m, n, k) in {"k": (3, 4, 0), "rows": (0, 4, 5),
                            "columns": (3, 0, 5)}.items():
        x, w, s = integers(m, k), integers(n, k), scales(n)
        real = w * s[:, None].astype(np.float64)
        y = product(x.astype(np.float64) * float(F32(.5)), real)
        body = elementwise("%X", [("%0", type_of(x))], "m, k", ["m, k"], "f32",
                           ["%h = arith.constant 0.5 : f32", *CONVERT,
                            "%r = arith.mulf %f, %h : f32"], (m, k))
        body += elementwise("%W", [("%1", type_of(w)), ("%2", type_of(s))],
                            "n, k", ["n, k", "n"], "f32", SCALE, (n, k))
        write(f"empty_{name}", [x, w, s], y, body + transposed_product(
            "%Y", ("%X", f"tensor<{m}x{k}xf32>"),
            ("%W", f"tensor<{n}x{k}xf32>"), y), "%Y")


def looked_up(name, table, indices, element, body=""):
    """`name`: table[indices], of a constant called %T; `body` computes the
    index %i of %a."""
    rank = indices.ndim
    shape = indices.shape + table.shape[1:]
    dims = [f"d{i}" for i in range(len(shape))]
    rest = "".join(f", %i{i}" for i in range(rank, len(shape)))
    lines = [f"%i{i} = linalg.index {i} : index"
             for i in range(rank, len(shape))]
    return elementwise(name, [("%1", type_of(indices))], ", ".join(dims),
                       [", ".join(dims[:rank])], element,
                       ["%i = arith.index_cast %a : i64 to index", *lines,
                        f"%r = tensor.extract {body or '%T'}[%i{rest}] : "
                        f"{type_of(table)}"], shape)


def batch_product(x, w, y):
    return (f"%Z = arith.constant 0.0 : f32\n%E = tensor.empty() : {y}\n"
            f"%F = linalg.fill ins(%Z : f32) outs(%E : {y}) -> {y}\n"
            f"%Y = linalg.batch_matmul ins({x[0]}, {w[0]} : {x[1]}, {w[1]}) "
            f"outs(%F : {y}) -> {y}\n")


def expert_of_each_token():
    """Each row has a weight of its own: floats, integers with scales."""
    x, e = floats(5, 1, 12), np.array([2, 0, 3, 3, 1])
    w = floats(4, 12, 7)
    y = np.einsum("tmk,tkn->tmn", x.astype(np.float64), w[e]).astype(F32)
    write("expert_of_each_token", [x, e], y,
          constant("%T", w) + looked_up("%W", w, e, "f32") + batch_product(
              ("%0", type_of(x)), ("%W", "tensor<5x12x7xf32>"), type_of(y)),
          "%Y")
    write("gathered_expert_of_each_token", [x, e[:, None]], y,
          constant("%T", w) + "%W = tensor.gather %T[%1] gather_dims([0]) : "
          "(tensor<4x12x7xf32>, tensor<5x1xi64>) -> tensor<5x12x7xf32>\n" +
          batch_product(("%0", type_of(x)), ("%W", "tensor<5x12x7xf32>"),
                        type_of(y)), "%Y")
    q, s = integers(4, 12, 7), scales(4, 1, 7)
    real = q[e] * s[e].astype(np.float64)
    y = np.einsum("tmk,tkn->tmn", x.astype(np.float64), real).astype(F32)
    body = constant("%Q", q) + constant("%S", s)
    body += looked_up("%U", q, e, "i8", "%Q") + looked_up("%V", s, e, "f32",
                                                          "%S")
    body += elementwise("%W", [("%U", "tensor<5x12x7xi8>"),
                               ("%V", "tensor<5x1x7xf32>")], "t, k, n",
                        ["t, k, n", "t, 0, n"], "f32", SCALE, (5, 12, 7))
    write("integer_expert_of_each_token", [x, e], y, body + batch_product(
        ("%0", type_of(x)), ("%W", "tensor<5x12x7xf32>"), type_of(y)), "%Y")


def experts_of_each_token():
    """Two for each row, merged with their columns, as einsum has them."""
    x, e = floats(3, 1, 12), np.array([[2, 0], [1, 1], [3, 2]])
    q, s = integers(4, 12, 7), scales(4, 1, 7)
    real = (q * s.astype(np.float64))[e]
    y = np.einsum("tmk,tekn->tmen", x.astype(np.float64), real)
    y = y.reshape(3, 1, 14).astype(F32)
    body = constant("%Q", q) + constant("%S", s)
    body += looked_up("%U", q, e, "i8", "%Q") + looked_up("%V", s, e, "f32",
                                                          "%S")
    body += elementwise("%D", [("%U", "tensor<3x2x12x7xi8>"),
                               ("%V", "tensor<3x2x1x7xf32>")], "t, x, k, n",
                        ["t, x, k, n", "t, x, 0, n"], "f32", SCALE,
                        (3, 2, 12, 7))
    body += ("%O = tensor.empty() : tensor<3x12x2x7xf32>\n"
             "%P = linalg.transpose ins(%D : tensor<3x2x12x7xf32>) outs(%O : "
             "tensor<3x12x2x7xf32>) permutation = [0, 2, 1, 3]\n"
             "%W = tensor.collapse_shape %P [[0], [1], [2, 3]] : "
             "tensor<3x12x2x7xf32> into tensor<3x12x14xf32>\n")
    write("experts_of_each_token", [x, e], y, body + batch_product(
        ("%0", type_of(x)), ("%W", "tensor<3x12x14xf32>"), type_of(y)), "%Y")


def moved():
    """A dequantized weight whose rows are repeated, whose columns are rolled,
    that is rounded to f16, that has a loop of one step."""
    q, s, x = integers(6, 12), scales(6), floats(3, 12)
    real = q * s[:, None].astype(np.float64)
    body = constant("%Q", q) + constant("%S", s)
    body += elementwise("%D", [("%Q", type_of(q)), ("%S", type_of(s))], "n, k",
                        ["n, k", "n"], "f32", SCALE, (6, 12))
    twice = elementwise("%T", [("%D", "tensor<6x12xf32>")], "n, i, k", ["n, k"],
                        "f32", ["%m = arith.constant -0.0 : f32",
                                "%r = arith.addf %a, %m : f32"], (6, 2, 12))
    weight_only("repeated_rows", body + twice +
                "%W = tensor.collapse_shape %T [[0, 1], [2]] : "
                "tensor<6x2x12xf32> into tensor<12x12xf32>\n", (12, 12),
                real.repeat(2, 0), x)
    parts = "".join(
        f"%P{i} = tensor.extract_slice %D[0, {at}] [6, {n}] [1, 1] : "
        f"tensor<6x12xf32> to tensor<6x{n}xf32>\n"
        f"%C{i} = tensor.cast %P{i} : tensor<6x{n}xf32> to tensor<6x?xf32>\n"
        for i, (at, n) in enumerate([(9, 3), (0, 9)]))
    weight_only("rolled_columns", body + parts +
                "%W = tensor.concat dim(1) %C0, %C1 : (tensor<6x?xf32>, "
                "tensor<6x?xf32>) -> tensor<6x12xf32>\n", (6, 12),
                np.roll(real, 3, 1), x)
    halves = elementwise("%H", [("%D", "tensor<6x12xf32>")], "n, k", ["n, k"],
                         "f16", ["%r = arith.truncf %a : f32 to f16"], (6, 12))
    halves += elementwise("%W", [("%H", "tensor<6x12xf16>")], "n, k", ["n, k"],
                          "f32", ["%r = arith.extf %a : f16 to f32"], (6, 12))
    weight_only("rounded_to_f16", body + halves, (6, 12),
                real.astype(F32).astype(np.float16), x)
    multiplied_in_f16("rounded_product_of_f16", q, s.astype(np.float16), x)
    multiplied_in_f16("exact_product_of_f16", q,
                      np.exp2(-np.arange(6)).astype(np.float16), x)


def strided_rows():
    """Every other row and column of the activations."""
    q, s, x = integers(5, 8), scales(5), floats(6, 16)
    body = (constant("%Q", q) + constant("%S", s) +
            "%X = tensor.extract_slice %0[0, 1] [3, 8] [2, 2] : "
            "tensor<6x16xf32> to tensor<3x8xf32>\n")
    body += elementwise("%W", [("%Q", type_of(q)), ("%S", type_of(s))], "n, k",
                        ["n, k", "n"], "f32", SCALE, q.shape)
    y = (x[::2, 1::2] @ (q * s[:, None].astype(np.float64)).T).astype(F32)
    write("strided_rows", [x], y, body + transposed_product(
        "%Y", ("%X", "tensor<3x8xf32>"), ("%W", "tensor<5x8xf32>"), y), "%Y")


def softmax():
    """Upstream's op, which none of its passes lowers, of a product."""
    q, s, x = integers(5, 8), scales(5), floats(3, 8)
    body = constant("%Q", q) + constant("%S", s)
    body += elementwise("%W", [("%Q", type_of(q)), ("%S", type_of(s))], "n, k",
                        ["n, k", "n"], "f32", SCALE, q.shape)
    e = np.exp(x @ (q * s[:, None].astype(np.float64)).T)
    y = (e / e.sum(1, keepdims=True)).astype(F32)
    write("softmax", [x], y, body + transposed_product(
        "%Y", ("%0", type_of(x)), ("%W", "tensor<5x8xf32>"), y) +
          "%P = linalg.softmax dimension(1) ins(%Y : tensor<3x5xf32>) "
          "outs(%Y.e : tensor<3x5xf32>) -> tensor<3x5xf32>\n", "%P")


def multiplied_in_f16(name, q, s, x):
    """A weight that is multiplied by its scales in f16, then widened."""
    body = constant("%Q", q) + constant("%S", s)
    body += elementwise("%H", [("%Q", type_of(q)), ("%S", type_of(s))], "n, k",
                        ["n, k", "n"], "f16", [
                            "%f = arith.sitofp %a : i8 to f16",
                            "%r = arith.mulf %f, %b : f16"], q.shape)
    body += elementwise("%W", [("%H", "tensor<6x12xf16>")], "n, k", ["n, k"],
                        "f32", ["%r = arith.extf %a : f16 to f32"], q.shape)
    weight_only(name, body, q.shape, q.astype(np.float16) * s[:, None], x)


def cache():
    """Integers of the run time and new ones behind them, dequantized alike."""
    x, old, new = integers(2, 3, 8), integers(2, 4, 8), integers(2, 1, 8)
    both = np.concatenate([old, new], 1)
    y = np.einsum("bmk,bnk->bmn", x * np.float64(F32(.5)),
                  both * np.float64(F32(.25))).astype(F32)
    body = ""
    for name, array, value in (("%X", x, .5), ("%U", old, .25),
                               ("%V", new, .25)):
        body += elementwise(
            name, [(f"%{'XUV'.index(name[1])}", type_of(array))], "b, n, k",
            ["b, n, k"], "f32", [f"%s = arith.constant {value} : f32",
                                 *CONVERT, "%r = arith.mulf %f, %s : f32"],
            array.shape)
    body += ("%B = tensor.concat dim(1) %U, %V : (tensor<2x4x8xf32>, "
             "tensor<2x1x8xf32>) -> tensor<2x5x8xf32>\n"
             "%O = tensor.empty() : tensor<2x8x5xf32>\n"
             "%W = linalg.transpose ins(%B : tensor<2x5x8xf32>) outs(%O : "
             "tensor<2x8x5xf32>) permutation = [0, 2, 1]\n")
    write("cache", [x, old, new], y, body + batch_product(
        ("%X", "tensor<2x3x8xf32>"), ("%W", "tensor<2x8x5xf32>"), type_of(y)),
          "%Y")


fractional_zero_points()
expert_of_each_token()
experts_of_each_token()
moved()
strided_rows()
softmax()
cache()
concatenated()
super_blocks()
empty()
