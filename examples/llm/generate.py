#!/usr/bin/env python3
"""A checkpoint and a prompt; text comes out as it is made.

    pip install quantmlir tokenizers
    python generate.py model.gguf "The capital of France is" --tokens 64
    python generate.py model.gguf --chat "Why is the sky blue?" --temperature 0.7

    mpirun -n 2 python -m mpi4py generate.py model.gguf "..." --weights w8 --ranks

The first run compiles the model (some seconds) and keeps it; later ones start at
once. Speed goes to the standard error.
"""

import argparse
import pathlib
import sys
import time

import quantmlir
import quantmlir.llm


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file of the llama family")
    parser.add_argument("prompt")
    parser.add_argument("--tokens", type=int, default=64, help="at most so many")
    parser.add_argument("--temperature", type=float, default=0.0,
                        help="0 (default): the most likely token, always")
    parser.add_argument("--top-k", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chat", action="store_true",
                        help="the prompt is a question, put by the file's template")
    parser.add_argument("--raw", action="store_true",
                        help="print the tokens' numbers, and stop for none")
    parser.add_argument("--activations", choices=["int8", "int4", "float"],
                        default="int8")
    parser.add_argument("--weights", help="quantized anew: w8, w4-g32, nvfp4, ..., each "
                        "as a recipe (FILE.json) says, or auto")
    parser.add_argument("--max-bytes", type=int,
                        help="with --weights=auto: of all constants of the program, "
                        "embedding and norms too")
    parser.add_argument("--max-loss", type=float,
                        help="with --weights=auto, instead: nats a token that the "
                        "forms may lose")
    parser.add_argument("--recipe-output", metavar="FILE.json",
                        help="with --weights=auto: the recipe is written there")
    parser.add_argument("--rotation", default="none",
                        help="with --weights: hadamard32, hadamard128, folded32 or folded128")
    parser.add_argument("--calibrate", metavar="FILE",
                        help="with --weights: a text for which errors are compensated")
    parser.add_argument("--ranks", action="store_true",
                        help="cut the model over the processes of mpirun")
    parser.add_argument("--kv-cache", choices=["float", "int8", "int4"], default="float",
                        help="keys and values that are kept: floats, or integers")
    parser.add_argument("--target", choices=["x86", "arm", "generic"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", help="folder of compiled models")
    options = parser.parse_args()
    check(parser, options)
    return options


def check(parser, options):
    """What does not go together, before anything takes long."""
    if options.weights != "auto":
        for name in ("max_bytes", "max_loss", "recipe_output"):
            if getattr(options, name) is not None:
                parser.error(f"--{name.replace('_', '-')}: expected --weights=auto beside "
                             f"it, found {options.weights or 'no --weights'}")
        return
    if (options.max_bytes is None) == (options.max_loss is None):
        parser.error("--weights=auto: expected one of --max-bytes and --max-loss beside it")
    if options.calibrate is None:
        parser.error("--weights=auto: expected --calibrate beside it")
    if options.ranks:
        parser.error("--ranks: expected the recipe of a run without ranks "
                     "(--recipe-output), found --weights=auto")
    if options.recipe_output is not None:
        quantmlir.llm.Recipe.check_path(options.recipe_output)


def load(options):
    start, text = time.perf_counter(), None
    if options.calibrate:
        try:
            text = pathlib.Path(options.calibrate).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            sys.exit(f"error: {options.calibrate}: {error}")
    say = lambda text: print(text, file=sys.stderr)
    weights, max_bytes = options.weights, options.max_bytes
    if options.recipe_output is not None or options.max_loss is not None:
        weights = quantmlir.llm.choose_weights(
            options.model, max_bytes, text, max_loss=options.max_loss,
            rotation=options.rotation, progress=say)
        if options.recipe_output is not None:
            weights.write(options.recipe_output)
        max_bytes = None
    model = quantmlir.llm.load(
        options.model, activations=options.activations, weights=weights,
        rotation=options.rotation, calibrate=text, max_bytes=max_bytes,
        kv_cache=options.kv_cache, target=options.target,
        threads=options.threads if options.target != "generic" else 1,
        cache=options.cache or True, progress=say,
        ranks="mpi" if options.ranks else None)
    print(f"loaded in {time.perf_counter() - start:.2f} s", file=sys.stderr)
    if model.plan and model.plan.number == 0:
        print(f"ranks: {model.plan.count}; sent by a rank: "
              f"{model.plan.traffic().sent(1)} bytes a token", file=sys.stderr)
    return model


def is_first(model):
    """Who prints: all ranks have the same text."""
    return model.plan is None or model.plan.number == 0


def main():
    options = parse()
    model = load(options)
    prompt, speed = options.prompt, {}
    if options.chat:
        prompt = model.tokenizer.chat([{"role": "user", "content": prompt}])
    how = dict(tokens=options.tokens, temperature=options.temperature,
               top_k=options.top_k, seed=options.seed, stats=speed)
    say = print if is_first(model) else lambda *text, **how: None
    if options.raw:
        say(*model.generate(prompt, stop=False, **how))
    else:
        for text in model.stream(prompt, **how):
            say(text, end="", flush=True)
        say()
    if not is_first(model):
        return
    decoded = max(speed["tokens"] - 1, 0)
    print(f"prompt: {speed['prompt_tokens']} tokens in {speed['prefill_s']:.3f} s, "
          f"{speed['prompt_tokens'] / speed['prefill_s']:.1f} tokens/s", file=sys.stderr)
    if decoded:
        print(f"text: {speed['tokens']} tokens, "
              f"{decoded / speed['decode_s']:.1f} tokens/s", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except quantmlir.QuantError as error:
        sys.exit(f"error: {error}")
