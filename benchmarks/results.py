#!/usr/bin/env python3
"""What makes each page of results.

    results.py                    each page, with its command
    results.py PAGE ... [--peers=FOLDER] [--llama=FOLDER] [--onnxruntime-python=PYTHON]
                                  runs the commands of these pages, or of `all`

Commands run in the root of the tree, with `PYTHONPATH` and `QUANTMLIR_LIBRARY` of its
`build`. Those with --write, --markdown or --output write their page, others print its
tables. Where a folder or an interpreter is not given, pages that need it are left out.
A page of two machines has the tables of both.
"""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = "docs/results"
# {PAGE: arguments}; of {} some are options. The first is run by the interpreter that runs
# this file, unless it is a shell script.
COMMANDS = {
    "x86-vnni": ["benchmarks/run.py", "--peers={peers}"],
    "x86-amx": ["benchmarks/run.py", "--peers={peers}"],
    "x86-models": ["benchmarks/minilm.py", "--write"],
    "llm": ["benchmarks/llm.py", "--folder={llama}", "--markdown={page}"],
    "large-model": ["benchmarks/large_model.py", "--write"],
    "compile": ["benchmarks/compile.py", "--models", "--markdown={page}"],
    "iree": ["benchmarks/iree_models.py", "--markdown={page}"],
    "nvidia": ["benchmarks/gpu/run.sh"],
    "arm": ["benchmarks/arm_mca.py", "--output={page}"],
    "perplexity": ["benchmarks/perplexity.py", "--llama={llama}", "--write"],
    "perplexity-kv-cache": ["benchmarks/perplexity.py", "--kv-cache", "--write"],
    "rotation": ["benchmarks/rotation.py", "--write"],
    "kv-cache": ["benchmarks/kv_cache.py", "--write"],
    "../accuracy": ["utils/accuracy-table.py",
                    "--onnxruntime-python={onnxruntime_python}"],
}


def run(page, options):
    """The exit code, or None with what is missing said."""
    try:
        command = [part.format(page=f"{RESULTS}/{page}.md", **options)
                   for part in COMMANDS[page]]
    except KeyError as error:
        option = error.args[0].replace("_", "-")
        print(f"left out: {page}: expected --{option}=", file=sys.stderr)
        return None
    if not command[0].endswith(".sh"):
        command.insert(0, sys.executable)
    print(shlex.join(command), file=sys.stderr, flush=True)
    path = [ROOT / "python", ROOT / "test/lib", os.environ.get("PYTHONPATH")]
    return subprocess.run(command, cwd=ROOT, env={
        "QUANTMLIR_LIBRARY": str(ROOT / "build/lib/libquantmlir.so.1"), **os.environ,
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in path if folder)}).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="PAGE")
    parser.add_argument("--peers", help="the folder of peers.py")
    parser.add_argument("--llama", help="for files of llama.cpp")
    parser.add_argument("--onnxruntime-python", help="an interpreter that has it")
    options = {name: value for name, value in vars(parser.parse_args()).items() if value}
    pages = options.pop("pages", [])
    if not pages:
        for page, command in COMMANDS.items():
            print(f"{page}: {' '.join(command).replace('{page}', f'{RESULTS}/{page}.md')}")
        return 0
    unknown = [page for page in pages if page not in COMMANDS and page != "all"]
    if unknown:
        sys.exit(f"error: expected one of {', '.join(COMMANDS)} or all, found {unknown[0]}")
    codes = [run(page, options) for page in (COMMANDS if "all" in pages else pages)]
    return max((code or 0 for code in codes), default=0)


if __name__ == "__main__":
    sys.exit(main())
