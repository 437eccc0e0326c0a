"""What the chip reaches at best, measured in the same run: mma.sync and dp4a on
registers alone, reads of memory. Kernels written by hand; every one takes
(count: u32, address: u64...)."""

import statistics
import sys

import numpy as np

THREADS = 256
# PTX version, instruction (None: dp4a alone).
_M8, _M16 = (8, 8, 16), (16, 8, 32)
CHIPS = {"sm_61": ("6.0", None), "sm_75": ("6.5", _M8), "sm_80": ("7.0", _M16),
         "sm_86": ("7.1", _M16), "sm_89": ("7.8", _M16),
         "sm_90": ("7.8", _M16), "sm_90a": ("8.0", _M16),
         "sm_100": ("8.6", _M16)}
_UNROLL = 4
_LOADS = 8


def _kernel(name, pointers, body, chains=0):
    """An entry that runs `body` `count` times, then stores the exclusive or of
    the registers %c0... of a thread."""
    parameters = ", ".join([".param .u32 count"] +
                           [f".param .u64 p{i}" for i in range(pointers)])
    fold = "\n".join(f"xor.b32 %c0, %c0, %c{i};" for i in range(1, chains))
    return f"""
.visible .entry {name}({parameters})
.maxntid {THREADS}, 1, 1
{{
.reg .pred %p<2>;
.reg .b32 %a<64>;
.reg .b32 %b<64>;
.reg .b32 %c<{max(chains, 1)}>;
.reg .b32 %r<8>;
.reg .b64 %d<8>;
ld.param.u32 %r0, [count];
mov.u32 %r1, %tid.x;
mov.u32 %r2, %ctaid.x;
{body[0]}
$loop_{name}:
{body[1]}
add.s32 %r0, %r0, -1;
setp.ne.s32 %p0, %r0, 0;
@%p0 bra $loop_{name};
{fold}
{body[2]}
ret;
}}
"""


def _store(pointer):
    return f"""ld.param.u64 %d0, [p{pointer}];
mul.lo.s32 %r3, %r2, {THREADS};
add.s32 %r3, %r3, %r1;
mul.wide.u32 %d1, %r3, 4;
add.s64 %d0, %d0, %d1;
st.global.u32 [%d0], %c0;"""


def _operands(prefix, count, seed):
    """Bytes that look random: multiples of a large odd number."""
    rng = np.random.default_rng(seed)
    lines = []
    for i in range(count):
        odd, offset = (int(x) | 1 for x in rng.integers(1 << 28, 1 << 31, 2))
        lines.append(f"mad.lo.s32 %{prefix}{i}, %r1, {odd}, {offset};")
    return "\n".join(lines)


def _list(prefix, first, count):
    return "{" + ", ".join(f"%{prefix}{first + i}" for i in range(count)) + "}"


def mma_kernel(shape):
    """Operations of a block in one round, PTX: 4 x 4 tiles of sums, each a
    chain of its own."""
    m, n, k = shape
    na, nb, nc = m * k // 128, n * k // 128, m * n // 32
    lines = []
    for _ in range(_UNROLL):
        for i in range(4):
            for j in range(4):
                c = _list("c", (4 * i + j) * nc, nc)
                lines.append(
                    f"mma.sync.aligned.m{m}n{n}k{k}.row.col.s32.s8.s8.s32 {c}, "
                    f"{_list('a', i * na, na)}, {_list('b', j * nb, nb)}, {c};")
    zeros = "\n".join(f"mov.u32 %c{i}, 0;" for i in range(16 * nc))
    start = "\n".join([_operands("a", 4 * na, 1), _operands("b", 4 * nb, 2),
                       zeros])
    operations = _UNROLL * 16 * 2 * m * n * k * (THREADS // 32)
    return operations, _kernel("peak_mma", 1,
                               (start, "\n".join(lines), _store(0)), 16 * nc)


def dp4a_kernel():
    lines = [f"dp4a.s32.s32 %c{4 * i + j}, %a{i}, %b{j}, %c{4 * i + j};"
             for _ in range(_UNROLL) for i in range(4) for j in range(4)]
    zeros = "\n".join(f"mov.u32 %c{i}, 0;" for i in range(16))
    start = "\n".join([_operands("a", 4, 1), _operands("b", 4, 2), zeros])
    return _UNROLL * 16 * 8 * THREADS, _kernel(
        "peak_dp4a", 1, (start, "\n".join(lines), _store(0)), 16)


def read_kernel():
    """Bytes of a block in one round, PTX: block i reads the i-th part."""
    step = THREADS * 16
    start = f"""mul.lo.s32 %r4, %r0, {_LOADS * step};
mul.wide.u32 %d2, %r2, %r4;
ld.param.u64 %d3, [p0];
add.s64 %d2, %d2, %d3;
mul.wide.u32 %d3, %r1, 16;
add.s64 %d2, %d2, %d3;
mov.u32 %c0, 0;"""
    lines = [f"ld.global.v4.u32 {_list('a', 4 * i, 4)}, [%d2+{i * step}];"
             for i in range(_LOADS)]
    lines += [f"xor.b32 %c0, %c0, %a{i};" for i in range(4 * _LOADS)]
    lines.append(f"add.s64 %d2, %d2, {_LOADS * step};")
    return _LOADS * step, _kernel("peak_read", 2,
                                  (start, "\n".join(lines), _store(1)), 1)


def get_module(chip):
    """PTX, {kernel: what a block does in one round (operations or bytes)}."""
    version, shape = CHIPS[chip]
    made = {"peak_dp4a": dp4a_kernel(), "peak_read": read_kernel()}
    if shape:
        made["peak_mma"] = mma_kernel(shape)
    text = f".version {version}\n.target {chip}\n.address_size 64\n"
    return (text + "".join(ptx for _, ptx in made.values()),
            {name: work for name, (work, _) in made.items()})


def measure(cuda, path, work, rounds=5, scale=1):
    """{"mma_tops", "dp4a_tops", "read_gbs"} of the module at `path`: medians.
    `scale` < 1 does less, for trying it out."""
    module = cuda.load(path)
    blocks = 4 * cuda.multiprocessors()
    results = {}
    out = cuda.allocate(blocks * THREADS * 4)

    def run(name, count, pointers):
        function = cuda.function(module, name, 0)
        times = [cuda.time(lambda: cuda.launch(function, (blocks, 1, 1),
                                               THREADS, 0, count, pointers), 3)
                 for _ in range(rounds)]
        ms = max(statistics.median(times), 1e-6)
        return work[name] * blocks * count / ms / 1e6

    for name, key in (("peak_mma", "mma_tops"), ("peak_dp4a", "dp4a_tops")):
        if name in work:
            results[key] = run(name, max(1, int(4096 * scale)), [out]) / 1e3
    # Two gigabytes: far more than any L2.
    count = max(1, int((1 << 31) * scale) // (blocks * work["peak_read"]))
    data = cuda.allocate(count * blocks * work["peak_read"])
    results["read_gbs"] = run("peak_read", count, [data, out])
    cuda.free(data, out)
    cuda.unload(module)
    return results


if __name__ == "__main__":
    print(get_module(sys.argv[1])[0])
