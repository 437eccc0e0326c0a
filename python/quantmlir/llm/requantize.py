"""A checkpoint's weights, quantized anew: 8 bits for each row, or 4 bits in
groups, all of them alike or each as a recipe says (`recipe.py`), rotated before or
not.

A file's own integers cannot be rotated; what they stand for can. The library
quantizes, by options of schemes (docs/schemes.md).
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import _capi
from ..blocks import Grouped, elements
from ..checkpoint.fp4 import E2M1
from ..errors import InvalidArgument
from ..model import Log
from .rotation import Rotation
from .stack import Form
from .weights import HEAD, slot_of

_GROUPS = "weights=group weight-scale=mse weight-bits={} group-size={}"
# Options, and how they are stored; a group of 0 is a row.
FORMS = {"w8": ("weights=channel", Form(8)),
          "w2-g32": (_GROUPS.format(2, 32), Form(2, 32)),
         **{f"w4-g{size}": (_GROUPS.format(4, size), Form(4, size))
             for size in (16, 32, 64, 128)},
          "mxfp4": ("weight-format=mxfp4 weight-scale=mse",
                    Form(4, 32, codebook=E2M1)),
          "nvfp4": ("weight-format=nvfp4 weight-scale=mse",
                    Form(4, 16, codebook=E2M1))}


@dataclass(frozen=True)
class Requantize:
    """What weights become; the head, which is sensitive, has 8 bits."""
    options: str
    stored: Form
    rotation: Rotation

    @staticmethod
    def parse(weights, rotation):
        """None: weights stay as the file has them."""
        rotation = Rotation.parse(rotation)
        if weights is None:
            if rotation.size:
                raise InvalidArgument(
                    "rotation: the file's integers cannot be rotated, expected "
                    f"weights={' or '.join(map(repr, FORMS))}, found None")
            return None
        if not isinstance(weights, str) or weights not in FORMS:
            raise InvalidArgument(
                f"weights: expected {', '.join(FORMS)}, auto, a recipe, its path "
                f"(.json) or None, found {weights!r}")
        return Requantize(*FORMS[weights], rotation)

    def of(self, layer, slot):
        """What the weight of a slot (`weights.SLOTS`) of a layer becomes."""
        return self

    def of_head(self):
        return Requantize(*FORMS["w8"], self.rotation)

    def form(self, k):
        return replace(self.stored, group=min(self.stored.group or k, k))

    def quantize(self, weight, moments=None):
        """float32 [N, K], rotated, to a `Grouped`. With second moments [K, K] of the
        rotated activations its errors are compensated."""
        options = self.options
        if moments is not None:
            options += " rounding=error-compensated"
        form = self.form(weight.shape[1])
        q, scale = _quantize(weight, options, form.group, moments)
        if form.codebook:
            q = q.view(np.uint8) & 15
        return Grouped(q, scale, form.group, form.bits, codebook=form.codebook)


def _quantize(weight, options, group, moments):
    n, k = weight.shape
    weight = np.ascontiguousarray(weight, np.float32)
    q = np.empty((n, k), np.int8)
    scale = np.empty((n, -(-k // group)), np.float32)
    if moments is not None:
        moments = np.ascontiguousarray(moments, np.float32)
    with Log() as log:
        log.check(_capi.library.quantWeightQuantize(
            weight.ctypes.data, n, k, options.encode(),
            None if moments is None else moments.ctypes.data, q.ctypes.data,
            scale.ctypes.data, None, scale.size, log.pointer))
    return q, scale


class _Weight:
    def __init__(self, weight, how, rotation):
        self._weight, self._how, self._rotation = weight, how, rotation
        self.name, self.shape = weight.name, weight.shape
        self.form = how.form(self.shape[1])

    def load(self):
        return self._how.quantize(
            self._rotation.of_weight(floats(self._weight.load())))


def floats(weight):
    """What a loaded weight stands for, float32 [N, K]."""
    if isinstance(weight, np.ndarray):
        return weight
    k = weight.q.shape[1]
    each = lambda v: np.repeat(v, weight.group, 1)[:, :k]
    values = elements(weight).astype(np.float32)
    if weight.zero_point is not None:
        values = values - each(weight.zero_point).astype(np.float32)
    values = values * each(weight.scale)
    if weight.offset is not None:
        values = values + each(weight.offset)
    if weight.order is None:
        return values
    columns = weight.columns if weight.columns is not None else k
    placed = np.zeros((len(values), columns + 1), np.float32)
    placed[:, weight.order] = values
    return placed[:, :columns]


def pick_rows(weight, rows):
    """Rows of a loaded weight."""
    if isinstance(weight, np.ndarray):
        return weight[rows]
    pick = lambda array: None if array is None else array[rows]
    return replace(weight, q=weight.q[rows], scale=weight.scale[rows],
                   zero_point=pick(weight.zero_point), offset=pick(weight.offset))


class FloatWeight:
    """What a weight of a file stands for, in floats."""

    def __init__(self, weight):
        self._weight, self.form = weight, Form(0)
        self.name, self.shape = weight.name, weight.shape

    def load(self):
        return floats(self._weight.load())


class RequantizedSource:
    """A source whose linear weights, and head, are quantized as `how` says (a
    `Requantize` or a `recipe.Recipe`); None: in floats."""

    def __init__(self, source, how):
        self._source, self._how = source, how
        self.fail, self.bias, self.norm = source.fail, source.bias, source.norm
        self.final_norm, self.final_rotation = source.final_norm, source.final_rotation
        self.refuse_unused = source.refuse_unused
        # A head that is tied to the embedding stays so, where its rotation is its
        # own inverse, or what the hidden state has.
        self._is_tied = bool(how and source.head() is None and
                             (how.rotation.folds or not how.rotation.seed))
        self.embedding_rotation = source.embedding_rotation
        if self._is_tied:
            self.embedding_rotation = Rotation() if how.rotation.folds else how.rotation

    def linear(self, layer, part):
        weight = self._source.linear(layer, part)
        if not self._how:
            return FloatWeight(weight)
        slot = slot_of(part)
        return _Weight(weight, self._how.of(layer, slot), self._how.rotation.of(slot))

    def embedding(self):
        weight = self._source.embedding()
        return self._quantized_head(weight) if self._is_tied else weight

    def head(self):
        if self._is_tied:
            return None
        head = self._source.head() or self._source.embedding()
        if not self._how:
            return FloatWeight(head)
        return self._quantized_head(head)

    def _quantized_head(self, weight):
        return _Weight(weight, self._how.of_head(), self._how.rotation.of(HEAD))

    def shares_order(self, parts):
        return True
