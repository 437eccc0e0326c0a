"""The float program of a model, the equalized one, and their statistics."""

import pathlib
import subprocess
import sys

import numpy as np

from quantsim import catalog, metrics


def run(*command, output=None):
    """Ends the script where the command fails; gives its standard output."""
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=output is None)
    if done.returncode:
        error = done.stderr if output is None else done.stderr.decode()
        sys.exit(f"error: {' '.join(map(str, command))}:\n{error[-2000:]}")
    if output:
        output.write_bytes(done.stdout)
    return done.stdout


def save(folder, arrays):
    """Files of a program's arguments, as one option of quant-run names them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i, array in enumerate(arrays):
        paths.append(str(folder / f"in{i}.npy"))
        np.save(paths[-1], np.ascontiguousarray(array))
    return ",".join(paths)


# Equalization strengths that are tried.
ALPHAS = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
DEFAULT_ALPHA = 0.5


class Programs:
    """Made when they are first asked for, in a folder of their own: "plain",
    "equalized" (with the default alpha) and "tuned": equalized with the alpha
    that serves the W8A8 program best on the calibration inputs."""

    def __init__(self, name, build, calibration=None, folder=None):
        """`calibration` is what quant-run --calibrate takes: files for the
        arguments, or a folder with a folder for each shape of inputs."""
        self.bin = pathlib.Path(build) / "bin"
        self.folder = pathlib.Path(folder or
                                   pathlib.Path(build) / "accuracy" / name)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.calibration = calibration
        self.known = {"plain": catalog.attached(name, build,
                                                self.bin / "quant-opt")}
        self.statistics = {}
        self.alpha = None

    def get(self, name):
        if name not in self.known:
            alpha = DEFAULT_ALPHA if name == "equalized" else self.tune()
            self.known[name] = self.equalize(alpha)
        return self.known[name]

    def equalize(self, alpha):
        path = self.folder / f"equalized-{alpha}.mlirbc"
        # Convolutions first: the statistics are of their matmuls too.
        run(self.bin / "quant-opt", self.known["plain"], "--emit-bytecode",
            "--quant-import-tosa", "--quant-convolution-to-matmul",
            f"--quant-equalize=stats={self.stats('plain')} alpha={alpha}",
            output=path)
        return path

    def tune(self):
        """The alpha of the largest SQNR over the calibration inputs."""
        if self.alpha is None:
            wanted = self.on_calibration(self.known["plain"])
            scores = {alpha: metrics.sqnr_db(wanted, self.on_calibration(
                self.equalize(alpha), "--quantize")) for alpha in ALPHAS}
            self.alpha = max(scores, key=scores.get)
        return self.alpha

    def on_calibration(self, program, *options):
        """Results over all calibration inputs, one after the other."""
        return np.concatenate([
            self.evaluate(program, inputs, *options).reshape(-1)
            for inputs in self.calibration_sets()])

    def calibration_sets(self):
        """Inputs of one shape each: --evaluate stacks the results."""
        folder = pathlib.Path(self.calibration)
        return (sorted(folder.iterdir()) if folder.is_dir()
                else [self.calibration])

    def evaluate(self, program, inputs, *options, result=0):
        out = self.folder / "out"
        run(self.bin / "quant-run", program, "--target=x86",
            f"--evaluate={inputs}", f"--outputs={out}", *options)
        return np.load(out / f"out{result}.npy")

    def stats(self, name):
        if name not in self.statistics:
            path = self.folder / f"{name}.json"
            run(self.bin / "quant-run", self.get(name),
                f"--calibrate={self.calibration}", f"--stats-output={path}",
                "--second-moments", "--rotation=hadamard32,hadamard128")
            self.statistics[name] = path
        return self.statistics[name]

    def options(self, name, scheme):
        """The scheme's options, with the statistics that it asks for."""
        return (scheme.format(stats=self.stats(name)) if "{stats}" in scheme
                else scheme)

    def title(self, name):
        """What a row's {alpha} stands for."""
        return f"{self.tune() if name == 'tuned' else DEFAULT_ALPHA}"
