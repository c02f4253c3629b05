"""Exports one decode step of a small JAX model: StableHLO text whose signature says what each argument is, and an npz.

    python export.py [FOLDER]     writes decode.mlir, decode.npz and decode.steps.npz

`export` is the part to copy. The rest is a model to try it on.
"""
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters.mlir import ir


def export(step, arguments: dict, bindings: dict, path: Path):
    """Writes `step(*arguments.values())` as StableHLO text, and returns it jitted. An argument is a tree of arrays with one
    binding: `once` (given at load: weights), `step` (given anew each step), `state` (kept by the runtime from step to step;
    donated, so the result that replaces it must have its shape and type) or `host` (the host needs the value: a position)."""
    names, binds = [], []
    for name, tree in arguments.items():
        for key, _ in jax.tree_util.tree_flatten_with_path(tree)[0]:
            names.append(".".join([name, jax.tree_util.keystr(key, simple=True, separator=".")]).rstrip("."))
            binds.append(bindings[name])
    state = [i for i, name in enumerate(arguments) if bindings[name] == "state"]
    jitted = jax.jit(step, donate_argnums=state, keep_unused=True)  # an argument that is dropped would shift the others
    module = jitted.lower(*arguments.values()).compiler_ir("stablehlo")
    with module.context as context:
        context.allow_unregistered_dialects = True
        main = next(op for op in module.body.operations if op.name.value == "main")
        attributes = []
        for given, name, bind in zip(main.arg_attrs, names, binds, strict=True):
            given = {attribute.name: attribute.attr for attribute in given}
            given |= {"pyg.name": ir.StringAttr.get(name), "pyg.bind": ir.StringAttr.get(bind)}
            attributes.append(ir.DictAttr.get(given))
        main.arg_attrs = ir.ArrayAttr.get(attributes)
        path.write_text(str(module) + "\n")
    return jitted


def save(path: Path, arrays: dict):
    """numpy has no bfloat16: its bits go under another key."""
    entries = {}
    for key, array in arrays.items():
        array = np.asarray(array)
        is_bf16 = array.dtype == jnp.bfloat16
        entries[key + "__bf16" if is_bf16 else key] = array.view(np.uint16) if is_bf16 else array
    np.savez(path, **entries)


# ---- a model: one attention layer with a cache of 16 rows

VOCABULARY, WIDTH, HEADS, ROWS = 64, 32, 4, 16


def weights():
    keys = jax.random.split(jax.random.key(0), 5)
    shapes = dict(embedding=(VOCABULARY, WIDTH), query=(WIDTH, WIDTH), key=(WIDTH, WIDTH), value=(WIDTH, WIDTH), out=(WIDTH, WIDTH))
    return {name: jax.random.normal(k, shape) / WIDTH**0.5 for k, (name, shape) in zip(keys, shapes.items())}


def decode(w, cache, token, position):
    """The logits after `token`, and the cache with its row `position` written."""
    x = w["embedding"][token]
    split = lambda y: y.reshape(1, HEADS, WIDTH // HEADS)
    keys = jax.lax.dynamic_update_slice(cache["k"], split(x @ w["key"]), (position, 0, 0))
    values = jax.lax.dynamic_update_slice(cache["v"], split(x @ w["value"]), (position, 0, 0))
    scores = jnp.einsum("qhd,shd->hqs", split(x @ w["query"]), keys) / (WIDTH // HEADS) ** 0.5
    scores = jnp.where(jnp.arange(ROWS) <= position, scores, -1e30)
    x = x + jnp.einsum("hqs,shd->qhd", jax.nn.softmax(scores), values).reshape(1, WIDTH) @ w["out"]
    return {"k": keys, "v": values}, x @ w["embedding"].T


def main(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    cache = {name: jnp.zeros((ROWS, HEADS, WIDTH // HEADS)) for name in "kv"}
    arguments = dict(w=weights(), cache=cache, token=jnp.array([7], jnp.int32), position=jnp.int32(0))
    bindings = dict(w="once", cache="state", token="step", position="host")
    inputs = [np.asarray(leaf) for tree in arguments.values() for leaf in jax.tree.leaves(tree)]  # donated arrays will be gone
    jitted = export(decode, arguments, bindings, folder / "decode.mlir")

    state, logits = jitted(*arguments.values())
    arrays = {f"arg{i}": array for i, array in enumerate(inputs)}
    arrays |= {f"out{i}": array for i, array in enumerate([*jax.tree.leaves(state), logits])}
    save(folder / "decode.npz", arrays)

    steps = {}
    for k in range(1, 4):  # the cache is not among the inputs of a later step: the runtime carries it
        token, position = jnp.argmax(logits, -1).astype(jnp.int32), jnp.int32(k)
        state, logits = jitted(arguments["w"], state, token, position)
        steps |= {f"step{k}_arg{len(inputs) - 2}": token, f"step{k}_arg{len(inputs) - 1}": position, f"step{k}_out2": logits}
    save(folder / "decode.steps.npz", steps)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
