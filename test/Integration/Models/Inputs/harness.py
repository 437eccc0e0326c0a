"""Runs exported models through quant-run and compares with NumPy.

    harness.py --build BUILD [--targets generic,x86] [--quick] NAME[:SCHEME]...

For each model, on every target:
  * without --quantize: the float program, on the first target, against the
    framework's results (>= 90 dB), or the integers that a quantized program
    describes against NumPy's or ONNX Runtime's;
  * with --quantize (SCHEME is its option text, spaces as commas): against the
    simulation of the scheme in quantsim (>= 50 dB; one linear layer: 100 dB),
    or, for a net of convolutions, against the framework's float results (the
    catalogue says how close);
  * the results of all targets are the same to the bit.

Every comparison is printed; a model whose files are not to be had is named
and counted, and ends the run with a failure unless --allow-missing is given.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from quantsim import arith, catalog, metrics, qdq, schemes

DEFAULT_SCHEME = "weights=channel activations=dynamic-token"


class Runner:
    """Calls quant-run and reads its results."""

    def __init__(self, build, folder, level=""):
        self.level = level
        self.tool = pathlib.Path(build) / "bin" / "quant-run"
        self.folder = pathlib.Path(folder)

    def __call__(self, program, inputs, target, quantize, level=""):
        paths = []
        for i, array in enumerate(inputs):
            paths.append(str(self.folder / f"in{i}.npy"))
            np.save(paths[-1], np.ascontiguousarray(array))
        out = self.folder / f"out-{target}"
        command = [str(self.tool), str(program), f"--inputs={','.join(paths)}",
                   f"--outputs={out}", f"--target={target}"]
        # The reference is looked at once: its code is to be had quickly.
        level = level or self.level
        if level or target == "generic":
            command.append(level or "-O0")
        if quantize:
            command.append(f"--quantize={quantize}")
        begin = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        seconds = time.monotonic() - begin
        if done.returncode:
            raise RuntimeError(f"quant-run ended with {done.returncode}:\n"
                               f"{done.stderr[-2000:]}")
        return np.load(out / "out0.npy"), seconds


def simulate(name, build, inputs, scheme):
    """The oracle's result, and the least agreement asked for in dB."""
    model = catalog.CATALOG[name]
    if model.forward:
        linear = schemes.QuantLinear(schemes.Scheme.parse(scheme))
        w = catalog.parameters(name, build)
        result = model.forward(inputs, w, linear)
        assert linear.count == model.matmuls, (linear.count, model.matmuls)
        # A float that differs in its last bit may round to the other integer:
        # the more matmuls follow each other, the more of these there are.
        return result, (100 if model.matmuls == 1
                        else 50 if model.matmuls < 20 else 40)
    if name == "jax_dot_i8":
        return arith.matmul_i32(*inputs), np.inf
    if not name.startswith("quantdialect_"):
        # ONNX Runtime's own result of the same integers.
        return catalog.inputs_and_results(name)[1]["out0"], 90
    body = catalog.locate(f"{name}.body.mlir").read_text()
    arrays = catalog.constants(name, build)
    return qdq.digits_mlp(body, arrays, inputs[0])[0], 90


class Check:
    """Prints each comparison and remembers whether one failed."""

    def __init__(self):
        self.failed = 0
        self.passed = 0

    def at_least(self, what, reference, got, least, seconds):
        if reference.shape != got.shape:
            return self.record(what, f"shape {got.shape}, expected "
                               f"{reference.shape}", False)
        db = metrics.sqnr_db(reference, got)
        text = "equal to the bit" if np.isinf(db) else f"{db:.1f} dB"
        self.record(what, f"{text}, asked {least} dB ({seconds:.1f} s)",
                    db >= least)

    def record(self, what, text, good):
        self.passed += good
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {what}: {text}", flush=True)


def compare_runs(name, quantize, reference, asked, runner, program, inputs,
                 targets, check):
    """One program on every target, against a reference and each other."""
    results = []
    for target in targets:
        what = f"{name} {target} {quantize or 'as it is'}"
        got, seconds = runner(program, inputs, target, quantize)
        check.at_least(what, reference, got, asked, seconds)
        results.append(got)
    for target, got in zip(targets[1:], results[1:]):
        same = results[0].tobytes() == got.tobytes()
        text = ("bit-identical" if same else
                f"{int((results[0] != got).sum())} of {got.size} elements "
                "differ")
        check.record(f"{name} {targets[0]}/{target}", text, same)


def run_model(name, scheme_list, runner, build, targets, check):
    model = catalog.CATALOG[name]
    opt = pathlib.Path(build) / "bin" / "quant-opt"
    program = catalog.attached(name, build, opt)
    inputs, arrays = catalog.inputs_and_results(name)
    if model.forward:
        runs = [("", arrays["out0"], 90)]
        runs += [(scheme, *simulate(name, build, inputs, scheme))
                 for scheme in scheme_list]
    elif model.least_db:
        runs = [("", arrays["out0"], 90)]
        runs += [(scheme, arrays["out0"], model.least_db)
                 for scheme in scheme_list]
    else:
        expected, least = simulate(name, build, inputs, "")
        if name.startswith("quantdialect_"):
            check.at_least(f"{name} simulation/out0", arrays["out0"],
                           expected, 90, 0)
        runs = [("", expected, least)]
    for quantize, reference, asked in runs:
        # In float no target does anything of its own.
        only_float = (model.forward or model.least_db) and not quantize
        compare_runs(name, quantize, reference, asked, runner, program, inputs,
                     targets[:1] if only_float else targets, check)


def by_model(items):
    """{model: [scheme, ...]} of NAME[:SCHEME] arguments."""
    out = {}
    for item in items:
        name, _, scheme = item.partition(":")
        out.setdefault(name, []).append(
            scheme.replace(",", " ") or DEFAULT_SCHEME)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--targets", default="generic,x86")
    parser.add_argument("--allow-missing", action="store_true")
    parser.add_argument("--quick", action="store_true",
                        help="nothing is optimized")
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    check, missing = Check(), []
    for name, scheme_list in by_model(args.models).items():
        try:
            with tempfile.TemporaryDirectory() as folder:
                runner = Runner(args.build, folder, "-O0" if args.quick else "")
                run_model(name, scheme_list, runner, args.build, args.targets.split(","), check)
        except catalog.Missing as reason:
            print(f"MISSING {name}: {reason}", flush=True)
            missing.append(name)
        except RuntimeError as error:
            check.record(name, str(error), False)
    print(f"{check.passed} comparisons passed, {check.failed} failed, "
          f"{len(missing)} models missing: {' '.join(missing) or 'none'}")
    return check.failed > 0 or (bool(missing) and not args.allow_missing)


if __name__ == "__main__":
    sys.exit(main())
