"""Whether two runners computed the same: how far each is from the same step in f32, and whether they choose the same tokens."""
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from models import BF16, Case

#: How much farther from f32 a result may lie than that of PyTorch in bf16. Both round every operation to 8 bits and sum in another
#: order, so their errors are alike in size and not in sign: of two such errors one may well be a half larger; twice is not by chance.
FACTOR = 2.0
#: What is allowed beyond, as a part of the norm: a step of bf16's last place, for where PyTorch hits f32 by luck.
BASE = 2.0**-8
#: For results in f32: summing in another order.
BASE_F32 = 1e-5


@dataclass
class Agreement:
    """Distances from f32, as parts of its norm."""

    error: float
    error_torch: float
    limit: float
    #: Of how many rows of logits both have their largest at the same place; none where there are no logits.
    same_choice: int | None
    rows: int | None
    finite: bool

    @property
    def is_good(self):
        return self.finite and self.error <= self.limit

    def json(self):
        return asdict(self) | {"is_good": self.is_good}


def distance(value, exact):
    return float((value.double() - exact.double()).norm() / exact.double().norm())


def compare(case: Case, ours, torchs, exact) -> Agreement:
    """`ours` beside PyTorch's, both against `exact`: tensors on the CPU."""
    base = BASE if torchs.dtype == BF16 else BASE_F32
    error, error_torch = distance(ours, exact), distance(torchs, exact)
    same = rows = None
    if case.logits:
        choices = [value.reshape(-1, value.shape[-1]).argmax(-1) for value in (ours, torchs)]
        same, rows = int((choices[0] == choices[1]).sum()), len(choices[0])
    return Agreement(error, error_torch, FACTOR * error_torch + base, same, rows, bool(torch.isfinite(ours).all()))


# ---- files


def save_npz(path: Path, tensors: dict):
    """numpy has no bfloat16: its bits go under another key."""
    entries = {}
    for key, tensor in tensors.items():
        tensor = tensor.detach().contiguous().cpu()
        is_bf16 = tensor.dtype == BF16
        entries[key + "__bf16" if is_bf16 else key] = tensor.view(torch.int16).numpy().view(np.uint16) if is_bf16 else tensor.numpy()
    np.savez(path, **entries)


def save_expected(path: Path, torchs, exact):
    """What PyTorch computes, and the same in f32."""
    save_npz(path, {"torchs": torchs, "exact": exact})


def load_expected(path: Path):
    return load_array(path, "torchs"), load_array(path, "exact")


def load_result(path: Path):
    """The one array of an npz."""
    with np.load(path) as file:
        (key,) = file.files
    return load_array(path, key.removesuffix("__bf16"))


def load_array(path: Path, key):
    with np.load(path) as file:
        if f"{key}__bf16" in file:
            return torch.from_numpy(file[f"{key}__bf16"].view(np.int16)).view(BF16)
        return torch.from_numpy(file[key])
