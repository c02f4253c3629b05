"""Compares pygraph on the host device with PyTorch, on the models of the table at sizes that a processor runs in a moment.

    python test_exports.py PYGRAPH_RUN      PYGRAPH_RUN starts the compiler that lies beside it
"""
import subprocess, sys, tempfile
from pathlib import Path

import torch
from agreement import compare, load_array, save_npz
from export import export_text
from models import BF16, TINY_CASES, build, fill, inputs


def check(case, pygraph_run, folder: Path):
    """The text of what is wrong, or none."""
    model, given = build(case, "cpu"), inputs(case, "cpu")
    fill(model)
    state = dict(model.named_parameters()) | dict(model.named_buffers())
    text, arrays, results = folder / "model.mlir", folder / "inputs.npz", folder / "results.npz"
    text.write_text(export_text(case))
    save_npz(arrays, state | dict(zip(case.arguments, given)))
    torchs = model(*given)
    exact = model.float()(*(value.float() if value.dtype == BF16 else value for value in given))
    done = subprocess.run([pygraph_run, text, "--device", "host", "--inputs", arrays, "--outputs", results], capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    # Buffers that change are leading results; the one that the model returns is the last.
    changed = sum(name[0] in "kv" and name[1:].isdigit() for name in state)
    agreement = compare(case, load_array(results, f"out{changed}"), torchs, exact)
    return None if agreement.is_good else str(agreement)


def main(pygraph_run):
    torch.set_grad_enabled(False)
    failed = 0
    for case in TINY_CASES:
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(case, pygraph_run, Path(folder))
        print(f"{case.name}: {wrong or 'as PyTorch'}", flush=True)
        failed += wrong is not None
    print(f"{len(TINY_CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
