"""MiniLM's first layer, W8A8, on AArch64 by qemu and on this machine: one result
to the bit.

usage: minilm_layer.py BUILD CPU ...
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from quantcheck import run_arm
from quantsim import catalog

MODEL = "minilm_l6_layer0_b1s32"
SCHEME = "activations=dynamic-token"


def compile_and_run(command, model, inputs, folder, options):
    out = folder / "-".join(options).replace("=", "")
    out.mkdir()
    subprocess.run([*command, str(model), f"--inputs={','.join(inputs)}",
                    f"--outputs={out}", f"--quantize={SCHEME}", *options],
                   check=True, stdout=subprocess.DEVNULL)
    return np.load(out / "out0.npy")


def main():
    build, cpus = pathlib.Path(sys.argv[1]), sys.argv[2:]
    arguments, _ = catalog.inputs_and_results(MODEL)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = folder / "layer.mlir"
        opt = build / "bin" / "quant-opt"
        subprocess.run([opt, catalog.attached(MODEL, build, opt), "-o", model],
                       check=True)
        inputs = []
        for i, array in enumerate(arguments):
            inputs.append(str(folder / f"in{i}.npy"))
            np.save(inputs[-1], array)
        reference = compile_and_run([build / "bin" / "quant-run"], model, inputs,
                                    folder, ["--target=generic"])
        runs = {"x86": compile_and_run([build / "bin" / "quant-run"], model,
                                       inputs, folder, ["--target=x86"])}
        for cpu in cpus:
            runs[cpu] = compile_and_run([sys.executable, run_arm.__file__],
                                        model, inputs, folder, [f"--cpu={cpu}"])
    for target, found in runs.items():
        differ = np.count_nonzero(found.view(np.int32) !=
                                  reference.view(np.int32))
        print(f"{target}: {found.size - differ} of {found.size} equal generic")
        failures += differ != 0
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
