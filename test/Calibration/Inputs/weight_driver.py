"""Calls weight-driver from a test."""

import subprocess

import numpy as np


def quantize(driver, temp, w, moments=None, **options):
    """The driver's (ints, scales, zero points), or its error."""
    w.astype(np.float32).tofile(temp + ".w")
    if moments is not None:
        np.asarray(moments, np.float32).tofile(temp + ".moments")
        options["moments"] = temp + ".moments"
    done = subprocess.run(
        [driver, temp + ".w", str(w.shape[0]), str(w.shape[1]), temp] +
        [f"{key}={value}" for key, value in options.items()],
        capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    return (np.fromfile(temp + ".ints", np.int8).reshape(w.shape),
            np.fromfile(temp + ".scales", np.float32),
            np.fromfile(temp + ".zps", np.int32))
