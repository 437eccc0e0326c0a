"""torch-mlir's ops beside linalg, against NumPy, generic and x86.

RUN: %python %s %t | FileCheck %S/tm-tensor.py
CHECK: {{^}}[[N:[0-9]+]] of [[N]] results agree
"""

import pathlib
import subprocess
import sys

import numpy as np

RNG = np.random.default_rng(7)
ELEMENT = {np.float32: "f32", np.int64: "i64", np.int32: "i32", np.bool_: "i1"}


def tensor(array, dynamic=False):
    dims = ["?" if dynamic else str(d) for d in array.shape]
    return f"tensor<{'x'.join([*dims, ELEMENT[array.dtype.type]])}>"


def attention(batch, m, n, d, e, mask=None, dynamic=False):
    q, k, v = (RNG.standard_normal((*batch, *s)).astype(np.float32)
               for s in ((m, d), (n, d), (n, e)))
    weights = q @ np.swapaxes(k, -1, -2) / np.float32(np.sqrt(d))
    inputs = [q, k, v]
    if mask is not None:
        inputs.append(mask)
        weights = (np.where(mask, weights, -np.inf) if mask.dtype == bool
                   else weights + mask)
    weights = np.exp(weights - weights.max(-1, keepdims=True))
    y = (weights / weights.sum(-1, keepdims=True) @ v).astype(np.float32)
    types = [tensor(a, dynamic) for a in inputs]
    arguments = ", ".join(f"%a{i}: {t}" for i, t in enumerate(types))
    names = ", ".join(f"%a{i}" for i in range(len(inputs)))
    out = tensor(y, dynamic)
    text = f"""
func.func @main({arguments}, %o: {out}) -> {out} {{
  %y = tm_tensor.attention ins({names} : {", ".join(types)}) outs(%o : {out}) -> {out}
  return %y : {out}
}}"""
    return text, [*inputs, np.zeros_like(y)], [y]


def scan(shape, dimension, inclusive, dynamic=False):
    x = RNG.integers(-9, 9, shape).astype(np.int32)
    last = RNG.integers(-9, 9, np.delete(shape, dimension)).astype(np.int32)
    y = np.cumsum(x, dimension, dtype=np.int32)
    if not inclusive:
        y = y - x + np.expand_dims(last, dimension)
    final = np.take(y, -1, dimension) if shape[dimension] else last
    tx, tl = tensor(x, dynamic), tensor(last, dynamic)
    text = f"""
func.func @main(%x: {tx}, %o: {tx}, %l: {tl}) -> ({tx}, {tl}) {{
  %r:2 = tm_tensor.scan dimension({dimension}) inclusive({str(inclusive).lower()})
      ins(%x : {tx}) outs(%o, %l : {tx}, {tl}) {{
  ^bb0(%p: i32, %q: i32):
    %s = arith.addi %p, %q : i32
    tm_tensor.yield %s : i32
  }} -> {tx}, {tl}
  return %r#0, %r#1 : {tx}, {tl}
}}"""
    return text, [x, np.zeros_like(x), last], [y.astype(np.int32), final]


def scatter(original, slices, indices, dims, add):
    old = RNG.standard_normal(original).astype(np.float32)
    updates = RNG.standard_normal((len(indices), *slices)).astype(np.float32)
    indices = np.array(indices, np.int64).reshape(len(updates), len(dims))
    new = old.copy()
    first = len(original) - len(slices)
    for row, index in enumerate(indices):
        for inside in np.ndindex(*slices):
            at = [0] * first + list(inside)
            for d, i in zip(dims, index):
                at[d] += int(i)
            if all(0 <= p < size for p, size in zip(at, original)):
                u = updates[(row, *inside)]
                new[tuple(at)] = u + new[tuple(at)] if add else u
    to, tu, ti = tensor(old), tensor(updates), tensor(indices)
    value = "%s" if add else "%u"
    text = f"""
func.func @main(%o: {to}, %u: {tu}, %i: {ti}) -> {to} {{
  %r = tm_tensor.scatter {{dimension_map = array<i64: {", ".join(map(str, dims))}>}} unique_indices(false)
      ins(%u, %i : {tu}, {ti}) outs(%o : {to}) {{
  ^bb0(%u: f32, %old: f32):
    %s = arith.addf %u, %old : f32
    tm_tensor.yield {value} : f32
  }} -> {to}
  return %r : {to}
}}""".replace("^bb0(%u: f32", "^bb0(%n: f32").replace("addf %u,", "addf %n,")
    return text.replace("yield %u", "yield %n"), [old, updates, indices], [new]


def sort(shape, dimension, dynamic=False):
    """The largest first; equal ones keep their order."""
    keys = RNG.integers(-9, 9, shape).astype(np.float32)
    values = np.broadcast_to(np.expand_dims(
        np.arange(shape[dimension]), [d for d in range(len(shape))
                                      if d != dimension]), shape)
    order = np.argsort(-keys, dimension, kind="stable")
    types = [tensor(a, dynamic) for a in (keys, values)]
    text = f"""
func.func @main(%k: {types[0]}, %v: {types[1]}) -> ({types[0]}, {types[1]}) {{
  %r:2 = tm_tensor.sort dimension({dimension}) outs(%k, %v : {types[0]}, {types[1]}) {{
  ^bb0(%a: f32, %b: f32, %c: i64, %d: i64):
    %s = arith.cmpf oge, %a, %b : f32
    tm_tensor.yield %s : i1
  }} -> {types[0]}, {types[1]}
  return %r#0, %r#1 : {types[0]}, {types[1]}
}}"""
    return text, [keys, np.ascontiguousarray(values)], [
        np.take_along_axis(keys, order, dimension), order]


def cases():
    yield sort((3, 17), 1)
    yield sort((5, 2), 0, dynamic=True)
    yield sort((0,), 0)
    yield attention((2,), 3, 5, 8, 4)
    yield attention((2, 3), 4, 7, 16, 16)
    yield attention((1,), 1, 1, 1, 1)
    yield attention((2, 3), 4, 7, 16, 5, dynamic=True)
    causal = np.where(np.tri(4, 7, dtype=bool), 0, -np.inf).astype(np.float32)
    yield attention((2, 3), 4, 7, 16, 16, mask=causal)
    yield attention((3,), 4, 7, 16, 16, mask=np.tri(4, 7, dtype=bool))
    for shape in ((2, 1, 4, 7), (1, 1, 1, 7), (2, 3, 1, 1), (1, 3, 4, 1),
                  (1, 1, 1, 1)):
        mask = RNG.standard_normal(shape).astype(np.float32)
        yield attention((2, 3), 4, 7, 8, 8, mask=mask)
    for inclusive in (True, False):
        yield scan((3, 5), 1, inclusive)
        yield scan((3, 5, 2), 0, inclusive)
        yield scan((4,), 0, inclusive)
        yield scan((3, 0), 1, inclusive)
        yield scan((3, 5, 2), 1, inclusive, dynamic=True)
    # Elements, rows, a slice inside; repeated, outside, none.
    yield scatter((4, 5), (), [[0, 1], [3, 4], [0, 1]], [0, 1], False)
    yield scatter((4, 5), (5,), [[2], [0], [2]], [0], True)
    yield scatter((4, 5), (2,), [[2, 1], [0, 3]], [0, 1], False)
    yield scatter((3, 4, 5), (1, 1, 1), [[2, 3], [0, 0]], [2, 1], True)
    yield scatter((4, 5), (2,), [[4, 0], [-1, 0], [0, 4]], [0, 1], False)
    yield scatter((4, 5), (5,), np.zeros((0, 1)), [0], False)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    good = total = 0
    for number, (text, inputs, expected) in enumerate(cases()):
        program = folder / f"{number}.mlir"
        program.write_text(text)
        paths = []
        for i, array in enumerate(inputs):
            paths.append(str(folder / f"{number}.in{i}.npy"))
            np.save(paths[-1], array)
        for target in ("generic", "x86"):
            out = folder / f"{number}.{target}"
            subprocess.run(["quant-run", program, f"--target={target}", "-O0",
                            f"--inputs={','.join(paths)}", f"--outputs={out}"],
                           check=True, stdout=subprocess.DEVNULL)
            for i, wanted in enumerate(expected):
                total += 1
                found = np.load(out / f"out{i}.npy")
                if found.shape == wanted.shape and np.allclose(
                        found, wanted, rtol=2e-6, atol=2e-6, equal_nan=True):
                    good += 1
                else:
                    print(f"{number} {target}: result {i} differs\n{text}\n"
                          f"{found}\n{wanted}")
    print(f"{good} of {total} results agree")


if __name__ == "__main__":
    main()
