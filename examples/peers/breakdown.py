"""Which kernels take the time of a step: Nsight Compute's times of each node of an artifact's graphs, added up by kernel.

    python breakdown.py PYGRAPH_BENCH ARTIFACT [OPTION …]      the options are pygraph-bench's: where arguments come from

Each kernel runs alone under the profiler, with the caches as the one before left them, so the sum is that of the kernels without the
gaps between them; what a step takes beyond it is launching and waiting.
"""
import csv, io, subprocess, sys
from collections import defaultdict

METRICS = ("gpu__time_duration.sum", "launch__grid_size", "launch__block_size", "launch__registers_per_thread")
#: With no warm-up and one timed step, pygraph-bench runs four steps: the first, one waited for, one given ahead, one that the GPU times.
STEPS = 4


def profile(bench, artifact, options):
    """A row of metrics for each kernel, in the order of launches, of all steps."""
    command = ["ncu", "--graph-profiling", "node", "--clock-control", "none", "--cache-control", "none", "--csv", "--page", "raw",
               "--print-units", "base", "--metrics", ",".join(METRICS), bench, artifact, "--device", "cuda", "--warmup", "0", "--steps", "1", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        sys.exit(f"breakdown: no profile of {artifact}: {done.stdout[-800:]}{done.stderr[-800:]}")
    rows = list(csv.DictReader(io.StringIO("\n".join(lines[start:]))))
    return [row for row in rows if row["ID"]]  # the line below the head has units


def last_step(rows):
    """The kernels of the last step: launches repeat from step to step, but for what the first copies in."""
    names = [row["Kernel Name"] for row in rows]
    for count in range(len(rows) // STEPS, 0, -1):
        if names[-count:] == names[-2 * count : -count]:
            return rows[-count:]
    return rows


def table(rows):
    """Text: a line for each kernel, the longest first."""
    number = lambda row, metric: float(row[metric].replace(",", ""))
    groups = defaultdict(list)
    for row in rows:
        groups[row["Kernel Name"], *(int(number(row, metric)) for metric in METRICS[1:])].append(number(row, METRICS[0]) / 1e3)
    total = sum(map(sum, groups.values()))
    lines = [f"{len(rows)} kernels, {total:.1f} us together", f"{'us':>9} {'share':>6} {'times':>5} {'us each':>8} {'blocks':>7} {'threads':>7} {'regs':>4}  kernel"]
    for (name, blocks, threads, registers), times in sorted(groups.items(), key=lambda group: -sum(group[1])):
        lines.append(f"{sum(times):9.1f} {100 * sum(times) / total:5.1f}% {len(times):5} {sum(times) / len(times):8.2f} "
                     f"{blocks:7} {threads:7} {registers:4}  {name}")
    return "\n".join(lines)


def main(bench, artifact, *options):
    print(table(last_step(profile(bench, artifact, options))))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
