# RUN: %python %s quant-opt | FileCheck %s

"""The emulated GPU refuses a kernel with wgmma that leaves out what orders it:
so the kernels that it runs leave out nothing."""

import sys

import numpy as np

from ptxsim import PtxError
from ptxsim import gemm

rng = np.random.default_rng(2)
M, N, K = 100, 64, 700
SPEC = gemm.Spec(M, N, K, "wgmma_s8", "i32")
OPERANDS = {"a": rng.integers(-128, 128, (M, K)).astype(np.int8),
            "w": rng.integers(-128, 128, (N, K)).astype(np.int8)}
compile_kernels = gemm.compile_kernels
WANT = OPERANDS["a"].astype(np.int64) @ OPERANDS["w"].astype(np.int64).T


def run(name, old, new):
    def changed(*arguments):
        ptx, launches = compile_kernels(*arguments)
        assert old in ptx, old
        return ptx.replace(old, new), launches

    gemm.compile_kernels = changed
    try:
        got, _, _ = gemm.run_kernel(sys.argv[1], SPEC, "sm_90a", OPERANDS)
        print(f"{name}: {(got != WANT).sum()} differ")
    except PtxError as error:
        print(f"{name}: {str(error).split(': ')[-1]}")


# CHECK: as it is: 0 differ
run("as it is", "wgmma.fence", "wgmma.fence")
# CHECK: no fence of the proxy: read of what no fence.proxy.async follows
run("no fence of the proxy", "fence.proxy.async.shared::cta;", "")
# CHECK: no wait for a stage: a write to what a wgmma may still read
run("no wait for a stage", "wgmma.wait_group.sync.aligned \t1;", "")
# CHECK: no wait for the sums: {{.*}} is on its way
run("no wait for the sums", "wgmma.wait_group.sync.aligned 0;", "")
# CHECK: no wait for copies: read of what a cp.async has not finished
run("no wait for copies", "cp.async.wait_group", "// cp.async.wait_group")
