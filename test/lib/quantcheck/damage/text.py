"""Damage to programs, options and files: what is left is seldom right, and must
be refused or done, never break a tool."""

import re

NUMBERS = ["0", "1", "-1", "2", "3", "4", "5", "7", "8", "15", "16", "17", "33",
           "64", "127", "128", "-128", "255", "256", "65535", "65536",
           "2147483647", "2147483648", "-2147483648", "4294967296",
           "9223372036854775807", "18446744073709551615"]
# -2^63 is none of them: as a static size it stands, in upstream, for one of the
# run (docs/upstream-semantics.md).
SIZES = ["0", "1", "2", "3", "5", "8", "16", "64", "?", "?", "33", "140000",
         "2147483648", "4611686018427387904", "9223372036854775807"]
FLOATS = ["0.0", "-1.0", "1.0e-45", "3.5e38", "0x7F800000", "0x7FC00000",
          "-0.0", "0.1", "1.0e30"]
TYPES = ["i1", "i2", "i4", "i8", "ui8", "si8", "i16", "i32", "i64", "f16",
         "bf16", "f32", "f64", "index", "complex<f32>", "f8E4M3FN"]
WORDS = ["tensor", "memref", "vector", "parallel", "reduction", "unsigned",
         "transpose_rhs", "lhs_unsigned", "extsi", "extui", "addf", "addi",
         "mulf", "maximumf", "dense", "dense_resource", "func.func", "linalg."
         "matmul", "linalg.batch_matmul", "linalg.generic", "quant.matmul",
         "true", "false", "none", "axes = []", "axes = [0]", "axes = [1]"]

_NUMBER = re.compile(r"(?<![\w.%#^])-?\d+(?![\w.])")
_SIZE = re.compile(r"(?<=[<x])(\d+|\?)(?=x)")
_FLOAT = re.compile(r"-?\d+\.\d+(e[-+]?\d+)?")
_TYPE = re.compile(r"\b(i1|i2|i4|i8|i16|i32|i64|f16|bf16|f32|f64|index)\b")
_VALUE = re.compile(r"%[\w#]+")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_SHAPED = re.compile(r"(tensor|memref|vector)<[^<>]*(<[^<>]*>)?[^<>]*>")


def _replace_one(draw, text, pattern, choices):
    found = list(pattern.finditer(text))
    if not found:
        return text
    one = draw.choice(found)
    return text[:one.start()] + draw.choice(choices) + text[one.end():]


def _replace_all(draw, text, pattern, choices):
    """The same thing everywhere, so that much of a program stays valid."""
    found = pattern.findall(text)
    if not found:
        return text
    old = draw.choice(found)
    old = old if isinstance(old, str) else old[0]
    new = draw.choice(choices)
    return pattern.sub(lambda m: new if m.group(0) == old else m.group(0), text)


def _lines(draw, text, other):
    lines, from_other = text.split("\n"), other.split("\n")
    at, to = draw.randrange(len(lines)), draw.randrange(len(lines))
    how = draw.randrange(5)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(to, lines[at])
    elif how == 2:
        lines[at], lines[to] = lines[to], lines[at]
    elif how == 3:
        lines.insert(at, draw.choice(from_other))
    else:
        lines = lines[:at]
    return "\n".join(lines)


def _characters(draw, text, _):
    if not text:
        return text
    at = draw.randrange(len(text))
    how = draw.randrange(4)
    if how == 0:
        return text[:at] + text[at + draw.randrange(1, 9):]
    if how == 1:
        return text[:at] + draw.choice("<>()[]{}x?%#!,:=-\"'0\0\xe9") + text[at:]
    if how == 2:
        return text[:at] + draw.choice("<>()[]{}x?%#!,:=-0") + text[at + 1:]
    return text[:at]


def _swap_values(draw, text, _):
    values = list(_VALUE.finditer(text))
    if len(values) < 2:
        return text
    a, b = draw.sample(values, 2)
    return text[:a.start()] + b.group(0) + text[a.end():]


def _swap_types(draw, text, _):
    types = list(_SHAPED.finditer(text))
    if len(types) < 2:
        return text
    a, b = draw.sample(types, 2)
    if draw.random() < .5:
        return text.replace(a.group(0), b.group(0))
    return text[:a.start()] + b.group(0) + text[a.end():]


def _other_kind(draw, text, _):
    old, new = draw.sample(["tensor", "memref", "vector"], 2)
    if draw.random() < .5:
        return text.replace(old + "<", new + "<")
    return _replace_one(draw, text, re.compile(old + "(?=<)"), [new])


def _drop_attribute(draw, text, _):
    return _replace_one(draw, text, re.compile(r"[\w.]+ = [^,{}\n]+,? ?"), [""])


_TEXT = [
    (12, lambda d, t, o: _replace_all(d, t, _SIZE, SIZES)),
    (2, lambda d, t, o: _replace_one(d, t, _SIZE, SIZES)),
    (4, lambda d, t, o: _replace_one(d, t, _NUMBER, NUMBERS)),
    (2, lambda d, t, o: _replace_all(d, t, _NUMBER, NUMBERS)),
    (3, lambda d, t, o: _replace_one(d, t, _FLOAT, FLOATS)),
    (4, lambda d, t, o: _replace_all(d, t, _TYPE, TYPES)),
    (1, lambda d, t, o: _replace_one(d, t, _TYPE, TYPES)),
    (2, _swap_values), (2, _swap_types), (1, _other_kind), (2, _drop_attribute),
    (1, lambda d, t, o: _replace_one(d, t, _WORD, WORDS)),
    (1, _lines), (1, _characters)]


def program(draw, text, other):
    """Up to three changes of the text of a program. Without any, a pass sees a
    program that is another's."""
    for _ in range(draw.choice([0, 1, 1, 1, 1, 1, 1, 2, 2, 3])):
        change = draw.choices([c for _, c in _TEXT],
                              weights=[w for w, _ in _TEXT])[0]
        text = change(draw, text, other)
    return text


def data(draw, content):
    """One to four changes of bytes."""
    content = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4])):
        if not content:
            break
        at, how = draw.randrange(len(content)), draw.randrange(6)
        if how == 0:
            content[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            content[at] = draw.choice([0, 1, 127, 128, 254, 255])
        elif how == 2:
            del content[at:at + draw.randrange(1, 17)]
        elif how == 3:
            content[at:at] = bytes(draw.randrange(256)
                                   for _ in range(draw.randrange(1, 9)))
        elif how == 4:
            size = draw.choice([1, 2, 4, 8])
            value = draw.choice([0, 1, 2**31, 2**63, 2**64 - 1])
            content[at:at + size] = (value % 2**(8 * size)).to_bytes(
                size, "little")
        else:
            del content[at:]
    return bytes(content)


def options(draw, text):
    """One change of a tool's options."""
    how = draw.randrange(4)
    if how == 0:
        return _replace_one(draw, text, _WORD, WORDS + ["host", "", "x86-64"])
    if how == 1:
        return _replace_one(draw, text, _NUMBER, NUMBERS + ["", "1.5", "x"])
    if how == 2:
        return _replace_one(draw, text, re.compile(r"=\S+"), ["=", "", "=="])
    return _characters(draw, text, "").replace("\0", "")
