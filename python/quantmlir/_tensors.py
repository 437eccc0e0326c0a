"""NumPy arrays and DLPack tensors as the C interface takes them, not copied."""

import ctypes

import numpy as np

from . import _capi
from .errors import InvalidArgument

# In the order of enum QuantElement; i4 comes in bytes, bf16 as its bits.
NAMES = ("i1", "i4", "i8", "i16", "i32", "i64", "f16", "bf16", "f32", "f64")
_DTYPES = tuple(np.dtype(d) for d in (
    np.bool_, np.int8, np.int8, np.int16, np.int32, np.int64, np.float16,
    np.uint16, np.float32, np.float64))


def dtype_of(element):
    """The NumPy type that holds a result's elements."""
    bf16 = _bfloat16()
    return bf16 if NAMES[element] == "bf16" and bf16 else _DTYPES[element]


def _bfloat16():
    """ml_dtypes' bfloat16, if the program has imported it."""
    import sys
    module = sys.modules.get("ml_dtypes")
    return np.dtype(module.bfloat16) if module else None


def _accepts(element, dtype):
    """Whether elements of `dtype` are, bit for bit, what is expected."""
    if dtype == dtype_of(element) or dtype == _DTYPES[element]:
        return True
    # Signless integers: unsigned ones are taken as they are.
    return (NAMES[element] in ("i4", "i8", "i16", "i32", "i64")
            and dtype.kind == "u"
            and dtype.itemsize == _DTYPES[element].itemsize)


class TensorType:
    """Type of an input or a result.

    Attributes:
        dtype: the element type by MLIR's name: ``"f32"``, ``"i8"``, ...
        shape: tuple of sizes, in elements; ``None`` where any size will do.
        numpy_dtype: the NumPy type of an array that holds it.
    """

    def __init__(self, element, shape):
        self.element = element
        self.dtype = NAMES[element]
        self.shape = tuple(shape)

    @classmethod
    def from_c(cls, value):
        return cls(value.element,
                   (None if value.shape[i] < 0 else value.shape[i]
                    for i in range(value.rank)))

    @property
    def numpy_dtype(self):
        return dtype_of(self.element)

    @property
    def is_static(self):
        return None not in self.shape

    def __repr__(self):
        sizes = "".join(f"{'?' if s is None else s}x" for s in self.shape)
        return f"tensor<{sizes}{self.dtype}>"

    def __eq__(self, other):
        return (isinstance(other, TensorType) and self.dtype == other.dtype
                and self.shape == other.shape)

    def __hash__(self):
        return hash((self.dtype, self.shape))

    def fits(self, shape):
        return len(shape) == len(self.shape) and all(
            expected is None or expected == found
            for expected, found in zip(self.shape, shape))


def describe(array):
    return (f"an array of {array.dtype} with shape "
            f"({', '.join(map(str, array.shape))})")


def to_array(value, what, expected):
    """A NumPy array over the memory of `value`."""
    if isinstance(value, np.ndarray):
        if isinstance(value, np.ma.MaskedArray):
            raise InvalidArgument(f"{what}: expected an array without a mask")
        return value
    if hasattr(value, "__dlpack__"):
        return _from_dlpack(value, what)
    # Python's own numbers have no type of their own.
    if isinstance(value, (list, tuple, int, float, bool)):
        return _from_numbers(value, what, expected)
    if hasattr(value, "__array__") or np.isscalar(value):
        return np.asarray(value)
    raise InvalidArgument(
        f"{what}: expected a NumPy array or a tensor with __dlpack__ "
        f"({expected}), found {type(value).__name__}")


def _from_numbers(value, what, expected):
    """An array of Python's numbers, each of which is one of the type expected."""
    try:
        plain = np.asarray(value)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(f"{what}: expected {expected}, found a list that is no "
                              f"array: {error}") from None
    if plain.size and plain.dtype.kind not in "biuf":
        raise InvalidArgument(f"{what}: expected {expected}, found a list of "
                              f"{plain.dtype}")
    if plain.size and expected.dtype == "bf16" and not _bfloat16():
        raise InvalidArgument(f"{what}: expected {expected}, found a list: import "
                              "ml_dtypes, or give an array of the bits in uint16")
    if expected.dtype[0] == "i":
        return _from_integers(plain, what, expected)
    with np.errstate(over="ignore"):
        array = plain.astype(expected.numpy_dtype)
    if np.any(np.isfinite(plain) & ~np.isfinite(array)):
        raise InvalidArgument(f"{what}: expected {expected}, found numbers that are too "
                              "large")
    return array


def _from_integers(plain, what, expected):
    # Signless: those of either kind, as arrays are taken.
    bits = int(expected.dtype[1:])
    low, high = (0, 1) if bits == 1 else (-2**(bits - 1), 2**bits - 1)
    fits = np.abs(plain) < 2.0**53 if plain.dtype.kind == "f" else True
    if not np.all(fits & (plain == np.trunc(plain)) & (plain >= low) & (plain <= high)):
        raise InvalidArgument(f"{what}: expected {expected}, found numbers that are no "
                              f"integers of {low} to {high}")
    return plain.astype(expected.numpy_dtype)


def _from_dlpack(value, what):
    # torch refuses to export what it may differentiate.
    detach = getattr(value, "detach", None)
    if detach is not None:
        value = detach()
    try:
        return np.from_dlpack(value)
    except (BufferError, TypeError, RuntimeError, ValueError) as error:
        # NumPy has no bfloat16: its bits will do.
        if "bfloat16" in str(getattr(value, "dtype", "")):
            import torch
            return np.from_dlpack(value.view(torch.uint16)
                                  if hasattr(torch, "uint16")
                                  else value.view(torch.int16)).view(np.uint16)
        raise InvalidArgument(
            f"{what}: its memory cannot be read by DLPack: {error}") from error


def check(array, expected, what):
    """Raises InvalidArgument where `array` is not of the type `expected`."""
    if _accepts(expected.element, array.dtype) and array.dtype.isnative \
            and expected.fits(array.shape):
        return
    hint = ""
    if expected.fits(array.shape):
        hint = f"; array.astype('{expected.numpy_dtype}') converts it"
    raise InvalidArgument(
        f"{what}: expected {expected}, found {describe(array)}{hint}")


def fill(tensor, array, element):
    """Lets `tensor` (QuantTensor) point to the memory of `array`; what has to
    stay alive as long."""
    rank = array.ndim
    if any(s < 0 or s % array.itemsize for s in array.strides):
        array = np.ascontiguousarray(array)
    sizes = (ctypes.c_int64 * max(rank, 1))(*array.shape)
    # The stride of a dimension of one element says nothing.
    strides = (ctypes.c_int64 * max(rank, 1))(
        *(0 if size == 1 else stride // array.itemsize
          for size, stride in zip(array.shape, array.strides)))
    extent = 0
    if array.size:
        extent = array.itemsize + sum(
            (size - 1) * stride for size, stride in zip(array.shape,
                                                        array.strides)
            if size > 1)
    tensor.data = array.ctypes.data
    tensor.size = extent
    tensor.element, tensor.rank = element, rank
    tensor.shape, tensor.strides = sizes, strides
    return array, sizes, strides


class _Memory:
    """Memory of a result, given back when the last array over it goes."""

    def __init__(self, address, shape, dtype):
        self.address = address
        self.__array_interface__ = {
            "version": 3, "shape": shape, "data": (address, False),
            "typestr": dtype.str, "descr": [("", dtype.str)]}

    def __del__(self, release=_capi.library.quantRelease):
        release(self.address)


def take(tensor, element):
    """The array that a model allocated."""
    shape = tuple(tensor.shape[i] for i in range(tensor.rank))
    dtype = _DTYPES[element]
    memory = _Memory(tensor.data, shape, dtype)
    return np.asarray(memory).view(dtype_of(element))
