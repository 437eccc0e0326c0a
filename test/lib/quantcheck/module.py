"""Many cases as one MLIR module, compiled and run once by quant-run.

`main` calls a function for each case. Where the module does not compile or
stops, it is halved until the case that is to blame is alone.
"""

import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from quantcheck.program import element_of, tensor

# Of the reference: its code is made ten times as fast, with the same results.
QUICK = "-O0"
TIMEOUT = 900  # seconds, of one quant-run


def module_text(cases):
    """The module, and the arrays of main's arguments."""
    functions, calls, arguments, arrays, results = [], [], [], [], []
    for i, case in enumerate(cases):
        functions.append(case.function(f"case{i}"))
        operands, types = [], []
        for (_, type_), array in case.arguments:
            name, static = f"%a{len(arrays)}", tensor(array.shape,
                                                      element_of(array))
            arguments.append(f"{name}: {static}")
            arrays.append(array)
            if static != type_:
                calls.append(f"{name}c = tensor.cast {name} : {static} to {type_}")
                name += "c"
            operands.append(name)
            types.append(type_)
        out = [value[1] for value, *_ in case.results]
        found = f"%r{i}:{len(out)}" if len(out) > 1 else f"%r{i}"
        calls.append(f"{found} = func.call @case{i}({', '.join(operands)}) : "
                     f"({', '.join(types)}) -> ({', '.join(out)})")
        results += [(f"%r{i}#{j}" if len(out) > 1 else f"%r{i}", t)
                    for j, t in enumerate(out)]
    types = ", ".join(t for _, t in results)
    names = ", ".join(n for n, _ in results)
    body = "\n    ".join(calls + [f"return {names} : {types}"])
    return (f"module {{\n  func.func @main({', '.join(arguments)}) -> ({types}) "
            f"{{\n    {body}\n  }}\n{''.join(functions)}}}\n"), arrays


def write(cases, folder):
    """model.mlir and its inputs under `folder`; returns the inputs' paths."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text, arrays = module_text(cases)
    (folder / "model.mlir").write_text(text)
    paths = []
    for i, array in enumerate(arrays):
        paths.append(str(folder / f"in{i}.npy"))
        np.save(paths[-1], array)
    return paths


def execute(cases, options, folder, quant_run):
    """Runs the module; returns the results, or text that says what failed."""
    folder = pathlib.Path(folder)
    inputs = write(cases, folder)
    command = [str(quant_run), str(folder / "model.mlir"), "--print=false",
               f"--outputs={folder}", *options]
    if "--target=generic" in options and not {QUICK, "-O2"} & set(options):
        command.append(QUICK)
    if inputs:
        command.append("--inputs=" + ",".join(inputs))
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"no result within {TIMEOUT} s"
    if done.returncode:
        lines = (done.stderr + done.stdout).strip().splitlines()
        worst = [line for line in lines if "error" in line] or lines
        return (worst or [f"quant-run ended with {done.returncode}"])[0]
    count = sum(len(case.results) for case in cases)
    return [np.load(folder / f"out{i}.npy") for i in range(count)]


def judge(case, arrays):
    """None, or what is wrong with the results of one case."""
    for (_, shape, rule), got in zip(case.results, arrays):
        if got.shape != shape:
            return f"expected the shape {shape}, found {got.shape}"
        wrong = rule(got)
        if wrong:
            return wrong
    return None


def judge_all(cases, arrays):
    """{index of a case: what is wrong}; `arrays` are the results of all."""
    wrong, begin = {}, 0
    for i, case in enumerate(cases):
        end = begin + len(case.results)
        text = judge(case, arrays[begin:end])
        if text:
            wrong[i] = text
        begin = end
    return wrong


def check(cases, options, quant_run, folder=None):
    """{index of a case: what is wrong}, for the cases that fail."""
    if not cases:
        return {}
    own = folder is None
    folder = tempfile.mkdtemp(prefix="quantcheck.") if own else folder
    try:
        found = execute(cases, options, folder, quant_run)
    finally:
        if own:
            shutil.rmtree(folder)
    if isinstance(found, str):
        if len(cases) == 1:
            return {0: found}
        half = len(cases) // 2
        wrong = check(cases[:half], options, quant_run)
        for i, text in check(cases[half:], options, quant_run).items():
            wrong[half + i] = text
        return wrong
    return judge_all(cases, found)
