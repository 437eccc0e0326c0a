"""What the compiler made of a program: its products, and their weights."""

import re

import numpy as np

from quantcheck.spelling.problem import WEIGHT_ONLY

LEFT = re.compile(r"linalg\.(?:batch_|quantized_|quantized_batch_)?(?:matmul|"
                  r"vecmat|matvec|dot|contract|mmt4d)\b|linalg\.generic "
                  r'[^\n]*"reduction"')
PRODUCT = re.compile(
    r"quant\.(scaled_)?matmul ins\((%\w+), (%\w+) : (tensor<[^>]*>), "
    r"(tensor<[^>]*>)\)([^\n]*)")
CONSTANT = re.compile(r"(%\w+) = arith\.constant dense<([^\n]*)> : "
                      r"tensor<([^>]*)>")
UNPACK = re.compile(r"(%\w+) = quant\.unpack_int4 (%\w+) : tensor<[^>]*> -> "
                    r"tensor<([^>]*)>")


def functions(text):
    """{name: text} of a module's functions, large constants inside."""
    # A blob begins with its alignment, in 4 bytes.
    blobs = dict(re.findall(r'^ *(\w+): "0x\w{8}(\w*)"', text, re.MULTILINE))
    text = re.sub(r"dense_resource<(\w+)>",
                  lambda found: f'dense<"0x{blobs[found[1]]}">', text)
    parts = re.split(r"^ *func\.func (?:private |public )?@", text,
                     flags=re.MULTILINE)
    return {part[:part.index("(")]: part for part in parts[1:]}


def sizes_of(type_):
    """((sizes), element) of a tensor type's inside."""
    *sizes, element = type_.split("x")
    return tuple(int(s) for s in sizes), element


def numbers_of(text, type_):
    """The integers or floats between `dense<` and `>`."""
    shape, element = sizes_of(type_)
    bits = int(element[1:])
    kind = "<i" if element[0] == "i" else "<f"
    if text.startswith('"0x'):
        data = np.frombuffer(bytes.fromhex(text[3:-1]),
                             f"{kind}{max(bits, 8) // 8}")
        if element == "i4":
            data = np.where(data & 8, (data & 15).astype(np.int64) - 16,
                            data & 15)
        return data.reshape(shape)
    found = [float(v) for v in re.findall(r"[-+.\dE]+", text.replace("e", "E"))]
    if element[0] == "i":
        found = [int(v) for v in found]
    data = np.array(found[0] if len(found) == 1 else found)
    return np.broadcast_to(data, shape) if len(found) == 1 else \
        data.reshape(shape)


class Function:
    def __init__(self, text):
        self.text = text
        self.constants = {}
        for name, inside, type_ in CONSTANT.findall(text):
            self.constants[name] = inside, type_
        self.unpacked = {name: (source, type_)
                         for name, source, type_ in UNPACK.findall(text)}

    def constant(self, name):
        """The numbers of a value, or None where it is no constant."""
        if name in self.unpacked:
            source, type_ = self.unpacked[name]
            packed = self.constant(source)
            if packed is None:
                return None
            shape, _ = sizes_of(type_)
            low = (packed.astype(np.int64) & 255)[..., None] >> [0, 4] & 15
            nibbles = low.reshape(packed.shape[:-1] + (-1,))[..., :shape[-1]]
            return np.where(nibbles > 7, nibbles - 16, nibbles)
        if name not in self.constants:
            return None
        return numbers_of(*self.constants[name])

    def left(self):
        """The first product that is not one of ours."""
        found = LEFT.search(self.text)
        if not found:
            return None
        line = self.text[self.text.rindex("\n", 0, found.start()) + 1:]
        return line[:line.index("\n")].strip()[:160]

    def float_rows(self):
        """The product whose activations are floats."""
        found = re.search(r"quant\.scaled_matmul ins\(%\w+, %\w+ : "
                          r"tensor<[^>]*x[bf]+\d+>[^\n]*", self.text)
        return found[0][:120] if found else None

    def weights(self):
        """(q - zero, whether an offset is added to the real weight) of every
        product's constant side, as [N, K] or, for a product's left side, as
        [M, K]; or words where there is none."""
        return [(self.centered(*found), "rhs_offset(" in found[-1])
                for found in PRODUCT.findall(self.text)]

    def operand(self, rest, name):
        found = re.search(rf"\b{name}\((%\w+) :", rest)
        return self.constant(found[1]) if found else 0

    def centered(self, scaled, lhs, rhs, lhs_type, rhs_type, rest):
        side, q = "rhs", self.constant(rhs)
        if q is None:
            side, q = "lhs", self.constant(lhs)
        if q is None:
            return "the product has no constant side"
        q = q.astype(np.int64)
        if f"{side}_unsigned" in rest:
            bits = sizes_of((rhs_type if side == "rhs" else lhs_type)[7:-1])[1]
            q = q & ((1 << int(bits[1:])) - 1)
        book = re.search(rf"{side}_codebook = array<i8: ([^>]*)>", rest)
        if book:  # the integers are numbers of entries
            q = np.array(book[1].split(","), np.int64)[q & 15]
        zero = self.operand(rest, f"{side}_zero_point")
        if zero is None:
            return "the weight's zero point is no constant"
        zero = np.asarray(zero, np.int64)
        while q.ndim > 2 and q.shape[0] == 1:
            q, zero = q[0], zero[0] if zero.ndim > 1 else zero
        if scaled:
            if zero.ndim:
                size = int(re.search(r"group_size = (\d+)", rest)[1])
                zero = np.repeat(zero, size, axis=1)[:, :q.shape[1]]
            return q - zero
        if side == "rhs" and "transpose_rhs" not in rest:
            q = q.swapaxes(-1, -2)
        return q - (zero[..., None] if zero.ndim else zero)


def same_integers(found, offset, weight):
    """None, or how the integers `found` differ from the weight's own. A group
    with a negative scale may be mirrored, one without a scale may be zeros."""
    if isinstance(found, str):
        return found
    expected = weight.q if offset else weight.centered
    if found.ndim == 2 and found.shape[1] == weight.groups * weight.group:
        found = found[:, :weight.k]  # whole groups, whatever is behind K
    if found.shape != expected.shape:
        return (f"expected a weight of shape {expected.shape}, found "
                f"{found.shape}")
    scales = weight.scales
    if not weight.ordered:  # the columns may have been sorted by their group
        expected = np.where(scales == 0, 0, expected)
        expected, found = (np.array(sorted(map(tuple, np.abs(a).T))).T
                           for a in (expected, found))
    mirrored, gone = scales < 0, scales == 0
    right = (found == expected) | mirrored & (found == -expected) | \
        gone & (found == 0)
    if right.all():
        return None
    at = tuple(int(i) for i in np.argwhere(~right)[0])
    return (f"{int((~right).sum())} of {right.size} integers of the weight "
            f"differ, first at {list(at)}: expected {expected[at]}, found "
            f"{found[at]}")


def judge(text, program):
    """None, or (kind, words) on one function of the compiled module."""
    function = Function(text)
    left = function.left()
    if left:
        return "left", left
    found = function.weights()
    if len(found) != 1:
        return "left", f"expected one product, found {len(found)}"
    if program.problem.kind != WEIGHT_ONLY and function.float_rows():
        return "left", "the activations are floats: " + function.float_rows()
    if not program.constant_weight:
        return None
    wrong = same_integers(*found[0], program.problem.weight)
    return ("integers", wrong) if wrong else None
