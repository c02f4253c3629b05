"""JAX's side of the table: the MLP and the decodes that serve one request, jitted, with the caches donated. Started by side_by_side.py.

    python peer_jax.py FOLDER RESULTS CASE …      FOLDER has the weights and inputs that peer_torch.py made
"""
import json, math, os, statistics, sys, time
from pathlib import Path

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from safetensors.numpy import load_file

BF16 = jnp.bfloat16
STEPS, WARMUP = 100, 10


# ---- models


def mlp(weights, x):
    for layer in range(len(weights) // 2):
        x = jax.nn.gelu(x @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"], approximate=False)
    return x


def norm(x, weight):
    y = x.astype(jnp.float32)
    return (y * jax.lax.rsqrt(jnp.mean(y * y, -1, keepdims=True) + 1e-5)).astype(BF16) * weight


def rotate(x, cos, sin):
    a, b = jnp.split(x.astype(jnp.float32), 2, -1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1).astype(BF16)


def decode(weights, tables, caches, tokens, position):
    """The caches, updated, and the logits of one token for each of the batch. Shapes follow from those of the weights and caches."""
    batch, kv_heads, rows, features = caches["k0"].shape
    heads = weights["layers.0.out"].shape[1] // features
    cos, sin = tables["cos"][position[0]], tables["sin"][position[0]]
    seen = jnp.arange(rows) <= position[0]
    x, caches = weights["embedding"][tokens[:, 0]], dict(caches)
    for layer in range(len(caches) // 2):
        w = lambda name: weights[f"layers.{layer}.{name}"]
        q, k, v = jnp.split(norm(x, w("norm1")) @ w("qkv").T, [heads * features, (heads + kv_heads) * features], -1)
        q = rotate(q.reshape(batch, kv_heads, heads // kv_heads, features), cos, sin)
        new = {"k": rotate(k.reshape(batch, kv_heads, 1, features), cos, sin), "v": v.reshape(batch, kv_heads, 1, features)}
        for which, row in new.items():
            caches[f"{which}{layer}"] = jax.lax.dynamic_update_slice(caches[f"{which}{layer}"], row, (0, 0, position[0], 0))
        scores = jnp.einsum("bgqd,bgsd->bgqs", q, caches[f"k{layer}"], preferred_element_type=jnp.float32) / math.sqrt(features)
        probabilities = jax.nn.softmax(jnp.where(seen, scores, -1e30), -1).astype(BF16)
        y = jnp.einsum("bgqs,bgsd->bgqd", probabilities, caches[f"v{layer}"]).reshape(batch, heads * features)
        x = x + y @ w("out").T
        gate, up = jnp.split(norm(x, w("norm2")) @ w("gate_up").T, 2, -1)
        x = x + (jax.nn.silu(gate) * up) @ w("down").T
    return caches, norm(x, weights["norm"]) @ weights["head"].T


# ---- times


def load(path: Path):
    """The arrays of an npz; bf16 lies under KEY__bf16 as bits."""
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    return {key.removesuffix("__bf16"): value.view(ml_dtypes.bfloat16) if key.endswith("__bf16") else value for key, value in arrays.items()}


def step_of(name, folder: Path):
    """A function of nothing that runs a step and returns its result, with everything on the device, and the state carried."""
    given = {key: jnp.asarray(value) for key, value in load(folder / f"{name}.npz").items()}
    if name == "mlp":
        weights, jitted = to_device(folder / "mlp.safetensors"), jax.jit(mlp)
        return lambda: jitted(weights, given["x"])
    weights = to_device(folder / f"{WEIGHTS[name]}.safetensors")
    tables = {key: given.pop(key) for key in ("cos", "sin")}
    tokens, position = given.pop("tokens"), given.pop("position")
    caches, jitted = [given], jax.jit(decode, donate_argnums=2)

    def step():
        caches[0], logits = jitted(weights, tables, caches[0], tokens, position)
        return logits

    return step


WEIGHTS = {"decode_12x768": "small", "decode_8x4096": "large", "decode_30000": "large", "llama_1b": "llama_1b"}


def to_device(path: Path):
    return {key: jnp.asarray(value) for key, value in load_file(path).items()}


def times(step):
    started = time.monotonic()
    first = step().block_until_ready()
    compile_s = time.monotonic() - started
    for _ in range(WARMUP):
        step().block_until_ready()
    whole, calls = [], []
    for _ in range(STEPS):
        begin = time.perf_counter()
        result = step()
        called = time.perf_counter()
        result.block_until_ready()
        whole.append((time.perf_counter() - begin) * 1e6)
        calls.append((called - begin) * 1e6)
    begin = time.perf_counter()
    for _ in range(STEPS):
        result = step()
    result.block_until_ready()
    pipelined = (time.perf_counter() - begin) * 1e6 / STEPS
    return first, {"synchronised_us": statistics.median(whole), "pipelined_us": pipelined, "host_us": statistics.median(calls), "compile_s": compile_s}


def main(folder: Path, results: Path, names):
    for name in names:
        line = {"case": name, "runner": "jax"}
        try:
            first, measured = times(step_of(name, folder))
            np.savez(folder / f"{name}.jax.npz", out0__bf16=np.asarray(first).view(np.uint16))
            line |= measured
        except Exception as error:  # one that fails is a row of the table, and the others go on
            line["failed"] = f"{type(error).__name__}: {error}"[:300]
        with results.open("a") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
