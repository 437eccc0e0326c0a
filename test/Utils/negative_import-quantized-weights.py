# RUN: %python %s %src %t
"""Files that are no weights, or not the ones they say: an error in one line."""

import os
import struct
import subprocess
import sys

import numpy as np

F32 = np.float32
source, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
tool = os.path.join(source, "utils", "import-quantized-weights.py")
path = os.path.join(folder, "weight")
failures = 0


def expect(message, *arguments, data=None):
    """The tool says `message` of the file `data` and leaves no output."""
    global failures
    if data is not None:
        with open(path, "wb") as f:
            f.write(data)
    output = os.path.join(folder, "none.mlir")
    done = subprocess.run([sys.executable, tool, *arguments, "-o", output],
                          capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1:] or [""]
    ok = (done.returncode != 0 and message in last[0] and
          "Traceback" not in done.stderr and not os.path.exists(output))
    failures += not ok
    print(f"{'ok' if ok else 'MISMATCH'} {message}: {last[0]}")


def nbits(message, **changes):
    """MatMulNBits of [4, 64] in blocks of 32, with `changes`."""
    fields = dict(B=np.zeros((4, 2, 16), np.uint8), scales=np.ones(8, F32),
                  N=4, K=64, block_size=32)
    fields.update(changes)
    np.savez(path + ".npz",
             **{name: v for name, v in fields.items() if v is not None})
    expect(message, "matmulnbits", path + ".npz")


def check_nbits():
    nbits("'N is not a file in the archive'", N=None)
    nbits("can only convert an array of size 1", N=np.array([4, 4]))
    nbits("expected N and K above 0, found 4 and 0", K=0)
    nbits("found block_size 0", block_size=0)
    nbits("expected 4 or 8 bits, found 2", bits=2)
    nbits("expected 256 elements of B, found 128", bits=8)
    nbits("expected 128 elements of B, found 120",
          B=np.zeros((4, 2, 15), np.uint8))
    # Whole rows are left over.
    nbits("expected 64 elements of B, found 128", N=2, scales=np.ones(4, F32))
    nbits("expected 8 elements of scales, found 16", scales=np.ones(16, F32))
    nbits("the scale of row 1, block 0 is inf",
          scales=np.array([1, 1, np.inf, 1, 1, 1, 1, 1], F32))
    nbits("expected 4 elements of zero_points, found 8",
          zero_points=np.zeros(8, np.uint8))
    nbits("the zero point of row 0, block 0 is nan",
          zero_points=np.full(8, np.nan, F32))
    with open(path + ".npz", "rb") as f:
        data = f.read()
    expect("File is not a zip file", "matmulnbits", path, data=data[:-1])
    broken = bytearray(data)
    broken[200] ^= 255
    expect("Bad CRC-32", "matmulnbits", path, data=bytes(broken))
    np.save(path + ".npy", np.zeros(3))
    expect("is not an .npz file", "matmulnbits", path + ".npy")


def check_blocks():
    data = bytes(2 * 20)
    nan = struct.pack("<e", np.nan)
    expect("invalid shape value: '4'", "q4_1", path, "--shape=4", data=data)
    expect("expected N and K above 0, found -1 and 64", "q4_1", path,
           "--shape=-1,64", data=data)
    expect("q4_1 [3, 32] takes 60 bytes, found 40", "q4_1", path,
           "--shape=3,32", data=data)
    expect("the scale of row 0, block 0 is nan", "q4_1", path, "--shape=2,32",
           data=nan + data[2:])
    expect("the offset of row 0, block 0 is nan", "q4_1", path, "--shape=2,32",
           data=data[:2] + nan + data[4:])
    expect("invalid rows value: 'x'", "q4_1", path, "--shape=2,32",
           "--rows=x", data=data)


def write_gguf(shape=(32, 2), version=3, pairs=(), start=0):
    text = lambda s: struct.pack("<Q", len(s)) + s.encode()
    out = b"GGUF" + struct.pack("<IQQ", version, 1, len(pairs))
    out += b"".join(text(key) + value for key, value in pairs)
    out += text("w") + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    out += struct.pack("<IQ", 2, start)
    return out + b"\0" * (-len(out) % 32) + bytes(2 * 18)


def gguf(message, data):
    expect(message, "gguf", path, "--tensor", "w", data=data)


def check_gguf():
    whole = write_gguf()
    for size in (4, 20, 26, 40):
        gguf("the GGUF file ends in its header", whole[:size])
    gguf("q4_0 [2, 32] takes 36 bytes, found 35", whole[:-1])
    gguf("takes 36 bytes, found 0", write_gguf(start=2**64 - 1))
    gguf("found 36", write_gguf(shape=(32, 2**62)))
    gguf("w has 3 dimensions, expected 2", write_gguf(shape=(32, 2, 1)))
    gguf("has GGUF version 1; 2 and 3 can be read", write_gguf(version=1))
    value = lambda kind, form, *v: struct.pack("<I" + form, kind, *v)
    align = "general.alignment"
    gguf("general.alignment is 0",
         write_gguf(pairs=[(align, value(4, "I", 0))]))
    gguf("general.alignment is x",
         write_gguf(pairs=[(align, value(8, "Q", 1) + b"x")]))
    gguf("a GGUF key has a value of type 99",
         write_gguf(pairs=[("a", value(99, ""))]))
    gguf("a GGUF array has elements of type 9",
         write_gguf(pairs=[("a", value(9, "IQ", 9, 1))]))
    gguf("the GGUF file ends in its header",
         write_gguf(pairs=[("a", value(8, "Q", 2**62))]))


check_nbits()
check_blocks()
check_gguf()
sys.exit(failures != 0)
