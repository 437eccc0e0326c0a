# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
# RUN: quant-compile %t/q8.mlirbc --strict --target=x86 -O0 --emit=%t/q8.o
# RUN: quant-compile %t/q4.mlirbc --strict --target=x86 -O0 --emit=%t/q4.o
"""Weights of a decoder of one layer, whose loop is no loop any more, are packed."""

import sys

import quantmlir.llm as llm
from quantllm.checkpoints import Decoder

for name, kind in (("q8", "Q8_0"), ("q4", "Q4_1")):
    path = f"{sys.argv[1]}/{name}.gguf"
    Decoder("llama", {"*": kind, "token_embd": "Q8_0"}, layers=1, dim=64, heads=2,
            kv_heads=1, ffn=64).write(path)
    llm.write_program(path, f"{sys.argv[1]}/{name}.mlirbc")
