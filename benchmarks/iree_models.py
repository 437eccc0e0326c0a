#!/usr/bin/env python3
"""Models that are quantized here and compiled by IREE, beside IREE's own float.

    PYTHONPATH=python:test/lib QUANTMLIR_LIBRARY=build/lib/libquantmlir.so.1 \\
        build/extras/bin/python benchmarks/iree_models.py [NAME ...]
            [--scheme=SCHEME] [--rounds=40] [--markdown=FILE]

The interpreter needs PyPI's iree-base-compiler and iree-base-runtime
(utils/setup-extras.sh). NAME is one of utils/prepare-model.py (default: MiniLM's first
layer, and all of it). Programs are what docs/iree.md makes: integers are
products of linalg's named ops. All run on one thread and take turns; times are the
best and the median of all calls. "distance" is the largest difference to what
quantmlir computes of the same program and scheme.
"""

import argparse
import itertools
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
SCHEME = "weights=channel activations=dynamic-token"
# One thread, this CPU.
BASE = ("--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu",
        "--iree-llvmcpu-target-cpu=host", "--iree-opt-level=O3")
TILED = ("--iree-opt-data-tiling=true",)
KEPT = TILED + ("--iree-global-opt-propagate-transposes=false",)
# Float takes what is best for it.
FLAGS = {"O3": (), "data tiling": TILED, "data tiling, transposes kept": KEPT}


def lower(program, scheme, target):
    """Writes what IREE compiles of a program, with a scheme or in float."""
    passes = [f"--quant-to-generic=quantize={{{scheme}}} stop-after=quant",
              "--convert-quant-to-linalg=named-matmul"] if scheme is not None else []
    subprocess.run([BUILD / "bin/quant-opt", program, *passes, "-o", target],
                   check=True, stderr=subprocess.DEVNULL)


class Iree:
    """A program, compiled."""

    _numbers = itertools.count()

    def __init__(self, program, flags=KEPT):
        import iree.runtime
        # Mapped: never written to again.
        target = f"{program}.{next(self._numbers)}.vmfb"
        compiler = pathlib.Path(sys.executable).with_name("iree-compile")
        subprocess.run([compiler, *BASE, *flags, program, "-o", target], check=True)
        config = iree.runtime.Config("local-sync")
        self._device, self._place = config.device, iree.runtime.asdevicearray
        self._module = iree.runtime.load_vm_module(
            iree.runtime.VmModule.mmap(config.vm_instance, target), config)

    def place(self, arrays):
        return [self._place(self._device, array) for array in arrays]

    def __call__(self, *arrays):
        return self._module.main(*arrays)

    def result(self, arrays):
        # A view of IREE's memory does not keep it.
        return np.array(self(*arrays).to_host())


def prepare(name):
    """Path of a model's program, and its inputs."""
    from quantsim import catalog
    program = catalog.attached(name, BUILD, BUILD / "bin/quant-opt")
    return program, [np.ascontiguousarray(a) for a in catalog.inputs_and_results(name)[0]]


def take_turns(calls, rounds):
    """Milliseconds of every call: the best, and the median."""
    times = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            for _ in range(4):
                begin = time.perf_counter()
                call()
                times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: (min(t), float(np.median(t))) for name, t in times.items()}


def measure(name, scheme, rounds, folder):
    """Rows of the table: what, best, median, distance."""
    import quantmlir
    program, inputs = prepare(name)
    calls, distance = {}, {}
    lower(program, None, folder / "float.mlir")
    for label, flags in FLAGS.items():
        model = Iree(folder / "float.mlir", flags)
        placed = model.place(inputs)
        calls[f"IREE, float ({label})"] = lambda m=model, p=placed: m(*p)
    lower(program, scheme, folder / "integers.mlir")
    model = Iree(folder / "integers.mlir")
    placed = model.place(inputs)
    calls["IREE, quantized here"] = lambda: model(*placed)
    own = quantmlir.compile(program, quantize=scheme)
    expected = own(*inputs)
    distance["IREE, quantized here"] = np.abs(model.result(placed) - expected).max()
    calls["quantmlir"] = lambda: own(*inputs)
    return [(label, best, median, distance.get(label))
            for label, (best, median) in take_turns(calls, rounds).items()]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        default=["minilm_l6_layer0_b1s32", "minilm_l6_full_b1s32"])
    parser.add_argument("--scheme", default=SCHEME)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--markdown", metavar="FILE")
    args = parser.parse_args()
    import importlib.metadata
    import os
    lines = [
        "# Quantized here, compiled by IREE", "",
        f"Written by `benchmarks/iree_models.py` with IREE "
        f"{importlib.metadata.version('iree-base-compiler')}, scheme `{args.scheme}`.",
        "One thread, by turns; best (and median) of all calls. [docs/iree.md](../iree.md) "
        "says how.", "",
        f"| load {os.getloadavg()[0]:.1f} when it began | ms | largest difference to quantmlir |",
        "|---|--:|--:|"]
    for name in args.names:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(name, args.scheme, args.rounds, pathlib.Path(folder))
        for label, best, median, distance in rows:
            far = "" if distance is None else f"{distance:.1e}"
            lines.append(f"| {name}: {label} | {best:.2f} ({median:.2f}) | {far} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if args.markdown:
        pathlib.Path(args.markdown).write_text(text)


if __name__ == "__main__":
    main()
