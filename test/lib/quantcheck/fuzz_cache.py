"""Random attention over caches of integers, and blocks of rotated rows, with
NumPy's answer to the bit."""

import numpy as np
from quantsim import attention, blocks, rotation

from quantcheck.draw import F32
from quantcheck.program import Case, equal, round_to, tensor, to_float

# Around the blocks of keys, and a vector's lanes.
PAST = [0, 0, 1, 5, 15, 16, 17, 63, 64, 65, 70, 127, 128, 130, 200]


def _tokens(draw, heads, count, width, bits):
    """Keys and values of `count` tokens: (integers, scales) each."""
    parts = []
    for low, high in ((0.5, 2), (0.5, draw.pick(0.6, 2, 20))):
        parts += [draw.integers((heads, count, width), bits, False),
                  draw.scales((heads, count), low, high) / F32((1 << bits - 1) - 1)]
    return parts


def cached_attention(draw):
    """quant.cached_attention: both widths, heads shared by several of queries."""
    case = Case("cached_attention")
    bits, heads, shared = draw.pick(8, 4), draw.pick(1, 1, 2, 3), draw.pick(1, 2, 3, 5)
    new, width = draw.pick(1, 1, 1, 2, 3, 7, 20, 67), draw.pick(32, 32, 64, 96, 128, 160)
    past = int(draw.rng.choice(PAST))
    dynamic = draw.chance(0.5)
    query = draw.integers((heads, shared, new, width), 8, False)
    query_scale = draw.scales((heads, shared, new), 0.2, draw.pick(1, 4, 160)) \
        / F32(127 * width ** 0.5)
    tokens = [_tokens(draw, heads, count, width, bits) for count in (past, new)]
    groups = [[case.argument(query.astype(np.int8), (2,) if dynamic else ()),
               case.argument(query_scale, (2,) if dynamic else ())]]
    for keys, key_scale, values, value_scale in tokens:
        arrays = [(attention.pack(keys, bits).swapaxes(1, 2), 2), (key_scale, 1),
                  (attention.pack(values, bits), 1), (value_scale, 1)]
        groups.append([case.argument(array, (dim,) if dynamic else ())
                       for array, dim in arrays])
    type_ = tensor((None if dynamic else new, heads, shared, width), "f32")
    size = case.line(f"arith.constant {new} : index", "index")[0] if dynamic else ""
    init = case.line(f"tensor.empty({size}) : {type_}", type_)[0]
    query_text, past_text, new_text = (
        ", ".join(name for name, _ in group) + " : " + ", ".join(t for _, t in group)
        for group in groups)
    found = case.line(
        f"quant.cached_attention query({query_text}) past({past_text}) "
        f"new({new_text}) outs({init} : {type_}) bits = {bits} -> {type_}", type_)
    expected = attention.cached_attention(query, query_scale, *tokens)
    case.result(found, expected.shape, equal(expected))
    return case


def quantize_blocks(draw):
    """quant.quantize_blocks of any float type and kind of scale, rotated or not,
    by an op of its own or by the same."""
    case = Case("quantize_blocks")
    m, k = draw.rows(), int(draw.rng.choice([1, 20, 31, 64, 96, 100, 130, 256, 300, 520]))
    block = draw.pick(8, 16, 24, 32, 64, 100, 128, 600)
    qmin, qmax = draw.pick((-127, 127), (-127, 127), (-7, 7), (-128, 5))
    kind, element = draw.pick("f32", "f16", "bf16", "e8m0", "q8_0", "mlas"), \
        draw.pick("f32", "f32", "f16", "bf16")
    x = draw.floats((m, k), draw.pick(0.1, 3, 50))
    if draw.chance(0.15):
        x.flat[draw.rng.integers(x.size)] = draw.pick(np.nan, np.inf, -np.inf)
    stored = round_to(x, element)
    rows = to_float(stored).astype(F32)
    dynamic = (0,) if draw.chance(0.5) else ()
    value = case.argument(stored, dynamic)
    extra = ""
    if draw.chance(0.6):
        turn, seed = draw.pick(2, 16, 32, 128), draw.pick(0, 0, 7)
        signs = f" seed = {seed}" if seed else ""
        fits = block >= k or block % turn == 0 or turn % block == 0
        with np.errstate(all="ignore"):
            rows = rotation.rotate(rows, turn, seed)
        if fits and draw.chance(0.5):
            extra = f" rotation = {turn}{signs}"
        else:
            type_ = tensor((None if dynamic else m, k), "f32")
            value = case.line(f"quant.rotate {value[0]} size = {turn}{signs} : "
                              f"{value[1]} -> {type_}", type_)
    with np.errstate(all="ignore"):
        ints, scales = blocks.quantize_blocks(rows, block, qmax, kind, qmin)
    results = [ints.astype(np.int8), scales.astype(F32)]
    if draw.chance(0.5):
        results.append(np.add.reduceat(ints, range(0, k, block), axis=1).astype(np.int32))
    size = case.line(f"arith.constant {m} : index", "index")[0] if dynamic else ""
    types = [tensor((None if dynamic else m, r.shape[1]), e)
             for r, e in zip(results, ("i8", "f32", "i32"))]
    inits = [case.line(f"tensor.empty({size}) : {t}", t)[0] for t in types]
    names = case.lines_of(
        f"quant.quantize_blocks ins({value[0]} : {value[1]}) outs({', '.join(inits)} : "
        f"{', '.join(types)}) block = {block} range = [{qmin}, {qmax}] scales = {kind}"
        f"{extra} -> {', '.join(types)}", len(types))
    for name, type_, expected in zip(names, types, results):
        case.result((name, type_), expected.shape, equal(expected))
    return case
