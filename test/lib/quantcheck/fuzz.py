"""Random programs against NumPy.

usage: fuzz.py [--quant-run=PATH] [--batch=N] [--only=I] COUNT [SEED]

Program i of a seed is the same on every machine, but for the processors that
the x86 target can choose among. Programs are compiled in batches; one batch
has one target and one scheme. A program that differs is written, alone, with
its inputs and the command that runs it, to build/fuzz.
"""

import argparse
import collections
import pathlib
import shlex
import sys
import time

from quantcheck import fuzz_cache, fuzz_forms, fuzz_ops, module, spellings
from quantcheck.draw import Draw

SCHEMES = [f"weights={w} activations={a}{extra}"
           for w in ("channel", "tensor")
           for a in ("dynamic-token", "dynamic-tensor")
           for extra in ("", " symmetric=false", " weight-bits=4",
                         " weight-bits=4 activation-bits=4",
                         " symmetric=false weight-bits=4",
                         " weight-symmetric=false",
                         " weight-symmetric=false weight-bits=4")]
SCHEMES += [f"weights=group group-size={g} activations={a}{extra}"
            for g in (1, 32, 64)
            for a in ("dynamic-token", "dynamic-tensor", "float")
            for extra in ("", " weight-bits=4", " weight-symmetric=false",
                          " weight-symmetric=false weight-bits=4")]
SCHEMES += [f"weights={w} activations=float{extra}"
            for w in ("channel", "tensor")
            for extra in ("", " weight-bits=4", " weight-symmetric=false")]
SCHEMES += [f"{weights} activations={a} weight-scale=full-range{extra}"
            for weights in ("weights=channel", "weights=tensor",
                            "weights=group group-size=32")
            for a in ("dynamic-token", "float")
            for extra in ("", " weight-bits=4")]
SCHEMES += [f"{weights} activations={a} rotation={r}{extra}"
            for weights in ("weights=channel", "weights=tensor",
                            "weights=group group-size=32 weight-bits=4")
            for a in ("dynamic-token", "dynamic-tensor", "float")
            for r in ("hadamard32", "hadamard128",
                      "hadamard32 rotation-seed=7")
            for extra in ("", " symmetric=false")
            if a != "float" or not extra]
SCHEMES += [f"{weights} activations=dynamic-block block-size={b}{extra}"
            for weights in ("weights=channel", "weights=tensor",
                            "weights=group group-size=32",
                            "weights=group group-size=64")
            for b in (16, 32, 64, 128)
            for extra in ("", " weight-bits=4",
                          " weight-bits=4 activation-bits=4",
                          " rotation=hadamard32",
                          " weight-symmetric=false activation-scales=f16")]
SCHEMES += [f"weights=group block-size=32 weight-bits={bits} "
            f"activations=dynamic-block activation-scales={scales}"
            for bits in (4, 8) for scales in ("f16", "bf16", "e8m0", "q8_0", "mlas")]
SCHEMES += [f"{weights} activations=dynamic-block block-size={b} rotation={r}"
            for weights in ("weights=channel",
                            "weights=group group-size=32 weight-bits=4")
            for b in (16, 32) for r in ("hadamard32", "hadamard128")]
SCHEMES += [f"weight-format={name} activations={a}"
            for name in ("mxfp4", "nvfp4", "mxint8", "iq4_nl", "nf4",
                         "nf4 group-size=32")
            for a in ("dynamic-token", "float", "dynamic-block block-size=16")]
SCHEMES += [f"{weights} weight-bits={bits} activations={a}{extra}"
            for weights in ("weights=channel", "weights=tensor",
                            "weights=group group-size=8",
                            "weights=group group-size=32",
                            "weights=group group-size=64")
            for bits in (2, 2, 3, 6)
            for a in ("dynamic-token", "dynamic-tensor", "float",
                      "dynamic-block block-size=32")
            for extra in ("", " weight-symmetric=false",
                          " weight-scale=full-range", " rotation=hadamard32")]
SCHEMES += [f"weight-format=ternary{weights} activations={a}"
            for weights in ("", " weights=channel",
                            " weights=group group-size=32")
            for a in ("dynamic-token", "float", "dynamic-block block-size=16")]
SCHEMES += [f"weights=group group-size={g} weight-bits={bits} scale-type={t} "
            f"activations={a}{extra}"
            for g in (16, 32, 64) for bits in (2, 4, 8) for t in ("f16", "bf16")
            for a in ("dynamic-token", "float", "dynamic-block block-size=32")
            for extra in ("", " weight-symmetric=false",
                          " weight-scale=full-range")]
# LLVM's name of the processor, and what the host must have for it. Features
# are taken away to reach rows that the host would not choose by itself.
PROCESSORS = [("host", []), ("x86-64", []),
              ("haswell", ["avx2", "fma", "bmi2"]),
              ("skylake-avx512", ["avx512bw", "avx512vl"]),
              ("icelake-server", ["avx512_vnni", "avx512vl", "avx512bw"]),
              ("alderlake", ["avx_vnni", "avx2"]),
              ("sapphirerapids", ["amx_int8", "amx_tile"])]


def host_flags():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def targets():
    """Options of quant-run: generic, and x86 for every processor that this
    machine can stand in for."""
    flags = host_flags()
    found = [["--target=generic"]]
    for name, needed in PROCESSORS:
        if set(needed) <= flags:
            found.append(["--target=x86", f"--cpu={name}"])
    return found


# By quantcheck/run_arm.py, whose emulator has all extensions.
ARM = [["--target=arm", f"--cpu={cpu}"]
       for cpu in ("generic", "neoverse-n1", "neoverse-v1")]


def batch_options(seed, batch, arm):
    """What one batch is compiled with: (options, scheme or None). One in four is
    optimized as it is for users, which takes most of the time."""
    draw = Draw(seed, batch, 0)
    all_targets = ARM if arm else targets()
    options = all_targets[0] if draw.chance(.3) else \
        draw.pick(*all_targets[1:]) + \
        draw.pick([], [], [] if arm else ["--threads=3"])
    scheme = draw.pick(*SCHEMES) if draw.chance(.45) else None
    options = options + draw.pick(*3 * [[module.QUICK]], ["-O2"])
    return options + ([f"--quantize={scheme}"] if scheme else []), scheme


def make(seed, index, scheme):
    draw = Draw(seed, index, 1)
    if scheme:
        return fuzz_forms.program(draw, scheme)
    if draw.chance(.05):  # of quantcheck.spellings, which checks the IR, too
        return spellings.make(seed, index).loosely()
    if draw.chance(.15):
        return draw.pick(fuzz_cache.cached_attention, fuzz_cache.quantize_blocks)(draw)
    name = draw.pick("matmul", "matmul", "matmul", "two_layers", "quantize",
                     "scaled_matmul")
    return fuzz_ops.KINDS[name](draw)


def reproduce(case, options, quant_run, folder, text, label):
    """Writes one program that differs; returns the command that runs it."""
    inputs = module.write([case], folder)
    command = shlex.join([str(quant_run), str(folder / "model.mlir"),
                          "--inputs=" + ",".join(inputs),
                          f"--outputs={folder}", *options])
    (folder / "command.txt").write_text(
        f"# {label}: {text}\n{command}\n")
    return command


def main():
    root = pathlib.Path(__file__).resolve().parents[3]
    parser = argparse.ArgumentParser(prog="fuzz.sh")
    parser.add_argument("--quant-run",
                        default=str(root / "build" / "bin" / "quant-run"))
    parser.add_argument("--arm", action="store_true",
                        help="for AArch64, by an emulator")
    parser.add_argument("--output", default=str(root / "build" / "fuzz"))
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--only", type=int, help="run this program alone")
    parser.add_argument("--share", default="0/1", metavar="I/N",
                        help="run every N-th batch, from the I-th on")
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    options = parser.parse_args()
    if options.arm:
        options.quant_run = pathlib.Path(__file__).with_name("run_arm.py")
    begin_time, wrong, done = time.time(), 0, collections.Counter()
    mine, of = (int(v) for v in options.share.split("/"))
    for batch in range(mine, -(-options.count // options.batch), of):
        begin = batch * options.batch
        indices = range(begin, min(begin + options.batch, options.count))
        if options.only is not None:
            indices = [i for i in indices if i == options.only]
            if not indices:
                continue
        compiler, scheme = batch_options(options.seed, batch, options.arm)
        cases = [make(options.seed, i, scheme) for i in indices]
        for at, text in module.check(cases, compiler,
                                     options.quant_run).items():
            wrong += 1
            index, case = indices[at], cases[at]
            folder = pathlib.Path(options.output) / f"{options.seed}-{index}"
            print(f"MISMATCH program {index} of seed {options.seed} "
                  f"({case.name}): {text}\n  "
                  + reproduce(case, compiler, options.quant_run, folder, text,
                              f"--only={index} {options.count} {options.seed}"),
                  flush=True)
        done[" ".join(o for o in compiler if not o.startswith("--quantize"))
             ] += len(cases)
    for name, count in sorted(done.items()):
        print(f"{count} programs, {name}")
    print(f"{sum(done.values())} programs, seed {options.seed}, {wrong} "
          f"mismatches, {time.time() - begin_time:.0f} s")
    return 1 if wrong or not done else 0


if __name__ == "__main__":
    sys.exit(main())
