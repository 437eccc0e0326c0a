"""One quantized product, written in every way that a program may write it."""
