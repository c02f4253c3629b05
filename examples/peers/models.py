"""The models of the side-by-side table, in PyTorch, and the table of cases: shapes, arguments, and what a step has to move and compute.

`CASES` is the one list of them. Everything random is drawn here, by name and seed, so that every process on one machine has the same numbers.
"""
import json, zlib
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

BF16 = torch.bfloat16


# ---- models


@dataclass(frozen=True)
class Shape:
    """A decoder: layers, width, heads, heads of keys, inner width, vocabulary, rows of a cache, and the batch."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    rows: int
    batch: int = 1

    @property
    def features(self):
        return self.width // self.heads


class Layer(nn.Module):
    """The weights of a decoder's layer."""

    def __init__(self, s: Shape):
        super().__init__()
        weight = lambda *shape: nn.Parameter(torch.empty(*shape, dtype=BF16), requires_grad=False)
        self.norm1, self.norm2 = weight(s.width), weight(s.width)
        self.qkv = weight((s.heads + 2 * s.kv_heads) * s.features, s.width)
        self.out = weight(s.width, s.heads * s.features)
        self.gate_up = weight(2 * s.inner, s.width)
        self.down = weight(s.width, s.inner)


def norm(x, weight):
    y = x.float()
    return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-5)).to(x.dtype) * weight


def rotate(x, cos, sin):
    a, b = x.float().chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)


class Decoder(nn.Module):
    """A decoder of Llama's form. Its caches are buffers `[batch, heads of keys, rows, features]`, updated in place."""

    def __init__(self, s: Shape):
        super().__init__()
        self.shape = s
        self.embedding = nn.Parameter(torch.empty(s.vocabulary, s.width, dtype=BF16), requires_grad=False)
        self.head = nn.Parameter(torch.empty(s.vocabulary, s.width, dtype=BF16), requires_grad=False)
        self.norm = nn.Parameter(torch.empty(s.width, dtype=BF16), requires_grad=False)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.layers))
        for name in cache_names(s):
            self.register_buffer(name, torch.empty(s.batch, s.kv_heads, s.rows, s.features, dtype=BF16))
        for name in ("cos", "sin"):
            self.register_buffer(name, torch.empty(s.rows, s.features // 2))

    def caches(self, layer):
        return getattr(self, f"k{layer}"), getattr(self, f"v{layer}")

    def run(self, tokens, cos, sin, attend):
        """Logits; `attend(layer, q, k, v)` updates the caches and gives `[batch, heads, tokens, features]`."""
        s = self.shape
        x = F.embedding(tokens, self.embedding)
        batch, count = tokens.shape
        heads = lambda y, n: y.view(batch, count, n, s.features).transpose(1, 2)
        for number, layer in enumerate(self.layers):
            qkv = F.linear(norm(x, layer.norm1), layer.qkv)
            q, k, v = qkv.split([s.heads * s.features, s.kv_heads * s.features, s.kv_heads * s.features], -1)
            q, k = rotate(heads(q, s.heads), cos, sin), rotate(heads(k, s.kv_heads), cos, sin)
            y = attend(number, q, k, heads(v, s.kv_heads))
            x = x + F.linear(y.transpose(1, 2).reshape(batch, count, -1), layer.out)
            gate, up = F.linear(norm(x, layer.norm2), layer.gate_up).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, layer.down)
        return F.linear(norm(x[:, -1:], self.norm), self.head)


class Decode(Decoder):
    """A step of one token, at one position for all of the batch."""

    def forward(self, tokens, position):
        seen = (torch.arange(self.shape.rows, device=tokens.device) <= position).view(1, 1, 1, -1)

        def attend(layer, q, k, v):
            keys, values = self.caches(layer)
            keys.index_copy_(2, position, k)
            values.index_copy_(2, position, v)
            return F.scaled_dot_product_attention(q, keys, values, attn_mask=seen, enable_gqa=True)

        at = lambda table: table[position].view(1, 1, 1, -1)
        return self.run(tokens, at(self.cos), at(self.sin), attend)


class BatchDecode(Decoder):
    """A step of one token, at a position for each row of the batch."""

    def forward(self, tokens, position):
        batch = self.shape.batch
        row = torch.arange(batch, device=tokens.device)
        seen = (torch.arange(self.shape.rows, device=tokens.device)[None] <= position[:, None]).view(batch, 1, 1, -1)

        def attend(layer, q, k, v):
            keys, values = self.caches(layer)
            keys[row, :, position] = k[:, :, 0]
            values[row, :, position] = v[:, :, 0]
            return F.scaled_dot_product_attention(q, keys, values, attn_mask=seen, enable_gqa=True)

        at = lambda table: table[position].view(batch, 1, 1, -1)
        return self.run(tokens, at(self.cos), at(self.sin), attend)


class Prefill(Decoder):
    """The first tokens of a request at once; logits of the last."""

    def forward(self, tokens):
        count = tokens.shape[1]

        def attend(layer, q, k, v):
            keys, values = self.caches(layer)
            keys[:, :, :count] = k
            values[:, :, :count] = v
            return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)

        at = lambda table: table[:count].view(1, 1, count, -1)
        return self.run(tokens, at(self.cos), at(self.sin), attend)


class Mlp(nn.Module):
    def __init__(self, layers, width):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width, dtype=BF16) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = F.gelu(layer(x))
        return x


class ScaledMlp(Mlp):
    """With a factor that is a tensor on the CPU: PyTorch's `reduce-overhead` then uses no CUDA graph."""

    def forward(self, x, scale):
        for layer in self.layers:
            x = F.gelu(layer(x)) * scale
        return x


class Encoder(nn.Module):
    def __init__(self, layers, width, heads):
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, batch_first=True, dropout=0.0, activation="gelu", dtype=BF16)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, x):
        return self.encoder(x)


class FreshInputs(nn.Module):
    """Large inputs and little work on each: what is copied into static buffers is what costs."""

    def forward(self, x0, x1, x2, x3, x4, x5, x6, x7):
        y = x0
        for x in (x1, x2, x3, x4, x5, x6, x7):
            y = torch.where(x[:, :1] > 0, y + x[:, :1], y)
        return y.sum()


def resnet50():
    import torchvision

    default = torch.get_default_dtype()
    torch.set_default_dtype(BF16)  # converting it afterwards is nothing that a traced model can do
    try:
        return torchvision.models.resnet50()
    finally:
        torch.set_default_dtype(default)


# ---- cases


@dataclass(frozen=True)
class Argument:
    """An argument of a step. `kind` is `normal` (random floats), `token` (integers below `limit`), or `given` (the values of `value`)."""

    kind: str
    shape: tuple
    dtype: torch.dtype = BF16
    value: tuple = ()
    limit: int = 0
    on_cpu: bool = False


@dataclass(frozen=True)
class Case:
    """A row of the table."""

    name: str
    title: str
    model: callable
    arguments: dict
    #: Cases with the same word have the same parameters.
    weights: str
    #: Bytes that a step cannot do without: weights, rows of caches, inputs.
    bytes: int = 0
    #: Operations of its products; two for a multiplication with its addition.
    operations: int = 0
    #: Arguments that the host needs.
    host: tuple = ()
    #: What max-autotune takes to compile, in seconds, measured: the budget decides by it. 0: not run in this mode.
    autotune_seconds: int = 0
    logits: bool = False
    #: PyTorch computes it in this layout, which its users choose for convolutions.
    channels_last: bool = False
    #: Sets of inputs, each at other addresses, of which every step takes the next.
    input_sets: int = 1
    jax: bool = False


def cache_names(s: Shape):
    return [f"{which}{layer}" for layer in range(s.layers) for which in "kv"]


def product_weights(s: Shape):
    """Elements of all matrices that a step multiplies with."""
    layer = (s.heads + 2 * s.kv_heads) * s.features * s.width + s.heads * s.features * s.width + 3 * s.inner * s.width
    return s.layers * layer + s.vocabulary * s.width


def decode_case(name, title, s: Shape, positions, weights, **options):
    """A step of one token for each of a batch. One position serves all of it, or each has its own."""
    own = len(positions) > 1
    rows = sum(p + 1 for p in positions) * (1 if own else s.batch)
    cache_bytes = rows * s.layers * 2 * s.kv_heads * s.features * 2
    arguments = {
        "tokens": Argument("token", (s.batch, 1), torch.int64, limit=min(s.vocabulary, 1000)),
        "position": Argument("given", (len(positions),), torch.int64, value=tuple(positions)),
    }
    model = BatchDecode if own else Decode
    attention = 4 * rows * s.layers * s.heads * s.features
    return Case(name, title, lambda: model(s), arguments, weights, bytes=2 * product_weights(s) + cache_bytes,
                operations=2 * s.batch * product_weights(s) + attention, host=("position",), logits=True, **options)


def prefill_case(name, title, s: Shape, count, weights, **options):
    body = product_weights(s) - s.vocabulary * s.width
    attention = 4 * s.layers * s.heads * s.features * count * (count + 1) // 2
    arguments = {"tokens": Argument("token", (s.batch, count), torch.int64, limit=min(s.vocabulary, 1000))}
    return Case(name, title, lambda: Prefill(s), arguments, weights, bytes=2 * product_weights(s),
                operations=2 * count * body + 2 * s.vocabulary * s.width + attention, logits=True, **options)


def spread(first, last, count):
    return [first + (last - first) * i // (count - 1) for i in range(count)]


def mlp_bytes(layers, width):
    return 2 * layers * (width * width + width)


SMALL = dict(layers=12, width=768, heads=12, kv_heads=12, inner=2048, vocabulary=50257)
LARGE = dict(layers=8, width=4096, heads=32, kv_heads=8, inner=14336, vocabulary=128256)
LLAMA_1B = dict(layers=16, width=2048, heads=32, kv_heads=8, inner=8192, vocabulary=128256)
TINY = dict(layers=2, width=64, heads=4, kv_heads=2, inner=96, vocabulary=128)

NORMAL = lambda *shape, dtype=BF16: Argument("normal", shape, dtype)
MLP_INPUT = {"x": NORMAL(1, 512)}
SCALE = {"scale": Argument("given", (), torch.float32, value=(1.01,), on_cpu=True)}
FRESH = lambda rows, columns: {f"x{i}": NORMAL(rows, columns, dtype=torch.float32) for i in range(8)}

CASES = [
    Case("mlp", "MLP 20x512, b1", lambda: Mlp(20, 512), MLP_INPUT, "mlp", bytes=mlp_bytes(20, 512),
         operations=2 * 20 * 512 * 512, autotune_seconds=15, jax=True),
    decode_case("decode_12x768", "decode 12x768, b1, 512 of 1,024", Shape(**SMALL, rows=1024), [512], "small",
                autotune_seconds=40, jax=True),
    decode_case("decode_8x4096", "decode 8x4096 (8B shapes), b1, 1,024 of 2,048", Shape(**LARGE, rows=2048), [1024], "large",
                autotune_seconds=75, jax=True),
    decode_case("llama_1b", "decode Llama-3.2-1B shapes, b1, 512 of 1,024", Shape(**LLAMA_1B, rows=1024), [512], "llama_1b",
                autotune_seconds=65, jax=True),
    decode_case("decode_b32", "decode 8x4096, b32, mixed lengths to 2,000 of 2,048", Shape(**LARGE, rows=2048, batch=32),
                spread(64, 2000, 32), "large", autotune_seconds=105),
    decode_case("decode_30000", "decode 8x4096, b1, 30,000 of 32,768", Shape(**LARGE, rows=32768), [30000], "large", jax=True),
    prefill_case("prefill_512", "prefill of 512, 8x4096, b1", Shape(**LARGE, rows=2048), 512, "large", autotune_seconds=75),
    Case("encoder", "encoder 12x768, b1, s128", lambda: Encoder(12, 768, 12), {"x": NORMAL(1, 128, 768)}, "encoder",
         bytes=2 * 12 * 12 * 768 * 768, operations=12 * (2 * 128 * 12 * 768 * 768 + 4 * 128 * 128 * 768), autotune_seconds=8),
    Case("resnet50", "ResNet-50, b1", resnet50, {"x": NORMAL(1, 3, 224, 224)}, "resnet50", bytes=2 * 25_557_032,
         operations=2 * 4_089_184_256, channels_last=True),
    Case("fresh_inputs", "eight fresh inputs of 128 MiB, little work", FreshInputs, FRESH(16384, 2048), "none",
         bytes=16384 * (2048 * 4 + 7 * 32), input_sets=2),
    Case("mlp_cpu_scalar", "MLP 20x512, b1, with a CPU scalar", lambda: ScaledMlp(20, 512), MLP_INPUT | SCALE, "mlp",
         bytes=mlp_bytes(20, 512), operations=2 * 20 * 512 * 512, host=("scale",)),
]

#: The same at sizes that a processor runs in a moment, for tests.
TINY_CASES = [
    Case("mlp", "", lambda: Mlp(2, 32), {"x": NORMAL(1, 32)}, ""),
    decode_case("decode", "", Shape(**TINY, rows=16), [5], ""),
    decode_case("decode_batch", "", Shape(**TINY, rows=16, batch=3), [2, 9, 15], ""),
    prefill_case("prefill", "", Shape(**TINY, rows=16), 8, ""),
    Case("encoder", "", lambda: Encoder(1, 32, 4), {"x": NORMAL(1, 8, 32)}, ""),
    Case("fresh_inputs", "", FreshInputs, FRESH(4, 16), ""),
    Case("mlp_cpu_scalar", "", lambda: ScaledMlp(2, 32), {"x": NORMAL(1, 32)} | SCALE, "", host=("scale",)),
]


# ---- numbers


def generator(name, device):
    """A generator whose numbers depend on the name alone."""
    return torch.Generator(device).manual_seed(zlib.crc32(name.encode()))


def normal_(tensor, name, scale):
    """Fills `tensor` with what its name says, and returns it."""
    return tensor.copy_(torch.randn(tensor.shape, generator=generator(name, tensor.device), device=tensor.device) * scale)


def fill(model):
    """Random weights and caches: of a norm's weights ones, of other vectors and matrices numbers that keep a signal's size about the same."""
    for name, tensor in model.named_parameters():
        if tensor.dim() == 1:
            tensor.fill_(1.0) if "norm" in name or "bn" in name else normal_(tensor, name, 0.02)
        else:
            normal_(tensor, name, 0.02 if isinstance(model, Decoder) else tensor[0].numel() ** -0.5)
    if isinstance(model, Decoder):
        for name in cache_names(model.shape):
            normal_(getattr(model, name), name, 1.0)
        fill_rotations(model)


def fill_rotations(model):
    s, device = model.shape, model.cos.device
    frequency = 1.0 / (500000 ** (torch.arange(0, s.features, 2, device=device).float() / s.features))
    angle = torch.arange(s.rows, device=device).float()[:, None] * frequency
    model.cos.copy_(angle.cos())
    model.sin.copy_(angle.sin())


def build(case: Case, device):
    """The model on the device, without values."""
    with torch.device(device):
        return case.model().eval().requires_grad_(False)


def inputs(case: Case, device, number=0):
    """The arguments of a step; each `number` gives others at other addresses. Only the first set is what results are compared for."""
    return tuple(tensor_of(case, name, argument, device, number) for name, argument in case.arguments.items())


def tensor_of(case: Case, name, argument: Argument, device, number):
    place = "cpu" if argument.on_cpu else device
    if argument.kind == "given":
        return torch.tensor(argument.value, dtype=argument.dtype, device=place).reshape(argument.shape)
    seed = generator(f"{case.name}.{name}.{number}", place)
    if argument.kind == "token":
        return torch.randint(0, argument.limit, argument.shape, generator=seed, device=place)
    return torch.randn(argument.shape, generator=seed, device=place).to(argument.dtype)


if __name__ == "__main__":
    print(json.dumps({case.name: case.weights for case in CASES}))
