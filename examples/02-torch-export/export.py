"""Exports two PyTorch models for pygraph: a small module with a cache that it updates in place, and a Hugging Face Llama with
random weights.

    python export.py [FOLDER]     writes NAME.core.fx.mlir and NAME.npz of each
"""
import sys
from pathlib import Path

import numpy as np
import torch
from torch.export.graph_signature import InputKind

from fx_text import fx_text


def export(model: torch.nn.Module, inputs: tuple, path: Path):
    """Writes the core-ATen graph of `model(*inputs)` to PATH.core.fx.mlir, its arguments and what PyTorch computes to PATH.npz."""
    with torch.no_grad():
        program = torch.export.export(model.eval(), inputs).run_decompositions()
        arguments = argument_values(program, inputs)
        path.with_suffix(".core.fx.mlir").write_text(fx_text(program))
        arrays = {f"arg{i}": as_tensor(value).clone() for i, value in enumerate(arguments)}
        # The graph itself, not the model: its results include the buffers' new contents, in the order of the signature.
        results = torch.fx.Interpreter(program.graph_module).run(*arguments)
        arrays |= {f"out{i}": as_tensor(value) for i, value in enumerate(results)}
    save(path.with_suffix(".npz"), arrays)


def argument_values(program, inputs: tuple) -> list:
    """The values of the graph's arguments: parameters, buffers and constants come before the inputs."""
    given = iter(torch.utils._pytree.tree_leaves(inputs))
    values = []
    for spec in program.graph_signature.input_specs:
        if spec.kind == InputKind.USER_INPUT:
            values.append(next(given))
        else:
            values.append(program.state_dict[spec.target] if spec.target in program.state_dict else program.constants[spec.target])
    return values


def as_tensor(value) -> torch.Tensor:
    return value.detach() if isinstance(value, torch.Tensor) else torch.tensor(value)


def save(path: Path, arrays: dict):
    """numpy has no bfloat16: its bits go under another key."""
    entries = {}
    for key, tensor in arrays.items():
        is_bf16 = tensor.dtype == torch.bfloat16
        entries[key + "__bf16" if is_bf16 else key] = tensor.view(torch.int16).numpy().view(np.uint16) if is_bf16 else tensor.numpy()
    np.savez(path, **entries)


class RunningMean(torch.nn.Module):
    """A projection, and a buffer that remembers the mean of what went in: buffers that change become pygraph state."""

    def __init__(self):
        super().__init__()
        self.project = torch.nn.Linear(16, 8)
        self.register_buffer("mean", torch.zeros(16))

    def forward(self, x):
        self.mean.mul_(0.9).add_(x.mean(0), alpha=0.1)
        return torch.nn.functional.gelu(self.project(x - self.mean))


def llama():
    """A Hugging Face model, two layers, random weights: nothing is downloaded."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=128, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=64, use_cache=False, attn_implementation="eager")

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = LlamaForCausalLM(config)

        def forward(self, tokens):
            return self.model(input_ids=tokens).logits

    return Logits()


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    export(RunningMean(), (torch.randn(4, 16),), folder / "running_mean")
    export(llama(), (torch.randint(0, 128, (1, 8)),), folder / "hf_llama")
