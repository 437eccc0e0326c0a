"""A folder of damaged and hostile files: none may end a tool badly.

Every program goes through every pipeline and through the conversions alone,
and runs on inputs of several sizes; every archive goes to the importer. What
COMMANDS.md beside them says is run too, its `F` being the file whose name
begins with the item's. A command may succeed or end with an error that it
prints; it may not die, hang, grow past 4 GB, end in a traceback, fail without a
word, or succeed with an output that mlir-translate refuses.
"""

import pathlib
import re
import shlex
import shutil
import tempfile

import numpy as np

from quantcheck import closeness, evaluate, module
from quantcheck.reports.program import SCHEME, Verdict, argument_arrays, numbered

FOUR_BITS = ("weights=tensor weight-bits=4 activation-bits=4 "
             "activations=dynamic-tensor symmetric=false")
# (arguments of quant-opt, whether the output is for mlir-translate).
PIPELINES = [
    (["--quant-to-generic"], True),
    (["--quant-to-x86=cpu=x86-64"], True),
    (["--quant-to-x86=cpu=sapphirerapids"], True),
    ([f'--quant-to-generic=quantize="{SCHEME}"'], True),
    ([f'--quant-to-x86=cpu=icelake-server quantize="{SCHEME}"'], True),
    ([f'--quant-to-x86=cpu=x86-64 quantize="{FOUR_BITS}"'], True),
    (["--quant-to-nvvm=chip=sm_80 stop-after=target"], False),
    (["--quant-set-target=cpu=icelake-server", "--convert-quant-to-cpu"],
     False),
    (["--quant-set-nvvm-target=chip=sm_80", "--convert-quant-to-nvvm"], False),
    (["--convert-quant-to-linalg"], False),
]
SIZES = (1, 3, 80)
IMPORTED = {".npz": ["matmulnbits"]}


def is_one(folder):
    return any(folder.glob("*.mlir")) or any(folder.glob("*.npz")) and \
        "damage" in folder.name


class Commands:
    """The items of COMMANDS.md: {start of a name: [(command, its text)]}."""

    def __init__(self, folder):
        self.items = []
        path = folder / "COMMANDS.md"
        if not path.is_file():
            return
        name = None
        for line in path.read_text().splitlines():
            if not line.startswith("- "):
                continue
            for piece in re.split(r"; (?=`[\w.*…-]+`)", line[2:]):
                codes = re.findall(r"`([^`]+)`", piece)
                for code in codes:
                    if re.match(r"(quant-\w+|utils/\S+) ", code) or \
                            code.startswith("--"):
                        self.items.append((name, code, piece))
                    elif re.fullmatch(r"[\w.*-]+(…|\*\S*)?", code):
                        name = re.split("…|\\*", code)[0]

    def of(self, path):
        return [(code, piece) for name, code, piece in self.items
                if name and path.name.startswith(name)]


def command_line(tools, code, path, inputs):
    """A command of COMMANDS.md as arguments, or None."""
    words = shlex.split(code)
    if words[0].startswith("--"):
        words = ["quant-opt", "F", *words]
    if words[0] == "quant-opt":
        words[0] = tools.opt
    elif words[0] == "quant-run":
        words[0] = tools.run_
    elif words[0].endswith("import-quantized-weights.py"):
        words[:1] = ["/usr/bin/python3", tools.importer]
    else:
        return None
    words = [path if w == "F" else w for w in words]
    return [f"--inputs={inputs}" if str(w).startswith("--inputs=") else w
            for w in words]


def check_pipelines(tools, path, scratch):
    """Texts of what went wrong in quant-opt."""
    out = scratch / "out.mlir"
    for arguments, is_final in PIPELINES:
        out.unlink(missing_ok=True)
        ended = tools(tools.opt, path, *arguments, "-o", out)
        shown = "quant-opt F " + shlex.join(arguments)
        if ended.fault():
            yield f"{shown}: {ended.fault()}"
        elif ended.succeeded and is_final:
            ended = tools("mlir-translate-22", "--mlir-to-llvmir", out, "-o",
                          scratch / "out.ll")
            if not ended.succeeded:
                yield f"{shown}: the output is invalid: {ended.reason()}"


def check_runs(tools, path, scratch):
    """Texts of what went wrong in quant-run, over sizes of what is dynamic."""
    try:
        root, blobs = evaluate.load(path)
        types = evaluate.entry(root).regions[0][0].types
    except Exception:  # quant's own ops, or nothing that can be read
        root, types = None, None
    for size in SIZES:
        for target in ("generic", "x86"):
            for scheme in ("", SCHEME):
                command = [tools.run_, path, f"--target={target}",
                           "--print=false", module.QUICK]
                command += [f"--quantize={scheme}"] if scheme else []
                shown = f"quant-run F --target={target}" + \
                    f' --quantize="{scheme}"' * bool(scheme) + \
                    f" with sizes of {size}"
                text = run_once(tools, command, root and (root, blobs), types,
                                size, scheme, scratch)
                if text:
                    yield f"{shown}: {text}"


def run_once(tools, command, program, types, size, scheme, scratch):
    out = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    if types is None:
        ended = tools(*command, f"--random-inputs={size}", f"--dims={size}")
        if "--dims" in ended.reason() or "inputs" in ended.reason():
            ended = tools(*command, f"--random-inputs={size}")
        return ended.fault()
    arrays = argument_arrays([t.replace("?", str(size)) for t in types])
    paths = []
    for i, array in enumerate(arrays):
        paths.append(str(out / f"in{i}.npy"))
        np.save(paths[-1], array)
    if paths:
        command = command + ["--inputs=" + ",".join(paths)]
    ended = tools(*command, f"--outputs={out}")
    if ended.fault() or not ended.succeeded:
        return ended.fault()
    try:
        want = evaluate.evaluate(*program, arrays)
    except evaluate.Mismatch as error:
        return f"a result, but there is none: {error}"
    except Exception:
        return None
    for got, expected in zip(numbered(out, "out"), want):
        text = closeness.difference(np.load(got), expected, True,
                                    closeness.NORM if scheme else None)
        if text:
            return text
    return None


def check_commands(tools, path, commands, scratch):
    """Texts of what went wrong in the commands that are written down."""
    for code, piece in commands.of(path):
        shapes = re.findall(r"(?<![\w.])(\d+(?:x\d+)+)(?![\w.])", piece)
        for shape in shapes or [None]:
            inputs = scratch / "x.npy"
            if shape:
                np.save(inputs, np.ones([int(n) for n in shape.split("x")],
                                        np.float32))
            command = command_line(tools, code, path, inputs)
            if command is None:
                continue
            ended = tools(*command, cwd=scratch)
            if ended.fault():
                yield f"{code}: {ended.fault()}"
            elif ended.succeeded and shape and "disagree" in piece:
                yield f"{code}: succeeds"


def check_import(tools, path, scratch):
    for kind in IMPORTED.get(path.suffix, []):
        ended = tools("/usr/bin/python3", tools.importer, kind, path, "-o",
                      scratch / "o.mlir")
        if ended.fault():
            yield f"import-quantized-weights.py {kind} F: {ended.fault()}"


def run_folder(tools, folder):
    commands = Commands(folder)
    for path in sorted(folder.iterdir()):
        if path.suffix not in (".mlir", ".mlirbc", *IMPORTED):
            continue
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="reports."))
        try:
            wrong = list(check_commands(tools, path, commands, scratch))
            if path.suffix.startswith(".mlir"):
                wrong += check_pipelines(tools, path, scratch)
                wrong += check_runs(tools, path, scratch)
            else:
                wrong += check_import(tools, path, scratch)
        finally:
            shutil.rmtree(scratch)
        name = f"{folder.name}/{path.name}"
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            yield Verdict(name, "every tool", "wrong", wrong[0] + more)
        else:
            yield Verdict(name, "every tool", "handled")
