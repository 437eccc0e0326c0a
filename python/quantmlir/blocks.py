"""Weights that other tools quantized in blocks, as operands of
`quant.scaled_matmul`.

Every decoder returns a `Grouped` weight whose value is

    scale * (q - zero_point) + offset

to the bit of what the format says, where q is looked up in `codebook` first if
there is one. Scales come out > 0: a block with a negative one (GGUF's Q4_0,
MatMulNBits) has its integers mirrored, and one with the scale 0 holds its zero
point only; with a code book scales are any. Columns whose groups are given by an index
(MatMulNBits' `g_idx`) are put in the order of their groups; `order` says which
column of the activations each of them multiplies.
"""

from dataclasses import dataclass

import numpy as np

F32 = np.float32


@dataclass
class Grouped:
    q: np.ndarray          # [N, K], signed, or unsigned with `unsigned`
    scale: np.ndarray      # [N, K / group] float32
    group: int
    bits: int
    unsigned: bool = False
    zero_point: np.ndarray | None = None
    offset: np.ndarray | None = None
    # Which column of the activations each column of q multiplies; `columns`,
    # their number, where it multiplies none (padding of a group).
    order: np.ndarray | None = None
    columns: int | None = None
    bias: np.ndarray | None = None
    # 16 integers of 8 bits that elements of q, 0 to 15, number.
    codebook: tuple | None = None


def elements(weight):
    """What `q` of a `Grouped` stands for: itself, or entries of its code book."""
    return weight.q if weight.codebook is None else \
        np.array(weight.codebook, np.int8)[weight.q]


def codebook_flag(codebook):
    """The attribute of `quant.scaled_matmul`."""
    return f"rhs_codebook = array<i8: {', '.join(map(str, codebook))}>"


def pack_int4(q):
    """Pairs of a row as bytes, the first in the low nibble; odd rows end with 0."""
    padded = np.pad(np.asarray(q, np.int8), [(0, 0)] * (q.ndim - 1) + [(0, q.shape[-1] % 2)])
    return (padded[..., 0::2] & 15 | padded[..., 1::2] << 4).astype(np.int8)


def pack_int2(q):
    """Four elements of a row as a byte, the first in the lowest bits; rows end
    with 0."""
    padded = np.pad(np.asarray(q, np.int8), [(0, 0)] * (q.ndim - 1) + [(0, -q.shape[-1] % 4)])
    parts = padded.reshape(*padded.shape[:-1], -1, 4) & 3
    return np.bitwise_or.reduce(parts << np.arange(0, 8, 2, dtype=np.int8), -1)


def pack(q, bits):
    """Elements of 2, 4 or 8 bits as the bytes of a row."""
    return pack_int2(q) if bits == 2 else pack_int4(q) if bits == 4 else q


def _each(values, group, k):
    return np.repeat(values, group, axis=1)[:, :k]


def _check_finite(what, values):
    if not np.all(np.isfinite(values)):
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(f"the {what} of row {row}, block {column} is "
                         f"{values[row, column]}")


def _check_size(what, array, size):
    if np.size(array) != size:
        raise ValueError(f"expected {size} elements of {what}, found "
                         f"{np.size(array)}")


def _check_shape(n, k):
    if n < 1 or k < 1:
        raise ValueError(f"expected N and K above 0, found {n} and {k}")


def _normalize(q, scale, zero_point, offset, group, bits):
    """Unsigned integers with any scales to a `Grouped` with scales > 0."""
    q, scale = np.asarray(q, np.int64), np.asarray(scale, F32)
    _check_finite("scale", scale)
    n, k = q.shape
    top = (1 << bits) - 1
    zp = None if zero_point is None else np.asarray(zero_point, np.int64)
    mirrored = scale < 0
    if mirrored.any():
        # s (q - z) = -s ((top - q) - (top - z)); without a zero point
        # s q + m = -s (top - q) + (m + s top), rounded once more.
        q = np.where(_each(mirrored, group, k), top - q, q)
        if zp is not None:
            zp = np.where(mirrored, top - zp, zp)
        else:
            offset = np.where(mirrored, offset + scale * F32(top), offset)
        scale = np.abs(scale)
    empty = scale == 0
    if empty.any():
        rest = 0 if zp is None else _each(zp, group, k)
        q = np.where(_each(empty, group, k), rest, q)
        scale = np.where(empty, F32(1), scale)
    middle = 1 << (bits - 1)
    if zp is not None and np.all(zp == middle):
        return Grouped(q - middle, scale, group, bits)
    if offset is not None:
        offset = np.asarray(offset, F32)
        _check_finite("offset", offset)
    return Grouped(q, scale, group, bits, True, zp, offset)


def unpack_bits(packed, bits):
    """Elements of the last dimension, the first in the lowest bits."""
    packed = np.asarray(packed, np.uint8)
    if bits == 8:
        return packed.astype(np.int64)
    parts = packed[..., None] >> np.arange(0, 8, bits, dtype=np.uint8)
    parts = (parts & ((1 << bits) - 1)).astype(np.int64)
    return parts.reshape(packed.shape[:-1] + (-1,))


def _by_group(q, group_of, block):
    """Columns of `q` in the order of their groups, each group filled up to
    whole blocks: (columns, order, the group of each block)."""
    order, group_of_block = [], []
    for group in np.unique(group_of):
        members = np.flatnonzero(group_of == group)
        fill = -len(members) % block
        order += [members, np.full(fill, q.shape[1])]
        group_of_block += [group] * ((len(members) + fill) // block)
    order = np.concatenate(order)
    return (np.pad(q, ((0, 0), (0, 1)))[:, order], order,
            np.array(group_of_block))


def nbits_sizes(n, k, block, bits):
    """Elements of MatMulNBits' B, scales and packed zero points."""
    _check_shape(n, k)
    if bits not in (2, 4, 8):
        raise ValueError(f"expected 2, 4 or 8 bits, found {bits}")
    if block < 1 or block * bits % 8:
        raise ValueError(f"expected blocks of whole bytes, found block_size "
                         f"{block}")
    blocks = -(-k // block)
    return (n * blocks * (block * bits // 8), n * blocks,
            n * -(-blocks * bits // 8))


def ignores_zero_points(bits, zero_points, g_idx):
    """Whether ONNX Runtime's CPU kernel takes 8 for all zero points: seen in
    1.20 and later for packed ones beside a `g_idx`
    (Dequantize4BitsKernelReOrder unpacks them, and uses none)."""
    return (bits == 4 and g_idx is not None and zero_points is not None and
            np.asarray(zero_points).dtype == np.uint8)


def matmul_nbits(b, scales, n, k, block, bits=4, zero_points=None, g_idx=None,
                 bias=None, as_runtime=True):
    """ONNX Runtime's MatMulNBits: `b` is [N, blocks, block * bits / 8],
    `scales` has N * blocks elements, `zero_points` is packed like `b` for
    each row or has one float for each block. `g_idx` (K elements, or as many
    as the blocks hold) says to which block's scale and zero point a column
    belongs; without it they follow each other. `as_runtime`: zero points that
    ONNX Runtime ignores are ignored."""
    b_size, scale_size, zero_size = nbits_sizes(n, k, block, bits)
    blocks, top = -(-k // block), (1 << bits) - 1
    _check_size("B", b, b_size)
    _check_size("scales", scales, scale_size)
    q = unpack_bits(np.reshape(b, (n, -1)), bits)[:, :k]
    scales = np.asarray(scales, F32).reshape(n, blocks)
    _check_finite("scale", scales)
    offset = None
    if as_runtime and ignores_zero_points(bits, zero_points, g_idx):
        zero_points = None
    if zero_points is None:
        zp = np.full((n, blocks), 1 << (bits - 1))
    elif np.asarray(zero_points).dtype == np.uint8:
        _check_size("zero_points", zero_points, zero_size)
        zp = unpack_bits(np.reshape(zero_points, (n, -1)), bits)[:, :blocks]
    else:
        _check_size("zero_points", zero_points, n * blocks)
        zp = np.asarray(zero_points, F32).reshape(n, blocks)
        _check_finite("zero point", zp)
        if not np.array_equal(zp, np.clip(np.rint(zp), 0, top)):
            with np.errstate(over="ignore"):
                offset = -(scales * zp)
            zp = None
    if bias is not None:
        _check_size("bias", bias, n)
        bias = np.asarray(bias, F32).reshape(n)
        _check_finite("bias", bias[:, None])
    order = None
    if g_idx is not None:
        if np.size(g_idx) not in (k, blocks * block):
            raise ValueError(f"expected {k} elements of g_idx, found "
                             f"{np.size(g_idx)}")
        group_of = np.asarray(g_idx, np.int64).reshape(-1)[:k]
        if group_of.min() < 0 or group_of.max() >= blocks:
            raise ValueError(f"expected elements of g_idx in [0, {blocks}), "
                             f"found {group_of.min()} to {group_of.max()}")
        if not np.array_equal(group_of, np.arange(k) // block):
            q, order, group = _by_group(q, group_of, block)
            scales = scales[:, group]
            zp = None if zp is None else zp[:, group]
            offset = None if offset is None else offset[:, group]
    weight = _normalize(q, scales, zp, offset, block, bits)
    weight.bias = bias
    if order is not None:
        weight.order, weight.columns = order, k
    return weight
