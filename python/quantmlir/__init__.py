"""What brings other tools' weights to this project: importers for the formats of
ONNX Runtime and llama.cpp (`import_weights`), and the constants of exported
models (`attach_weights`). Needs NumPy only.
"""
