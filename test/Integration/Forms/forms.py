# RUN: %python %s %build
"""Every way in which a program may write a product with a weight.

Small programs at odd sizes, quantized and run on both targets: the result is
NumPy's to the bit, whichever way the product was written.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from quantsim import schemes

BUILD = pathlib.Path(sys.argv[1])
TARGETS = sys.argv[2].split(",") if len(sys.argv) > 2 else ["generic", "x86"]
SCHEMES = ["weights=channel activations=dynamic-token",
           "weights=tensor activations=dynamic-tensor symmetric=false"]


def tensor(shape, kind="f32"):
    return f"tensor<{'x'.join('?' if n is None else str(n) for n in shape)}x{kind}>"


def maps(loops, *results):
    dims = ", ".join(f"d{i}" for i in range(loops))
    each = (f"affine_map<({dims}) -> ({', '.join(f'd{i}' for i in r)})>"
            for r in results)
    return "[" + ", ".join(each) + "]"


def iterators(kinds):
    names = {"p": '"parallel"', "r": '"reduction"'}
    return "[" + ", ".join(names[k] for k in kinds) + "]"


MULTIPLY_ADD = """{
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }"""


def zeros(shape):
    t = tensor(shape)
    return f"""
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : {t}
    %init = linalg.fill ins(%zero : f32) outs(%empty : {t}) -> {t}"""


def generic(kinds, xmap, wmap, ymap, x, w, y):
    return zeros(y) + f"""
    %y = linalg.generic {{indexing_maps = {maps(len(kinds), xmap, wmap, ymap)},
      iterator_types = {iterators(kinds)}}}
      ins(%x, %w : {tensor(x)}, {tensor(w)}) outs(%init : {tensor(y)})
      {MULTIPLY_ADD} -> {tensor(y)}"""


def named(op, x, w, y, extra=""):
    return zeros(y) + f"""
    %y = {op} {extra} ins(%x, %w : {tensor(x)}, {tensor(w)})
      outs(%init : {tensor(y)}) -> {tensor(y)}"""


def transposed_weight(m, n, k):
    """torch: a matmul with linalg.transpose of [N, K]."""
    return zeros((m, n)) + f"""
    %e = tensor.empty() : {tensor((k, n))}
    %t = linalg.transpose ins(%w : {tensor((n, k))})
      outs(%e : {tensor((k, n))}) permutation = [1, 0]
    %y = linalg.matmul ins(%x, %t : {tensor((m, k))}, {tensor((k, n))})
      outs(%init : {tensor((m, n))}) -> {tensor((m, n))}"""


def broadcast_weight(b, m, n, k):
    """ONNX 3-D times 2-D: a batch_matmul with the weight copied."""
    return zeros((b, m, n)) + f"""
    %e = tensor.empty() : {tensor((b, k, n))}
    %t = linalg.generic {{indexing_maps = {maps(3, (1, 2), (0, 1, 2))},
      iterator_types = {iterators("ppp")}}} ins(%w : {tensor((k, n))})
      outs(%e : {tensor((b, k, n))}) {{
    ^bb0(%a: f32, %b: f32):
      linalg.yield %a : f32
    }} -> {tensor((b, k, n))}
    %y = linalg.batch_matmul ins(%x, %t : {tensor((b, m, k))},
      {tensor((b, k, n))}) outs(%init : {tensor((b, m, n))})
      -> {tensor((b, m, n))}"""


def dynamic_rows(n, k):
    return f"""
    %c0 = arith.constant 0 : index
    %d = tensor.dim %x, %c0 : {tensor((None, k))}
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty(%d) : {tensor((None, n))}
    %init = linalg.fill ins(%zero : f32) outs(%empty : {tensor((None, n))})
      -> {tensor((None, n))}
    %y = linalg.matmul ins(%x, %w : {tensor((None, k))}, {tensor((k, n))})
      outs(%init : {tensor((None, n))}) -> {tensor((None, n))}"""


TRANSPOSE_B = f"indexing_maps = {maps(3, (0, 2), (1, 2), (0, 1))}"


def forms():
    """name, body, x shape as typed, x shape, w shape, y shape, how to turn
    x into rows, w into [N, K], and rows back into y."""
    def plain(x):
        return x

    def rows(x):
        return x.reshape(-1, x.shape[-1])

    for m, n, k in ((5, 7, 3), (1, 33, 65), (17, 1, 130)):
        size = f"{m}x{n}x{k}"
        y = (m, n)
        yield (f"transposed_{size}", transposed_weight(m, n, k), (m, k),
               (m, k), (n, k), y, plain, plain)
        yield (f"matmul_{size}", named("linalg.matmul", (m, k), (k, n), y),
               (m, k), (m, k), (k, n), y, plain, np.transpose)
        yield (f"indexing_maps_{size}",
               named("linalg.matmul", (m, k), (n, k), y, TRANSPOSE_B), (m, k),
               (m, k), (n, k), y, plain, plain)
        yield (f"generic_{size}",
               generic("ppr", (0, 2), (1, 2), (0, 1), (m, k), (n, k), y),
               (m, k), (m, k), (n, k), y, plain, plain)
        yield (f"generic_reduction_first_{size}",
               generic("rpp", (1, 0), (0, 2), (1, 2), (m, k), (k, n), y),
               (m, k), (m, k), (k, n), y, plain, np.transpose)
        yield (f"dynamic_{size}", dynamic_rows(n, k), (None, k), (m, k),
               (k, n), y, plain, np.transpose)
    m, n, k = 3, 19, 21
    yield ("broadcast", broadcast_weight(2, m, n, k), (2, m, k), (2, m, k),
           (k, n), (2, m, n), rows, np.transpose)
    yield ("batched_rows",
           generic("pppr", (0, 1, 3), (2, 3), (0, 1, 2), (2, m, k), (n, k),
                   (2, m, n)), (2, m, k), (2, m, k), (n, k), (2, m, n), rows,
           plain)
    yield ("vecmat", named("linalg.vecmat", (k,), (k, n), (n,)), (k,), (k,),
           (k, n), (n,), rows, np.transpose)
    # JAX: bsd,dhe->bshe and bshe,hed->bsd.
    yield ("heads_out",
           generic("ppppr", (0, 1, 4), (4, 2, 3), (0, 1, 2, 3), (2, m, k),
                   (k, 4, 5), (2, m, 4, 5)), (2, m, k), (2, m, k), (k, 4, 5),
           (2, m, 4, 5), rows, lambda w: w.reshape(k, 20).T)
    yield ("heads_in",
           generic("ppprr", (0, 1, 3, 4), (3, 4, 2), (0, 1, 2), (2, m, 4, 5),
                   (4, 5, n), (2, m, n)), (2, m, 4, 5), (2, m, 4, 5),
           (4, 5, n), (2, m, n), lambda x: x.reshape(-1, 20),
           lambda w: w.reshape(20, n).T)


def program(body, x_type, w, y_type):
    literal = w.astype("<f4").tobytes().hex().upper()
    return f"""module {{
  func.func @main(%x: {tensor(x_type)}) -> {tensor(y_type)} {{
    %w = arith.constant dense<"0x{literal}"> : {tensor(w.shape)}{body}
    return %y : {tensor(y_type)}
  }}
}}
"""


def run(text, x, target, quantize, folder):
    path = folder / "form.mlir"
    path.write_text(text)
    np.save(folder / "x.npy", x)
    done = subprocess.run(
        [str(BUILD / "bin" / "quant-run"), str(path),
         f"--inputs={folder / 'x.npy'}", f"--outputs={folder / target}",
         f"--target={target}", "-O0"]
        + ([f"--quantize={quantize}"] if quantize else []),
        capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    return np.load(folder / target / "out0.npy")


def main():
    rng = np.random.default_rng(7)
    failed = count = 0
    with tempfile.TemporaryDirectory() as name:
        for (form, body, x_type, x_shape, w_shape, y_shape, to_rows,
             to_nk) in forms():
            x = rng.normal(size=x_shape).astype(np.float32)
            w = rng.normal(size=w_shape).astype(np.float32)
            dynamic = (None,) + y_shape[1:] if None in x_type else y_shape
            text = program(body, x_type, w, dynamic)
            for scheme in SCHEMES:
                linear = schemes.QuantLinear(schemes.Scheme.parse(scheme))
                expected = linear(to_rows(x), np.ascontiguousarray(to_nk(w)))
                expected = expected.reshape(y_shape)
                for target in TARGETS:
                    count += 1
                    try:
                        got = run(text, x, target, scheme, pathlib.Path(name))
                    except RuntimeError as error:
                        failed += 1
                        print(f"FAIL {form} {target} {scheme}: {error}")
                        continue
                    same = np.array_equal(got, expected)
                    failed += not same
                    if not same:
                        print(f"FAIL {form} {target} {scheme}: max difference "
                              f"{np.abs(got - expected).max()}")
    print(f"{count} runs, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
