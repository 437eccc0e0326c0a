"""Lowers exported models for a GPU and looks at what is left on the host.

    gpu_lowering.py --build BUILD [--chip=sm_80] NAME[:SCHEME]...

Every product with a weight, and of two activations where the scheme asks for
it, is a kernel: as many as the catalogue counts. What is left multiplies no
floats along a reduction, as a named op or as a linalg.generic; but for depthwise
convolutions, which are no matmuls and of each of which a remark says so.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

from quantsim import catalog

DEFAULT_SCHEME = "weights=channel attention=true"
KERNEL = re.compile(r"qtarget\.packed_matmul ")
# Products that have no kernel: of integers or floats, by upstream's name or ours.
NAMED = re.compile(r"(linalg\.\w*(?:matmul|matvec|vecmat|dot|conv|contract)\w*|"
                   r"quant\.(?:scaled_)?matmul|tosa\.\w+) ")
DEPTHWISE = "linalg.depthwise_conv"
SAID = "remark: convolution stays in float: each group of channels has a filter"
GENERIC = re.compile(r"linalg\.generic \{([^}]*)\}.*?\{\n(.*?)linalg\.yield", re.S)
PRODUCT = re.compile(r"arith\.mulf (%[\w#]+), (%[\w#]+) ")


def lower(opt, program, chip, scheme, stage):
    """The program at the end of a stage, without large constants; what was said."""
    quantize = f" quantize={{{scheme}}}" if scheme else ""
    with tempfile.NamedTemporaryFile("r", suffix=".mlir") as out:
        done = subprocess.run(
            [opt, program, "-o", out.name,
             "--mlir-elide-resource-strings-if-larger=16",
             "--mlir-elide-elementsattrs-if-larger=16",
             f"--quant-to-nvvm=chip={chip}{quantize} stop-after={stage}"],
            capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        return out.read(), done.stderr


def find_products(text):
    """Names of the ops of `text` that still multiply along a reduction."""
    found = NAMED.findall(text)
    for header, body in GENERIC.findall(text):
        # A number times itself is a norm's, which has no weight.
        products = [p for p in PRODUCT.findall(body) if p[0] != p[1]]
        if "reduction" in header and products and "arith.addf" in body:
            found.append("linalg.generic")
    return found


def check(opt, name, chip, scheme, build):
    model = catalog.CATALOG[name]
    program = catalog.attached(name, build, opt)
    text, said = lower(opt, program, chip, scheme, "packed")
    # Kernels are made after this stage; none is refused.
    launches = lower(opt, program, chip, scheme, "target")[0].count("gpu.launch_func")
    kernels, found = len(KERNEL.findall(text)), find_products(text)
    left = [op for op in found if not op.startswith(DEPTHWISE)]
    depthwise = len(found) - len(left)
    asked = model.matmuls
    if "attention=true" in scheme:
        asked += model.attention
    good = (kernels == asked and not left and launches >= kernels
            and said.count(SAID) == depthwise and "not packed" not in said)
    print(f"{'ok  ' if good else 'FAIL'} {name} {chip} {scheme or 'as it is'}: "
          f"{kernels} of {asked} products are kernels, left: {left or 'none'}"
          f"{f', {depthwise} depthwise' if depthwise else ''}", flush=True)
    if not good:
        print(said)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--chip", default="sm_80")
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    opt = pathlib.Path(args.build) / "bin" / "quant-opt"
    failed = 0
    for item in args.models:
        name, _, scheme = item.partition(":")
        model = catalog.CATALOG[name]
        is_float = model.forward or model.least_db
        scheme = scheme.replace(",", " ") or (DEFAULT_SCHEME if is_float else "")
        failed += not check(opt, name, args.chip, scheme, args.build)
    print(f"{len(args.models) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
