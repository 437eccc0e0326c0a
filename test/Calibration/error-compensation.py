# RUN: %python %s weight-driver %t | FileCheck %s
"""MSE scale search and error-compensated rounding against NumPy."""

import sys

import numpy as np

from Calibration.Inputs import weight_driver
from quantsim import arith

DRIVER, TEMP = sys.argv[1:3]
RNG = np.random.default_rng(11)
N, K = 24, 200


def quantize(w, moments=None, **options):
    return weight_driver.quantize(DRIVER, TEMP, w, moments, **options)


def dequantize(result, group):
    q, s, z = result
    index = np.arange(K) // group
    s = s.reshape(N, -1)[:, index]
    z = z.reshape(N, -1)[:, index] if len(z) else 0
    return (q.astype(np.float64) - z) * s


def output_error(w, got, moments):
    e = w.astype(np.float64) - got
    return np.einsum("nk,kj,nj->", e, moments, e)


def gptq(w, moments, scale, group, damping, order):
    """Column by column, as the paper writes it, with an explicit inverse."""
    w, h = w.astype(np.float64), moments.astype(np.float64)
    h = h + np.eye(K) * damping * np.diag(h).mean()
    perm = np.argsort(-np.diag(moments), kind="stable") if order else np.arange(K)
    u = np.linalg.cholesky(np.linalg.inv(h[perm][:, perm])).T
    w = w[:, perm].copy()
    q = np.zeros((N, K), np.int64)
    for j in range(K):
        s = scale.reshape(N, -1)[:, perm[j] // group].astype(np.float64)
        q[:, perm[j]] = np.clip(np.rint(w[:, j] / s), -8, 7)
        e = (w[:, j] - q[:, perm[j]] * s) / u[j, j]
        w[:, j:] -= np.outer(e, u[j, j:])
    return q


# Inputs whose channels are correlated and of different size.
W = RNG.normal(size=(N, K)).astype(np.float32)
X = RNG.normal(size=(1000, 40)) @ RNG.normal(size=(40, K))
X = (X + RNG.normal(size=(1000, K))) * np.exp(RNG.normal(size=K) / 2)
H = (X.T @ X / len(X)).astype(np.float32)

def least_error(run, importance, zero_points):
    """By a finer grid of scales than the search visits."""
    top = np.abs(run).max(1, keepdims=True) / 7
    return np.min(
        [(importance * (run - s * (np.clip(np.rint(run / s) + z, -8, 7) - z))
          ** 2).sum(1) for s in (top * f for f in np.linspace(.2, 1, 801))
         for z in zero_points], axis=0).sum()


for search, zero_points in (("mse", (0,)), ("full-range-mse", (0, -1))):
    for group, moments in ((K, None), (K, H), (32, None), (32, H)):
        result = quantize(W, moments, bits=4, granularity="group", group=group,
                          scale=search)
        weights = np.ones(K) if moments is None else np.diag(H)
        error = (weights * (W - dequantize(result, group)) ** 2).sum()
        best = sum(least_error(W[:, i:i + group], weights[i:i + group],
                               zero_points) for i in range(0, K, group))
        assert error < 1.005 * best, (group, error, best)
# CHECK: scale search finds the least error
print("scale search finds the least error")

# Scales that do not depend on the order: the integers are the paper's.
for order in (0, 1):
    for group in (K, 32) if order else (K,):
        result = quantize(W, H, bits=4, granularity="group", group=group,
                          rounding="error-compensated", order=order)
        want = gptq(W, H, result[1], group, 0.05, order)
        same = (want == result[0]).mean()
        assert same > 0.99, (order, group, same)
# CHECK-NEXT: integers are the paper's
print("integers are the paper's")

for options in (dict(granularity="tensor"), dict(granularity="channel"),
                dict(granularity="group", group=32),
                dict(granularity="group", group=48),  # a ragged last group
                dict(granularity="group", group=150),  # longer than a block
                dict(granularity="channel", symmetric=0, unsigned=1),
                dict(granularity="channel", bits=8),
                dict(granularity="group", group=32, scale="full-range"),
                dict(granularity="group", group=32, scale="full-range-mse")):
    options = {"bits": 4, "scale": "mse", **options}
    group = options.get("group", K)
    nearest, compensated = (
        output_error(W, dequantize(
            widen(quantize(W, H, rounding=rounding, **options), options),
            group), H.astype(np.float64))
        for rounding in ("nearest", "error-compensated")
        for widen in [lambda r, o: ((r[0].view(np.uint8) if o.get("unsigned")
                                     else r[0]).astype(np.int64),
                                    np.broadcast_to(r[1], (N,)) if
                                    o["granularity"] == "tensor" else r[1],
                                    r[2])])
    assert compensated < 0.6 * nearest, (options, compensated, nearest)
# CHECK-NEXT: compensation lowers the output's error
print("compensation lowers the output's error")

def group_error(w, u, scale, zero_point):
    """What rounding [N, G] leaves that no column of it makes good."""
    w, total = w.astype(np.float64), 0
    for j in range(w.shape[1]):
        q = np.clip(np.rint(w[:, j] / scale) + zero_point, -8, 7) - zero_point
        e = (w[:, j] - q * scale) / u[j, j]
        w[:, j:] -= np.outer(e, u[j, j:w.shape[1]])
        total = total + e ** 2
    return total


# Scales of the first group, which owes nothing to others: the best of those tried.
U = np.linalg.cholesky(np.linalg.inv(
    H.astype(np.float64) + np.eye(K) * 0.05 * np.diag(H).mean())).T
for search, zero_points in (("mse", (0,)), ("full-range-mse", (0, -1))):
    for group in (16, 48):
        _, s, z = quantize(W, H, bits=4, granularity="group", group=group,
                           scale=search, rounding="error-compensated")
        first = lambda v: np.asarray(v).reshape(N, -1)[:, 0]
        run = W[:, :group]
        found = group_error(run, U, first(s).astype(np.float64),
                            first(z) if len(z) else 0)
        top = np.abs(run).max(1) / 7
        best = np.min([group_error(run, U, top * f, zero) for zero in zero_points
                       for f in np.arange(1, 0.19, -0.04)], axis=0)
        # Single and double precision may differ by an integer, rarely.
        near = np.mean(found < 1.001 * best)
        assert near > 0.9, (search, group, near, found / best)
# CHECK-NEXT: scales are the best of compensated groups
print("scales are the best of compensated groups")

# Channels that are always 0, and moments of rank 3: still a result.
dead = H.copy()
dead[:, 5] = dead[5] = 0
low = (X[:3].T @ X[:3]).astype(np.float32)
for moments in (dead, low, np.zeros_like(H)):
    q, s, _ = quantize(W, moments, bits=4, rounding="error-compensated")
    assert q.min() >= -8 and q.max() <= 7 and np.isfinite(s).all()
# CHECK-NEXT: degenerate moments quantize
print("degenerate moments quantize")
