"""GGML's block formats: their integers, scales and offsets as they are.

    value = scale * (q - zero_point) + offset

where q of IQ4_NL and MXFP4 is looked up in their tables first.

Two-level formats (K-quants) are groups of one level whose scales and offsets are
the products that their definition forms: `d * sc` and `-dmin * m` of an 11-bit
and a 6- or 8-bit number are exact in float32, so that values are those of GGML's
`dequantize_row_*` to the bit.
"""

from dataclasses import dataclass

import numpy as np

from ..blocks import Grouped, elements

F32 = np.float32


@dataclass
class Kind:
    name: str
    number: int
    block: int            # elements of a block
    size: int             # bytes of a block
    decode: object        # bytes [R, B, size] to (q, scale, zero, offset)
    group: int = 0        # elements of a group; 0: floats
    bits: int = 8
    codebook: tuple | None = None
    half: int = 0         # where the float16 is that says the scales' sign
    is_signed: bool = False  # elements of fewer than 8 bits, mirrored as they are
    zero: bool = False
    offset: bool = False


# kvalues_iq4nl, and kvalues_mxfp4: E2M1 times 2.
IQ4_NL = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
E2M1 = (0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)


def _half(raw, at):
    return raw[..., at:at + 2].copy().view("<f2")[..., 0].astype(F32)


def _nibbles(packed):
    """Element j in the low nibble of byte j, the other half in the high ones."""
    return np.concatenate([packed & 15, packed >> 4], -1)


def _fifth_bits(raw, at):
    """Bit j of the four bytes at `at`, as 16: [.., 32]."""
    return np.unpackbits(raw[..., at:at + 4], axis=-1, bitorder="little") << 4


def _q4_0(raw):
    return _nibbles(raw[..., 2:]), _half(raw, 0)[..., None], 8, None


def _q4_1(raw):
    return (_nibbles(raw[..., 4:]), _half(raw, 0)[..., None], None,
            _half(raw, 2)[..., None])


def _q5_0(raw):
    q = _nibbles(raw[..., 6:]) | _fifth_bits(raw, 2)
    return q.view(np.int8) - np.int8(16), _half(raw, 0)[..., None], None, None


def _q5_1(raw):
    q = _nibbles(raw[..., 8:]) | _fifth_bits(raw, 4)
    return (q.view(np.int8), _half(raw, 0)[..., None], None,
            _half(raw, 2)[..., None])


def _q8_0(raw):
    return raw[..., 2:].view(np.int8), _half(raw, 0)[..., None], None, None


def _six_bits(packed):
    """Eight scales and eight minima of six bits, in 12 bytes."""
    low, middle, high = (packed[..., i:i + 4] for i in (0, 4, 8))
    scale = np.concatenate([low & 63, high & 15 | low >> 2 & 48], -1)
    minimum = np.concatenate([middle & 63, high >> 4 | middle >> 2 & 48], -1)
    return scale.astype(F32), minimum.astype(F32)


def _levels(raw):
    scale, minimum = _six_bits(raw[..., 4:16])
    return (_half(raw, 0)[..., None] * scale,
            -(_half(raw, 2)[..., None] * minimum))


def _rows_of_32(packed):
    """32 bytes hold 32 elements in their low nibbles, then 32 in the high."""
    return _nibbles(packed.reshape(*packed.shape[:-1], 4, 32)
                    ).reshape(*packed.shape[:-1], 256)


def _q4_k(raw):
    scale, offset = _levels(raw)
    return _rows_of_32(raw[..., 16:]), scale, None, offset


def _q5_k(raw):
    scale, offset = _levels(raw)
    high = raw[..., 16:48, None].swapaxes(-1, -2) >> np.arange(
        8, dtype=np.uint8)[:, None] & 1
    q = _rows_of_32(raw[..., 48:]) | high.reshape(*raw.shape[:-1], 256) << 4
    return q.view(np.int8), scale, None, offset


def _q6_k(raw):
    low = raw[..., :128].reshape(*raw.shape[:-1], 2, 1, 64) >> np.array(
        [[0], [4]], np.uint8) & 15
    high = raw[..., 128:192].reshape(*raw.shape[:-1], 2, 1, 32) >> np.array(
        [[0], [2], [4], [6]], np.uint8) & 3
    q = low.reshape(*raw.shape[:-1], 256) | high.reshape(*raw.shape[:-1], 256) << 4
    scale = _half(raw, 208)[..., None] * raw[..., 192:208].view(np.int8)
    return q.view(np.int8) - np.int8(32), scale.astype(F32), None, None


def _quarters(packed):
    """Four elements in a byte: 32 bytes hold 32 in their lowest bits, then 32 in
    the next."""
    parts = packed.reshape(*packed.shape[:-1], -1, 1, 32) >> np.array(
        [[0], [2], [4], [6]], np.uint8) & 3
    return parts.reshape(*packed.shape[:-1], -1)


def _q2_k(raw):
    scale = _half(raw, 80)[..., None] * (raw[..., :16] & 15).astype(F32)
    minimum = _half(raw, 82)[..., None] * (raw[..., :16] >> 4).astype(F32)
    return _quarters(raw[..., 16:80]), scale, None, -minimum


def _q3_k(raw):
    """The third bit is that of the mask, and 4 is subtracted where it is not
    set."""
    low, packed = _quarters(raw[..., 32:96]), raw[..., 96:108]
    mask = raw[..., None, :32] >> np.arange(8, dtype=np.uint8)[:, None] & 1
    q = low | mask.reshape(*raw.shape[:-1], 256) << 2
    nibbles = np.concatenate([packed[..., :8] & 15, packed[..., :8] >> 4], -1)
    high = packed[..., None, 8:] >> np.array([[0], [2], [4], [6]], np.uint8) & 3
    six = nibbles | high.reshape(*raw.shape[:-1], 16) << 4
    scale = _half(raw, 108)[..., None] * (six.view(np.int8) - np.int8(32)).astype(F32)
    return q.view(np.int8) - np.int8(4), scale, None, None


def _trits(packed, count):
    """`count` digits of base 3 in a byte, the largest first, as a fraction of
    256."""
    powers = 3 ** np.arange(count, dtype=np.uint8)[:, None]
    return ((packed[..., None, :] * powers).astype(np.uint16) * 3 >> 8).astype(
        np.uint8).reshape(*packed.shape[:-1], -1)


def _tq1_0(raw):
    q = np.concatenate([_trits(raw[..., :32], 5), _trits(raw[..., 32:48], 5),
                        _trits(raw[..., 48:52], 4)], -1)
    return q, _half(raw, 52)[..., None], 1, None


def _tq2_0(raw):
    return _quarters(raw[..., :64]), _half(raw, 64)[..., None], 1, None


def _iq4_nl(raw):
    return _nibbles(raw[..., 2:]), _half(raw, 0)[..., None], None, None


def _mxfp4(raw):
    """Scales are half of the E8M0 number's power of two: 2^(e - 128)."""
    scale = np.ldexp(F32(1), raw[..., :1].astype(np.int32) - 128)
    return _nibbles(raw[..., 1:]), scale.astype(F32), None, None


KINDS = {kind.number: kind for kind in (
    Kind("F32", 0, 1, 4, lambda raw: raw.view("<f4")),
    Kind("F16", 1, 1, 2, lambda raw: raw.view("<f2")),
    Kind("Q4_0", 2, 32, 18, _q4_0, 32, 4, zero=True),
    Kind("Q4_1", 3, 32, 20, _q4_1, 32, 4, offset=True),
    Kind("Q5_0", 6, 32, 22, _q5_0, 32),
    Kind("Q5_1", 7, 32, 24, _q5_1, 32, offset=True),
    Kind("Q8_0", 8, 32, 34, _q8_0, 32),
    Kind("Q2_K", 10, 256, 84, _q2_k, 16, 2, half=80, offset=True),
    Kind("Q3_K", 11, 256, 110, _q3_k, 16, 4, half=108, is_signed=True),
    Kind("Q4_K", 12, 256, 144, _q4_k, 32, 4, offset=True),
    Kind("Q5_K", 13, 256, 176, _q5_k, 32, offset=True),
    Kind("Q6_K", 14, 256, 210, _q6_k, 16),
    Kind("IQ4_NL", 20, 32, 18, _iq4_nl, 32, 4, IQ4_NL),
    Kind("TQ1_0", 34, 256, 54, _tq1_0, 256, 2, half=52, zero=True),
    Kind("TQ2_0", 35, 256, 66, _tq2_0, 256, 2, half=64, zero=True),
    Kind("MXFP4", 39, 32, 17, _mxfp4, 32, 4, E2M1),
    Kind("BF16", 30, 1, 2,
         lambda raw: (raw.view("<u2").astype(np.uint32) << 16).view(F32)))}
BY_NAME = {kind.name: kind for kind in KINDS.values()}


def _check_finite(what, values):
    if not np.all(np.isfinite(values)):
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(f"the {what} of row {row}, block {column} is "
                         f"{values[row, column]}")


def _mirror(q, scale, zero, offset, group, bits, is_signed):
    """Scales below 0 become positive, and their integers change sides; groups
    whose scale is 0 hold zeros."""
    negative, empty = scale < 0, scale == 0
    if negative.any():
        each = np.repeat(negative, group, axis=1)
        if zero is not None:
            # s (q - z) = -s ((15 - q) - (15 - z))
            q = np.where(each, np.uint8((1 << bits) - 1) - q, q)
            zero = np.where(negative, (1 << bits) - 1 - zero, zero)
        else:
            bits = bits if is_signed else 8
            q = q.view(np.int8)
            if np.any(each & (q == -128)):
                raise ValueError("a block with a negative scale holds -128")
            q = np.where(each, -q, q)
        scale = np.abs(scale)
    if empty.any():
        rest = 0 if zero is None else np.repeat(zero, group, axis=1)
        q = np.where(np.repeat(empty, group, axis=1), rest, q).astype(q.dtype)
        scale = np.where(empty, F32(1), scale)
    return q, scale, zero, offset, bits


def stored(raw, kind):
    """What `weight` gives, without decoding it: (bits, group, unsigned, with
    zero points, with offsets, code book or None); None of floats."""
    if not kind.group:
        return None
    bits = kind.bits
    if kind.codebook:
        return bits, kind.group, False, False, False, kind.codebook
    if bits < 8 and not kind.zero and not kind.is_signed:
        blocks = raw.reshape(raw.shape[0], -1, kind.size)
        if np.any(_half(blocks, kind.half) < 0):
            bits = 8
    return (bits, kind.group, bits < 8 and not kind.is_signed, kind.zero,
            kind.offset, None)


def weight(raw, kind):
    """Rows of blocks, uint8 [N, bytes], as a `Grouped`; float32 of floats."""
    if not kind.group:
        values = kind.decode(raw).astype(F32)
        _check_finite("value", values)
        return values
    n = raw.shape[0]
    blocks = raw.reshape(n, -1, kind.size)
    q, scale, zero, offset = kind.decode(blocks)
    k, groups = blocks.shape[1] * kind.block, blocks.shape[1] * kind.block // kind.group
    q, scale = q.reshape(n, k), np.ascontiguousarray(scale.reshape(n, groups))
    _check_finite("scale", scale)
    if kind.codebook:
        return Grouped(q, scale, kind.group, kind.bits, codebook=kind.codebook)
    if offset is not None:
        offset = np.ascontiguousarray(offset.reshape(n, groups))
        _check_finite("offset", offset)
    if zero is not None:
        zero = np.full((n, groups), zero, np.int32)
    q, scale, zero, offset, bits = _mirror(q, scale, zero, offset, kind.group,
                                           kind.bits, kind.is_signed)
    is_unsigned = bits < 8 and not kind.is_signed
    return Grouped(q, scale, kind.group, bits, is_unsigned, zero, offset)


def bare(data, kind, n, k):
    """The weight [N, K] of bytes that are nothing but its blocks."""
    if n < 1 or k < 1:
        raise ValueError(f"expected N and K above 0, found {n} and {k}")
    if k % kind.block:
        raise ValueError(f"{kind.name} rows hold whole blocks of {kind.block}, but "
                         f"K is {k}")
    size = n * k // kind.block * kind.size
    if len(data) < size:
        raise ValueError(f"{kind.name} [{n}, {k}] takes {size} bytes, found "
                         f"{len(data)}")
    return weight(np.frombuffer(data, np.uint8, size).reshape(n, -1), kind)


def floats(raw, kind):
    """Rows of blocks as float32."""
    value = weight(raw, kind)
    return value if isinstance(value, np.ndarray) else dequantize(value)


def dequantize(w):
    """float32 of a `Grouped`, each step rounded once."""
    k = w.q.shape[1]
    each = lambda values: np.repeat(values, w.group, axis=1)[:, :k]
    q = elements(w).astype(F32)
    if w.zero_point is not None:
        q -= each(w.zero_point).astype(F32)
    q *= each(w.scale)
    if w.offset is not None:
        q += each(w.offset)
    return q
