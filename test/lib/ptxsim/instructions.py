"""What each instruction does to the active threads of a block."""

import functools
import operator
import re

import numpy as np

from . import warp, warpgroup
from .memory import MemoryError_

_BITS = {"b8": 8, "u8": 8, "s8": 8, "b16": 16, "u16": 16, "s16": 16, "b32": 32,
         "u32": 32, "s32": 32, "f32": 32, "b64": 64, "u64": 64, "s64": 64,
         "f64": 64, "pred": 1}
_NUMPY = {"b8": np.uint8, "u8": np.uint8, "s8": np.int8, "b16": np.uint16,
          "u16": np.uint16, "s16": np.int16, "b32": np.uint32, "u32": np.uint32,
          "s32": np.int32, "f32": np.float32, "b64": np.uint64,
          "u64": np.uint64, "s64": np.int64, "f64": np.float64,
          "f16": np.float16, "pred": np.bool_}
_DTYPES = {name: np.dtype(kind) for name, kind in _NUMPY.items()}
_BOOL = np.dtype(np.bool_)


def _unsupported(instruction):
    raise MemoryError_(f"instruction not known: {instruction.opcode}")


# --- operands ---------------------------------------------------------------

_SPECIAL = {
    "%tid.x": lambda block, active: active,
    "%tid.y": lambda block, active: 0 * active,
    "%tid.z": lambda block, active: 0 * active,
    "%laneid": lambda block, active: active % 32,
    "%ctaid.x": lambda block, active: np.full(len(active), block.index[0]),
    "%ctaid.y": lambda block, active: np.full(len(active), block.index[1]),
    "%ctaid.z": lambda block, active: np.full(len(active), block.index[2]),
    "%ntid.x": lambda block, active: np.full(len(active), block.threads)}


def read(block, operand, kind, active):
    """Values of `operand`, read as PTX type `kind`, of the active threads; they
    may be the register itself, and are not to be changed."""
    values = block.registers.get(operand)
    if values is None:
        if operand in _SPECIAL:
            return _SPECIAL[operand](block, active).astype(_NUMPY[kind])
        if operand not in block.kernel.registers:
            return _constant(operand, kind, len(active))
        values = block.read_register(operand)
    if block.in_flight.registers:
        block.in_flight.check_register(operand)
    if active is not block.all:
        values = values[active]
    dtype = _DTYPES[kind]
    if values.dtype == dtype or values.dtype == _BOOL or dtype == _BOOL:
        return values
    if values.dtype.itemsize != dtype.itemsize:
        values = values.astype(f"u{dtype.itemsize}")
    return values.view(dtype)


@functools.lru_cache(maxsize=1 << 12)
def _constant(operand, kind, count):
    values = np.full(count, _immediate(operand, kind), _NUMPY[kind])
    values.flags.writeable = False
    return values


@functools.cache
def _immediate(text, kind):
    if re.match(r"0[fF][0-9a-fA-F]{8}$", text):
        value = np.uint32(int(text[2:], 16))
        return value.view(np.float32) if kind == "f32" else value
    if re.match(r"0[dD][0-9a-fA-F]{16}$", text):
        return np.uint64(int(text[2:], 16)).view(np.float64)
    if re.match(r"-?(0x[0-9a-fA-F]+|\d+)U?$", text):
        value = int(text.rstrip("U"), 0)
        if kind == "pred":
            return bool(value)
        return np.array(value % (1 << _BITS[kind]), dtype=np.uint64).astype(
            f"u{_BITS[kind] // 8}").view(_NUMPY[kind])
    if text in ("true", "false"):
        return text == "true"
    # A symbol: the one array of shared memory starts at 0.
    return 0


def write(block, operand, kind, active, values):
    if not isinstance(values, np.ndarray):
        values = np.asarray(values)
    if values.dtype != _BOOL:
        bits = values.dtype.itemsize
        if kind and kind[0] == "s":
            target = block.read_register(operand)
            if target.dtype.itemsize > bits:
                values = values.astype(f"i{target.dtype.itemsize}")
                bits = values.dtype.itemsize
        values = values.view(f"u{bits}")
    block.write_register(operand, active, values)


@functools.cache
def _list(operand):
    return [x.strip() for x in operand.strip("{}").split(",")]


# --- arithmetic -------------------------------------------------------------

def _wide(kind):
    return {"s32": np.int64, "u32": np.uint64, "s16": np.int32,
            "u16": np.uint32}[kind]


def _mul(block, instruction, active, kind, parts):
    a, b = (read(block, x, kind, active) for x in instruction.operands[1:3])
    if "wide" in parts:
        result = a.astype(_wide(kind)) * b.astype(_wide(kind))
    elif "hi" in parts:
        wide = a.astype(_wide(kind)) * b.astype(_wide(kind))
        result = (wide >> 32).astype(_NUMPY[kind])
    else:
        result = a * b
    if parts[0] in ("mad", "fma"):
        addend = instruction.operands[3]
        if parts[0] == "fma" or kind.startswith("f"):
            c = read(block, addend, kind, active)
            result = (a.astype(np.longdouble) * b + c).astype(np.float32)
        else:
            wide_kind = kind[0] + str(result.dtype.itemsize * 8)
            result = result + read(block, addend, wide_kind, active)
    write(block, instruction.operands[0], kind, active, result)


def _shift(block, instruction, active, kind, left):
    a = read(block, instruction.operands[1], kind, active)
    count = read(block, instruction.operands[2], "u32", active)
    count = np.minimum(count, _BITS[kind]).astype(np.uint64)
    wide = a.astype(np.int64 if kind.startswith("s") else np.uint64)
    count = count.astype(wide.dtype)
    full = count >= 64
    count = np.minimum(count, wide.dtype.type(63))
    result = wide << count if left else wide >> count
    if not kind.startswith("s"):
        result = np.where(full, wide.dtype.type(0), result)
    write(block, instruction.operands[0], kind, active,
          result.astype(_NUMPY[kind]))


_COMPARE = {"eq": operator.eq, "ne": operator.ne, "lt": operator.lt,
            "le": operator.le, "gt": operator.gt, "ge": operator.ge,
            "lo": operator.lt, "ls": operator.le, "hi": operator.gt,
            "hs": operator.ge}


def _setp(block, instruction, active, kind, parts):
    a, b = (read(block, x, kind, active) for x in instruction.operands[1:3])
    if parts[1] == "nan":
        result = np.isnan(a) | np.isnan(b)
    elif parts[1] == "num":
        result = ~(np.isnan(a) | np.isnan(b))
    elif parts[1].endswith("u") and kind.startswith("f"):
        result = _COMPARE[parts[1][:-1]](a, b) | np.isnan(a) | np.isnan(b)
    else:
        result = _COMPARE[parts[1]](a, b)
    write(block, instruction.operands[0], "pred", active, result)


def _min_max(parts, a, b):
    low = parts[0] == "min"
    if a.dtype.kind != "f":
        return np.minimum(a, b) if low else np.maximum(a, b)
    if "NaN" in parts:
        return np.minimum(a, b) if low else np.maximum(a, b)
    return np.fmin(a, b) if low else np.fmax(a, b)


def _convert(block, instruction, active, parts):
    """cvt[.rounding][.sat].to.from"""
    to, source = parts[-2], parts[-1]
    if to == "f16x2":
        # The first operand is the upper half.
        halves = [read(block, x, source, active).astype(np.float16)
                  for x in instruction.operands[:0:-1]]
        return write(block, instruction.operands[0], None, active,
                     np.stack(halves, 1).view(np.uint32)[:, 0])
    values = read(block, instruction.operands[1], source, active)
    if to.startswith("f") and source.startswith("f"):
        if "rni" in parts:
            values = np.rint(values)
        elif {"rzi", "rmi", "rpi"} & set(parts):
            _unsupported(instruction)
        result = values.astype(_NUMPY[to])
    elif to.startswith("f"):
        result = values.astype(_NUMPY[to])
    elif source.startswith("f"):
        rounded = np.rint(values) if "rni" in parts else np.trunc(values)
        limits = np.iinfo(_NUMPY[to])
        rounded = np.nan_to_num(rounded.astype(np.float64), nan=0.0)
        result = np.clip(rounded, limits.min, limits.max).astype(_NUMPY[to])
    else:
        result = values.astype(_NUMPY[to])
    write(block, instruction.operands[0], to, active, result)


def _move(block, instruction, active, kind):
    target, source = instruction.operands
    if target.startswith("{"):
        names = _list(target)
        part = _BITS[kind] // len(names)
        values = read(block, source, kind, active)
        pieces = values.view(f"u{part // 8}").reshape(len(active), -1)
        for i, name in enumerate(names):
            if name != "_":
                write(block, name, None, active, pieces[:, i].copy())
    elif source.startswith("{"):
        names = _list(source)
        part = f"b{_BITS[kind] // len(names)}"
        pieces = np.stack([read(block, n, part, active) for n in names], 1)
        write(block, target, None, active,
              np.ascontiguousarray(pieces).view(_NUMPY[kind])[:, 0])
    elif source in block.in_flight.registers:
        # Copies that the assembler takes out again.
        block.in_flight.move_register(target, source)
        write(block, target, kind, active, block.read_register(source)[active])
    else:
        write(block, target, kind, active, read(block, source, kind, active))


def _prmt(block, instruction, active):
    a, b, selector = (read(block, x, "b32", active)
                      for x in instruction.operands[1:4])
    pool = np.ascontiguousarray(np.stack([a, b], 1)).view(np.uint8)
    out = np.zeros((len(active), 4), np.uint8)
    rows = np.arange(len(active))
    for i in range(4):
        s = (selector >> np.uint32(4 * i)) & np.uint32(15)
        byte = pool[rows, s & np.uint32(7)]
        sign = np.where(byte & 0x80, 0xFF, 0).astype(np.uint8)
        out[:, i] = np.where(s & np.uint32(8), sign, byte)
    write(block, instruction.operands[0], None, active,
          out.view(np.uint32)[:, 0])


def _bfe(block, instruction, active, kind):
    a = read(block, instruction.operands[1], "b32", active).astype(np.int64)
    start, length = (read(block, x, "u32", active).astype(np.int64)
                     for x in instruction.operands[2:4])
    field = (a >> start) & ((1 << length) - 1)
    if kind == "s32":
        sign = np.where(length > 0, 1 << np.maximum(length - 1, 0), 0)
        field = np.where(field & sign, field - (sign << 1), field)
    write(block, instruction.operands[0], None, active,
          field.astype(np.int32))


def _unary(parts, a):
    if parts[0] == "neg":
        return -a
    if parts[0] == "not":
        return ~a
    if parts[0] == "abs":
        return np.abs(a)
    return 1 / a if parts[0] == "rcp" else None


def _packed(block, instruction, active, parts):
    """Two floats in 64 bits, on sm_100."""
    pairs = [np.ascontiguousarray(read(block, x, "b64", active)).view(
        np.float32).reshape(-1, 2) for x in instruction.operands[1:]]
    if parts[0] == "fma":
        a, b, c = pairs
        result = (a.astype(np.longdouble) * b + c).astype(np.float32)
    elif parts[0] in ("add", "sub"):
        result = _BINARY[parts[0]](*pairs)
    elif parts[0] == "mul":
        result = pairs[0] * pairs[1]
    else:
        _unsupported(instruction)
    write(block, instruction.operands[0], None, active,
          np.ascontiguousarray(result).view(np.uint64)[:, 0])


_BINARY = {"add": operator.add, "sub": operator.sub, "and": operator.and_,
           "or": operator.or_, "xor": operator.xor}


def _arithmetic(block, instruction, active, parts):
    kind = parts[-1]
    operands = instruction.operands
    if kind == "f32x2":
        return _packed(block, instruction, active, parts)
    if parts[0] in ("mul", "mad", "fma"):
        return _mul(block, instruction, active, kind, parts)
    if parts[0] in ("neg", "not", "abs"):
        a = read(block, operands[1], kind, active)
        return write(block, operands[0], kind, active, _unary(parts, a))
    a = read(block, operands[1], kind, active)
    b = read(block, operands[2], kind, active)
    if parts[0] in ("min", "max"):
        result = _min_max(parts, a, b)
    elif parts[0] == "div":
        result = a / b if kind.startswith("f") else a // b
    elif parts[0] == "rem":
        result = a % b
    else:
        result = _BINARY[parts[0]](a, b)
    write(block, operands[0], kind, active, result)


# --- memory -----------------------------------------------------------------

_ADDRESS = re.compile(r"\[\s*([%\w$]+)\s*(?:\+\s*(-?\d+))?\s*\]")


@functools.cache
def _parse_address(operand):
    base, offset = _ADDRESS.match(operand).groups()
    return base, int(offset or 0)


def address(block, operand, space, active):
    base, offset = _parse_address(operand)
    kind = "u32" if space == "shared" and \
        block.kernel.registers.get(base) == ".b32" else "u64"
    return read(block, base, kind, active).astype(np.int64) + offset


def _space(parts):
    for space in ("global", "shared", "param"):
        if space in parts:
            return space
    raise MemoryError_("generic addresses are not known")


def _load(block, instruction, active, parts):
    kind = parts[-1]
    space = _space(parts)
    target, source = instruction.operands
    if space == "param":
        value = block.params[_ADDRESS.match(source).group(1)]
        values = np.full(len(active), value % (1 << _BITS[kind]), np.uint64)
        return write(block, target, None, active,
                     values.astype(f"u{_BITS[kind] // 8}"))
    names = _list(target) if target[0] == "{" else [target]
    size = _BITS[kind] // 8
    where = address(block, source, space, active)
    memory = block.shared if space == "shared" else block.machine.memory
    data = memory.read(where, size * len(names))
    if space == "shared":
        memory.count(where, active, size * len(names))
    data = data.view(_NUMPY[kind])
    for i, name in enumerate(names):
        write(block, name, kind, active, data[:, i])


def _store(block, instruction, active, parts):
    kind = parts[-1]
    space = _space(parts)
    target, source = instruction.operands
    names = _list(source) if source[0] == "{" else [source]
    where = address(block, target, space, active)
    data = np.stack([read(block, n, kind, active) for n in names], 1).view(np.uint8)
    if space == "shared":
        size = data.shape[1]
        block.shared.write(where, data)
        block.in_flight.check_write(where)
        if block.kernel.uses_proxy:
            block.shared.note_writer(where, size, active)
        block.shared.count(where, active, size)
    else:
        block.machine.memory.write(where, data)


_ATOMIC = {"add": np.add, "min": np.minimum, "max": np.maximum}


def _atomic(block, instruction, active, parts):
    """atom and red on 32 bits of global memory, one thread after the other."""
    kind, returns = parts[-1], parts[0] == "atom"
    operation = next((p for p in parts if p in (*_ATOMIC, "exch")), None)
    if operation is None or _BITS[kind] != 32 or "global" not in parts:
        _unsupported(instruction)
    operands = instruction.operands[1:] if returns else instruction.operands
    where = address(block, operands[0], "global", active)
    values = read(block, operands[1], kind, active)
    memory, dtype = block.machine.memory, _NUMPY[kind]
    before = np.empty(len(active), dtype)
    # Threads that meet in a word take turns: those that met in none so far.
    waiting = np.arange(len(active))
    while len(waiting):
        _, first = np.unique(where[waiting], return_index=True)
        turn = waiting[first]
        old = memory.read(where[turn], 4).view(dtype)[:, 0]
        new = values[turn] if operation == "exch" else _ATOMIC[operation](
            old, values[turn])
        memory.write(where[turn], np.ascontiguousarray(new).view(
            np.uint8).reshape(-1, 4))
        before[turn] = old
        waiting = np.delete(waiting, first)
    if returns and instruction.operands[0] != "_":
        write(block, instruction.operands[0], kind, active, before)


def _copy_async(block, instruction, active, parts):
    if parts[2] == "commit_group":
        block.groups[active] += 1
        return
    if parts[2] in ("wait_group", "wait_all"):
        keep = int(instruction.operands[0]) if instruction.operands else 0
        return block.finish_copies(active, keep)
    target, source, size = instruction.operands[:3]
    size = int(size)
    used = np.full(len(active), size)
    if len(instruction.operands) > 3:
        used = read(block, instruction.operands[3], "u32", active)
    to = address(block, target, "shared", active)
    data = np.zeros((len(active), size), np.uint8)
    inside = used > 0
    if not np.isin(used, (0, size)).all():
        raise MemoryError_("a copy of a part of its bytes")
    if inside.any():
        start = address(block, source, "global", active)[inside]
        data[inside] = block.machine.memory.read(start, size)
    block.shared.expect(to, size)
    block.in_flight.check_write(to)
    block.shared.count(to, active, size)
    block.start_copies(active, to, data)


def _select(block, instruction, active, parts):
    a, b = (read(block, x, parts[-1], active) for x in instruction.operands[1:3])
    flag = read(block, instruction.operands[3], "pred", active)
    write(block, instruction.operands[0], parts[-1], active, np.where(flag, a, b))


def _fence(block, instruction, active, parts):
    # Writes land at once, but for another proxy.
    if parts[1] == "proxy":
        block.shared.fence(active, len(active) == block.threads)


def _of_kind(handler, *arguments):
    """A handler that is given the type only."""
    return lambda block, instruction, active, parts: handler(
        block, instruction, active, parts[-1], *arguments)


# Those of whole warps and groups say what is wrong even with no thread.
_COLLECTIVE = {"cp": _copy_async, "wgmma": warpgroup.execute, **dict.fromkeys(
    ("mma", "shfl", "dp4a", "redux", "ldmatrix"), warp.execute)}
_HANDLERS = {
    "mov": _of_kind(_move), "ld": _load, "ldu": _load, "st": _store,
    "atom": _atomic, "red": _atomic, "fence": _fence, "membar": _fence,
    "setp": lambda block, instruction, active, parts: _setp(
        block, instruction, active, parts[-1], parts),
    "selp": _select, "cvt": _convert, "shl": _of_kind(_shift, True),
    "shr": _of_kind(_shift, False), "bfe": _of_kind(_bfe),
    "prmt": lambda block, instruction, active, parts: _prmt(
        block, instruction, active),
    **dict.fromkeys(("add", "sub", "mul", "mad", "fma", "div", "rem", "min", "max",
                     "and", "or", "xor", "not", "neg", "abs"), _arithmetic)}


def _find_handler(instruction):
    name = instruction.parts[0]
    if name in _COLLECTIVE:
        return _COLLECTIVE[name]
    handler = _HANDLERS.get(name)
    if not handler:
        _unsupported(instruction)
    return lambda block, instruction, active, parts: \
        handler(block, instruction, active, parts) if len(active) else None


def execute(block, instruction, active):
    if instruction.handler is None:
        instruction.handler = _find_handler(instruction)
    instruction.handler(block, instruction, active, instruction.parts)
