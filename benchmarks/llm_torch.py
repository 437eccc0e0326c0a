"""A decoder of the llama family in eager torch, f32: what `llm.py` compares float weights with."""

import numpy as np
import torch
from torch.nn import functional as F


def _tensors(path):
    import gguf
    from gguf import quants
    reader = gguf.GGUFReader(path)
    number = lambda name: reader.get_field(f"{reader.get_field('general.architecture').contents()}.{name}").contents()
    tensors = {t.name: torch.from_numpy(np.array(quants.dequantize(t.data, t.tensor_type), np.float32))
               for t in reader.tensors}
    return number, tensors


class Torch:
    """The weights of a GGUF file, dequantized; its RoPE turns neighbours, as the file's rows are ordered."""

    def __init__(self, path, threads, context):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        number, self.tensors = _tensors(path)
        self.layers, self.heads = number("block_count"), number("attention.head_count")
        self.kv_heads = number("attention.head_count_kv")
        self.epsilon = number("attention.layer_norm_rms_epsilon")
        self.size = number("embedding_length") // self.heads
        turns = number("rope.freq_base") ** (-torch.arange(0, self.size, 2) / self.size)
        angle = torch.outer(torch.arange(context), turns)
        self.cos, self.sin = angle.cos(), angle.sin()
        self.caches = torch.zeros(2, self.layers, self.kv_heads, context, self.size)

    def begin(self):
        self.position = 0

    def _norm(self, x, name):
        return F.rms_norm(x, x.shape[-1:], self.tensors[name], self.epsilon)

    def _rotate(self, x, at):
        even, odd = x[..., ::2], x[..., 1::2]
        cos, sin = self.cos[at], self.sin[at]
        return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)

    def _attention(self, x, lead, layer, at):
        linear = lambda name, x: F.linear(x, self.tensors[lead + name + ".weight"])
        split = lambda y, heads: y.view(-1, heads, self.size).transpose(0, 1)
        query = self._rotate(split(linear("attn_q", x), self.heads), at)
        keys, values = self.caches[:, layer]
        keys[:, at] = self._rotate(split(linear("attn_k", x), self.kv_heads), at)
        values[:, at] = split(linear("attn_v", x), self.kv_heads)
        y = F.scaled_dot_product_attention(query[None], keys[None, :, :at.stop], values[None, :, :at.stop],
                                           is_causal=len(x) > 1, enable_gqa=True)[0]
        return linear("attn_output", y.transpose(0, 1).flatten(1))

    def next(self, ids):
        """Prompts begin at position 0; the token behind `ids`."""
        at = slice(self.position, self.position + len(ids))
        self.position = at.stop
        x = self.tensors["token_embd.weight"][ids]
        for layer in range(self.layers):
            lead = f"blk.{layer}."
            linear = lambda name, x: F.linear(x, self.tensors[lead + name + ".weight"])
            x = x + self._attention(self._norm(x, lead + "attn_norm.weight"), lead, layer, at)
            y = self._norm(x, lead + "ffn_norm.weight")
            x = x + linear("ffn_down", F.silu(linear("ffn_gate", y)) * linear("ffn_up", y))
        last = self._norm(x[-1], "output_norm.weight")
        head = self.tensors.get("output.weight", self.tensors["token_embd.weight"])
        return int(F.linear(last, head).argmax())
