#!/usr/bin/env python3
"""Runs folders of real graphs through the programs and compares with what their makers computed.

  scripts/corpus.py [--binaries DIR] [--filter REGEX] [--no-gpu] [--jobs N] FOLDER...

Every `*.mlir` under a folder is up to five tests:

  roundtrip  pygraph-opt prints it, reads its own text again and prints the same
  pipeline   the default pipeline accepts it, up to the tensor level
  run        pygraph-run gives the expected numbers: those of the npz beside it (NAME.npz, and NAME.steps.npz where state is
             carried), or those that its own check operations state
  fusion     with an npz beside it, the results are the same to the last bit whether launches are fused or not
  gpu        with an npz beside it, NVRTC compiles its kernels for an H100 (PYGRAPH_NVRTC names the library)

What cannot work yet stands in FOLDER/refusals.txt, one line a test: `run interpret/infeed.mlir: words of the message`.
Such a test passes when the program refuses with exit status 1, a location and these words, and fails when it suddenly works.

Needs only Python's standard library: pygraph-run compares the numbers. The last line counts.
"""
import argparse, concurrent.futures, os, re, subprocess, sys, tempfile
from pathlib import Path
from typing import NamedTuple, Optional

TIMEOUT_SECONDS = 120
# NAME.core.fx.mlir, NAME.stablehlo.mlir … all compute what NAME.npz says. NAME.fx.mlir is the graph before
# functionalisation, whose results are in another order, so it has no expected numbers.
VARIANTS = (".cuda.core.fx", ".core.fx", ".stablehlo", ".generic", "")
# torch-mlir does not say which result replaces which buffer, so what it wrote runs one step.
WITHOUT_STATE = ".stablehlo.mlir"
# These draw from PyTorch's own generator, whose numbers nobody else has: they run, and nothing is compared.
UNPREDICTABLE = ("multinomial_sample", "rng_dropout_train", "rng_rand_like")
# Models that compute in bf16 inside differ by its rounding wherever sums are ordered differently, whatever their results' type.
BF16_TOLERANCE = "5e-2"


class Case(NamedTuple):
    kind: str
    folder: Path
    model: Path
    refusal: Optional[str]

    @property
    def name(self):
        return f"{self.kind} {self.model.relative_to(self.folder)}"


def read_refusals(folder):
    path = folder / "refusals.txt"
    refusals = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            name, _, words = line.partition(": ")
            refusals[name] = words
    return refusals


def npz_of(model):
    """The npz with the expected numbers of a model, if it has one."""
    stem = model.name.removesuffix(".mlir")
    for variant in VARIANTS:
        if stem.endswith(variant):
            npz = model.with_name(stem.removesuffix(variant) + ".npz")
            return npz if npz.exists() else None


def has_checks(model):
    return re.search(r"\bcheck\.\w+|@check\.", model.read_text()) is not None


def cases_of(folder):
    refusals = read_refusals(folder)
    unused = set(refusals)
    for model in sorted(folder.rglob("*.mlir")):
        kinds = ["roundtrip", "pipeline"] + (["run"] if npz_of(model) or has_checks(model) else [])
        if npz_of(model) and f"run {model.relative_to(folder)}" not in refusals:
            kinds += ["fusion", "gpu"]
        for kind in kinds:
            case = Case(kind, folder, model, None)
            unused.discard(case.name)
            yield case._replace(refusal=refusals.get(case.name))
    if unused:
        sys.exit(f"{folder}/refusals.txt names no test: {sorted(unused)[0]}")


class Failed(Exception):
    pass


def call(case, program, *arguments):
    """Runs a program. Raises `Failed` unless it does what the case expects; false when it refuses as expected."""
    command = [str(program), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"no end in {TIMEOUT_SECONDS} s")
    errors = done.stderr.decode(errors="replace").strip()
    if done.returncode not in (0, 1) or "panicked" in errors:
        raise Failed(f"exit status {done.returncode}: {errors[-600:]}")
    if done.returncode == 0:
        return True
    if case.refusal is None:
        raise Failed(errors[:600])
    if case.refusal not in errors:
        raise Failed(f"refused, but not with '{case.refusal}': {errors[:600]}")
    if not re.search(r"\.mlir(bc)?:\d+:\d+: error: ", errors):
        raise Failed(f"refused without a location: {errors[:600]}")
    return False


def round_trip(case, binaries):
    split = ["--split-input-file"] if "// -----" in case.model.read_text() else []
    with tempfile.TemporaryDirectory() as folder:
        once, twice = Path(folder, "once.mlir"), Path(folder, "twice.mlir")
        for source, target in ((case.model, once), (once, twice)):
            if not call(case, binaries / "pygraph-opt", source, "--pipeline=", *split, "-o", target):
                return False
        if once.read_text() != twice.read_text():
            raise Failed("the second text differs from the first")
    return True


def pipeline(case, binaries):
    split = ["--split-input-file"] if "// -----" in case.model.read_text() else []
    return call(case, binaries / "pygraph-opt", case.model, "--stop-after=tensor", *split, "-o", os.devnull)


def numbers(case, binaries):
    npz = npz_of(case.model)
    if npz is None:
        return call(case, binaries / "pygraph-run", "--split-input-file", case.model)
    steps = npz.with_suffix(".steps.npz")
    arguments = ["--inputs", npz]
    if not case.model.name.startswith(UNPREDICTABLE):
        arguments += ["--expect", npz]
    if steps.exists() and not case.model.name.endswith(WITHOUT_STATE):
        arguments += ["--steps", steps, "--expect", steps]
    if "bf16" in case.model.name:
        arguments += ["--tolerance", BF16_TOLERANCE]
    return call(case, binaries / "pygraph-run", case.model, *arguments)


def fusion(case, binaries):
    npz = npz_of(case.model)
    steps = npz.with_suffix(".steps.npz")
    arguments = ["--inputs", npz]
    if steps.exists() and not case.model.name.endswith(WITHOUT_STATE):
        arguments += ["--steps", steps]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for name, options in (("fused", []), ("single", ["--no-fuse"])):
            artifact, outputs = Path(folder, f"{name}.pyg"), Path(folder, f"{name}.npz")
            call(case, binaries / "pygraph-compile", case.model, *options, "-o", artifact)
            call(case, binaries / "pygraph-run", artifact, *arguments, "--outputs", outputs)
            results.append(outputs.read_bytes())
    if results[0] != results[1]:
        raise Failed("fused launches compute other numbers than single ones")
    return True


def gpu(case, binaries):
    with tempfile.TemporaryDirectory() as folder:
        return call(case, binaries / "pygraph-compile", case.model, "--target=sm_90", "--no-native", "-o", Path(folder, "model.pyg"))


def outcome(case, binaries):
    """Why a case failed, or nothing."""
    try:
        succeeded = TESTS[case.kind](case, binaries)
    except Failed as failure:
        return str(failure)
    if succeeded and case.refusal is not None:
        return f"works now: remove it from {case.folder.name}/refusals.txt"


TESTS = {"roundtrip": round_trip, "pipeline": pipeline, "run": numbers, "fusion": fusion, "gpu": gpu}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--binaries", type=Path, default=Path("target/release"))
    parser.add_argument("--no-gpu", action="store_true", help="leave out what needs NVRTC")
    parser.add_argument("--filter", default="", help="only tests whose name this pattern finds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    cases = [case for folder in options.folders for case in cases_of(folder) if re.search(options.filter, case.name)]
    left_out = [case for case in cases if options.no_gpu and case.kind == "gpu"]
    cases = [case for case in cases if case not in left_out]
    failed = refused = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for case, why in zip(cases, pool.map(lambda case: outcome(case, options.binaries), cases)):
            if why is not None:
                failed += 1
                print(f"failed: {case.name}: {why}")
            elif case.refusal is not None:
                refused += 1
    if refused:
        print(f"{refused} of these are refused as refusals.txt says")
    if left_out:
        print(f"skipped: {len(left_out)} models are not compiled for a GPU: PYGRAPH_NVRTC names no compiler")
    print(f"{len(cases) - failed} passed, {failed} failed, {len(left_out)} skipped")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
