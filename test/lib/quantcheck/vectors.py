"""Vector files: which files under a folder hold vectors, and of what op.

Two kinds of description stand beside the `.npz` files of ONNX vectors:
`index.json` of ONNX's node tests (typed inputs and outputs, attributes) and
`ort_index.json` of ONNX Runtime's results (an op and the keys of its inputs).
Files that no description names are known by their keys, or else by their name;
`.npz` files that are neither (weights, inputs of models) hold no vectors.
"""

import json
import pathlib
import re
import zipfile
from dataclasses import dataclass, field

import numpy as np

ONNX_OPS = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
            "MatMulInteger", "QLinearMatMul", "MatMulNBits")
ONNX_TYPES = {"float32": "FLOAT", "float16": "FLOAT16", "int8": "INT8",
              "uint8": "UINT8", "int16": "INT16", "uint16": "UINT16",
              "int32": "INT32", "int64": "INT64", "float64": "DOUBLE"}
# Keys of ONNX Runtime's files, by op: a file holds at least these.
ORT_KEYS = [("QLinearMatMul", ["a", "a_scale", "a_zp", "b", "b_scale", "b_zp",
                               "y_scale", "y_zp"], 8),
            ("MatMulNBits", ["A", "q", "scale", "zp"], 3),
            ("MatMulInteger", ["A", "B", "a_zp", "b_zp"], 2),
            ("QuantizeLinear", ["x", "y_scale", "y_zp"], 2),
            ("DequantizeLinear", ["x", "x_scale", "x_zp"], 2),
            ("DynamicQuantizeLinear", ["x"], 1)]


@dataclass
class Vector:
    """One file, or what an index says of one that is missing."""
    name: str
    op: str  # an ONNX op, `rescale` or `fully_connected`
    path: pathlib.Path
    attributes: dict = field(default_factory=dict)
    inputs: list = field(default_factory=list)  # arrays, None where absent
    input_types: list = field(default_factory=list)  # ONNX's names
    outputs: list = field(default_factory=list)
    output_types: list = field(default_factory=list)
    arrays: dict = field(default_factory=dict)  # the whole file
    note: str = ""
    problem: str = ""  # why it cannot be read


def onnx_type(array):
    if array is None:
        return None
    return ONNX_TYPES.get(array.dtype.name, array.dtype.name)


def load(path):
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def outputs_of(arrays):
    keys = [k for k in arrays if re.fullmatch(r"out\d+", k)]
    return [arrays[k] for k in sorted(keys, key=lambda k: int(k[3:]))]


def from_node_test(folder, entry):
    """A case of index.json: its entry says everything."""
    path = folder / entry.get("file", entry["name"] + ".npz")
    vector = Vector(entry["name"], entry["op"], path,
                    dict(entry.get("attributes", {})))
    arrays = load(path)
    for one in entry["inputs"]:
        key = one.get("key")
        vector.inputs.append(arrays[key] if key in arrays else None)
        vector.input_types.append(one.get("onnx_type"))
    for one in entry["outputs"]:
        vector.outputs.append(arrays[one["key"]])
        vector.output_types.append(one.get("onnx_type"))
    return vector


def from_keys(path, op, keys, attributes=None, note="", types=None):
    arrays = load(path)
    inputs = [arrays.get(key) for key in keys]
    vector = Vector(path.stem, op, path, dict(attributes or {}), inputs,
                    outputs=outputs_of(arrays), arrays=arrays, note=note)
    types = types or {}
    vector.input_types = [types.get(key, onnx_type(a))
                          for key, a in zip(keys, inputs)]
    vector.output_types = [types.get(f"out{i}", onnx_type(a))
                           for i, a in enumerate(vector.outputs)]
    return vector


def from_ort(folder, entry):
    return from_keys(folder / entry["file"], entry["op"], entry["inputs"],
                     entry.get("attributes"), entry.get("note", ""),
                     entry.get("types"))


def guess(path):
    """A file that no index names, by its keys and its name; None: no vector."""
    with np.load(path, allow_pickle=False) as archive:
        keys = set(archive.files)
    if {"x", "multiplier", "shift", "y"} <= keys:
        return Vector(path.stem, "rescale", path, arrays=load(path))
    if {"x", "w", "w_scale", "x_scale", "y_scale"} <= keys:
        return Vector(path.stem, "fully_connected", path, arrays=load(path))
    if path.name.startswith("test_"):
        name = path.name.lower()
        for op in sorted(ONNX_OPS, key=len, reverse=True):
            if op.lower() in name:
                order = sorted((k for k in keys if re.fullmatch(r"in\d+", k)),
                               key=lambda k: int(k[2:]))
                return from_keys(path, op, order)
        return None
    if "out0" in keys:
        for op, wanted, needed in ORT_KEYS:
            if set(wanted[:needed]) <= keys:
                return from_keys(path, op, wanted)
    return None


def entries(index):
    """(maker, folder, entry) for every vector that an index file describes."""
    text = json.loads(index.read_text())
    if isinstance(text, dict) and isinstance(text.get("cases"), list):
        return [(from_node_test, index.parent, e) for e in text["cases"]
                if isinstance(e, dict) and e.get("op") in ONNX_OPS
                and "inputs" in e]
    if isinstance(text, list):
        return [(from_ort, index.parent, e) for e in text
                if isinstance(e, dict) and e.get("op") in ONNX_OPS
                and "file" in e]
    return []


def find(root):
    """Every vector under `root`, by name; described ones first."""
    root = pathlib.Path(root)
    found, described = [], set()

    def attempt(name, path, make):
        try:
            vector = make()
        except (OSError, KeyError, ValueError, EOFError,
                zipfile.BadZipFile) as error:
            vector = Vector(name, "unreadable", path,
                            problem=f"cannot be read: {error!r}")
        if vector is not None:
            found.append(vector)

    for index in sorted(root.rglob("*.json")):
        if "index" not in index.name:
            continue
        try:
            described_here = entries(index)
        except (ValueError, UnicodeDecodeError) as error:
            found.append(Vector(index.name, "unreadable", index,
                                problem=f"cannot be read: {error}"))
            continue
        for make, folder, entry in described_here:
            path = folder / entry.get("file", f"{entry.get('name')}.npz")
            described.add(path)
            attempt(path.stem, path, lambda: make(folder, entry))
    for path in sorted(root.rglob("*.npz")):
        if path not in described:
            attempt(path.stem, path, lambda: guess(path))
    return sorted(found, key=lambda v: (str(v.path.parent), v.name))
