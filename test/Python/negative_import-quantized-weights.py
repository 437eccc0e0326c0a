# RUN: %python %s %src %t
"""Files that are no weights, or not the ones they say: an error in one line."""

import os
import struct
import subprocess
import sys
import zipfile

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
    ok = (done.returncode in (1, 2) and message in last[0] and
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
    nbits("expected an array N in", N=None)
    nbits("expected 1 elements of N, found 2", N=np.array([4, 4]))
    nbits("expected N to be an integer, found inf", N=np.inf)
    nbits("expected N to be an integer, found 4.5", N=4.5)
    nbits("expected elements of N of signed integers or unsigned integers or "
          "floats, found <U1", N="4")
    nbits("expected elements of scales of floats, found complex64",
          scales=np.ones(8, np.complex64))
    nbits("expected 64 elements of g_idx, found 63",
          g_idx=np.zeros(63, np.int32))
    nbits("expected elements of g_idx in [0, 2), found 0 to 2",
          g_idx=np.arange(64, dtype=np.int32) // 31)
    nbits("expected 4 elements of bias, found 5", bias=np.ones(5, F32))
    nbits("the bias of row 3, block 0 is nan",
          bias=np.array([1, 1, 1, np.nan], F32))
    nbits("expected N and K above 0, found 4 and 0", K=0)
    nbits("found block_size 0", block_size=0)
    nbits("expected 2, 4 or 8 bits, found 3", bits=3)
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
    check_archive(data)
    np.save(path + ".npy", np.zeros(3))
    expect("is not an .npz file", "matmulnbits", path + ".npy")


def replaced(data, name, at, value):
    """`data` with bytes of `name`'s entry in the directory replaced."""
    data, entry = bytearray(data), data.rfind(b"PK\1\2", 0, data.rfind(name))
    data[entry + at:entry + at + len(value)] = value
    return bytes(data)


def npz_with(name, content):
    """A weight whose member `name` is `content`."""
    with zipfile.ZipFile(path + ".npz") as source, \
            zipfile.ZipFile(path + "2.npz", "w", zipfile.ZIP_DEFLATED) as to:
        for member in source.namelist():
            to.writestr(member, content if member == name
                        else source.read(member))
    with open(path + "2.npz", "rb") as f:
        return f.read()


def check_archive(data):
    archive = lambda message, data: expect(message, "matmulnbits", path,
                                           data=data)
    archive("B is encrypted", replaced(data, b"B.npy", 8, b"\1\0"))
    archive("B is compressed by method 1; stored and deflated ones can be read",
            replaced(data, b"B.npy", 10, b"\1\0"))
    archive("B: ", npz_with("B.npy", b"no array"))
    # Nothing of a size that is not expected is read.
    header = b"\x93NUMPY\1\0"
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,)}"
    archive("expected 128 elements of B, found 1099511627776",
            npz_with("B.npy", header + struct.pack("<H", len(text)) + text))
    archive("expected 128 bytes of data of B, as its shape says",
            npz_with("B.npy", header + struct.pack("<H", len(text)) +
                     text.replace(b"1099511627776", b"128          ")))


def check_blocks():
    data = bytes(2 * 20)
    nan = struct.pack("<e", np.nan)
    expect("invalid shape value: '4'", "q4_1", path, "--shape=4", data=data)
    expect("expected N and K above 0, found -1 and 64", "q4_1", path,
           "--shape=-1,64", data=data)
    expect("Q4_1 [3, 32] takes 60 bytes, found 40", "q4_1", path,
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
        gguf("the header takes the bytes up to", whole[:size])
    gguf("tensor w takes the bytes up to 132, but the file has 131: it is not "
         "complete", whole[:-1])
    gguf("tensor w begins at 18446744073709551615 of the data, expected 0", write_gguf(start=2**64 - 1))
    gguf("tensor w takes the bytes up to", write_gguf(shape=(32, 2**62)))
    gguf("tensor w has 3 dimensions, expected 2", write_gguf(shape=(32, 2, 1)))
    gguf("has GGUF version 1; 2 and 3 can be read", write_gguf(version=1))
    value = lambda kind, form, *v: struct.pack("<I" + form, kind, *v)
    align = "general.alignment"
    gguf("general.alignment is 0",
         write_gguf(pairs=[(align, value(4, "I", 0))]))
    gguf("general.alignment is x",
         write_gguf(pairs=[(align, value(8, "Q", 1) + b"x")]))
    gguf("key a has a value of type 99",
         write_gguf(pairs=[("a", value(99, ""))]))
    gguf("key a is a list of elements of type 9",
         write_gguf(pairs=[("a", value(9, "IQ", 9, 1))]))
    gguf("the header takes the bytes up to",
         write_gguf(pairs=[("a", value(8, "Q", 2**62))]))


check_nbits()
check_blocks()
check_gguf()
sys.exit(failures != 0)
