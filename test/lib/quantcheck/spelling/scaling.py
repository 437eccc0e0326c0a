"""Dequantize and quantize as rows of steps."""

import dataclasses

import numpy as np

from quantcheck.draw import F32
from quantcheck.spelling.steps import Parameter, Step
from quantcheck.spelling.writer import NUMPY


def wrapped(array, element):
    """Integers as the bits of their type hold them."""
    array = np.asarray(array, np.int64)
    bits = int(element[1:])
    low = array & ((1 << bits) - 1) if bits < 64 else array
    if bits < 64:
        low = np.where(low >> (bits - 1), low - (1 << bits), low)
    return low.astype(NUMPY[element])


def widths(bits):
    """Integers wide enough for a difference of two of `bits`."""
    return ["i32", "i16", "i64"] if bits <= 8 else ["i32", "i64"]


class Scaling:
    """The steps of one operand, with the choices of one program."""

    def __init__(self, steps, real="f32", gathered=None, zero_words=None):
        """`real` is the type of the program's floats; `gathered` the group of
        each k where parameters are looked up; `zero_words` the type that zero
        points are packed in."""
        self.real = real
        self.steps, self.axis = steps, steps.axis
        self.gathered, self.zero_words = gathered, zero_words

    def parameter(self, name, array, atoms, stored, element, unsigned=False,
                  **more):
        if self.gathered is not None and "g" in atoms:
            atoms, more["gathered"] = ("n", "k"), self.gathered
        return Parameter(name, array, atoms, stored, element, unsigned, **more)

    # Parameters.
    def scale(self, array, atoms):
        """A scale that is multiplied with, in the type that holds it."""
        array = np.asarray(array, F32)
        options = [self.real, "f64"]
        if self.real == "f16":
            options.append("f32")
        elif np.array_equal(array.astype(np.float16).astype(F32), array):
            options.append("f16")
        stored = self.axis("scale type", *options)
        return self.parameter("scale", array.astype(NUMPY[stored]), atoms,
                              stored, self.real)

    def reciprocal(self, array, atoms):
        if self.axis("reciprocal", "a constant", "computed") == "computed":
            return dataclasses.replace(self.scale(array, atoms), inverted=True)
        inverse = (F32(1) / np.asarray(array, F32)).astype(NUMPY[self.real])
        return self.parameter("scale", inverse, atoms, self.real, self.real)

    def integer_zero(self, array, atoms, element, bits, unsigned):
        """A zero point that is read as the integer `element`."""
        if self.packs(atoms, unsigned):
            return self.packed_zero(array, atoms, element)
        narrow = ["i8"] + (["i4"] if bits == 4 else [])
        stored = self.axis("zero point type", *narrow, "i32", "i64", "as wide")
        stored = element if stored == "as wide" else stored
        return self.parameter("zero point", wrapped(array, stored), atoms,
                              stored, element,
                              unsigned and stored in ("i8", "i4"))

    def packs(self, atoms, unsigned):
        return self.zero_words and unsigned and atoms == ("n", "g") and \
            self.gathered is None

    def packed_zero(self, array, atoms, element):
        """Zero points in nibbles, held as the words that hold the weight."""
        less = np.all(array >= 1) and \
            self.axis("packed zero points are", "themselves", "less one") != \
            "themselves"
        return Parameter("zero point", array - less, atoms, self.zero_words,
                         element, packed=self.zero_words, plus_one=bool(less))

    def float_zero(self, array, atoms, bits, unsigned):
        if self.packs(atoms, unsigned):
            return self.packed_zero(array, atoms, self.real)
        narrow = ["i8"] + (["i4"] if bits == 4 else [])
        stored = self.axis("zero point type", self.real, *narrow, "i32", "i64")
        if stored == self.real:
            array = np.asarray(array, NUMPY[self.real])
            return self.parameter("zero point", array, atoms,
                             self.real, self.real)
        return self.parameter("zero point", wrapped(array, stored), atoms,
                              stored, self.real,
                              unsigned and stored in ("i8", "i4"))

    # Dequantize.
    def multiply(self, scale, atoms):
        """The step that multiplies with a scale."""
        # f16 holds the reciprocals of powers of two only.
        exact = self.real == "f32" or np.all(np.frexp(scale)[0] == .5)
        if np.all(scale) and exact and self.axis("scaled by", "product",
                                       "quotient") == "quotient":
            return Step("arith.divf", self.real, self.reciprocal(scale, atoms))
        return Step("arith.mulf", self.real, self.scale(scale, atoms))

    def convert(self, element, unsigned):
        """Integers as floats, through a wider integer or at once."""
        through = self.axis("to float", "at once", "through i32",
                            "through i16", "through i64")
        ext = "arith.extui" if unsigned else "arith.extsi"
        if through != "at once" and \
                int(through.split("i")[-1]) > int(element[1:]):
            wide = through.split()[1]
            tofp = self.axis("nonnegative to float", "sitofp", "uitofp") \
                if unsigned else "sitofp"
            return [Step(ext, wide), Step(f"arith.{tofp}", self.real)]
        return [Step("arith.uitofp" if unsigned else "arith.sitofp", self.real)]

    def widen(self, element, bits, unsigned):
        """(steps, the type) of integers that a zero point is taken from."""
        options = [w for w in widths(bits) if int(w[1:]) > int(element[1:])]
        if bits == 4 and element == "i4":
            options.append("i8")
        if int(element[1:]) > 8:
            options = [element] + options
        elif int(element[1:]) > bits:  # a difference of nibbles, in bytes
            options.append(element)
        wide = self.axis("widened to", *options)
        if wide == element:
            return [], wide
        ext = "arith.extui" if unsigned else "arith.extsi"
        return [Step(ext, wide)], wide

    def dequantize(self, element, bits, unsigned, scale, scale_atoms, zero,
                   zero_atoms):
        """Steps from stored integers of `element` to floats. `zero_atoms` is
        None where no zero point is written."""
        if zero_atoms is None:
            return self.convert(element, unsigned) + [
                self.multiply(scale, scale_atoms)]
        how = self.axis("subtraction", "of integers", "of floats",
                        *(["after the product"] if self.real == "f32" else []))
        if how == "of integers":
            steps, wide = self.widen(element, bits, unsigned)
            zero = self.integer_zero(zero, zero_atoms, wide, bits, unsigned)
            return steps + [Step("arith.subi", wide, zero),
                            Step("arith.sitofp", self.real),
                            self.multiply(scale, scale_atoms)]
        steps = self.convert(element, unsigned)
        if how == "of floats":
            zero = self.float_zero(zero, zero_atoms, bits, unsigned)
            return steps + [Step("arith.subf", self.real, zero),
                            self.multiply(scale, scale_atoms)]
        if self.axis("offset is", "a constant", "computed") == "computed":
            return steps + [
                Step("arith.mulf", self.real, self.scale(scale, scale_atoms)),
                Step("arith.subf", self.real,
                     self.float_zero(zero, zero_atoms, bits, unsigned),
                     self.scale(scale, scale_atoms))]
        offset, atoms = self.product(scale, scale_atoms, zero, zero_atoms)
        op = "arith.subf"
        if self.axis("offset", "subtracted", "added") == "added":
            offset, op = -offset, "arith.addf"
        return steps + [
            Step("arith.mulf", self.real, self.scale(scale, scale_atoms)),
            Step(op, self.real, self.parameter(
                "offset", offset, atoms, self.real, self.real))]

    @staticmethod
    def product(scale, scale_atoms, zero, zero_atoms):
        """scale * zero as float32 numbers, and what they depend on."""
        zero = np.asarray(zero, F32)
        if len(zero_atoms) < len(scale_atoms):
            zero = zero.reshape(zero.shape + (1,) * (
                len(scale_atoms) - len(zero_atoms)))
            zero = np.broadcast_to(zero, np.shape(scale))
        return (np.asarray(scale, F32) * zero).astype(F32), scale_atoms

    # Quantize.
    def bound(self, ops, low, high, element):
        steps = []
        for op, number in zip(ops, (low, high)):
            array = np.asarray(number, NUMPY[element])
            steps.append(Step(op, element, Parameter(
                "bound", array, (), element, element)))
        if self.axis("clamp order", "low first", "high first") != "low first":
            steps.reverse()
        return steps

    def clamp(self, low, high, element):
        if element[0] == "i":
            how = self.axis("integer clamp", "maxsi", "select")
            return self.bound(("select max", "select min") if how == "select"
                              else ("arith.maxsi", "arith.minsi"), low, high,
                              element)
        how = self.axis("clamp", "maximumf", "maxnumf", "select", "mixed")
        ops = {"maximumf": ("arith.maximumf", "arith.minimumf"),
               "maxnumf": ("arith.maxnumf", "arith.minnumf"),
               "select": ("select max", "select min"),
               "mixed": ("arith.maximumf", "select min")}[how]
        return self.bound(ops, low, high, element)

    def quantize(self, scale, atoms, zero, zero_atoms, low, high, stored=True):
        """Steps from floats to stored integers (i8), or to what would be
        stored in a wider type: (steps, element)."""
        if self.axis("divided by", "quotient", "reciprocal") == "quotient":
            steps = [Step("arith.divf", "f32", self.scale(scale, atoms))]
        else:
            steps = [Step("arith.mulf", "f32", self.reciprocal(scale, atoms))]
        steps.append(Step("math.roundeven", "f32"))
        unsigned = low == 0
        how = self.axis("clamped", "as floats", "as integers")
        if how == "as integers":
            steps.append(Step("arith.fptosi", "i32"))
            if zero_atoms is not None:
                zero = self.integer_zero(zero, zero_atoms, "i32", 8, unsigned)
                steps.append(Step("arith.addi", "i32", zero))
            steps += self.clamp(low, high, "i32")
            if not stored:
                return steps, "i32"
            return steps + [Step("arith.trunci", "i8")], "i8"
        shifted = zero_atoms == () and self.axis(
            "zero point added", "before the clamp", "after it") == "after it"
        add = []
        if zero_atoms is not None:
            add = [Step("arith.addf", "f32", self.float_zero(
                zero, zero_atoms, 8, unsigned))]
        if shifted:
            z = int(np.asarray(zero))
            steps += self.clamp(low - z, high - z, "f32") + add
        else:
            steps += add + self.clamp(low, high, "f32")
        if not stored:
            return steps, "f32"
        if self.axis("to integer", "at once", "through i32") == "at once":
            op = "arith.fptoui" if unsigned else "arith.fptosi"
            return steps + [Step(op, "i8")], "i8"
        return steps + [Step("arith.fptosi", "i32"),
                        Step("arith.trunci", "i8")], "i8"

    def dequantize_unstored(self, element, unsigned, scale, atoms, zero,
                            zero_atoms):
        """Steps behind `quantize(stored=False)`."""
        if element == "i32":
            return self.dequantize("i32", 8, unsigned, scale, atoms, zero,
                                   zero_atoms)
        steps = []
        if zero_atoms is not None:
            steps = [Step("arith.subf", "f32", self.float_zero(
                zero, zero_atoms, 8, unsigned))]
        return steps + [self.multiply(scale, atoms)]
