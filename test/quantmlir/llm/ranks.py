# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
# RUN: quant-opt %t/rank.mlirbc | FileCheck %s
"""What a rank has of a decoder, what is refused and sent, and the program of a rank: one
sum of integers a half layer, and no float that is added over ranks."""

import sys

import numpy as np
import quantmlir.llm as llm
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantmlir import FileError, InvalidArgument
from quantmlir.llm.ranks import split, widths

FOLDER = sys.argv[1]
PATH = f"{FOLDER}/model.gguf"
SIZES = dict(layers=2, dim=96, heads=9, kv_heads=3, head_dim=32, ffn=256)
Decoder("llama", {"*": "Q8_0"}, **SIZES).write(PATH)


def build(weights, ranks=None, rotation="none", kv_cache="float", path=PATH):
    return llm.loading._Build(path, activations="int8", weights=weights,
                              rotation=rotation, kv_cache=kv_cache, ranks=ranks)


# Parts follow each other, are all, and are whole units but for the last.
for size, count, unit in ((9, 3, 1), (101, 4, 1), (224, 3, 32), (70, 2, 32), (64, 2, 32)):
    parts = split(size, count, unit)
    assert [e for _, e in parts[:-1]] == [b for b, _ in parts[1:]], parts
    assert parts[0][0] == 0 and parts[-1][1] == size and len(parts) == count, parts
    assert all(b % unit == 0 and e > b for b, e in parts), parts
assert widths(split(101, 4)) == [25, 25, 26, 25]

# Nine heads of queries on two ranks: both have the second of three heads of keys. All
# of each other weight is there once.
model = [build("w8", (i, 2)) for i in (0, 1)]
assert [b.own.shares for b in model] == [(3, 1), (2, 3)], [b.own for b in model]
assert [b.own.heads for b in model] == [4, 5]
assert [b.cache.arrays[0].shape for b in model] == [(2, 32, None)] * 2
assert [b.own.ffn for b in model] == [128, 128]
whole = build("w8").source()
for part in "kv":
    parts = [b.source().linear(1, part).load().q for b in model]
    q = whole.linear(1, part).load().q
    assert np.array_equal(parts[0], q[:64]) and np.array_equal(parts[1], q[32:]), part
for part, axis in (("q", 0), ("gate", 0), ("up", 0), ("o", 1), ("down", 1)):
    parts = [b.source().linear(1, part).load().q for b in model]
    assert np.array_equal(np.concatenate(parts, axis), whole.linear(1, part).load().q)
# In groups, O and down are cut by rows.
groups = [build(None, (i, 2)) for i in (0, 1)]
for part in ("o", "down"):
    assert [b.source().linear(0, part).shape[0] for b in groups] == [48, 48]

# Biases of Q, K and V are those of the rank's rows; norms of a head are whole.
for name, more in (("qwen2", {"bias": True}), ("qwen3", {"qk_norm": True})):
    path = f"{FOLDER}/{name}.gguf"
    Decoder(name, {"*": "Q8_0"}, **more, **SIZES).write(path)
    whole, *parts = (build("w8", ranks, path=path).source()
                     for ranks in (None, (0, 2), (1, 2)))
    if name == "qwen3":
        for norm in ("q_norm", "k_norm"):
            for part in parts:
                assert np.array_equal(part.norm(1, norm), whole.norm(1, norm)), norm
        continue
    for part, rows in (("q", (slice(0, 128), slice(128, 288))),
                       ("k", (slice(0, 64), slice(32, 96))),
                       ("v", (slice(0, 64), slice(32, 96)))):
        bias = whole.bias(1, part)
        for rank, own in zip(parts, rows):
            assert np.array_equal(rank.bias(1, part), bias[own]), part


def heads(count, **options):
    """The heads of queries of each rank, and those of keys."""
    plan = build("w8", (0, count), **options).plan
    return plan.heads and (widths(plan.heads), widths(plan.keys)), plan.explain()


assert heads(3) == (([3, 3, 3], [1, 1, 1]), None)
assert heads(4) == (([2, 2, 3, 2], [1, 2, 2, 1]), None)
assert heads(9) == (([1] * 9, [1] * 9), None)
# Four heads of 32 are a block of a rotation; of a head of keys all its heads of
# queries say how it is kept in 4 bits.
assert heads(2, rotation="hadamard128") == (([4, 5], [2, 2]), None)
whole_of = "attention is computed by every rank: 9 heads"
assert heads(10) == (None, f"{whole_of} have 9 parts, fewer than 10 ranks")
assert heads(2, kv_cache="int4") == (([6, 3], [2, 1]), None)
assert heads(4, kv_cache="int4") == (
    None, f"{whole_of}, 3 of which are not cut, have 3 parts, fewer than 4 ranks")

# What is sent, of two layers: a maximum and a sum of a token for each half; of rows that
# are divided sums go to one rank, and integers and a scale to all.
plan, logits = model[0].plan, 4 * 96
assert plan.divides_rows and plan.least_rows == 16
few, row = 2 * (5 * 4 * 96 + 4 * 4), 2 * 4 * 4 + 5 * 4 * 96 + 4 * (96 + 4)
traffic = plan.traffic()
assert [traffic.sent(n) for n in (1, 15)] == [(n * few + logits) // 2 for n in (1, 15)]
assert [traffic.sent(n) for n in (16, 17)] == [
    (n * row + 2 * 4 * 96 + logits) // 2 for n in (16, 18)]
# Not behind gathers, and not where every rank computes attention.
assert not groups[0].plan.divides_rows and groups[0].plan.traffic().divided is None
assert not build("w8", (0, 10)).plan.divides_rows

llm.write_program(PATH, f"{FOLDER}/rank.mlirbc", weights="w8", ranks=(1, 3))
# CHECK: dlti.map = #dlti.map<"MPI:Implementation" = "OpenMPI">, quant.rank = 1 : i64
# CHECK: shard.grid @ranks(shape = 3)
# CHECK: func.func @main({{.*}}: tensor<2x1x32x?xf32>, {{.*}}: tensor<2x1x?x32xf32>) -> (tensor<96xf32>
# CHECK: %[[FEW:.*]] = arith.cmpi ult, %{{.*}}, %c24
# CHECK: scf.if %[[FEW]]
# CHECK: shard.all_reduce {{.*}} reduction = bitwise_or : tensor<?x96xi32>
# CHECK: else
# CHECK: shard.reduce_scatter {{.*}} reduction = bitwise_or scatter_axis = 0 : tensor<?x96xi32>
# CHECK: scf.for
# CHECK-NOT: shard.
# CHECK: scf.if
# CHECK: shard.all_gather {{.*}} gather_axis = 0 : tensor<?x96xi8>
# CHECK-NOT: shard.
# CHECK: scf.if
# CHECK: shard.all_gather {{.*}} gather_axis = 0 : tensor<?xf32>
# CHECK-NOT: shard.
# CHECK: shard.all_reduce {{.*}} reduction = max : tensor<?xi32>
# CHECK-NOT: shard.
# CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<?x96xi8>, tensor<96x96xi8>)
# CHECK-NOT: shard.
# CHECK: scf.if
# CHECK: shard.all_reduce %{{.*}} on @ranks grid_axes = [0] : tensor<?x96xi32>
# CHECK: else
# CHECK: shard.reduce_scatter %{{.*}} on @ranks grid_axes = [0] scatter_axis = 0 : tensor<?x96xi32>
# CHECK-NOT: shard.
# CHECK: scf.if
# CHECK: shard.all_gather {{.*}} gather_axis = 0 : tensor<?x96xi8>
# CHECK-NOT: shard.
# CHECK: scf.if
# CHECK: shard.all_gather {{.*}} gather_axis = 0 : tensor<?xf32>
# CHECK-NOT: shard.
# CHECK: shard.all_reduce {{.*}} reduction = max : tensor<?xi32>
# CHECK-NOT: shard.
# CHECK: quant.matmul ins(%{{.*}}, %{{.*}} : tensor<?x{{[0-9]+}}xi8>, tensor<96x{{[0-9]+}}xi8>)
# CHECK-NOT: shard.
# CHECK: scf.if
# CHECK: shard.all_reduce %{{.*}} on @ranks grid_axes = [0] : tensor<?x96xi32>
# CHECK: else
# CHECK: shard.reduce_scatter %{{.*}} on @ranks grid_axes = [0] scatter_axis = 0 : tensor<?x96xi32>
# CHECK-NOT: shard.
# CHECK: scf.yield
# CHECK-NOT: shard.
# CHECK: shard.all_reduce {{.*}} reduction = bitwise_or : tensor<1x96xi32>
# CHECK: shard.all_gather {{.*}} gather_axis = 0 : tensor<1x1x32xf32> -> tensor<3x1x32xf32>

for ranks in ((2, 2), (-1, 2), 2, "x", (), (0, 1 << 17), (0.5, 2), ("0", "2"),
              (np.float32(0), 2)):
    raises(InvalidArgument, lambda: llm.load(PATH, ranks=ranks),
           'ranks: expected "mpi" or (number, count), integers, the number less than '
           f"count and that at most 65536, found {ranks!r}")
assert llm.ranks.check(np.array([1, 2])) == (1, 2)
for seconds in ("x", None, True, 0, -1, float("inf"), float("nan")):
    raises(InvalidArgument, lambda: llm.load(PATH, ranks="mpi", ranks_timeout=seconds),
           "ranks_timeout: expected a finite number of seconds above 0, found "
           f"{seconds!r}")
for activations, why in (("float", "adds floats in an order that follows from its sizes"),
                         ("int4", "ranks send a scale for each token")):
    raises(InvalidArgument,
           lambda: llm.load(PATH, ranks=(0, 2), activations=activations),
           f'ranks: expected activations="int8", found {activations!r}: ', why)
raises(InvalidArgument, lambda: llm.load(PATH, ranks=(0, 2), weights="w8",
                                         calibrate=[1] * 300),
       "ranks: expected calibrate=None, found 256 tokens: each rank would calibrate anew")
raises(InvalidArgument, lambda: llm.load(PATH, ranks=(0, 2), quantize=""),
       "ranks: expected quantize=None, found '': ", "weights= quantizes before")
raises(InvalidArgument, lambda: llm.load(PATH, ranks=(0, 97)),
       "ranks: the vocabulary has 96 parts, fewer than 97 ranks")
raises(InvalidArgument, lambda: llm.write_program(PATH, f"{FOLDER}/x.mlirbc", library="LAM"),
       "library: expected OpenMPI or MPICH, found 'LAM'")
Decoder("llama", {"*": "Q8_0", "ffn_up": "F32"}, **SIZES).write(f"{FOLDER}/float.gguf")
raises(FileError, lambda: llm.load(f"{FOLDER}/float.gguf", ranks=(0, 2), cache=False),
       "ffn_up.weight: ranks= expected integers, found floats",
       "weights= quantizes them")
