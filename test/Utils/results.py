# RUN: %python %s | FileCheck %s
# RUN: not %python %src/benchmarks/results.py nothing 2>&1 | FileCheck %s --check-prefix=UNKNOWN
# RUN: %python %src/benchmarks/results.py llm x86-vnni 2>&1 | FileCheck %s --check-prefix=LEFT
# UNKNOWN: error: expected one of x86-vnni, {{.*}} or all, found nothing
# LEFT: left out: llm: expected --llama=
# LEFT: left out: x86-vnni: expected --peers=
"""Every page of results has its command, but for two that no script of the tree makes;
and every command is there."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import results  # noqa: E402

pages = {path.stem for path in (ROOT / "docs/results").glob("*.md")}
print(sorted(pages - set(results.COMMANDS)))
# CHECK: ['README', 'x86-models-amx', 'x86-threads']
assert all((ROOT / f"docs/results/{page}.md").exists() for page in results.COMMANDS)
assert all((ROOT / command[0]).exists() for command in results.COMMANDS.values())
