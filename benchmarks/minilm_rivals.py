"""MiniLM by other runtimes, as contenders of benchmarks/minilm.py.

Each has `bind(inputs)` and a call that returns the result, takes its weights from
the same checkpoint, and is left out where its package is not installed.
"""

import tempfile

import numpy as np

from accuracy import rival


class OnnxRuntime:
    """`scheme` is float or w8a8 (`quantize_dynamic`, per channel)."""
    package = "onnxruntime"

    def __init__(self, parameters, scheme, threads):
        import onnxruntime
        self.version = onnxruntime.__version__
        model = onnx_model(parameters, scheme)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def bind(self, inputs):
        self.feed = {f"in{i}": array for i, array in enumerate(inputs)}

    def __call__(self):
        return self.session.run(None, self.feed)[0]


class OpenVino:
    """`scheme` is float, or w8a8: weights compressed by nncf, activations quantized
    in groups of 32 where the machine has kernels for that."""
    package = "openvino"

    def __init__(self, parameters, scheme, threads):
        import openvino
        self.version = openvino.__version__.split("-")[0]
        core = openvino.Core()
        model = core.read_model(onnx_model(parameters, "float").SerializeToString())
        config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
                  "INFERENCE_PRECISION_HINT": "f32"}
        if scheme == "w8a8":
            import nncf
            model = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)
            config["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 32
        self.request = core.compile_model(model, "CPU", config).create_infer_request()

    def bind(self, inputs):
        self.feed = dict(enumerate(inputs))

    def __call__(self):
        return self.request.infer(self.feed, share_inputs=True)[0]


class Torch:
    """`scheme` is float (eager and, if `compiles`, `torch.compile`) or w8a8
    (`quantize_dynamic`: weights per tensor, activations per tensor)."""
    package = "torch"

    def __init__(self, parameters, scheme, threads, compiles=False):
        import torch
        self.torch = torch
        self.version = torch.__version__.split("+")[0]
        torch.set_num_threads(threads)
        self.model = torch_model(parameters).eval()
        if scheme == "w8a8":
            self.model = torch.ao.quantization.quantize_dynamic(
                self.model, {torch.nn.Linear}, dtype=torch.qint8)
        if compiles:
            self.model = torch.compile(self.model)

    def bind(self, inputs):
        self.inputs = [self.torch.from_numpy(array) for array in inputs]

    def __call__(self):
        with self.torch.inference_mode():
            return self.model(*self.inputs).numpy()


def onnx_model(parameters, scheme):
    with tempfile.TemporaryDirectory() as folder:
        graph = rival.GRAPHS["minilm_l6_full_dynbatch_s32"](parameters)
        return rival.quantize(graph, scheme, folder)


def torch_model(parameters):
    """The encoder, mean pooling under the mask, and normalization, in torch."""
    import torch
    from torch import nn
    from torch.nn import functional

    def load(layer, name):
        for part in ("weight", "bias"):
            array = np.array(parameters[f"{name}.{part}"], np.float32)
            getattr(layer, part).data = torch.from_numpy(array)
        return layer

    def dense(name):
        columns, rows = parameters[name + ".weight"].shape
        return load(nn.Linear(rows, columns), name)

    def norm(name):
        return load(nn.LayerNorm(384, eps=1e-12), name + ".LayerNorm")

    class Layer(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.query, self.key, self.value = (
                dense(f"{base}.attention.self.{n}") for n in ("query", "key", "value"))
            self.out = dense(f"{base}.attention.output.dense")
            self.first = norm(f"{base}.attention.output")
            self.up = dense(f"{base}.intermediate.dense")
            self.down = dense(f"{base}.output.dense")
            self.second = norm(f"{base}.output")

        def forward(self, x, mask):
            q, k, v = (f(x).unflatten(-1, (12, 32)).transpose(1, 2)
                       for f in (self.query, self.key, self.value))
            y = functional.scaled_dot_product_attention(q, k, v, mask)
            x = self.first(self.out(y.transpose(1, 2).flatten(2)) + x)
            return self.second(self.down(functional.gelu(self.up(x))) + x)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(Layer(f"encoder.layer.{i}") for i in range(6))

        def forward(self, x, mask, keep):
            for layer in self.layers:
                x = layer(x, mask)
            keep = keep.unsqueeze(-1)
            pooled = (x * keep).sum(1) / keep.sum(1)
            return functional.normalize(pooled, dim=-1)

    return Model()


# Name in tables: class and its arguments.
RIVALS = {
    "int8, ONNX Runtime": (OnnxRuntime, "w8a8"),
    "f32, ONNX Runtime": (OnnxRuntime, "float"),
    "int8, OpenVINO": (OpenVino, "w8a8"),
    "f32, OpenVINO": (OpenVino, "float"),
    "int8, torch": (Torch, "w8a8"),
    "f32, torch": (Torch, "float"),
    "f32, torch.compile": (Torch, "float", True),
}


def make(name, parameters, threads=1):
    """The contender, or None where what it needs is not installed or does not work."""
    kind, scheme, *more = RIVALS[name]
    try:
        return kind(parameters, scheme, threads, *more)
    except (ImportError, OSError, RuntimeError) as missing:
        print(f"{name}: left out: {missing}")
        return None
