"""Language models from their files.

    model = quantmlir.llm.load("model.gguf")
    for text in model.stream("The capital of France is", tokens=64):
        print(text, end="", flush=True)

`load` writes the program of the file's architecture around the integers of the
file, compiles it, or takes what was compiled before. docs/llm.md is the guide.
"""

from .config import Config
from .decoder import Decoder, Session
from .loading import choose_weights, load, write_program
from .recipe import Recipe
from .sampling import Sampler
from .tokenizer import Tokenizer

__all__ = ["Config", "Decoder", "Recipe", "Sampler", "Session", "Tokenizer",
           "choose_weights", "load", "write_program"]
