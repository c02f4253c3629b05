"""Exports the models of the table as MLIR text for pygraph, without a GPU and without their weights.

    python export.py FOLDER [CASE …]      writes CASE.core.fx.mlir of each

The graphs are traced with tensors that have a shape and a device, and no values: 8 GB of weights take no memory here.
"""
import sys
from pathlib import Path

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "02-torch-export"))
from fx_text import fx_text
from models import CASES, Case, build


def placeholder(argument):
    return torch.empty(argument.shape, dtype=argument.dtype, device="cpu" if argument.on_cpu else "cuda:0")


def export_text(case: Case) -> str:
    """The core-ATen graph of a step on a GPU."""
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        arguments = tuple(placeholder(argument) for argument in case.arguments.values())
        program = torch.export.export(build(case, "cuda:0"), arguments, strict=False)
        return fx_text(program.run_decompositions())


def main(folder: Path, names):
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if not names or case.name in names:
            (folder / f"{case.name}.core.fx.mlir").write_text(export_text(case))
            print(f"exported {case.name}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
