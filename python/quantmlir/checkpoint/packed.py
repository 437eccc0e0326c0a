"""Linear layers that GPTQ, AWQ and compressed-tensors wrote to safetensors.

    value = scale * (q - zero point)

Integers are those of the file. Columns that GPTQ quantized in the order of their
activations (`g_idx`) are put in the order of their groups.
"""

import numpy as np

from ..blocks import Grouped, unpack_bits
from .fp4 import FP4

# Column of AWQ's nibble i.
_AWQ_ORDER = (0, 4, 1, 5, 2, 6, 3, 7)


def unpack_rows(packed, bits):
    """int32 [R, C] whose words hold 32 / bits elements of a row, the first in
    the lowest bits: uint8 [R, C * 32 / bits]."""
    packed = np.ascontiguousarray(packed, "<i4")
    return unpack_bits(packed.view(np.uint8).reshape(packed.shape[0], -1),
                       bits).astype(np.uint8)


class Layer:
    """A layer of a folder: where it is, how it is quantized, and its integers.

    Attributes:
        shape: [N, K]. bits, group: of its integers.
        ordered: whether columns have an order of their own (`order`).
    """

    def __init__(self, folder, name, scheme):
        self.folder, self.name, self.scheme = folder, name, scheme
        self.order = self.codebook = None

    @property
    def ordered(self):
        return self.order is not None

    def _tensor(self, what):
        return self.folder.tensor(f"{self.name}.{what}")

    def _has(self, what):
        return f"{self.name}.{what}" in self.folder.tensors

    def _expect(self, what, shape):
        found = self._tensor(what).shape
        if tuple(found) != tuple(shape):
            self.folder.fail(f"tensor {self.name}.{what} has the shape "
                             f"{list(found)}, expected {list(shape)}")

    def _read_order(self, what, is_asked):
        """The columns in the order of their groups, from the group of each."""
        k, group = self.shape[1], self.group
        if not self._has(what):
            if is_asked:
                self.folder.fail(f"has no tensor {self.name}.{what}, and its scheme "
                                 "says that columns have an order")
            return
        self._expect(what, (k,))
        groups = self._tensor(what).integers("I32", "I64").astype(np.int64)
        plain = np.arange(k) // group
        # A file without an order may say so by -1.
        if np.array_equal(groups, plain) or np.all(groups == -1):
            return
        order = np.argsort(groups, kind="stable")
        if not np.array_equal(groups[order], plain):
            self.folder.fail(f"tensor {self.name}.{what}: expected groups of "
                             f"{group} columns each")
        self.order = order

    def _check_bits(self, bits, group):
        if bits not in (4, 8):
            self.folder.fail(f"{self.scheme['quant_method']} weights of {bits} "
                             "bits cannot be read, of 4 and 8 can")
        if type(group) is not int or group == 0 or group < -1:
            self.folder.fail(f"the group size is {group}")

    def _finish(self, q, scale, zero):
        """Of q uint8 [N, K], scale and zero point [N, G]."""
        if self.ordered:
            q = q[:, self.order]
        if np.any(scale < 0):
            self.folder.fail(f"{self.name} has scales below 0")
        empty, each = scale == 0, lambda values: np.repeat(
            values, self.group, axis=1)[:, :q.shape[1]]
        if np.any(empty):
            q = np.where(each(empty), each(zero), q).astype(np.uint8)
            scale = np.where(empty, 1, scale)
        return Grouped(q, np.ascontiguousarray(scale, np.float32), self.group,
                       self.bits, True, np.ascontiguousarray(zero, np.int32),
                       order=self.order)


class GPTQ(Layer):
    """qweight int32 [K / e, N], qzeros int32 [G, N / e], scales [G, N], g_idx [K],
    with e = 32 / bits elements in a word. Zero points are stored less one, but by
    the format gptq_v2."""

    def __init__(self, folder, name, scheme):
        super().__init__(folder, name, scheme)
        bits, group = scheme.get("bits"), scheme.get("group_size")
        self._check_bits(bits, group)
        form = scheme.get("checkpoint_format", "gptq")
        if form not in ("gptq", "gptq_v2"):
            folder.fail(f"GPTQ weights laid out for {form} cannot be read")
        self._added = 0 if form == "gptq_v2" else 1
        words = self._tensor("qweight").shape
        if len(words) != 2:
            folder.fail(f"tensor {name}.qweight has {len(words)} dimensions")
        each, self._stored = 32 // bits, bits
        self.shape = n, k = words[1], words[0] * each
        self.group = k if group == -1 else group
        groups = -(-k // self.group)
        self._expect("scales", (groups, n))
        self._expect("qzeros", (groups, -(-n // each)))
        self._read_order("g_idx", scheme.get("desc_act") is True)
        self.bits, most = bits, int(self._zeros().max())
        if most == 1 << bits:
            # A zero point of 16 is none of four bits.
            if bits == 8:
                folder.fail(f"{name} has a zero point of {most}")
            self.bits = 8

    def _zeros(self):
        zeros = unpack_rows(self._tensor("qzeros").integers("I32"), self._stored)
        return zeros[:, :self.shape[0]].T.astype(np.int32) + self._added

    def load(self):
        words = self._tensor("qweight").integers("I32")
        return self._finish(unpack_rows(words.T, self._stored),
                            self._tensor("scales").floats().T, self._zeros())


class AWQ(Layer):
    """qweight int32 [K, N / 8], qzeros int32 [G, N / 8], scales [G, N], nibbles
    of a word in AWQ's order (version `gemm`)."""

    def __init__(self, folder, name, scheme):
        super().__init__(folder, name, scheme)
        bits = scheme.get("bits", scheme.get("w_bit"))
        group = scheme.get("group_size", scheme.get("q_group_size"))
        self._check_bits(bits, group)
        version = str(scheme.get("version", "gemm")).lower()
        if bits != 4 or version != "gemm":
            folder.fail(f"AWQ weights of {bits} bits, version {version}, cannot "
                        "be read; of 4 bits, version gemm, can")
        words = self._tensor("qweight").shape
        if len(words) != 2:
            folder.fail(f"tensor {name}.qweight has {len(words)} dimensions")
        self.bits, self.shape = bits, (words[1] * 8, words[0])
        n, k = self.shape
        self.group = k if group == -1 else group
        groups = -(-k // self.group)
        self._expect("scales", (groups, n))
        self._expect("qzeros", (groups, n // 8))

    def _columns(self, what):
        nibbles = unpack_rows(self._tensor(what).integers("I32"), 4)
        ordered = nibbles.reshape(nibbles.shape[0], -1, 8)[..., _AWQ_ORDER]
        return ordered.reshape(nibbles.shape[0], -1).T

    def load(self):
        return self._finish(np.ascontiguousarray(self._columns("qweight")),
                            self._tensor("scales").floats().T,
                            self._columns("qzeros"))


class CompressedTensors(Layer):
    """weight_packed int32 [N, K / e] (or weight, int8 [N, K]), weight_scale
    [N, G], weight_zero_point, weight_g_idx. Integers are signed; packed ones are
    stored with half of their range added."""

    def __init__(self, folder, name, scheme):
        super().__init__(folder, name, scheme)
        weights = scheme["weights"]
        bits, strategy = weights.get("num_bits"), weights.get("strategy")
        group = weights.get("group_size") if strategy == "group" else -1
        self._check_bits(bits, group)
        if weights.get("type", "int") != "int" or \
                strategy not in ("group", "channel", "tensor"):
            folder.fail(f"compressed-tensors weights of {weights.get('type')}, "
                        f"strategy {strategy}, cannot be read")
        self.bits, self.packed = bits, self._has("weight_packed")
        stored = self._tensor("weight_packed" if self.packed else "weight").shape
        if len(stored) != 2:
            folder.fail(f"tensor {name}.weight has {len(stored)} dimensions")
        n, k = stored
        if self.packed:
            k = self._columns(stored)
        elif bits != 8:
            folder.fail(f"{name} has {bits}-bit weights that are not packed")
        self.shape = (n, k)
        self.group = k if group == -1 else group
        self._groups = -(-k // self.group)
        if strategy != "tensor":
            self._expect("weight_scale", (n, self._groups))
        self._read_order("weight_g_idx", weights.get("actorder") == "group")

    def _columns(self, stored):
        most = stored[1] * 32 // self.bits
        if not self._has("weight_shape"):
            return most
        shape = self._tensor("weight_shape").integers("I64", "I32").reshape(-1)
        if len(shape) != 2 or shape[0] != stored[0] or \
                not most - 32 // self.bits < shape[1] <= most:
            self.folder.fail(f"tensor {self.name}.weight_shape is {shape.tolist()}")
        return int(shape[1])

    def _zeros(self):
        n, half = self.shape[0], 1 << (self.bits - 1)
        if not self._has("weight_zero_point"):
            if self.scheme["weights"].get("symmetric") is False:
                self.folder.fail(f"has no tensor {self.name}.weight_zero_point, and "
                                 "its scheme is not symmetric")
            return np.full((n, self._groups), half, np.int32)
        tensor = self._tensor("weight_zero_point")
        if tensor.kind == "I32":
            self._expect("weight_zero_point", (-(-n * self.bits // 32), self._groups))
            return unpack_rows(tensor.array().T, self.bits).T[:n].astype(np.int32)
        zero = tensor.integers("I8").astype(np.int32) + half
        return self._spread(zero, "weight_zero_point")

    def _spread(self, values, what):
        """One for each group of each row, of those or of one."""
        if values.size != 1 and values.shape != (self.shape[0], self._groups):
            self.folder.fail(f"tensor {self.name}.{what} has the shape "
                             f"{list(values.shape)}")
        return np.broadcast_to(values.reshape(-1, 1) if values.size == 1 else values,
                               (self.shape[0], self._groups))

    def load(self):
        n, k = self.shape
        if self.packed:
            q = unpack_rows(self._tensor("weight_packed").integers("I32"), self.bits)[:, :k]
        else:
            q = self._tensor("weight").integers("I8").view(np.uint8) ^ np.uint8(128)
        scale = self._spread(self._tensor("weight_scale").floats(), "weight_scale")
        return self._finish(q, scale, self._zeros())


def _compressed_tensors(folder, name, scheme):
    weights = scheme["weights"]
    is_fp4 = weights.get("type") == "float" and weights.get("num_bits") == 4
    return (FP4 if is_fp4 else CompressedTensors)(folder, name, scheme)


LAYERS = {"gptq": GPTQ, "awq": AWQ, "compressed-tensors": _compressed_tensors}
