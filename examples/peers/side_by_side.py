"""Runs the models of the table by pygraph, PyTorch and JAX on one GPU, compares their numbers, and prints one table with ratios.

    python side_by_side.py FOLDER --bench PYGRAPH_BENCH [--seconds 540] [--out OUT] [--work WORK] [--cases PATTERN]

FOLDER has CASE.pyg of each case (`scripts/gpu-session prepare --peers`). Everything that was measured lies in WORK/results.jsonl, a line for
each case and runner; what is there is not measured again, so a call that ran out of time is continued by another one on the same machine.
The weights and inputs beside it take 15 GB: a folder in memory is best, since a disk that still writes them disturbs what the host does.
Each peer runs in a process of its own, and nothing else runs beside it. What takes long to compile comes last.
"""
import argparse, json, os, re, shutil, subprocess, sys, time
from pathlib import Path

from agreement import compare, load_expected, load_result
from models import CASES
from table import table

HERE = Path(__file__).resolve().parent
#: In one process, in this order: the last one's kernels are counted, by a profiler.
MODES = ("eager", "default", "reduce-overhead")
#: What a process needs to start, build a model and end, beside what it compiles.
START_SECONDS = 15


class Session:
    """What was measured so far, and the time that is left."""

    def __init__(self, options):
        self.folder, self.bench, self.work = options.folder, options.bench, options.work or options.folder / "work"
        self.work.mkdir(exist_ok=True)
        self.results = self.work / "results.jsonl"
        self.end = time.monotonic() + options.seconds
        self.cases = [case for case in CASES if re.search(options.cases, case.name)]

    def left(self):
        return self.end - time.monotonic()

    def lines(self):
        return [json.loads(line) for line in self.results.read_text().splitlines()] if self.results.exists() else []

    def has(self, case, runner):
        return any(line["case"] == case.name and line["runner"] == runner for line in self.lines())

    def add(self, line):
        with self.results.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def call(self, *command, seconds):
        """A process of its own; its end is that of the session at the latest. The text of what went wrong, or none."""
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace", timeout=max(1, min(seconds, self.left())))
        except subprocess.TimeoutExpired:
            return f"not done after {min(seconds, self.left()):.0f} s"
        return None if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip())[-300:]

    def call_python(self, script, *arguments, seconds):
        return self.call(sys.executable, "-W", "ignore", HERE / script, *arguments, seconds=seconds)


# ---- runners


def prepare(session):
    missing = [case.name for case in session.cases if not (session.work / f"{case.name}.expected.npz").exists()]
    failure = missing and session.call_python("peer_torch.py", "prepare", session.work, *missing, seconds=200)
    if failure:
        print(f"no inputs of some cases: {failure}", flush=True)


def run_pygraph(session, case):
    report, results = session.work / "report.json", session.work / f"{case.name}.pygraph.npz"
    weights = session.work / f"{case.weights}.safetensors"
    command = [session.bench, session.folder / f"{case.name}.pyg", "--device", "cuda", "--inputs", session.work / f"{case.name}.npz", "--json", report,
               "--outputs", results, "--input-sets", case.input_sets, *(["--weights", weights] if weights.exists() else [])]
    line = {"case": case.name, "runner": "pygraph"}
    failure = session.call(*command, seconds=60)
    if failure:
        return line | {"failed": failure}
    measured = json.loads(report.read_text())
    return line | {
        "synchronised_us": measured["synchronised_us"]["median"],
        "pipelined_us": measured["pipelined_us"],
        "host_us": measured["host_us"]["median"],
        "device_us": measured["device_us"]["median"],
        "kernels": measured["graph_nodes"],
        "launches": measured["graphs"] + measured["stream_segments"],
        "copied_bytes": measured["copied_bytes"],
        "agreement": agreement(session, case, results),
    }


def agreement(session, case, results):
    return compare(case, load_result(results), *load_expected(session.work / f"{case.name}.expected.npz")).json()


def run_jax(session):
    names = [case.name for case in session.cases if case.jax and not session.has(case, "jax")]
    failure = names and session.call_python("peer_jax.py", session.work, session.results, *names, seconds=120)
    if failure:
        print(f"JAX: {failure}", flush=True)


def run_torch(session, case, modes, seconds):
    """Every mode gets a line, also one whose process did not end; but for those that the end of the session took: another call runs them."""
    missing = [mode for mode in modes if not session.has(case, mode)]
    failure = missing and session.call_python("peer_torch.py", "measure", case.name, ",".join(missing), session.results, seconds=seconds)
    for mode in missing:
        if failure and not session.has(case, mode) and session.left() > 0:
            session.add({"case": case.name, "runner": mode, "failed": failure})


# ---- the session


def measure(session):
    prepare(session)
    for case in session.cases:
        if not session.has(case, "pygraph") and session.left() > START_SECONDS:
            session.add(run_pygraph(session, case))
    show(session, "pygraph")
    run_jax(session)
    for case in session.cases:
        if session.left() > START_SECONDS:
            run_torch(session, case, MODES, seconds=120)
    show(session, "JAX and PyTorch")
    for case in sorted(session.cases, key=lambda case: case.autotune_seconds):
        if case.autotune_seconds and session.left() > case.autotune_seconds + START_SECONDS:
            run_torch(session, case, ["max-autotune"], seconds=2 * case.autotune_seconds + START_SECONDS)


def show(session, phase):
    print(f"== {phase}: {session.left():.0f} s are left", flush=True)


def with_agreement(session):
    """The lines, those of JAX with how well its numbers agree."""
    lines = session.lines()
    for line in lines:
        case = next(case for case in CASES if case.name == line["case"])
        results = session.work / f"{case.name}.jax.npz"
        if line["runner"] == "jax" and "failed" not in line and results.exists():
            line["agreement"] = agreement(session, case, results)
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--out", type=Path, help="where side-by-side.md and .json go; WORK if not given")
    parser.add_argument("--work", type=Path, help="FOLDER/work if not given")
    parser.add_argument("--cases", default="", help="only cases whose name this pattern finds")
    session = Session(options := parser.parse_args())
    out = options.out or session.work
    try:
        measure(session)
    finally:
        lines = with_agreement(session)
        text = table(CASES, lines)
        print(text)
        (out / "side-by-side.md").write_text(text)
        (out / "side-by-side.json").write_text(json.dumps(lines, indent=1))
    bad = [line["case"] for line in lines if line["runner"] == "pygraph" and not line.get("agreement", {}).get("is_good")]
    if bad:
        sys.exit(f"side_by_side: numbers that do not agree, or none: {', '.join(bad)}")


if __name__ == "__main__":
    main()
