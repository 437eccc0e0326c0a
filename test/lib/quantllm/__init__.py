"""Small random language models in the files of other tools, and what they
compute, by PyPI's `gguf` and NumPy: nothing here knows the project's readers."""
