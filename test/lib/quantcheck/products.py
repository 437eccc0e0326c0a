"""What became of a program's products: read from the module after the Quant
stage and from the remarks that came with it.

A *product* sums products of two operands: a matmul, a convolution, or a generic
that is one. It is *rewritten* (quant.matmul, quant.scaled_matmul), or *left*;
a left one has a remark at its location, or it is silent, where anything of it
is quantized or a scheme was asked for.
"""

import re

from quantcheck.generic_form import tensor_type, width

REWRITTEN = ("quant.matmul", "quant.scaled_matmul", "qtarget.packed_matmul")
QUANTIZERS = ("quant.quantize", "quant.choose_qparams", "quant.quantize_rows")
_NAMED = re.compile(r"linalg\.\w*(matmul|conv|matvec|vecmat|dot|contract|mmt4d)")
_TOSA = re.compile(r"tosa\.(matmul|conv|depthwise_conv|fully_connected|"
                   r"transpose_conv)")
_MULTIPLY = ("arith.mulf", "arith.muli", "math.fma")
_ADD = ("arith.addf", "arith.addi", "math.fma")
# What a chain from stored integers to a product is made of.
_LINEAR = {"arith.mulf", "arith.subf", "arith.addf", "arith.divf",
           "arith.negf", "arith.extf", "arith.truncf", "arith.sitofp",
           "arith.uitofp", "arith.extsi", "arith.extui", "arith.subi",
           "arith.addi", "arith.trunci", "arith.constant", "arith.index_cast",
           "tensor.extract", "linalg.index", "linalg.yield", "arith.andi",
           "arith.shrui", "arith.shrsi", "arith.shli"}
# What a product is left for that nobody asked to be anything else.
AS_ASKED = "no scheme was asked for"
# The account that quant-run prints of a program.
_SUMMARY = re.compile(r"^products: (\d+) in integers \+ (\d+) left with reason "
                      r"= (\d+)$", re.M)
_REMARK = re.compile(r"^(.*?):(\d+):(\d+): (remark|warning): (.*)$", re.M)


def body_ops(op):
    return [inner for inner in op.walk() if inner is not op]


def is_product(op):
    if op.name in REWRITTEN or _TOSA.match(op.name):
        return True
    if not op.name.startswith("linalg."):
        return False
    if op.name != "linalg.generic":
        return bool(_NAMED.match(op.name))
    if "reduction" not in (op.attribute("iterator_types") or ""):
        return False
    if len(op.segments()[0]) < 2:
        return False
    inner = body_ops(op)
    # A square is no product of two operands.
    return any(o.name in _MULTIPLY and len(set(o.operands[:2])) == 2
               for o in inner) and any(o.name in _ADD for o in inner)


def _captured(op):
    """Names of values from outside that the regions of `op` use."""
    inside, used = set(), set()
    for inner in op.walk():
        for region in inner.regions:
            for block in region:
                inside.update(block.arguments)
        if inner is not op:
            inside.update(inner.results)
            used.update(inner.operands)
    return used - inside


class Module:
    def __init__(self, root):
        self.root, self.definitions = root, {}
        for op in self.root.walk():
            for name in op.results:
                # Names are unique in a function, functions are not nested.
                self.definitions[self.scope(op), name] = op
        self.products = [op for op in self.root.walk() if is_product(op)]
        self.left = [op for op in self.products if op.name not in REWRITTEN]
        self.rewritten = [op for op in self.products if op.name in REWRITTEN]
        self.stored = {op.attribute("global") for op in self.root.walk()
                       if op.name == "ml_program.global_store"}

    def count(self):
        """Products that depend on more than constants: others may be folded."""
        return sum(not all(self.is_constant(op, name) for name in op.operands)
                   for op in self.products)

    @staticmethod
    def scope(op):
        while op.parent is not None and op.name != "func.func":
            op = op.parent
        return id(op)

    def definition(self, op, name):
        return self.definitions.get((self.scope(op), name))

    def is_constant(self, op, name, seen=None):
        """Whether a value depends on nothing but constants."""
        seen = {} if seen is None else seen
        made = self.definition(op, name)
        if made is None:
            return False  # an argument
        if id(made) not in seen:
            seen[id(made)] = False
            seen[id(made)] = self._depends_on_constants(made, seen)
        return seen[id(made)]

    def _depends_on_constants(self, op, seen):
        if op.name.endswith("global_load") or op.name.endswith("load_const"):
            return op.attribute("global") not in self.stored
        if op.name.startswith(("func.", "scf.")):
            return False
        return all(self.is_constant(op, name, seen)
                   for name in [*op.operands, *_captured(op)])

    def is_quantized(self, product):
        """Whether stored integers reach a left product."""
        inputs = product.segments()[0] if "operandSegmentSizes" in \
            product.text else product.operands[:2]
        types = product.types()[0]
        for name, type_ in zip(product.operands, types):
            element = tensor_type(type_)[1]
            if name in inputs and width(element) is not None:
                return True
        return any(self._from_integers(product, name) for name in inputs)

    def _from_integers(self, user, name, depth=0):
        op = self.definition(user, name)
        if op is None or depth > 32:
            return False
        if op.name in ("quant.dequantize", "quant.dcast"):
            return True
        if op.name == "linalg.generic":
            inner = body_ops(op)
            if "reduction" in op.attribute("iterator_types") or \
                    any(o.name not in _LINEAR for o in inner):
                return False
            if any(o.name in ("arith.sitofp", "arith.uitofp") for o in inner):
                return True
            sources = op.segments()[0]
        elif op.name.startswith("tensor.") and op.name != "tensor.empty":
            sources = op.operands[:1]
        elif op.name in ("linalg.transpose", "linalg.broadcast"):
            sources = op.operands[:1]
        else:
            return False
        return any(self._from_integers(op, s, depth + 1) for s in sources)

    def narrow_factors(self):
        """Narrow float types of operands of products that are made of stored
        integers."""
        found = set()
        for op in self.products:
            for name, type_ in zip(op.operands[:2], op.types()[0]):
                element = tensor_type(type_)[1]
                if element in ("f16", "bf16") and \
                        self._from_integers(op, name):
                    found.add(element)
        return found

    def quantized_at_run_time(self):
        """Ops that quantize a constant whenever the program runs."""
        return [op for op in self.root.walk() if op.name in QUANTIZERS and
                op.operands and self.is_constant(op, op.operands[0])]


def remarks(stderr):
    """[(line, column, text)] of every remark and warning."""
    return [(int(line), int(column), text) for _, line, column, _, text in
            _REMARK.findall(stderr)]


def find_silent(module, said, scheme):
    """(texts of what nobody was told of, how many left products were)."""
    told = {(line, column) for line, column, _ in said}
    reasons = {(line, column) for line, column, text in said
               if AS_ASKED not in text}
    silent, explained = [], 0
    for op in module.left:
        if op.places() & told:
            explained += bool(op.places() & reasons)
        elif scheme or module.is_quantized(op):
            silent.append(f"{op.name} at {_where(op)} is left, no remark")
    for op in module.quantized_at_run_time():
        if not op.places() & told:
            silent.append(f"{op.name} at {_where(op)} quantizes a constant at "
                          "run time, no remark")
    return silent, explained


def find_miscount(module, printed):
    """What the printed account misses of the module's products, or None."""
    functions = [op for op in module.root.walk()
                 if op.name == "func.func" and op.regions[0]]
    found = _SUMMARY.search(printed)
    if not found or len(functions) != 1:
        return None
    done, left, total = map(int, found.groups())
    if done + left == total >= len(module.products):
        return None
    return f"`{found.group(0)}`, but the module has {len(module.products)}"


def _where(op):
    places = sorted(op.places())
    return "{}:{}".format(*places[0]) if places else "an unknown location"
