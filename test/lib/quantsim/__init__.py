"""NumPy simulation of the project's arithmetic: the tests' independent oracle.

`arith` holds the integers (quantize, matmul, rescale, fixed point, int4),
`schemes` turns them into a drop-in `linear(x, w)`, `nn` the float parts, and
`models` forward functions of the exported models. Needs NumPy only, nothing of
the compiler.
"""
