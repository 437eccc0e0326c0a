"""cuBLASLt's integer matmul, with kernels of its own around it: the library
through ctypes where it is found, else torch._int_mm, else nothing."""

import ctypes
import glob
import statistics
import sys

NAMES = [f"libcublasLt.so{end}" for end in (".13", ".12", ".11", "")]
THREADS = 256
COMPUTE_32I, R_8I, R_32I = 72, 3, 10
DESC_TRANSA, OP_T, PREFERENCE_WORKSPACE = 3, 1, 1
WORKSPACE = 64 << 20


class Heuristic(ctypes.Structure):
    _fields_ = [("algo", ctypes.c_uint64 * 8), ("workspace", ctypes.c_size_t),
                ("state", ctypes.c_int), ("waves", ctypes.c_float),
                ("reserved", ctypes.c_int * 4)]


def dequantize_ptx(version, chip):
    """y[m][n] = f32(sums[m][n]) * row[m] * column[n]: four neighbours a thread,
    the block's y is m."""
    work = "\n".join(f"""cvt.rn.f32.s32 %f{i}, %r{i};
mul.rn.f32 %f{i}, %f{i}, %f8;
mul.rn.f32 %f{i}, %f{i}, %f{4 + i};""" for i in range(4))
    return f""".version {version}
.target {chip}
.address_size 64
.visible .entry dequantize(.param .u32 n, .param .u64 sums, .param .u64 row,
                           .param .u64 column, .param .u64 y)
.maxntid {THREADS}, 1, 1
{{
.reg .pred %p<2>;
.reg .b32 %r<12>;
.reg .f32 %f<9>;
.reg .b64 %d<12>;
ld.param.u32 %r4, [n];
mov.u32 %r5, %tid.x;
mov.u32 %r6, %ctaid.x;
mov.u32 %r7, %ctaid.y;
mad.lo.s32 %r5, %r6, {THREADS}, %r5;
shl.b32 %r5, %r5, 2;
setp.ge.u32 %p0, %r5, %r4;
@%p0 bra $done;
ld.param.u64 %d0, [sums];
ld.param.u64 %d1, [row];
ld.param.u64 %d2, [column];
ld.param.u64 %d3, [y];
mul.wide.u32 %d4, %r7, 4;
add.s64 %d1, %d1, %d4;
mul.wide.u32 %d5, %r5, 4;
add.s64 %d2, %d2, %d5;
mul.wide.u32 %d6, %r7, %r4;
shl.b64 %d6, %d6, 2;
add.s64 %d6, %d6, %d5;
add.s64 %d0, %d0, %d6;
add.s64 %d3, %d3, %d6;
ld.global.v4.u32 {{%r0, %r1, %r2, %r3}}, [%d0];
ld.global.f32 %f8, [%d1];
ld.global.v4.f32 {{%f4, %f5, %f6, %f7}}, [%d2];
{work}
st.global.v4.f32 [%d3], {{%f0, %f1, %f2, %f3}};
$done:
ret;
}}
"""


def get_dequantize_grid(m, n):
    return -(-n // (4 * THREADS)), m, 1


def _find_library():
    folders = ["/usr/local/cuda/lib64/", "/usr/local/cuda*/lib64/",
               "/usr/local/cuda*/targets/x86_64-linux/lib/",
               "/usr/lib/x86_64-linux-gnu/"]
    folders += [f"{p}/nvidia/*/lib/" for p in sys.path if p]
    for folder in [""] + folders:
        for name in NAMES:
            for path in [name] if not folder else glob.glob(folder + name):
                try:
                    return ctypes.CDLL(path), path
                except OSError:
                    continue
    return None, None


class CublasLt:
    """sums[M][N] = a[M][K] w[N][K]^T, all row-major: in cuBLAS's column-major
    words, w transposed times a."""

    def __init__(self, cuda):
        self.lib, self.name = _find_library()
        if not self.lib:
            raise OSError("no libcublasLt.so")
        self.cuda = cuda
        self.handle = ctypes.c_void_p()
        self.call("cublasLtCreate", ctypes.byref(self.handle))
        self.workspace = cuda.allocate(WORKSPACE)

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status:
            raise OSError(f"{name}: status {status}")

    def _layout(self, kind, rows, columns):
        layout = ctypes.c_void_p()
        self.call("cublasLtMatrixLayoutCreate", ctypes.byref(layout), kind,
                  ctypes.c_uint64(rows), ctypes.c_uint64(columns),
                  ctypes.c_int64(rows))
        return layout

    def _describe(self):
        desc, transposed = ctypes.c_void_p(), ctypes.c_int32(OP_T)
        self.call("cublasLtMatmulDescCreate", ctypes.byref(desc), COMPUTE_32I,
                  R_32I)
        self.call("cublasLtMatmulDescSetAttribute", desc, DESC_TRANSA,
                  ctypes.byref(transposed), ctypes.c_size_t(4))
        return desc

    def _heuristics(self, desc, w, a, c, count=16):
        preference, size = ctypes.c_void_p(), ctypes.c_uint64(WORKSPACE)
        self.call("cublasLtMatmulPreferenceCreate", ctypes.byref(preference))
        self.call("cublasLtMatmulPreferenceSetAttribute", preference,
                  PREFERENCE_WORKSPACE, ctypes.byref(size), ctypes.c_size_t(8))
        results, found = (Heuristic * count)(), ctypes.c_int()
        self.call("cublasLtMatmulAlgoGetHeuristic", self.handle, desc, w, a, c,
                  c, preference, count, results, ctypes.byref(found))
        return [results[i] for i in range(found.value)
                if results[i].state == 0]

    def plan(self, m, n, k, pointers):
        """The fastest of the library's proposals: work(a, w, sums)."""
        desc = self._describe()
        w, a = self._layout(R_8I, k, n), self._layout(R_8I, k, m)
        c = self._layout(R_32I, n, m)
        one, zero = ctypes.c_int32(1), ctypes.c_int32(0)
        address = ctypes.c_uint64

        def make(proposal):
            def work(lhs, rhs, sums):
                self.call("cublasLtMatmul", self.handle, desc,
                          ctypes.byref(one), address(rhs), w, address(lhs), a,
                          ctypes.byref(zero), address(sums), c, address(sums),
                          c, ctypes.byref(proposal.algo),
                          address(self.workspace), ctypes.c_size_t(WORKSPACE),
                          self.cuda.stream)
            return work

        best = None
        for proposal in self._heuristics(desc, w, a, c):
            work = make(proposal)
            try:
                work(*pointers)
                ms = self.cuda.median_time(lambda: work(*pointers), rounds=3,
                                           round_ms=1.0)
            except OSError:
                continue
            if not best or ms < best[0]:
                best = ms, work
        if not best:
            raise OSError(f"cuBLASLt has no int8 matmul for {m}x{n}x{k}")
        return best[1]


class Torch:
    """torch._int_mm on tensors of its own."""

    name = "torch._int_mm"

    def __init__(self):
        import torch
        self.torch = torch
        if not torch.cuda.is_available():
            raise OSError("PyTorch has no GPU")

    def time(self, m, n, k, rounds=5):
        """Milliseconds: integer sums alone, with quantize and dequantize."""
        torch = self.torch
        rows = max(m, 17)
        a, w = (torch.randint(-128, 128, (r, k), dtype=torch.int8,
                              device="cuda") for r in (rows, n))
        w, x = w.t(), torch.randn(rows, k, device="cuda")
        channel = torch.rand(n, device="cuda")

        def separate():
            s = x.abs().amax(1, keepdim=True) / 127
            q = torch.clamp(torch.round(x / s), -128, 127).to(torch.int8)
            return torch._int_mm(q, w) * s * channel

        def measure(work):
            start, stop = (torch.cuda.Event(enable_timing=True)
                           for _ in range(2))
            times = []
            for _ in range(rounds + 1):
                start.record()
                for _ in range(10):
                    work()
                stop.record()
                torch.cuda.synchronize()
                times.append(start.elapsed_time(stop) / 10)
            return statistics.median(times[1:])

        return measure(lambda: torch._int_mm(a, w)), measure(separate)


def find(cuda):
    """A rival, or why there is none."""
    reasons = []
    for make in (lambda: CublasLt(cuda), Torch):
        try:
            return make(), None
        except (OSError, ImportError, AttributeError) as error:
            reasons.append(str(error))
    return None, "; ".join(reasons)


if __name__ == "__main__":
    print(dequantize_ptx(*sys.argv[1:3]))
