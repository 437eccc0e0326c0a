#!/usr/bin/env python3
"""Scores the compiled MiniLM on sentences against its float embeddings.

    score_minilm.py [--quantize=OPTIONS] [--target=x86] [--batch=58]
                    [--sentences=FILE.npz] [--save=EMBEDDINGS.npy]
                    [--program=FILE]

Runs `quant-run` on the whole model with dynamic batch and prints the mean and
least cosine, the SQNR, the Spearman correlation of all pairwise similarities
and the agreement on nearest neighbours. FILE.npz holds `rows`, `mask`, the
embedding tables and the float result `emb_fp32` (default: the cases' file).
--program names the model's own program, changed (quant-equalize).
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from quantsim import catalog, metrics

ROOT = pathlib.Path(__file__).resolve().parents[2]

MODEL = "minilm_l6_full_dynbatch_s32"


def embed(z):
    """The embedding layer, which is not part of the exported program."""
    x = z["table"][z["rows"]] + z["pos"][None] + z["type"][None, None]
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    x = (x - mean) / np.sqrt(variance + 1e-12) * z["ln_w"] + z["ln_b"]
    return x.astype(np.float32)


def ranks(values):
    order = np.argsort(values, kind="stable")
    out = np.empty(len(values))
    out[order] = np.arange(len(values))
    return out


def score(reference, got):
    def similarities(e):
        e = e / np.linalg.norm(e, axis=1, keepdims=True)
        return e @ e.T

    a, b = similarities(reference), similarities(got)
    upper = np.triu_indices(len(reference), 1)
    cosines = [metrics.mean_cosine(r[None], g[None])
               for r, g in zip(reference, got)]
    np.fill_diagonal(a, -9)
    np.fill_diagonal(b, -9)
    return {
        "sentences": len(reference),
        "mean cosine": np.mean(cosines),
        "min cosine": np.min(cosines),
        "SQNR dB": metrics.sqnr_db(reference, got),
        "Spearman": np.corrcoef(ranks(a[upper]), ranks(b[upper]))[0, 1],
        "same neighbour": (a.argmax(1) == b.argmax(1)).mean(),
    }


def batches(inputs, batch):
    """[sentences, ...] as [calls, batch, ...]; the last sentence fills up."""
    filled = -(-len(inputs[0]) // batch) * batch
    index = np.minimum(np.arange(filled), len(inputs[0]) - 1)
    return [array[index].reshape((-1, batch) + array.shape[1:])
            for array in inputs]


def program_inputs(z):
    """What the exported program takes, from the archive of sentences."""
    mask = z["mask"].astype(np.float32)
    # The additive mask of the export: 0 where a token is, -10000 elsewhere.
    additive = ((1 - mask) * np.float32(-10000))[:, None, None, :]
    return [embed(z), additive, mask]


def run_batches(command, inputs, batch):
    """Results of all sentences, so many in one call of the program."""
    count = len(inputs[0])
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, array in enumerate(batches(inputs, batch)):
            paths.append(f"{folder}/in{i}.npy")
            np.save(paths[-1], array)
        done = subprocess.run(
            command + [f"--evaluate={','.join(paths)}",
                       f"--outputs={folder}/out"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"error: {' '.join(command)} failed:\n{done.stderr}")
        out = np.load(f"{folder}/out/out0.npy")
        return out.reshape((-1,) + out.shape[2:])[:count]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--quantize",
                        default="weights=channel activations=dynamic-token",
                        help="options of the scheme; `none` runs in float")
    parser.add_argument("--target", default="x86")
    parser.add_argument("--batch", type=int, default=58)
    parser.add_argument("--sentences")
    parser.add_argument("--save")
    parser.add_argument("--program")
    parser.add_argument("--expect-cosine", type=float, nargs=2,
                        metavar=("MEAN", "TOLERANCE"))
    args = parser.parse_args()
    bin_dir = pathlib.Path(args.build) / "bin"
    try:
        sentences = args.sentences or catalog.locate(
            "minilm_l6_accuracy_open.npz")
        program = args.program or catalog.attached(
            MODEL, args.build, bin_dir / "quant-opt")
    except catalog.Missing as reason:
        sys.exit(f"error: {reason}")
    with np.load(sentences) as archive:
        z = {key: archive[key] for key in archive.files}
    command = [str(bin_dir / "quant-run"), str(program),
               f"--target={args.target}"]
    if args.quantize != "none":
        command.append(f"--quantize={args.quantize}")
    got = run_batches(command, program_inputs(z), args.batch)
    if args.save:
        np.save(args.save, got)
    result = score(z["emb_fp32"], got)
    for key, value in result.items():
        print(f"{key}: {value:.5f}" if isinstance(value, float)
              else f"{key}: {value}")
    if args.expect_cosine:
        mean, tolerance = args.expect_cosine
        off = abs(result["mean cosine"] - mean)
        if off > tolerance:
            sys.exit(f"error: mean cosine is {off:.5f} from {mean}, more than "
                     f"{tolerance}")


if __name__ == "__main__":
    main()
