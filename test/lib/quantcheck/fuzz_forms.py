"""Random float programs that `quant-quantize-matmul` quantizes: the ways in
which a contraction with a weight is written, and what stands behind it."""

import numpy as np
from quantsim import schemes

from quantcheck.draw import F32
from quantcheck.program import Case, equal, round_to, tensor, to_float, within

STEP = {"f32": 2.0**-23, "f16": 2.0**-10, "bf16": 2.0**-7}


def maps(loops, *results):
    dims = ", ".join(f"d{i}" for i in range(loops))
    return "[" + ", ".join(
        f"affine_map<({dims}) -> ({', '.join(f'd{i}' for i in r)})>"
        for r in results) + "]"


def kinds(text):
    words = {"p": '"parallel"', "r": '"reduction"'}
    return "[" + ", ".join(words[c] for c in text) + "]"


def rounded(x, element):
    """float32 values rounded to `element`, as float32."""
    return to_float(round_to(x, element)).astype(F32)


class Form:
    """A program under construction: `value` stands for `numbers` with the
    static `shape`; `typed` holds None where a size is dynamic. `bound` is what
    sums of floats, whose order is free, may differ by (0: integers)."""

    def __init__(self, case, draw, quantized, element):
        self.case, self.draw, self.quantized = case, draw, quantized
        self.serial, self.bound = 0, np.float64(0)
        self.element = element
        self.weights = self.element  # the weights' own

    def linear(self, x, w, transpose):
        """What the scheme makes of x times w, before it is rounded."""
        scheme = self.quantized.scheme
        if scheme.activations == "float":
            real = np.abs(self.quantized.float_weight(w, transpose))
            self.bound = (x.shape[-1] + 8) * 2.0**-24 * (
                np.abs(self.quantized.rotate(x)).astype(np.float64) @ real.T
                + 1e-3)
        return self.quantized(x, w, transpose)

    def zero(self):
        return f"arith.constant 0.0 : {self.element}"

    def text(self, line):
        self.case.lines.append(line)

    def name(self):
        self.serial += 1
        return f"%f{self.serial}"

    def start(self, shape, dynamic):
        x = self.draw.floats(shape, self.draw.pick(0.1, 1, 1, 10))
        if self.element != "f32":  # no sum overflows f16
            x = np.clip(x, -20, 20)
        x = round_to(x, self.element)
        value = self.case.argument(x, (0,) if dynamic else ())
        self.value, self.shape = value[0], tuple(shape)
        self.numbers = to_float(x).astype(F32)
        self.typed = ((None,) if dynamic else (shape[0],)) + tuple(shape[1:])

    def weight(self, shape):
        """Numbers that the weights' element type holds."""
        w = self.draw.floats(shape, self.draw.pick(0.02, 0.3))
        w = w if self.weights == "f32" else np.clip(w, -1, 1)
        return rounded(w, self.weights)

    def constant(self, w):
        return self.case.constant(round_to(w, self.weights), self.weights)

    def init(self, shape, typed, fill=True):
        """A tensor of zeros to sum into, or to write."""
        size = ""
        if typed[0] is None:
            d, c = self.name(), self.name()
            self.text(f"{c} = arith.constant 0 : index")
            self.text(f"{d} = tensor.dim {self.value}, {c} : "
                      f"{tensor(self.typed, self.element)}")
            size = d
        empty, zero, full = self.name(), self.name(), self.name()
        t = tensor(typed, self.element)
        self.text(f"{empty} = tensor.empty({size}) : {t}")
        if not fill:
            return empty, t
        self.text(f"{zero} = {self.zero()}")
        self.text(f"{full} = linalg.fill ins({zero} : {self.element}) outs("
                  f"{empty} : {t}) -> {t}")
        return full, t

    def become(self, value, typed, numbers):
        self.value, self.typed = value, typed
        self.numbers, self.shape = rounded(numbers, self.element), numbers.shape
        if self.bound.any():
            bound = self.bound.reshape(self.shape)
            self.bound = bound + STEP[self.element] * (
                np.abs(self.numbers) + bound)

    def operation(self, op, w, y_shape, extra="", region=""):
        """A named or generic op of the value and the weight (name, type)."""
        typed = ((self.typed[0],) + y_shape[1:]) if self.typed[0] is None \
            else y_shape
        x_type = tensor(self.typed, self.element)
        init, t = self.init(y_shape, typed)
        y = self.name()
        self.text(f"{y} = {op} {extra} ins({self.value}, {w[0]} : {x_type}, "
                  f"{w[1]}) outs({init} : {t}) {region} -> {t}")
        return y, typed

    def multiply_add(self):
        return """{
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %c, %m : f32
      linalg.yield %s : f32
    }""".replace("f32", self.element)


def matmul(form, n):
    """Named: plain, with indexing maps, behind linalg.transpose."""
    (m, k), draw = form.shape, form.draw
    how = draw.pick("plain", "maps", "transpose", "contract")
    nk = how == "transpose" or how != "plain" and draw.chance(.5)
    w = form.weight((n, k) if nk else (k, n))
    value = form.constant(w)
    op, extra = "linalg.matmul", ""
    if how == "transpose":
        empty, turned = form.name(), form.name()
        t = tensor((k, n), form.weights)
        form.text(f"{empty} = tensor.empty() : {t}")
        form.text(f"{turned} = linalg.transpose ins({value[0]} : {value[1]}) "
                  f"outs({empty} : {t}) permutation = [1, 0]")
        value = turned, t
    elif how in ("maps", "contract"):
        extra = "indexing_maps = " + maps(
            3, (0, 2), (1, 2) if nk else (2, 1), (0, 1))
        op = "linalg.contract" if how == "contract" else op
    y, typed = form.operation(op, value, (m, n), extra)
    return y, typed, form.linear(form.numbers, w, nk)


def generic(form, n):
    """linalg.generic with its loops in any order."""
    (m, k), draw = form.shape, form.draw
    nk = draw.chance(.5)
    w = form.weight((n, k) if nk else (k, n))
    order = draw.rng.permutation(3)
    i, j, r = (int(order[d]) for d in range(3))
    letters = "".join("r" if d == r else "p" for d in range(3))
    extra = (f"{{indexing_maps = {maps(3, (i, r), (j, r) if nk else (r, j), (i, j))}"
             f", iterator_types = {kinds(letters)}}}")
    y, typed = form.operation("linalg.generic", form.constant(w), (m, n),
                              extra, form.multiply_add())
    return y, typed, form.linear(form.numbers, w, nk)


def batched_rows(form, n):
    """x of rank 3: the weight is shared by the batch, as a generic or copied
    to each batch before a batch_matmul (ONNX)."""
    (b, m, k), draw = form.shape, form.draw
    if draw.chance(.5):
        nk = draw.chance(.5)
        w = form.weight((n, k) if nk else (k, n))
        extra = (f"{{indexing_maps = {maps(4, (0, 1, 3), (2, 3) if nk else (3, 2), (0, 1, 2))}"
                 f", iterator_types = {kinds('pppr')}}}")
        y, typed = form.operation("linalg.generic", form.constant(w),
                                  (b, m, n), extra, form.multiply_add())
        return y, typed, form.linear(form.numbers, w, nk)
    w = form.weight((k, n))
    value, t = form.constant(w), tensor((b, k, n), form.weights)
    empty, copy = form.name(), form.name()
    form.text(f"{empty} = tensor.empty() : {t}")
    form.text(f"""{copy} = linalg.generic {{indexing_maps = {maps(3, (1, 2), (0, 1, 2))}, iterator_types = {kinds('ppp')}}} ins({value[0]} : {value[1]}) outs({empty} : {t}) {{
    ^bb0(%a: {form.weights}, %b: {form.weights}):
      linalg.yield %a : {form.weights}
    }} -> {t}""")
    y, typed = form.operation("linalg.batch_matmul", (copy, t), (b, m, n))
    return y, typed, form.linear(form.numbers, w, False)


def heads(form, n):
    """Two dimensions of columns, or two of reduction (JAX's einsum)."""
    draw = form.draw
    b, m, k = form.shape
    h = draw.pick(2, 3, 4)
    w = form.weight((k, h, n))
    extra = (f"{{indexing_maps = {maps(5, (0, 1, 4), (4, 2, 3), (0, 1, 2, 3))}, "
             f"iterator_types = {kinds('ppppr')}}}")
    y, typed = form.operation("linalg.generic", form.constant(w),
                              (b, m, h, n), extra, form.multiply_add())
    flat = form.linear(form.numbers, np.ascontiguousarray(
        w.reshape(k, h * n)), False)
    return y, typed, flat.reshape(b, m, h, n)


def heads_in(form, n):
    b, m, h, e = form.shape
    w = form.weight((h, e, n))
    extra = (f"{{indexing_maps = {maps(5, (0, 1, 3, 4), (3, 4, 2), (0, 1, 2))}, "
             f"iterator_types = {kinds('ppprr')}}}")
    y, typed = form.operation("linalg.generic", form.constant(w),
                              (b, m, n), extra, form.multiply_add())
    flat = form.linear(form.numbers.reshape(b, m, h * e),
                       np.ascontiguousarray(w.reshape(h * e, n)), False)
    return y, typed, flat


def vecmat(form, n):
    (k,) = form.shape
    w = form.weight((k, n))
    y, typed = form.operation("linalg.vecmat", form.constant(w), (n,))
    return y, typed, form.linear(form.numbers.reshape(1, k), w,
                                 False).reshape(n)


def elementwise(form, op, other=None):
    """`value op other`, other a vector along the last dimension."""
    rank = len(form.shape)
    empty, t = form.init(form.shape, form.typed, fill=False)
    y, all_dims, e = form.name(), tuple(range(rank)), form.element
    if other is not None:
        form.text(f"""{y} = linalg.generic {{indexing_maps = {maps(rank, all_dims, (rank - 1,), all_dims)}, iterator_types = {kinds('p' * rank)}}} ins({form.value}, {other[0]} : {t}, {other[1]}) outs({empty} : {t}) {{
    ^bb0(%a: {e}, %b: {e}, %c: {e}):
      %s = {op} %a, %b : {e}
      linalg.yield %s : {e}
    }} -> {t}""")
    else:
        form.text(f"""{y} = linalg.generic {{indexing_maps = {maps(rank, all_dims, all_dims)}, iterator_types = {kinds('p' * rank)}}} ins({form.value} : {t}) outs({empty} : {t}) {{
    ^bb0(%a: {e}, %c: {e}):
      %z = {form.zero()}
      %s = {op} %a, %z : {e}
      linalg.yield %s : {e}
    }} -> {t}""")
    return y


def epilogue(form):
    draw = form.draw
    if draw.chance(.5):
        bias = rounded(draw.rng.standard_normal(form.shape[-1]), form.element)
        y = elementwise(form, "arith.addf", form.case.constant(
            round_to(bias, form.element), form.element))
        form.become(y, form.typed, form.numbers + bias)
    if draw.chance(.4):
        y = elementwise(form, "arith.maximumf")
        form.become(y, form.typed, np.maximum(form.numbers, F32(0)))


def program(draw, scheme, element=None):
    """One or two layers of one form under `scheme` (text of the options)."""
    element = element or draw.pick("f32", "f32", "f32", "f16", "bf16")
    quantized = schemes.QuantLinear(schemes.Scheme.parse(scheme))
    summed = quantized.scheme.activations == "float"
    make = draw.pick(matmul, matmul, matmul, generic, generic, batched_rows,
                     heads, heads_in, vecmat)
    case = Case(f"{make.__name__} {scheme}")
    form = Form(case, draw, quantized, element)
    case.name += f" {form.element}"
    n = draw.columns()
    k = draw.depth(n)
    m, dynamic = draw.rows(), False
    if make in (matmul, generic):
        dynamic = draw.chance(.3)
        shape = (m, k)
    elif make is vecmat:
        shape = (k,)
    elif make is heads_in:
        shape = (draw.pick(1, 2), min(m, 9), draw.pick(1, 2, 3), min(k, 65))
    else:
        shape = (draw.pick(1, 2, 3), min(m, 17), k)
    if make is heads:
        n = min(n, 33)
    form.start(shape, dynamic)
    form.become(*make(form, n))
    epilogue(form)
    if make in (matmul, generic) and not summed and draw.chance(.3):
        form.become(*draw.pick(matmul, generic)(form, draw.columns()))
        epilogue(form)
    case.result((form.value, tensor(form.typed, form.element)), form.shape,
                within(form.numbers, form.bound) if summed else
                equal(form.numbers))
    return case
