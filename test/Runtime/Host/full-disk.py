# RUN: %python %s %t
"""A report that does not fit on the disk leaves the one before as it was. (The
limit of a file's size stands for the disk's.)"""

import pathlib
import resource
import signal
import subprocess
import sys

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "model.mlir").write_text("""
func.func @main() -> tensor<2xf32> {
  %0 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
""")


def limit():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))


for name, option in (("report.json", "--report"), ("page.html", "--report-html")):
    path = FOLDER / name
    path.write_text("the old one")
    options = [f"{option}={path}"]
    if name == "page.html":
        options += ["--compare", "--quantize"]
    done = subprocess.run(["quant-run", FOLDER / "model.mlir", *options],
                          capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 1, done
    assert name in done.stderr and "File too large" in done.stderr, done.stderr
    assert path.read_text() == "the old one"
    assert not list(FOLDER.glob("*.tmp")), list(FOLDER.iterdir())
# What is no file is written to.
done = subprocess.run(["quant-run", FOLDER / "model.mlir",
                       "--report=/dev/stdout"], capture_output=True, text=True)
assert done.returncode == 0 and '"model"' in done.stdout, done
