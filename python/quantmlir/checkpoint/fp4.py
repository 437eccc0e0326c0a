"""Linear layers of 4-bit floats (E2M1) that compressed-tensors wrote.

    value = scale * E2M1(q)

Elements are entries of a code book, twice their values, and scales half of the
format's.
"""

import numpy as np

from ..blocks import Grouped, unpack_bits
from .ggml import E2M1


class FP4:
    """weight_packed uint8 [N, K / 2], the first of two in the low nibble, and
    weight_scale [N, K / G]: of strategy `tensor_group` (NVFP4) in E4M3, over
    weight_global_scale, else (MXFP4) exponents of two plus 127 in uint8."""

    bits, codebook, order, ordered = 4, E2M1, None, False

    def __init__(self, folder, name, scheme):
        self.folder, self.name = folder, name
        weights = scheme["weights"]
        self.group, strategy = weights.get("group_size"), weights.get("strategy")
        if type(self.group) is not int or \
                (strategy, self.group) not in (("tensor_group", 16), ("group", 32)):
            folder.fail(f"compressed-tensors weights of 4-bit floats, strategy "
                        f"{strategy!r}, in groups of {self.group!r} cannot be read; "
                        "of 'tensor_group' in 16 and of 'group' in 32 can")
        self._is_nvfp4 = strategy == "tensor_group"
        packed = self._tensor("weight_packed").shape
        if len(packed) != 2 or packed[1] * 2 % self.group:
            folder.fail(f"tensor {name}.weight_packed has the shape "
                        f"{list(packed)}, expected rows of whole groups of "
                        f"{self.group}")
        self.shape = n, k = packed[0], packed[1] * 2
        scales = self._tensor("weight_scale").shape
        if tuple(scales) != (n, k // self.group):
            folder.fail(f"tensor {name}.weight_scale has the shape "
                        f"{list(scales)}, expected {[n, k // self.group]}")
        self._check_rest()

    def _check_rest(self):
        """What may stand beside: nothing that changes what the rest means."""
        n, k = self.shape
        if self._has("weight_zero_point"):
            self.folder.fail(f"tensor {self.name}.weight_zero_point beside 4-bit "
                             "floats cannot be read")
        if self._has("weight_shape"):
            shape = self._tensor("weight_shape").integers("I64", "I32").tolist()
            if shape != [n, k]:
                self.folder.fail(f"tensor {self.name}.weight_shape is {shape}, "
                                 f"expected {[n, k]}")
        if self._has("weight_g_idx"):
            groups = self._tensor("weight_g_idx").integers("I32", "I64")
            # A file without an order may say so by -1.
            if groups.shape != (k,) or not (
                    np.array_equal(groups, np.arange(k) // self.group)
                    or np.all(groups == -1)):
                self.folder.fail(f"tensor {self.name}.weight_g_idx: 4-bit floats in "
                                 "another order than that of their groups cannot be "
                                 "read")

    def _has(self, what):
        return f"{self.name}.{what}" in self.folder.tensors

    def _tensor(self, what):
        return self.folder.tensor(f"{self.name}.{what}")

    def _scales(self):
        """Those of the format."""
        tensor = self._tensor("weight_scale")
        if not self._is_nvfp4:
            exponents = tensor.integers("U8").astype(np.int32)
            if np.any(exponents == 255):
                self.folder.fail(f"tensor {tensor.name} holds NaN")
            return np.ldexp(np.float32(1), exponents - 127)
        of_tensor = self._tensor("weight_global_scale").floats().reshape(-1)
        if len(of_tensor) != 1 or of_tensor[0] == 0:
            self.folder.fail(f"tensor {self.name}.weight_global_scale is "
                             f"{of_tensor.tolist()}")
        with np.errstate(over="ignore"):
            scale = tensor.floats() / of_tensor[0]
        if not np.all(np.isfinite(scale)):
            self.folder.fail(f"{self.name} has a scale past float32")
        return scale

    def load(self):
        q = unpack_bits(self._tensor("weight_packed").integers("U8"), 4)
        scale = (self._scales() * np.float32(.5)).astype(np.float32)
        return Grouped(q.astype(np.uint8), scale, self.group, 4, codebook=E2M1)
