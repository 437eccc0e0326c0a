#!/usr/bin/env python3
"""A language model of the shape of 7 billion weights: memory and time from file to token.

    PYTHONPATH=python:test/lib QUANTMLIR_LIBRARY=build/lib/libquantmlir.so.1 \\
        python3 benchmarks/large_model.py [--folder=FOLDER] [--layers=32] [--dim=4096] [--ffn=11008]
            [--heads=32] [--kv-heads=32] [--vocabulary=32000] [--tokens=16] [--threads=1] [--write]

Writes a checkpoint of random Q4_0 blocks of that shape (GGUF, tensor by tensor), compiles it by `quantmlir.llm`
for integer activations, loads it once more from the cache, and decodes tokens one by one, between reads of memory.
Writing, compiling and running are processes of their own; "peak" is the most resident memory of each, mapped files
included, whose pages the system takes back at will; "own" is the most without them. "Reading" is the time in which the weights of a token come from memory at the best pace that was read (as in
`benchmarks/llm.py`). With --write, the page docs/results/large-model.md is made. The files (twice the model) stay in
FOLDER, if it is given.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

import llm
import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# A model of 7 billion weights

Made by `benchmarks/large_model.py --write`, whose `--help` says what is measured.

"""


def q4_0(rng, n, k):
    """Random blocks: 32 nibbles behind their scale in f16."""
    raw = np.frombuffer(rng.bytes(n * k // 32 * 18), np.uint8).reshape(n, k // 32, 18).copy()
    scale = rng.uniform(0.2, 0.4, (n, k // 32, 1)) * k ** -0.5
    raw[..., :2] = scale.astype(np.float16).view(np.uint8)
    return raw.reshape(n, -1)


def linears(args):
    head = args.dim // args.heads
    q, kv = args.heads * head, args.kv_heads * head
    return (("attn_q", q, args.dim), ("attn_k", kv, args.dim), ("attn_v", kv, args.dim),
            ("attn_output", args.dim, q), ("ffn_gate", args.ffn, args.dim),
            ("ffn_up", args.ffn, args.dim), ("ffn_down", args.dim, args.ffn))


def tensors(args):
    """(name, rows or None, columns) of all tensors; those without rows are norms in f32."""
    yield "token_embd.weight", args.vocabulary, args.dim
    yield "output.weight", args.vocabulary, args.dim
    yield "output_norm.weight", None, args.dim
    for layer in range(args.layers):
        for norm in ("attn_norm", "ffn_norm"):
            yield f"blk.{layer}.{norm}.weight", None, args.dim
        for name, n, k in linears(args):
            yield f"blk.{layer}.{name}.weight", n, k


def write_model(args, path):
    import gguf
    from quantllm import checkpoints
    out = gguf.GGUFWriter(path, "llama")
    checkpoints.add_sizes(out, args, llm.CONTEXT)
    for name, n, k in tensors(args):
        if n is None:
            out.add_tensor_info(name, (k,), np.dtype(np.float32), 4 * k)
        else:
            out.add_tensor_info(name, (n, k // 32 * 18), np.dtype(np.uint8), n * k // 32 * 18,
                                raw_dtype=gguf.GGMLQuantizationType.Q4_0)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_ti_data_to_file()
    rng = np.random.default_rng(0)
    for name, n, k in tensors(args):
        out.write_tensor_data(np.ones(k, np.float32) if n is None else q4_0(rng, n, k))
    out.close()


def load(args, path):
    import quantmlir
    begin = time.perf_counter()
    decoder = quantmlir.llm.load(path, threads=args.threads, cache=str(path.parent / "cache"),
                                 progress=lambda line: print(line, file=sys.stderr, flush=True))
    return decoder, time.perf_counter() - begin


def decode(args, path):
    decoder, seconds = load(args, path)
    reads, session = llm.Reads(args.threads), decoder.session(llm.CONTEXT)
    pace, times = reads.run(), []
    token = int(np.argmax(session([1, 2, 3, 4])))
    for i in range(args.tokens):
        begin = time.perf_counter()
        logits = session([token])
        times.append(1e3 * (time.perf_counter() - begin))
        token = int(np.argmax(logits))
        if i % 4 == 3:
            pace += reads.run()
    if not np.isfinite(logits).all():
        raise SystemExit("error: expected finite logits")
    return {"seconds": seconds, "best": min(times), "median": float(np.median(times)), "pace": max(pace),
            "load": os.getloadavg()[0]}


def status_mb(*names):
    """The sum of these lines of the process's status."""
    lines = (line.split() for line in pathlib.Path("/proc/self/status").read_text().splitlines())
    return sum(int(words[1]) for words in lines if words[0].rstrip(":") in names) / 1024


class OwnMemory:
    """The most resident memory that is of no file, looked at every 20 ms."""

    def __init__(self):
        self.peak, self.ended = 0, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, status_mb("RssAnon", "RssShmem"))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def step(args, what, path):
    """Runs a step in a process of its own; its results and its peak."""
    command = [sys.executable, __file__, *sys.argv[1:], f"--step={what}", f"--model={path}"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def run_step(args):
    begin = time.perf_counter()
    result = {}
    with OwnMemory() as own:
        if args.step == "write":
            write_model(args, args.model)
        elif args.step == "compile":
            result["seconds"] = load(args, args.model)[1]
        else:
            result = decode(args, args.model)
    result.setdefault("seconds", time.perf_counter() - begin)
    print(json.dumps({**result, "peak": status_mb("VmHWM"), "own": own.peak}))


def weight_bytes(args):
    """That a token multiplies by: nibbles and a scale in f32 for 32."""
    macs = args.vocabulary * args.dim + args.layers * sum(n * k for _, n, k in linears(args))
    return macs // 2 + macs // 32 * 4


def table(args, size, compiled, ran):
    reading = 1e3 * weight_bytes(args) / ran["pace"]
    yield (f"{args.layers} layers of {args.dim}, {args.ffn} between, {args.heads} heads, {args.vocabulary} tokens: "
           f"{size / 1e9:.2f} GB of Q4_0; {args.threads} thread(s), reads {ran['pace'] / 1e9:.1f} GB/s at best, "
           f"{machine.cpu()}, load {ran['load']:.1f}.")
    yield ""
    yield "| | s | peak MB | own MB |"
    yield "|---|--:|--:|--:|"
    for what, of in (("compiled", compiled), ("from the cache, and run", ran)):
        yield f"| {what} | {of['seconds']:.1f} | {of['peak']:.0f} | {of['own']:.0f} |"
    yield ""
    yield "| a token, best ms | median | reading, ms | of the pace of reading |"
    yield "|--:|--:|--:|--:|"
    yield f"| {ran['best']:.1f} | {ran['median']:.1f} | {reading:.1f} | {reading / ran['best']:.2f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, help="for the model and what is compiled (default: a temporary one)")
    for name, value in (("layers", 32), ("dim", 4096), ("ffn", 11008), ("heads", 32), ("kv-heads", 32),
                        ("vocabulary", 32000), ("tokens", 16), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--write", action="store_true", help="make the page")
    parser.add_argument("--step", choices=["write", "compile", "run"], help=argparse.SUPPRESS)
    parser.add_argument("--model", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        return run_step(args)
    os.sched_setaffinity(0, range(os.cpu_count() - args.threads, os.cpu_count()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "model.gguf"
        if not path.exists():
            step(args, "write", path)
        lines = list(table(args, path.stat().st_size, step(args, "compile", path), step(args, "run", path)))
    print("\n".join(lines))
    if args.write:
        (ROOT / "docs/results/large-model.md").write_text(HEAD + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
