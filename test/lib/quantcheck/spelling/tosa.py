"""The same products as TOSA programs: operands of one rank, a product of rank
3, sides of a product in either order."""

import numpy as np

from quantcheck.draw import F32
from quantcheck.program import literal, tensor
from quantcheck.spelling.problem import MATMUL_INTEGER
from quantcheck.spelling.scaling import wrapped
from quantcheck.spelling.writer import NUMPY, arranged, prefix_of


def suits(problem):
    """Whether TOSA has the types for a problem."""
    w, x = problem.weight, problem.x
    if problem.real != "f32" or problem.dynamic or w.looked_up or w.unsigned and w.bits == 8 or \
            problem.k % w.group and w.granularity == "group":
        return False
    if x.floats:
        return True
    if problem.kind == MATMUL_INTEGER and (x.atoms or w.zero_atoms):
        return False
    return not x.unsigned and not (problem.out and problem.out[2] == 0)


class Tosa:
    """Writes one problem; `writer` holds the lines."""

    def __init__(self, writer, problem, k_dim):
        self.writer, self.axes, self.problem = writer, writer.axes, problem
        self.k_dim = k_dim

    def axis(self, name, *options):
        return self.axes(f"tosa {name}", *options)

    # Ops.
    def constant(self, array, element, dims):
        array = np.asarray(array)
        type_ = tensor(array.shape, element)
        return self.writer.new(
            f'"tosa.const"() <{{values = dense<{literal(array, element)}> : '
            f"{type_}}}> : () -> $T", dims, element)

    def zero(self, element):
        return self.constant(np.zeros(1, NUMPY[element]), element, [()])

    def unary(self, op, value, element=None, attributes=""):
        return self.writer.new(
            f"tosa.{op} {value.name}{attributes} : "
            f"({self.writer.type(value)}) -> $T", value.dims,
            element or value.element)

    def binary(self, op, value, other):
        """Of a value and a parameter that is spread over it."""
        sides = [value, other]
        if op in ("mul", "add") and self.axis(
                "operand order", "value first", "value second") != "value first":
            sides.reverse()
        names = [s.name for s in sides]
        types = [self.writer.type(s) for s in sides]
        if op == "mul":
            shift = self.zero("i8")
            names.append(shift.name)
            types.append("tensor<1xi8>")
        return self.writer.new(
            f"tosa.{op} {', '.join(names)} : ({', '.join(types)}) -> $T",
            value.dims, value.element)

    def reshape(self, value, dims):
        if value.dims == tuple(dims):
            return value
        shape = self.writer.shape(dims)
        name = self.writer.line(
            f"tosa.const_shape {{values = dense<{shape}> : tensor<{len(shape)}"
            f"xindex>}} : () -> !tosa.shape<{len(shape)}>")
        return self.writer.new(
            f"tosa.reshape {value.name}, {name} : ({self.writer.type(value)}, "
            f"!tosa.shape<{len(shape)}>) -> $T", dims, value.element)

    def transpose(self, value, dims):
        order = [value.dims.index(d) for d in dims]
        if order == list(range(len(order))):
            return value
        return self.writer.new(
            f"tosa.transpose {value.name} {{perms = array<i32: "
            f"{', '.join(map(str, order))}>}} : ({self.writer.type(value)}) -> "
            "$T", dims, value.element)

    # Parameters.
    def parameter(self, array, atoms, element, dims):
        """A constant of the rank of `dims`."""
        places = tuple(prefix_of(d, atoms) for d in dims)
        array = arranged(array, atoms, places, self.writer.sizes)
        return self.constant(array, element, places)

    def zero_point(self, zero, atoms, element, dims):
        stored = self.axis("zero point type", element, "i8")
        if stored == "f32":
            return self.parameter(np.asarray(zero, F32), atoms, "f32", dims)
        held = self.parameter(wrapped(zero, stored), atoms, stored, dims)
        return held if stored == element else self.unary("cast", held, element)

    def scaled(self, value, scale, atoms):
        return self.binary("mul", value, self.parameter(
            np.asarray(scale, F32), atoms, "f32", value.dims))

    def dequantize(self, value, scale, scale_atoms, zero, zero_atoms):
        if zero_atoms is None:
            return self.scaled(self.unary("cast", value, "f32"), scale,
                               scale_atoms)
        element = self.axis("subtraction", "i32", "f32")
        value = self.unary("cast", value, element)
        value = self.binary("sub", value, self.zero_point(
            zero, zero_atoms, element, value.dims))
        if element == "i32":
            value = self.unary("cast", value, "f32")
        return self.scaled(value, scale, scale_atoms)

    def quantize(self, value, scale, atoms, zero, zero_atoms, low, high):
        scale = np.asarray(scale, F32)
        if self.axis("reciprocal", "a constant", "computed") == "computed":
            inverse = self.unary("reciprocal", self.parameter(
                scale, atoms, "f32", value.dims))
            value = self.binary("mul", value, inverse)
        else:
            value = self.scaled(value, F32(1) / scale, atoms)
        if self.axis("clamped as", "f32", "i32") == "i32":
            value = self.unary("cast", value, "i32")
            if zero_atoms is not None:
                value = self.binary("add", value, self.zero_point(
                    zero, zero_atoms, "i32", value.dims))
            value = self.unary(
                "clamp", value, None,
                f" {{min_val = {low} : i32, max_val = {high} : i32}}")
            return self.unary("cast", value, "i8")
        if zero_atoms is not None:
            value = self.binary("add", value, self.zero_point(
                zero, zero_atoms, "f32", value.dims))
        if self.axis("clamp", "written", "by the cast") == "written":
            value = self.unary(
                "clamp", value, None,
                f" {{min_val = {low}.0 : f32, max_val = {high}.0 : f32}}")
        return self.unary("cast", value, "i8")

    # The program.
    def rows(self):
        x, writer = self.problem.x, self.writer
        dims = (("b",), ("m",), self.k_dim) if x.b > 1 else \
            ((), ("m",), self.k_dim)
        atoms = ("b", "m") + self.k_dim if x.b > 1 else ("m",) + self.k_dim
        data = x.q if not x.floats and x.given else x.x
        data = arranged(data.reshape([writer.sizes[a] for a in atoms]), atoms,
                        dims, writer.sizes)
        if x.floats:
            return writer.argument(data, dims)
        if x.given:
            value = writer.argument(data.astype(np.int8), dims)
        else:
            value = self.quantize(writer.argument(data, dims), x.scale, x.atoms,
                                  x.zero, x.zero_atoms, x.low, x.high)
        if self.problem.kind == MATMUL_INTEGER:
            return value
        return self.dequantize(value, x.scale, x.atoms, x.zero, x.zero_atoms)

    def weight(self):
        w, writer = self.problem.weight, self.writer
        atoms = ("n",) + self.k_dim
        layouts = {"[1, K, N]": ((), self.k_dim, ("n",)),
                   "[K, N]": (self.k_dim, ("n",)),
                   "[N, K]": (("n",), self.k_dim)}
        if len(self.k_dim) == 2:
            del layouts["[1, K, N]"], layouts["[K, N]"], layouts["[N, K]"]
            layouts |= {"[G, S, N]": (("g",), ("s",), ("n",)),
                        "[N, G, S]": (("n",), ("g",), ("s",))}
        dims = layouts[self.axes.even("tosa weight layout", *layouts)]
        laid = arranged(w.q.reshape([writer.sizes[a] for a in atoms]), atoms,
                        dims, writer.sizes)
        value = self.constant(laid.astype(np.int8), "i8", dims)
        turn_late = self.problem.kind != MATMUL_INTEGER and \
            self.axis("transpose", "after", "before") == "after"
        if not turn_late:
            value = self.turned(value)
        if self.problem.kind != MATMUL_INTEGER:
            value = self.dequantize(value, w.scale, w.scale_atoms, w.zero,
                                    w.zero_atoms)
        value = self.turned(value)
        return self.reshape(value, ((), self.k_dim, ("n",)))

    def turned(self, value):
        """N last."""
        if value.dims[-1] == ("n",):
            return value
        return self.transpose(value, value.dims[1:] + (("n",),))

    def product(self, x, w):
        writer, element = self.writer, x.element
        if x.dims[0] == ("b",):  # one product of all rows
            x = self.reshape(x, ((), ("b", "m"), self.k_dim))
        dims = ((), x.dims[1], ("n",))
        zeros = [self.zero("f32"), self.zero("f32")]
        if element == "i8":
            p = self.problem
            zeros = [self.constant(np.full(1, z, np.int8), "i8", [()])
                     for z in (p.x.zero, p.weight.zero)]
        result = "i32" if element == "i8" else "f32"
        return writer.new(
            f"tosa.matmul {x.name}, {w.name}, {zeros[0].name}, {zeros[1].name} "
            f": ({writer.type(x)}, {writer.type(w)}, tensor<1x{element}>, "
            f"tensor<1x{element}>) -> $T", dims, result)

    def epilogue(self, y):
        problem = self.problem
        if self.axis("result", "rank 3", "rank 2") == "rank 2":
            y = self.reshape(y, y.dims[1:])
        if problem.scaled:
            y = self.scaled(self.unary("cast", y, "f32"), *problem.scaled)
        if problem.bias is not None:
            y = self.binary("add", y, self.parameter(problem.bias, ("n",),
                                                     "f32", y.dims))
        if problem.out:
            scale, zero, low, high = problem.out
            y = self.quantize(y, scale, (), np.asarray(zero), (), low, high)
        return y

    def run(self):
        return self.epilogue(self.product(self.rows(), self.weight()))
