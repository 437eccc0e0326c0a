"""Find a model's constants by content and write them into its body.

A model is `NAME.body.mlir`, whose large constants are `dense_resource<key>`
without data, and `NAME.weights.json`, which gives for each key the shape, the
element type and the first 16 digits of the data's SHA-256. The data lies in
`.npz` or `.safetensors` files and is found by that hash, so one file serves
any export of the same model.
"""

import hashlib
import itertools
import json
import os
import pathlib
import struct
import subprocess
import tempfile

import numpy as np

_SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8",
                "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}


def content_hash(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()
                          ).hexdigest()[:16]


def read_safetensors(path):
    """Yields (name, array); the arrays are views of a memory map."""
    with open(path, "rb") as f:
        (length,) = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(length))
    data = np.memmap(path, np.uint8, "r", offset=8 + length)
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in _SAFETENSORS:
            continue
        begin, end = entry["data_offsets"]
        yield name, data[begin:end].view(_SAFETENSORS[entry["dtype"]]
                                         ).reshape(entry["shape"])


def read_arrays(path):
    if str(path).endswith(".safetensors"):
        yield from read_safetensors(path)
        return
    with np.load(path) as archive:
        for name in archive.files:
            yield name, archive[name]


def _squeezed(shape):
    """Sizes without those of 1, which do not show in the data."""
    return tuple(size for size in shape if size != 1)


def _candidates(array, shapes):
    """The array, and its transposes where a constant has that shape: TOSA
    holds a matrix transposed and a filter with its channels last."""
    array = np.asarray(array).reshape(_squeezed(array.shape))
    for order in itertools.permutations(range(array.ndim)):
        if tuple(array.shape[d] for d in order) in shapes:
            yield np.ascontiguousarray(array.transpose(order))


def find(description, sources):
    """{key: array} for a weights.json; a missing constant is a KeyError."""
    with open(description) as f:
        wanted = json.load(f)
    by_hash = {entry["sha256_16"]: None for entry in wanted.values()}
    shapes = {_squeezed(entry["shape"]) for entry in wanted.values()}
    for source in sources:
        for _, array in read_arrays(source):
            if array.ndim > 5:
                continue
            for candidate in _candidates(array, shapes):
                digest = content_hash(candidate)
                if by_hash.get(digest, 0) is None:
                    by_hash[digest] = np.array(candidate)
    missing = [key for key, entry in wanted.items()
               if by_hash[entry["sha256_16"]] is None]
    if missing:
        raise KeyError(f"{len(missing)} of {len(wanted)} constants are in none "
                       f"of the sources, the first is `{missing[0]}`")
    return {key: by_hash[entry["sha256_16"]].reshape(entry["shape"])
            for key, entry in wanted.items()}


def by_parameter(description, arrays):
    """{parameter name: array} from what `find` returned."""
    with open(description) as f:
        wanted = json.load(f)
    out = {}
    for key, entry in wanted.items():
        array = arrays[key]
        out[entry["param"] or key] = (
            np.ascontiguousarray(array.T) if entry["how"] == "transposed"
            else array)
    return out


def attach(body, arrays, out):
    """Writes the module `body` (text) with its resources' data to `out`.

    A blob is its alignment as four little-endian bytes, then the data.
    """
    out.write(body.rstrip() + "\n")
    if not arrays:
        return
    out.write("\n{-#\n  dialect_resources: {\n    builtin: {\n")
    for i, (key, array) in enumerate(arrays.items()):
        data = np.ascontiguousarray(array)
        prefix = struct.pack("<I", max(4, data.itemsize)).hex()
        out.write((",\n" if i else "") + f'      {key}: "0x{prefix}')
        out.write(data.tobytes().hex().upper() + '"')
    out.write("\n    }\n  }\n#-}\n")


def write_program(body, arrays, path, opt):
    """Writes body and data to `path`: bytecode for .mlirbc (`opt` writes it),
    else text. The file is made beside `path` and renamed, never half."""
    path = pathlib.Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        # The text's name is what locations in the bytecode say.
        text = pathlib.Path(folder, path.stem + ".mlir")
        with text.open("w") as out:
            attach(pathlib.Path(body).read_text(), arrays, out)
        if path.suffix == ".mlirbc":
            subprocess.run([os.path.abspath(opt), text.name,
                            "--emit-bytecode", "-o", path.name],
                           cwd=folder, check=True)
            text = pathlib.Path(folder, path.name)
        text.rename(path)
