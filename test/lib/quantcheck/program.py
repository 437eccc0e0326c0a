"""One small program with what it must compute.

A `Case` is a function: its arguments with their data, the lines of its body,
and for each result a rule that judges what came back. `module.py` puts many of
them into one MLIR module, since starting the compiler costs more than a case.
"""

import numpy as np

# NumPy has no bfloat16: its files hold two opaque bytes an element.
BF16 = np.dtype("V2")
ELEMENTS = {np.dtype(np.float32): "f32", np.dtype(np.float16): "f16",
            BF16: "bf16", np.dtype(np.int8): "i8", np.dtype(np.uint8): "i8",
            np.dtype(np.int16): "i16", np.dtype(np.uint16): "i16",
            np.dtype(np.int32): "i32", np.dtype(np.int64): "i64"}


def to_bf16(x):
    """float32 rounded to bfloat16, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    quiet = (bits >> 16) | 0x40
    return np.where(np.isnan(x), quiet, rounded).astype(np.uint16).view(BF16)


def to_float(x):
    """Any float array as float64, exactly."""
    x = np.asarray(x)
    if x.dtype == BF16:
        bits = x.view(np.uint16).astype(np.uint32) << 16
        x = bits.view(np.float32)
    return x.astype(np.float64)


def round_to(x, element):
    """float32 values rounded to `element`, in its storage type."""
    x = np.asarray(x, np.float32)
    if element == "bf16":
        return to_bf16(x)
    with np.errstate(over="ignore"):
        return x.astype(np.float16 if element == "f16" else np.float32)


def element_of(array):
    return ELEMENTS[np.asarray(array).dtype]


def tensor(shape, element):
    """`tensor<2x?xf32>`; None is a dynamic size."""
    sizes = "".join(f"{'?' if n is None else n}x" for n in shape)
    return f"tensor<{sizes}{element}>"


def literal(array, element):
    """The text between `dense<` and `>`, bit for bit."""
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    if array.size == 0:
        return ""
    if element == "i4":
        return str(array.astype(np.int64).tolist())
    data = array.tobytes().hex().upper()
    if array.size > 1:
        return f'"0x{data}"'
    if array.dtype.kind in "iu":
        return str(int(array.ravel()[0]))
    return "0x" + bytes.fromhex(data)[::-1].hex().upper()


def equal(expected):
    """A rule: the result is `expected`, bit for bit but for the sign of 0 and
    the payload of NaN."""
    expected = np.asarray(expected)

    def judge(got):
        a, b = got, expected
        if a.dtype.kind in "fV":
            a, b = to_float(a), to_float(b)
        elif a.dtype.itemsize == b.dtype.itemsize:
            b = b.view(a.dtype)
        if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            return None
        return difference(a, b)
    return judge


def within(expected, bound):
    """A rule: every element is `expected` within `bound` (may be an array)."""
    expected = to_float(expected)

    def judge(got):
        off = np.abs(to_float(got) - expected)
        bad = ~((off <= bound) | (np.isnan(expected) & np.isnan(to_float(got))))
        if not bad.any():
            return None
        return difference(to_float(got), expected) + \
            f", allowed {np.broadcast_to(bound, off.shape)[bad].ravel()[0]:.3g}"
    return judge


def difference(got, expected):
    """Where two arrays differ first, in words."""
    differs = ~((got == expected) | ((got != got) & (expected != expected)))
    where = np.argwhere(differs)
    if not len(where):
        return "the values are equal, the types are not"
    at = tuple(int(i) for i in where[0])
    return (f"{len(where)} of {got.size} differ, first at {list(at)}: expected "
            f"{expected[at]}, found {got[at]}")


class Case:
    def __init__(self, name):
        self.name = name
        self.arguments, self.lines, self.results = [], [], []
        self.counter = 0

    def fresh(self):
        self.counter += 1
        return f"%v{self.counter}"

    def argument(self, array, dynamic=()):
        """(name, type) of a new argument; sizes in `dynamic` are `?`."""
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        shape = [None if i in dynamic else n for i, n in enumerate(array.shape)]
        value = f"%a{len(self.arguments)}", tensor(shape, element_of(array))
        self.arguments.append((value, array))
        return value

    def constant(self, array, element=None):
        element = element or element_of(array)
        type_ = tensor(np.shape(array), element)
        return self.line(
            f"arith.constant dense<{literal(array, element)}> : {type_}", type_)

    def line(self, text, type_):
        name = self.fresh()
        self.lines.append(f"{name} = {text}")
        return name, type_

    def lines_of(self, text, count):
        """`%a, %b = text`: the names of an op with several results."""
        names = [self.fresh() for _ in range(count)]
        self.lines.append(f"{', '.join(names)} = {text}")
        return names

    def cast(self, value, type_):
        if value[1] == type_:
            return value
        return self.line(f"tensor.cast {value[0]} : {value[1]} to {type_}",
                         type_)

    def result(self, value, shape, rule):
        """`value` comes back; `shape` is its static one."""
        self.results.append((value, tuple(shape), rule))

    def folded(self):
        """The same case with constants for arguments: compile-time folding."""
        twin = Case(self.name)
        twin.results = self.results
        for (name, type_), array in self.arguments:
            static = tensor(array.shape, element_of(array))
            constant = (f"arith.constant dense<{literal(array, static)}> : "
                        f"{static}")
            if static == type_:
                twin.lines.append(f"{name} = {constant}")
            else:
                twin.lines += [f"{name}s = {constant}",
                               f"{name} = tensor.cast {name}s : {static} to "
                               f"{type_}"]
        twin.lines += self.lines
        return twin

    def function(self, name):
        arguments = ", ".join(f"{v}: {t}" for (v, t), _ in self.arguments)
        types = ", ".join(value[1] for value, *_ in self.results)
        names = ", ".join(value[0] for value, *_ in self.results)
        body = "\n    ".join(self.lines)
        return (f"  func.func private @{name}({arguments}) -> ({types})"
                f' attributes {{passthrough = ["noinline"]}} {{\n    {body}\n'
                f"    return {names} : {types}\n  }}\n")
