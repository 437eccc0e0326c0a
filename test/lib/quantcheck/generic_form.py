"""Reads MLIR's generic form, as `mlir-opt --mlir-print-op-generic` prints it.

One op a line, regions in braces: enough to walk a program, to ask an op for an
attribute, a type or a location, and to evaluate it (`evaluate.py`). It is a
reader of what the printer writes, not a parser of what people write.
"""

import re

import numpy as np

from quantcheck.program import to_bf16, to_float

_OP = re.compile(r'(?:(%[\w$.-]+)(?::(\d+))? = )?"([\w.$]+)"\(([^)]*)\)')
_ARGUMENT = re.compile(r"(%[\w$.-]+): ")
# Line and column of a location; the file is the one that was parsed.
_PLACE = re.compile(r'"((?:[^"\\]|\\.)*)":(\d+):(\d+)')
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


class Op:
    """An op: names of results and operands, text of the attributes."""

    def __init__(self, name, results, operands, successors):
        self.name, self.results = name, results
        self.operands, self.successors = operands, successors
        self.regions = []  # of blocks
        self.text = ""     # attributes, type, location
        self.parent = None

    def attribute(self, key):
        """The text of an attribute, or None."""
        for found in re.finditer(rf"(?<![\w.]){re.escape(key)} = ", self.text):
            return self.text[found.end():_end(self.text, found.end())].strip()
        return None

    def integers(self, key):
        """`array<i64: 1, 2>`, `dense<[1, 2]>` or `[[0, 1]]` as a flat list."""
        text = self.attribute(key) or ""
        text = text.replace("-9223372036854775808", "?")
        if text.startswith("array"):
            text = text.partition(":")[2]
        elif text.startswith("dense"):
            text = text.rpartition(" : ")[0]
        return [None if t == "?" else int(t)
                for t in re.findall(r"\?|-?\d+", text)]

    def segments(self):
        """The operands, cut as operandSegmentSizes says."""
        sizes, begin, parts = self.integers("operandSegmentSizes"), 0, []
        for size in sizes:
            parts.append(self.operands[begin:begin + size])
            begin += size
        return parts

    def types(self):
        """(operand types, result types), each a list of texts."""
        text = _outside(self.text)
        at = text.find(" : (")
        if at < 0:
            return [], []
        close = _end(text, at + 4, ")")
        inputs = split(text[at + 4:close])
        rest = text[close + 1:].partition("->")[2].strip()
        end = rest.find(" loc(")
        rest = rest[:end] if end >= 0 else rest
        if rest.startswith("("):
            rest = rest[1:-1]
        return inputs, split(rest)

    def places(self):
        """Where the op is written: {(line, column)}."""
        at = self.text.rfind(" loc(")
        return ({(int(line), int(column)) for _, line, column
                 in _PLACE.findall(self.text[at:])} if at >= 0 else set())

    def walk(self):
        yield self
        for region in self.regions:
            for block in region:
                for op in block.ops:
                    yield from op.walk()


class Block:
    def __init__(self, label, arguments, types):
        self.label, self.arguments, self.types = label, arguments, types
        self.ops = []


def _end(text, at, stop=","):
    """Where, from `at`, the text ends: at `stop` or a bracket that closes more
    than was opened. The `>` of `->` is no bracket."""
    depth, quoted = [], False
    while at < len(text):
        c = text[at]
        if c == '"':
            quoted = not quoted
        elif c == "\\" and quoted:
            at += 1
        elif quoted:
            pass
        elif c == "-" and text[at + 1:at + 2] == ">":
            at += 1
        elif c in _CLOSING:
            depth.append(_CLOSING[c])
        elif depth and c == depth[-1]:
            depth.pop()
        elif not depth and (c == stop or c in ")]}>"):
            return at
        at += 1
    return at


def split(text):
    """The parts between commas that no bracket holds."""
    parts, at = [], 0
    while at < len(text):
        end = _end(text, at)
        parts.append(text[at:end].strip())
        at = end + 1
    return parts


def _outside(text):
    """`text` with its leading properties and attributes cut off."""
    text = text.strip()
    while text[:1] in ("<", "{"):
        end = _end(text, 1, ">" if text[0] == "<" else "}")
        text = text[end + 1:].strip()
    return " " + text


def _block(line):
    label = line[:line.find("(")] if "(" in line else line.rstrip(":")
    names = [m.group(1) for m in _ARGUMENT.finditer(line)]
    types = []
    for found in _ARGUMENT.finditer(line):
        end = _end(line, found.end())
        types.append(line[found.end():end].partition(" loc(")[0].strip())
    return Block(label, names, types)


def parse(text):
    """(the outermost op, {resource: bytes})."""
    body, _, resources = text.partition("\n{-#")
    root, open_ops = None, []

    def append(op):
        nonlocal root
        if open_ops:
            op.parent = open_ops[-1]
            region = open_ops[-1].regions[-1]
            if not region:
                region.append(Block("^bb0", [], []))
            region[-1].ops.append(op)
        elif root is None:
            root = op

    for line in body.splitlines():
        line = line.strip()
        if line.startswith("^bb"):
            open_ops[-1].regions[-1].append(_block(line))
        elif line == "}, {":
            open_ops[-1].regions.append([])
        elif line.startswith("})"):
            open_ops.pop().text += line[2:]
        elif found := _OP.match(line):
            name, count, kind, operands = found.groups()
            results = [] if name is None else [name] if count is None else \
                [f"{name}#{i}" for i in range(int(count))]
            rest = line[found.end():]
            successors = re.match(r"\[([^\]]*)\]", rest)
            op = Op(kind, results, split(operands),
                    split(successors.group(1)) if successors else [])
            append(op)
            if rest.endswith("({"):
                op.text, op.regions = rest[:-2], [[]]
                open_ops.append(op)
            else:
                op.text = rest
    if root is None:
        raise ValueError("expected the generic form of a module")
    blobs = {name.strip('"'): bytes.fromhex(data)[4:] for name, data in
             re.findall(r'("[^"]+"|[\w.$-]+): "0x([0-9A-Fa-f]*)"', resources)}
    return root, blobs


# Element types
#===------------------------------------------------------------------------===#

FLOATS = {"f16": np.float16, "bf16": np.float32, "f32": np.float32,
          "f64": np.float64}


def tensor_type(text):
    """(shape, element type), None for `?`; a scalar has the shape None."""
    if not text.startswith("tensor<"):
        return None, text
    inner = text[len("tensor<"):-1]
    shape = []
    while found := re.match(r"(\d+|\?)x", inner):
        shape.append(None if found.group(1) == "?" else int(found.group(1)))
        inner = inner[found.end():]
    return tuple(shape), split(inner)[0]


def width(element):
    if element == "index":
        return 64
    if found := re.fullmatch(r"[su]?i(\d+)", element):
        return int(found.group(1))
    return None


def wrap(array, bits):
    """Integers as `bits` hold them, read as signed; i1 is 0 or 1."""
    array = np.asarray(array, np.int64)
    if bits >= 64:
        return array
    if bits == 1:
        return array & 1
    half = np.int64(1) << np.int64(bits - 1)
    return ((array + half) & ((np.int64(1) << np.int64(bits)) - 1)) - half


def _elements(data, element):
    """Raw bytes as an array of `element`."""
    if element in FLOATS:
        if element == "bf16":
            bits = np.frombuffer(data, np.uint16).astype(np.uint32) << 16
            return bits.view(np.float32)
        return np.frombuffer(data, FLOATS[element])
    bits = width(element)
    if bits == 1:
        return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    size = next(n for n in (8, 16, 32, 64) if n >= bits)
    return wrap(np.frombuffer(data, f"i{size // 8}"), bits)


def _number(text, element):
    """One literal: `1.5`, `0x7FC00000`, `true`, `-3`."""
    if text in ("true", "false"):
        return int(text == "true")
    if element in FLOATS and text.startswith("0x"):
        size = {"f64": 8, "f32": 4}.get(element, 2)
        return _elements(int(text, 16).to_bytes(size, "little"), element)[0]
    return float(text) if element in FLOATS else int(text, 0)


def constant(text, blobs):
    """The array of an elements attribute or of a scalar."""
    value, _, type_ = text.rpartition(" : ")
    if not value:
        value, type_ = text, "i1" if text in ("true", "false") else "i64"
    shape, element = tensor_type(type_)
    found = re.fullmatch(r"dense(_resource)?<(.*)>", value, re.S)
    if shape is None or not found:
        return as_element(_number(value, element), element)
    inner = found.group(2)
    if found.group(1):
        array = _elements(blobs[inner.strip('"')], element)
    elif inner.startswith('"0x'):
        array = _elements(bytes.fromhex(inner[3:-1]), element)
    else:
        array = np.array([_number(t, element) for t in
                          re.findall(r"[^\s\[\],]+", inner)])
    count = int(np.prod(shape))
    array = np.broadcast_to(array, count) if array.size == 1 else array[:count]
    return as_element(array.reshape(shape), element)


def as_element(array, element):
    """`array` as values of `element`: floats rounded, integers wrapped."""
    if element == "bf16":
        return to_float(to_bf16(array)).astype(np.float32)
    if element in FLOATS:
        with np.errstate(over="ignore"):
            return np.asarray(array).astype(FLOATS[element])
    return wrap(array, width(element))
