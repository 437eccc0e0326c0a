"""PTX text to kernels: parameters, registers, instructions, labels."""

import re
from dataclasses import dataclass, field

import numpy as np


BARRIERS = ("bar.sync", "barrier.sync")
JUMPS = ("bra", "bra.uni", "ret", "exit")


@dataclass
class Instruction:
    opcode: str
    operands: list
    # Name of the predicate register and whether it is negated.
    predicate: str = None
    negated: bool = False
    text: str = ""
    # What it does to the active threads of a block, found when it first runs.
    handler: object = None

    def __post_init__(self):
        self.parts = self.opcode.split(".")
        self.jumps = self.opcode in JUMPS
        self.waits = self.opcode.startswith(BARRIERS)


@dataclass
class Kernel:
    name: str
    params: list = field(default_factory=list)
    # Register name -> PTX type.
    registers: dict = field(default_factory=dict)
    instructions: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)
    # For each instruction its place where what joins follows all of what it
    # joins, wherever the compiler put that.
    places: np.ndarray = None
    # Whether some instruction reads shared memory as another proxy.
    uses_proxy: bool = False


_ENTRY = re.compile(r"\.entry\s+([\w$]+)\s*\(")
_REG = re.compile(r"\.reg\s+(\.\w+)\s+(.*)")
_RANGE = re.compile(r"(%\w+?)<(\d+)>")
_LABEL = re.compile(r"^(\$?[\w$]+):\s*(.*)$")
_PREDICATE = re.compile(r"^@(!?)(%\w+)\s+(.*)$")


def split_operands(text):
    """Splits at commas that are in neither braces nor brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "{[":
            depth += 1
        elif c in "}]":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    last = text[start:].strip()
    return parts + [last] if last else parts


def _statements(body):
    """Statements of a body without comments; braces that group statements are
    dropped, those of operands kept."""
    body = re.sub(r"//[^\n]*", "", body)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    pending = ""
    for line in body.split("\n"):
        line = line.strip()
        if not pending and line in ("", "{", "}"):
            continue
        if not pending and _LABEL.match(line) and not line.endswith(";"):
            yield line
            continue
        *complete, pending = (pending + " " + line).strip().split(";")
        for statement in complete:
            # No instruction begins with an operand.
            statement = statement.strip().lstrip("{} ")
            if statement:
                yield statement
        pending = "" if pending.strip() in ("", "}") else pending


def _parse_body(kernel, body):
    for statement in _statements(body):
        label = _LABEL.match(statement)
        if label:
            kernel.labels[label.group(1)] = len(kernel.instructions)
            statement = label.group(2).strip()
            if not statement:
                continue
        if statement.startswith(".reg"):
            kind, names = _REG.match(statement).groups()
            for name in names.split(","):
                ranged = _RANGE.match(name.strip())
                if not ranged:
                    kernel.registers[name.strip()] = kind
                    continue
                for i in range(int(ranged.group(2))):
                    kernel.registers[f"{ranged.group(1)}{i}"] = kind
            continue
        if statement.startswith("."):
            continue
        negated, predicate = False, None
        guarded = _PREDICATE.match(statement)
        if guarded:
            negated = guarded.group(1) == "!"
            predicate, statement = guarded.group(2), guarded.group(3)
        opcode, _, rest = statement.partition(" ")
        opcode, tab, more = opcode.partition("\t")
        rest = (more + " " + rest if tab else rest).strip()
        kernel.instructions.append(
            Instruction(opcode, split_operands(rest), predicate, negated,
                        statement))


def _successors(kernel, at):
    """Instructions that may follow instruction `at`, those further down first."""
    instruction = kernel.instructions[at]
    jumps = instruction.opcode in JUMPS[:2]
    ends = instruction.jumps
    found = [kernel.labels[instruction.operands[0]]] if jumps else []
    if not ends or instruction.predicate:
        found.append(at + 1)
    return sorted(found, reverse=True)


def _order(kernel):
    """Places in reverse postorder."""
    end = len(kernel.instructions)
    seen, finished, waiting = {0}, [], [(0, iter(_successors(kernel, 0)))]
    while waiting:
        at, rest = waiting[-1]
        follower = next((x for x in rest if x not in seen and x < end), None)
        if follower is None:
            finished.append(at)
            waiting.pop()
        else:
            seen.add(follower)
            waiting.append((follower, iter(_successors(kernel, follower))))
    places = np.full(end + 1, end)
    places[finished[::-1]] = np.arange(len(finished))
    return places


def parse(text):
    """All kernels of a PTX module, by name."""
    kernels = {}
    for match in _ENTRY.finditer(text):
        kernel = Kernel(match.group(1))
        end = text.index(")", match.end())
        for param in text[match.end():end].split(","):
            words = re.sub(r"//[^\n]*", "", param).split()
            if words:
                kernel.params.append((words[-1], words[1]))
        open_brace = text.index("{", end)
        depth, i = 1, open_brace + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            i += 1
        _parse_body(kernel, text[open_brace + 1:i - 1])
        kernel.places = _order(kernel)
        kernel.uses_proxy = any(x.parts[0] == "wgmma" for x in kernel.instructions)
        kernels[kernel.name] = kernel
    return kernels
