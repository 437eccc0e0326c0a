"""Evaluates an MLIR program in NumPy, as it is written.

The second opinion on programs that come without expected results. Upstream's
`mlir-opt` brings TOSA and named ops to `linalg.generic`, nothing else; each op
is then what its documentation says, element by element, in the order of its
loops. Sums of f32 that a reduction carries are kept in float64: what a sum
"is", within which every order of summation has its rounding.
"""

import itertools
import pathlib
import re
import subprocess

import numpy as np

from quantcheck.evaluate import quant_casts, tensor
from quantcheck.evaluate.body import Mismatch, Unsupported, apply
from quantcheck.generic_form import (as_element, constant, parse, split,
                                     tensor_type)
from quantcheck.program import to_float

MLIR_OPT = "mlir-opt-22"
# Before the generic form: TOSA to linalg, named ops to loops with a body.
_TOSA = ("func.func(tosa-to-linalg-named,tosa-to-linalg,tosa-to-arith,"
         "tosa-to-tensor)")
_NAMED = "linalg-generalize-named-ops"
MOST_STEPS = 3_000_000_000  # elements that a generic may visit


def _opt(command, stdin, timeout):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True,
                          timeout=timeout)
    if done.returncode:
        raise Unsupported("upstream cannot read the program: "
                          + done.stderr.strip().split("\n")[0])
    return done.stdout


def load(path, passes=(), mlir_opt=MLIR_OPT, timeout=60):
    """The parsed program; raises Unsupported where it cannot be read. `passes`
    of upstream run last.

    Upstream's rewriters fold `dcast(qcast(x))` to `x`, which is another number:
    the casts have a name that they do not know while they run."""
    text = pathlib.Path(path).read_bytes()
    passes = ([_TOSA] if b"tosa." in text else []) + [_NAMED, *passes]
    form = ["--mlir-print-op-generic", "--mlir-print-local-scope",
            "--mlir-print-elementsattrs-with-hex-if-larger=1"]
    plain = _opt([mlir_opt, str(path), *form], None, timeout)
    hidden = plain.replace('"quant.', '"quantcheck.')
    return parse(_opt([mlir_opt, "-", "--allow-unregistered-dialect", *form,
                       f"--pass-pipeline=builtin.module({','.join(passes)})"],
                      hidden, timeout))


class _Affine:
    """`affine_map<(d0, d1)[s0] -> (d0, d1 floordiv 8)>` as functions."""

    def __init__(self, text):
        found = re.fullmatch(r"affine_map<\(([^)]*)\)(?:\[([^\]]*)\])? -> "
                             r"\((.*)\)>", text)
        if not found:
            raise Unsupported(text)
        names = split(found.group(1)) + split(found.group(2) or "")
        self.results = split(found.group(3))
        code = [r.replace("floordiv", "//").replace("mod", "%") for r in
                self.results]
        if any("ceildiv" in r for r in code):
            raise Unsupported("ceildiv")
        self.functions = [eval(f"lambda {', '.join(names)}: {r}")
                          for r in code]  # of the printer's own arithmetic
        self.names = names

    def __call__(self, indices):
        return [f(*indices) for f in self.functions]


def _extents(maps, shapes, count):
    """The size of each loop, from the operands that are indexed by it alone."""
    sizes = [None] * count
    for map_, shape in zip(maps, shapes):
        for result, size in zip(map_.results, shape):
            if result in map_.names:
                at = map_.names.index(result)
                if sizes[at] not in (None, size):
                    raise Mismatch(f"loop {at}: {sizes[at]} and {size}")
                sizes[at] = size
    if None in sizes:
        raise Unsupported("a loop that no operand is indexed by alone")
    for map_, shape in zip(maps, shapes):
        for function, size in zip(map_.functions, shape):
            last = function(*[s - 1 for s in sizes]) if all(sizes) else 0
            if last >= size > 0 and "//" not in map_.results:
                raise Mismatch(f"index {last} of {size}")
    return sizes


class Evaluator:
    def __init__(self, root, blobs):
        self.blobs = blobs
        self.globals, self.functions = {}, {}
        for op in root.walk():
            if op.name == "func.func":
                self.functions[op.attribute("sym_name").strip('"')] = op
            elif op.name == "ml_program.global":
                value = op.attribute("value")
                name = "@" + op.attribute("sym_name").strip('"')
                self.globals[name] = None if value is None else \
                    constant(value, blobs)

    def call(self, name, arguments):
        op = self.functions[name]
        if not op.regions or not op.regions[0]:
            raise Unsupported(f"no body of @{name}")
        return self.region(op.regions[0], arguments, {})

    def region(self, region, arguments, outer):
        """Runs a region of one block; returns what its terminator yields."""
        if len(region) != 1:
            raise Unsupported("several blocks")
        block = region[0]
        values = dict(outer)
        values.update(zip(block.arguments, arguments))
        for op in block.ops:
            operands = [values[o] for o in op.operands]
            if op.name in ("func.return", "scf.yield", "tensor.yield",
                           "linalg.yield", "scf.condition"):
                return operands
            for name, value in zip(op.results, self.run(op, operands, values)):
                values[name] = value
        return []

    def run(self, op, operands, values):
        """The results of one op, a list."""
        method = getattr(self, "op_" + op.name.replace(".", "_"), None)
        if method:
            return method(op, operands, values)
        if op.name.startswith("tensor."):
            return tensor.run(self, op, operands, values)
        if op.name.startswith("quantcheck."):
            return [quant_casts.run(op, operands[0])]
        if op.name.startswith(("arith.", "math.")):
            return [apply(op, operands)]
        raise Unsupported(op.name)

    # Constants, calls and state.

    def op_arith_constant(self, op, operands, values):
        return [constant(op.attribute("value"), self.blobs)]

    def op_func_call(self, op, operands, values):
        return self.call(op.attribute("callee").lstrip("@"), operands)

    def op_ml_program_global_load(self, op, operands, values):
        return [self.globals[op.attribute("global")]]

    op_ml_program_global_load_const = op_ml_program_global_load

    def op_ml_program_global_store(self, op, operands, values):
        self.globals[op.attribute("global")] = operands[0]
        return []

    def op_cf_assert(self, op, operands, values):
        if not operands[0]:
            raise Mismatch(op.attribute("msg"))
        return []

    # Control flow.

    def op_scf_for(self, op, operands, values):
        low, high, step = (int(o) for o in operands[:3])
        carried = operands[3:]
        for i in range(low, high, step):
            carried = self.region(op.regions[0], [np.int64(i)] + carried,
                                  values)
        return carried

    def op_scf_while(self, op, operands, values):
        while True:
            condition, *passed = self.region(op.regions[0], operands, values)
            if not condition:
                return passed
            operands = self.region(op.regions[1], passed, values)

    def op_scf_if(self, op, operands, values):
        region = op.regions[0 if operands[0] else 1]
        return self.region(region, [], values) if region else []

    def op_scf_execute_region(self, op, operands, values):
        return self.region(op.regions[0], [], values)

    # Loops over elements.

    def op_linalg_generic(self, op, operands, values):
        maps = [_Affine(t) for t in split(op.attribute("indexing_maps")[1:-1])]
        inputs, outputs = op.segments()
        kinds = re.findall(r"parallel|reduction",
                           op.attribute("iterator_types"))
        types = [tensor_type(t) for t in op.types()[0]]
        shapes = [np.shape(o) for o in operands]
        sizes = _extents(maps, shapes, len(kinds))
        if np.prod(sizes, dtype=float) > MOST_STEPS:
            raise Unsupported("too many elements for this evaluation")
        parallel = [i for i, k in enumerate(kinds) if k == "parallel"]
        reduced = [i for i, k in enumerate(kinds) if k != "parallel"]
        grid = np.ix_(*[np.arange(sizes[i]) for i in parallel])
        indices = [0] * len(kinds)
        for at, index in zip(parallel, grid):
            indices[at] = index
        place = tuple(sizes[i] for i in parallel)
        results = [np.array(operands[len(inputs) + i]) for i in
                   range(len(outputs))]
        for i, (_, element) in enumerate(types[len(inputs):]):
            if reduced and element in ("f32", "bf16"):
                results[i] = results[i].astype(np.float64)
        for step in itertools.product(*[range(sizes[i]) for i in reduced]):
            for at, i in zip(reduced, step):
                indices[at] = np.int64(i)
            self.step(op, maps, operands, results, indices, place, values)
        return [as_element(r, element) for r, (_, element) in
                zip(results, types[len(inputs):])]

    def step(self, op, maps, operands, results, indices, place, values):
        """One iteration of the reductions, all of the parallel loops."""
        count = len(operands) - len(results)
        arguments, targets = [], []
        for i, map_ in enumerate(maps):
            array = operands[i] if i < count else results[i - count]
            at = tuple(map_(indices))
            if i >= count:
                targets.append(at)
            arguments.append(array[at] if np.ndim(array) else array)
        inner = dict(values)
        inner["#indices"] = [np.broadcast_to(i, place) for i in indices]
        found = self.region(op.regions[0], arguments, inner)
        for i, (value, at) in enumerate(zip(found, targets)):
            if np.ndim(results[i]) == 0:
                results[i] = np.asarray(value).reshape(())
            elif results[i].size:
                results[i][at] = np.broadcast_to(
                    value, np.broadcast_shapes(*[np.shape(a) for a in at])) \
                    if np.ndim(value) else value

    def op_linalg_index(self, op, operands, values):
        at = int(op.attribute("dim").partition(" ")[0])
        return [np.asarray(values["#indices"][at], np.int64)]


def entry(root, name="main"):
    """The function that is run: `name`, or the only public one."""
    functions = {op.attribute("sym_name").strip('"'): op
                 for op in root.walk() if op.name == "func.func"}
    public = [op for op in functions.values() if op.regions[0] and
              op.attribute("sym_visibility") != '"private"']
    if name in functions and functions[name].regions[0]:
        return functions[name]
    if len(public) != 1:
        raise Unsupported(f"no function @{name}")
    return public[0]


def _argument(array, type_):
    shape, element = tensor_type(type_)
    if shape is None or len(shape) != np.ndim(array) or any(
            want not in (None, have)
            for have, want in zip(np.shape(array), shape)):
        raise Mismatch(f"an argument of {np.shape(array)}: {type_}")
    if array.dtype.kind == "V":
        array = to_float(array)
    return as_element(array, element)


def evaluate(root, blobs, arguments):
    """The results of the program's function on arrays."""
    main = entry(root)
    values = [_argument(a, t) for a, t in
              zip(arguments, main.regions[0][0].types)]
    found = Evaluator(root, blobs).call(main.attribute("sym_name").strip('"'),
                                        values)
    return [np.asarray(v) for v in found]
