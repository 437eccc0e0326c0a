# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""--auto under a budget of bytes: against all choices of bits in NumPy, and, over
bits, groups and rotations, on a program whose best choice is known."""
import itertools
import json
import pathlib
import subprocess
import sys

import numpy as np

from Runtime.Search.Inputs import layers

FOLDER = pathlib.Path(sys.argv[1])
F32 = np.float32
S, M = 3, 6
rng = np.random.default_rng(23)


class Program:
    """Layers with ReLU between them."""

    def __init__(self, name, weights, x):
        self.x = x
        self.path = FOLDER / f"{name}.mlir"
        np.save(FOLDER / f"{name}.npy", x)
        self.inputs = f"--inputs={FOLDER}/{name}.npy"
        self.path.write_text(layers.program(weights, M))

    def run(self, *options, fails=False):
        done = subprocess.run(["quant-run", self.path, self.inputs, "-O0", *options],
                              capture_output=True, text=True)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr.strip() if fails else done.stdout

    def choose(self, budget, *options):
        """(Bytes, SQNR, options of each matmul)."""
        recipe = FOLDER / "recipe.json"
        text = self.run(f"--max-bytes={budget}", f"--recipe-output={recipe}", *options)
        said = next(s for s in text.splitlines() if s.startswith("measured"))
        assert f"allowed {budget} bytes: met" in said, said
        return (int(text.split("weights ")[1].split()[0]),
                float(said.split("SQNR ")[1].split()[0]),
                [e["options"] for e in json.loads(recipe.read_text())["matmuls"]])


sizes = [32, 48, 24, 16]
weights = [rng.normal(size=size).astype(F32) for size in zip(sizes, sizes[1:])]
weights[1][:, ::3] *= 0.02
plain = Program("plain", weights, rng.normal(size=(S, M, sizes[0])).astype(F32))
choices = {bits: (layers.bytes_of(weights, bits), layers.sqnr(plain.x, weights, bits))
           for bits in itertools.product((4, 8, 0), repeat=3)}
budgets = sorted({size for size, _ in choices.values()})
budgets = budgets[::max(1, len(budgets) // 6)] + [10**9]
optimal = 0
for budget in budgets:
    size, db, rules = plain.choose(budget, "--auto")
    chosen = tuple(0 if r == "none" else int(r[-1]) for r in rules)
    wanted_size, wanted_db = choices[chosen]
    assert size == wanted_size <= budget, (budget, size, chosen)
    assert abs(db - wanted_db) < 0.05 or db == wanted_db, (db, wanted_db)
    best = max(d for s, d in choices.values() if s <= budget)
    assert db >= best - 3 or db == best, (budget, chosen, db, best)
    optimal += db >= best - 0.05
print("bits:", len(budgets), "budgets", "mostly optimal"
      if optimal >= 0.7 * len(budgets) else f"only {optimal} optimal")
# CHECK: bits: {{[0-9]+}} budgets mostly optimal

# A small step at a good rate must not take the room of a large one.
knapsack = Program("knapsack", [(rng.normal(size=(128, 128)) ** 3).astype(F32),
                                rng.normal(size=(128, 8)).astype(F32)],
                   rng.normal(size=(S, M, 128)).astype(F32))
fitting = 128 * 128 + 4 * 128 + 128 * 8 // 2 + 4 * 8
print("knapsack:", *knapsack.choose(fitting, "--auto")[2])
# CHECK: knapsack: {{.*}}weight-bits=8 {{.*}}weight-bits=4

# What is no number is no SQNR to choose by.
x = rng.normal(size=(S, M, 8)).astype(F32)
x[1, 2, 3] = np.nan
unknown = Program("unknown", [rng.normal(size=(8, 4)).astype(F32)], x)
print(unknown.run("--auto", "--max-bytes=60", fails=True))
# CHECK: error: --auto: expected results whose SQNR is a number

# The weight in the middle is ternary: 2 bits in long groups are exact. The first
# one meets activations with an outlier in each row, which a rotation spreads.
K = 256
x = rng.normal(size=(S, M, K)).astype(F32)
x[:, :, 5] *= 60
ternary = rng.integers(-1, 2, (K, K)).astype(F32) * F32(0.0625)
known = Program("known", [rng.normal(size=(K, K)).astype(F32), ternary,
                          rng.normal(size=(K, 64)).astype(F32)], x)
# 2 bits for the second one, at least 4 for the others, in long groups.
budget = K * K // 4 + 4 * K * 2 + K * K + 4 * K + K * 64 + 4 * 64
size, db, rules = known.choose(budget, "--auto=all")
print("first:", rules[0])
print("second:", rules[1])
# CHECK: first: {{.*}}rotation=hadamard32{{.*}}weight-bits=8
# CHECK: second: weights=group weight-bits=2 group-size=128 weight-scale=mse
assert size <= budget
# The same again, to the byte of the report.
assert known.choose(budget, "--auto=all") == (size, db, rules)
# More bytes are more decibels, and without any limit all is float.
tight = known.choose(budget * 2 // 3, "--auto=all")
assert tight[0] <= budget * 2 // 3 and tight[1] < db, (tight, db)
assert known.choose(10**9, "--auto=all")[1:] == (np.inf, ["none"] * 3)

text = known.run("--auto=all", f"--max-bytes={budget}")
print(text)
# CHECK: matmul at least bytes weight bytes above least chosen alone chosen
# CHECK: main#0 {{.*}} dB 66560 48128 {{.*}} dB W8 channel, A8 dynamic token, hadamard32
# CHECK: main#1 {{.*}} dB 18432 0 {{.*}} dB W2 group 128, A8 dynamic token
# CHECK: main#2 {{.*}} dB 16640 12032 {{.*}} dB W8 channel, A8 dynamic token
# CHECK: chosen: 1 in 2 bits, 0 in 4 bits, 2 in 8 bits, 0 in float; weights 101632 bytes of 589824
# CHECK: allowed {{[0-9]+}} bytes: met

print(plain.run("--auto", "--max-bytes=1000", fails=True))
# CHECK: error: --max-bytes: expected 1888 or more, which the weights take at least, found 1000
# A scale is as large as a column of one element.
thin = Program("thin", [rng.normal(size=size).astype(F32) for size in ((32, 1), (1, 16))],
               rng.normal(size=(S, M, 32)).astype(F32))
print(thin.run("--auto", "--max-bytes=10", fails=True))
# CHECK: error: --max-bytes: expected 84 or more, which the weights take at least (as floats main#1: 64), found 10
for most in (2**63 - 1, 2**63):
    print(thin.run("--auto", f"--max-bytes={most}", fails=most == 2**63))
# CHECK: allowed 9223372036854775807 bytes: met
# CHECK: error: --max-bytes: expected up to 9223372036854775807, found 9223372036854775808
print(plain.run("--auto", "--max-bytes=1000", "--min-sqnr=3", fails=True))
# CHECK: error: --auto: expected one of --min-sqnr and --max-bytes beside it
print(plain.run("--auto", "--max-bytes=9000", "--quantize=recipe=some.json", fails=True))
# CHECK: error: --auto: expected --quantize without recipe, which it writes, found 'some.json'
print(plain.run("--auto", "--max-bytes=9000", f"--outputs={FOLDER}/o", fails=True))
# CHECK: error: --sensitivity and --auto: expected none of --report and --outputs beside them
plain.path.write_text(plain.path.read_text().replace(
    "linalg.matmul ins", "linalg.matmul {quant.scheme = \"weight-bits=4\"} ins", 1))
print(plain.run("--auto", "--max-bytes=9000", fails=True))
# CHECK: error: --auto: expected a program without 'quant.scheme'
print(known.run("--auto=any", "--max-bytes=1000", fails=True))
# CHECK: expected bits or all, found 'any'
print(plain.run("--max-bytes=1000", fails=True))
# CHECK: error: --min-sqnr and --max-bytes need --auto
