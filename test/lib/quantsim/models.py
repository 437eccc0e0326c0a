"""Forward functions of the exported models, written by reading their bodies.

Each takes `(inputs, weights, linear)`: the list of input arrays, a dictionary
from the source checkpoint's parameter name to its array, and what stands for a
product with a weight (see `schemes`).
"""

import numpy as np

from quantsim import nn

F32 = np.float32


def digits_mlp(inputs, w, linear):
    x = inputs[0]
    for i, name in enumerate("abc"):
        x = linear(x, w[f"{name}.weight"]) + w[f"{name}.bias"]
        x = nn.relu(x) if i < 2 else x
    return x


def jax_mlp(inputs, _, linear):
    """JAX passes the weights as arguments, `[D, N]`."""
    x, w1, b1, w2, b2 = inputs
    hidden = nn.gelu_tanh(linear(x, w1, False) + b1)
    return linear(hidden, w2, False) + b2


def jax_dot_transposed(inputs, _, linear):
    return linear(inputs[0], inputs[1], True)


def _heads(x, count):
    batch, seq, width = x.shape
    return x.reshape(batch, seq, count, width // count).transpose(0, 2, 1, 3)


def _merge_heads(x):
    batch, heads, seq, width = x.shape
    return x.transpose(0, 2, 1, 3).reshape(batch, seq, heads * width)


def _rows(linear, x, w):
    """A linear layer as torch exports it: batch and sequence are one."""
    y = linear(np.ascontiguousarray(x).reshape(-1, x.shape[-1]), w)
    return y.reshape(x.shape[:-1] + (y.shape[-1],))


def bert_layer(x, mask, w, linear, index, heads=12, eps=1e-12):
    base = f"encoder.layer.{index}."

    def dense(value, name):
        name = base + name
        return _rows(linear, value, w[name + ".weight"]) + w[name + ".bias"]

    def norm(value, name):
        name = base + name + ".LayerNorm"
        return nn.layer_norm(value, w[name + ".weight"], w[name + ".bias"],
                             eps)

    q, k, v = (_heads(dense(x, f"attention.self.{n}"), heads)
               for n in ("query", "key", "value"))
    scale = F32(1 / np.sqrt(q.shape[-1]))
    scores = nn.matmul(q, np.swapaxes(k, -1, -2)) * scale + mask
    context = _merge_heads(nn.matmul(nn.softmax(scores), v))
    x = norm(dense(context, "attention.output.dense") + x, "attention.output")
    hidden = nn.gelu_erf(dense(x, "intermediate.dense"))
    return norm(dense(hidden, "output.dense") + x, "output")


def minilm_layer0(inputs, w, linear):
    return bert_layer(inputs[0], inputs[1], w, linear, 0)


def minilm_full(inputs, w, linear):
    """Six layers, mean pooling under the mask, L2 normalization."""
    x, mask, keep = inputs
    for index in range(6):
        x = bert_layer(x, mask, w, linear, index)
    keep = keep[..., None]
    pooled = nn.total(x * keep, 1)[:, 0] / nn.total(keep, 1)[:, 0]
    norm = np.sqrt(nn.total(pooled * pooled, -1))
    return pooled / np.maximum(norm, F32(1e-12))


def _llama_mlp(x, w, linear, base):
    h = nn.rms_norm(x, w[base + "post_attention_layernorm.weight"], 1e-5)
    gate = nn.silu(_rows(linear, h, w[base + "mlp.gate_proj.weight"]))
    up = _rows(linear, h, w[base + "mlp.up_proj.weight"])
    return x + _rows(linear, gate * up, w[base + "mlp.down_proj.weight"])


def smollm2_mlp(inputs, w, linear):
    return _llama_mlp(inputs[0], w, linear, "model.layers.4.")


def _rotate(x, cos, sin):
    half = x.shape[-1] // 2
    turned = np.concatenate([-x[..., half:], x[..., :half]], -1)
    return x * cos + turned * sin


def smollm2_layer(inputs, w, linear, heads=9, kv_heads=3):
    x, mask, cos, sin = inputs
    base = "model.layers.4."
    h = nn.rms_norm(x, w[base + "input_layernorm.weight"], 1e-5)
    q, k, v = (_heads(_rows(linear, h, w[f"{base}self_attn.{n}_proj.weight"]),
                      c)
               for n, c in (("q", heads), ("k", kv_heads), ("v", kv_heads)))
    cos, sin = cos[:, None], sin[:, None]
    q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
    k, v = (np.repeat(t, heads // kv_heads, axis=1) for t in (k, v))
    scores = nn.matmul(q, np.swapaxes(k, -1, -2)) * F32(0.125) + mask
    context = _merge_heads(nn.matmul(nn.softmax(scores), v))
    x = x + _rows(linear, context, w[base + "self_attn.o_proj.weight"])
    return _llama_mlp(x, w, linear, base)
