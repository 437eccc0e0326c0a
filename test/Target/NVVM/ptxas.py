# RUN: %python %s quant-opt | FileCheck %s

"""ptxas on the kernels of every chip and every way they are cut: no spills, and
registers within what the schedule claims (blocks of a multiprocessor).

ptxas.py QUANT_OPT [--all]

--all: every kernel of every chip, not a share of those whose code is alike: of
kernels of one chip with the same tile, terms and tails, one; of chips with the same
instruction, a fourth each.
"""

import re
import subprocess
import sys
import tempfile

from ptxsim.gemm import Spec, compile_kernels, number, plan_kernels
from ptxsim.scaled import ScaledSpec

OPT, IS_ALL = sys.argv[1], "--all" in sys.argv
S8, S4 = "mma_m16n8k32_s8", "mma_m16n8k64_s4"
ROWS = {"sm_61": ["dp4a"], "sm_75": ["mma_m8n8k16_s8", "dp4a"],
        "sm_80": [S8, S4], "sm_86": [S8, S4], "sm_89": [S8, S4],
        "sm_90a": ["wgmma_s8"], "sm_100": [S8]}
WGMMA_TILES = {(128, 256), (128, 128), (64, 128), (64, 64), (64, 32), (16, 32)}
MMA_TILES = {(128, 128), (64, 128), (64, 64), (32, 64), (16, 64)}
TILES = {"dp4a": {(64, 128), (64, 64), (32, 64)},
         ("sm_90a", "wgmma_s8"): WGMMA_TILES}
# These get every form of kernel, the others, whose code is alike, every fourth:
# another fourth each.
WHOLE = {("sm_61", "dp4a"), ("sm_75", "mma_m8n8k16_s8"), ("sm_80", S8),
         ("sm_80", S4), ("sm_90a", "wgmma_s8")}
# Of group scales these get half: their instruction is that of another chip.
HALF_SCALED = {"sm_75", "sm_90a"}
SCALED_TILES = {(128, 128), (64, 128), (64, 64), (32, 64), (16, 64), (16, 32)}
REGISTERS, UNIT, MOST = 65536, 8, 255


def specs(row):
    everything = dict(col_bias=True, rank=2, row_scale="rows",
                      channel_scale="columns", bias=True)
    # A long K is shared out by blocks, a short one takes smaller tiles.
    for n, k, rows in ((4096, 4096, (1, 16, 32, 64, 128, 256, 1024, "?")),
                       (11008, 4096, (16, 64, 128)),
                       (4096, 300, (32, 64, 128, 256, 512)),
                       (100, 300, (40, 1024)), (100, 4096, (16, 1024))):
        for m in rows:
            yield Spec(m, n, k, row, "f32", residual=True, **everything)
            if m == "?":
                yield Spec(m, n, k, row, "f32", **everything)
    for m in (1, 16, 8192):
        yield Spec(m, 4096, 4096, row, "i32")
        yield Spec(m, 4096, 4096, row, "i8", channel_scale="columns",
                   attributes="{zero_point = 3 : i32, "
                              "range = array<i64: -128, 127>}")
        yield Spec(m, 4096, 4096, row, "i8", col_bias=True, rank=2,
                   multiplier="columns", rounding="DOUBLE_ROUND",
                   attributes="{zero_point = 3 : i32, "
                              "range = array<i64: -128, 127>}")


def quantize_rows():
    """The row kernel, rows held in registers and rows read twice."""
    for k in (64, 4095, 4096, 11008, 16384, 20000):
        kinds = (f"memref<?x{k}xf32>", f"memref<?x{-(-k // 64)}x1x64xi8>",
                 "memref<?xf32>")
        yield 1, k, f"""
func.func @f(%x: {kinds[0]}, %q: {kinds[1]}, %s: {kinds[2]}) {{
  quant.quantize_rows ins(%x : {kinds[0]}) outs(%q, %s : {kinds[1]}, {kinds[2]})
    range = [-128, 127]
  return
}}"""


def scaled(is_whole):
    """Group scales: few rows and tiles, groups of a unit, a block, more, all."""
    tiled = ((4096, 4, 32), (11008, 4, 128), (4096, 8, 32), (4096, 4, 4096))
    shapes = [(m, 4096, *kind) for m in (1, 2, 4) for kind in (*tiled, (4080, 4, 24))]
    # Where M is not known, the kernels are those of 4, 32, 128 and 512 rows.
    shapes += [("?", 4096, *kind) for kind in (tiled if IS_ALL else tiled[1:2])]
    shapes += [(m, n, *kind) for kind in tiled
               for m, n in ((16, 1024), (16, 4096), (32, 4096), (64, 4096),
                            (128, 4096), (256, 4096), (512, 4096))]
    for i, (m, n, k, bits, group) in enumerate(shapes):
        for zeros in (False, True) if is_whole else (i % 2 == 1,):
            spec = ScaledSpec(m, n, k, bits, group, bias=True, group_zero_point=zeros,
                              row_zero_point="rows" if zeros else None)
            yield n, k, spec.mlir()


def choose(chip, programs):
    """Of programs (N, K, text), those that have a kernel whose form no other has: what
    it is launched as, its terms, whether a last block along N or K is shorter."""
    forms, chosen = set(), []
    for (n, k, text), found in zip(programs, plan_kernels(
            OPT, [text for *_, text in programs], chip)):
        terms = re.sub(r"(?<=[<x])(\d+|\?)(?=x)", "", text)
        new = {(terms, name.rstrip("0123456789"), *launch[:5], launch[5] > 1,
                n % launch[1] > 0, k % 64 > 0) for name, launch in found.items()}
        if not new <= forms:
            chosen.append(text)
        forms |= new
    return chosen


def assemble(chip, ptx):
    """{kernel: (registers, bytes of spills)}"""
    with tempfile.NamedTemporaryFile("w", suffix=".ptx") as f:
        f.write(ptx)
        f.flush()
        result = subprocess.run(["ptxas", "-v", f"-arch={chip}", f.name, "-o",
                                 "/dev/null"], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{result.stderr}\nrun utils/setup-ptxas.sh if it does not "
                 f"know {chip}")
    found = {}
    for part in result.stderr.split("Compiling entry function '")[1:]:
        spills = sum(int(x) for x in re.findall(r"(\d+) bytes spill", part))
        found[part.split("'")[0]] = (
            int(re.search(r"Used (\d+) registers", part).group(1)), spills)
    return found


failed = kernels = 0
for chip, rows in ROWS.items():
    for row in rows:
        is_whole = IS_ALL or (chip, row) in WHOLE
        programs = [(spec.n, spec.k, spec.mlir()) for spec in specs(row)]
        is_first = row == rows[0]
        if is_first:
            programs += [*quantize_rows(), *scaled(IS_ALL or chip not in HALF_SCALED)]
        if not is_whole:
            programs = programs[list(ROWS).index(chip) % 4::4]
        texts = [text for *_, text in programs] if IS_ALL else choose(chip, programs)
        ptx, launches = compile_kernels(OPT, number(texts), chip)
        used = assemble(chip, ptx)
        assert set(used) == set(launches), (used, launches)
        most, most_scaled, shared_out = {}, {}, 0
        for name, launch in launches.items():
            rows_, columns, threads, shared, blocks, splits, _ = launch
            registers, spills = used[name]
            limit = min(REGISTERS // (threads * blocks) // UNIT * UNIT, MOST)
            kernels += 1
            shared_out += splits > 1
            if spills or registers > limit:
                failed += 1
                print(f"FAILED: {chip} {row} {name} {rows_}x{columns}: "
                      f"{registers} registers of {limit}, {spills} spilled")
            columns = min(columns, 256)
            key = (rows_, columns, blocks, limit)
            table = most_scaled if name.startswith("scaled_mma") else most
            table[key] = max(table.get(key, (0, 0)), (registers, shared))
        has_scaled = is_first and row != "dp4a"
        for table, expected in ((most, TILES.get((chip, row), TILES.get(row, MMA_TILES))),
                                (most_scaled, SCALED_TILES if has_scaled else set())):
            tiles = {key[:2] for key in table if key[0] > 4}
            assert tiles == expected if is_whole else tiles <= expected, (
                chip, row, tiles)
        assert shared_out or not is_whole, f"{chip} {row}: nobody shares out K"
        for what, table in ((row, most), (f"{row} group scales", most_scaled)):
            if not table:
                continue
            print(f"{chip} {what}:", ", ".join(
                f"{k[0]}x{k[1]} {v[0]}/{k[3]} registers, {v[1]} bytes, {k[2]} blocks"
                for k, v in sorted(table.items())))
print(f"{kernels} kernels, {failed} failed")
sys.exit(failed != 0)

# CHECK: sm_61 dp4a
# CHECK: sm_80 mma_m16n8k32_s8 group scales: 16x32
# CHECK: sm_100 mma_m16n8k32_s8
# CHECK: kernels, 0 failed
