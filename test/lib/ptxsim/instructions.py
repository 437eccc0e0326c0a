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
    """Values of `operand`, read as PTX type `kind`, of the active threads."""
    dtype = _NUMPY[kind]
    if operand in _SPECIAL:
        return _SPECIAL[operand](block, active).astype(dtype)
    if operand in block.kernel.registers:
        block.in_flight.check_register(operand)
        values = block.read_register(operand)[active]
        if kind == "pred" or values.dtype == np.bool_:
            return values
        size = np.dtype(dtype).itemsize
        if values.dtype.itemsize != size:
            values = values.astype(f"u{size}")
        return values.view(dtype)
    return np.full(len(active), _immediate(operand, kind), dtype)


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
    values = np.asarray(values)
    if values.dtype == np.bool_:
        block.write_register(operand, active, values)
        return
    target = block.read_register(operand)
    bits = values.dtype.itemsize
    raw = values.view(f"u{bits}")
    if kind and kind.startswith("s") and target.dtype.itemsize > bits:
        raw = values.astype(f"i{target.dtype.itemsize}").view(target.dtype)
    block.write_register(operand, active, raw)


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


def address(block, operand, space, active):
    base, offset = _ADDRESS.match(operand).groups()
    kind = "u32" if space == "shared" and base in block.kernel.registers and \
        block.kernel.registers[base] == ".b32" else "u64"
    values = read(block, base, kind, active).astype(np.int64)
    return values + int(offset or 0)


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
    names = _list(target) if target.startswith("{") else [target]
    size = _BITS[kind] // 8
    where = address(block, source, space, active)
    memory = block.shared if space == "shared" else block.machine.memory
    data = memory.read(where, size * len(names))
    if space == "shared":
        memory.count(where, active, size * len(names))
    for i, name in enumerate(names):
        part = np.ascontiguousarray(data[:, i * size:(i + 1) * size])
        write(block, name, kind, active, part.view(_NUMPY[kind])[:, 0])


def _store(block, instruction, active, parts):
    kind = parts[-1]
    space = _space(parts)
    target, source = instruction.operands
    names = _list(source) if source.startswith("{") else [source]
    where = address(block, target, space, active)
    data = np.concatenate(
        [np.ascontiguousarray(read(block, n, kind, active)).view(
            np.uint8).reshape(len(active), -1) for n in names], axis=1)
    if space == "shared":
        index = where[:, None] + np.arange(data.shape[1])
        block.in_flight.check_write(index)
        block.shared.write(where, data)
        block.shared.unfenced[index] = active[:, None]
        block.shared.count(where, active, data.shape[1])
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
    index = block.shared._index(to, size, size)
    if block.shared.pending[index].any() or len(np.unique(to)) != len(to):
        raise MemoryError_("a copy to where another copy is on its way to")
    block.in_flight.check_write(index)
    block.shared.pending[index] = True
    block.shared.count(to, active, size)
    block.start_copies(active, to, data)


def execute(block, instruction, active):
    parts = instruction.opcode.split(".")
    name = parts[0]
    if name == "cp":
        _copy_async(block, instruction, active, parts)
    elif name in ("mma", "shfl", "dp4a", "redux", "ldmatrix"):
        warp.execute(block, instruction, active, parts)
    elif name == "wgmma":
        warpgroup.execute(block, instruction, active, parts)
    elif not len(active):
        return
    elif name == "mov":
        _move(block, instruction, active, parts[-1])
    elif name in ("ld", "ldu"):
        _load(block, instruction, active, parts)
    elif name == "st":
        _store(block, instruction, active, parts)
    elif name in ("atom", "red"):
        with np.errstate(over="ignore"):
            _atomic(block, instruction, active, parts)
    elif name in ("fence", "membar"):
        # Writes land at once, but for another proxy.
        if parts[1] == "proxy":
            block.shared.fence(active)
    elif name == "setp":
        _setp(block, instruction, active, parts[-1], parts)
    elif name == "selp":
        a, b = (read(block, x, parts[-1], active)
                for x in instruction.operands[1:3])
        flag = read(block, instruction.operands[3], "pred", active)
        write(block, instruction.operands[0], parts[-1], active,
              np.where(flag, a, b))
    elif name == "cvt":
        _convert(block, instruction, active, parts)
    elif name in ("shl", "shr"):
        _shift(block, instruction, active, parts[-1], name == "shl")
    elif name == "prmt":
        _prmt(block, instruction, active)
    elif name == "bfe":
        _bfe(block, instruction, active, parts[-1])
    elif name in ("add", "sub", "mul", "mad", "fma", "div", "rem", "min", "max",
                  "and", "or", "xor", "not", "neg", "abs"):
        with np.errstate(all="ignore"):
            _arithmetic(block, instruction, active, parts)
    else:
        _unsupported(instruction)
