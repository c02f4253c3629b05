"""The table: a row for each case, from lines of results."""

#: What a plain reading kernel reaches on an H100 80GB HBM3.
READ_BYTES_PER_S = 3.11e12
#: What a large product in bf16 reaches there.
OPERATIONS_PER_S = 0.8e15
RUNNERS = ("pygraph", "eager", "default", "reduce-overhead", "max-autotune", "jax")
HEAD = ("model", "pygraph", "eager", "default", "reduce-overhead", "max-autotune", "JAX", "pygraph : reduce-overhead", "moves or computes", "of the limit",
        "nodes", "host", "error, of it PyTorch's", "same choice")

NOTES = """
Microseconds a step: waited for each time / given to the device one behind the other. Medians of 100 steps after a warm-up; eager, default, reduce-overhead
and max-autotune are PyTorch's. Below 1, pygraph is faster. What it moves or computes is what a step cannot do without (weights, rows of caches, inputs; or
the products' operations), by its pipelined time; the limit is 3.11 TB/s or 0.8 PFLOP/s, whichever binds. Nodes: kernels and copies of a step, pygraph's / those of
reduce-overhead; all of pygraph's are one launch. Host: what the call takes, pygraph's / reduce-overhead's. The error is the distance from the same step in f32, as a
part of its norm. Same choice: rows of logits whose largest is PyTorch's too.
"""


def table(cases, lines):
    results = {(line["case"], line["runner"]): line for line in lines}
    rows = [row(case, {runner: results.get((case.name, runner)) for runner in RUNNERS}) for case in cases if any(name == case.name for name, _ in results)]
    text = [" | ".join(HEAD), " | ".join(["---"] * len(HEAD)), *(" | ".join(cells) for cells in rows)]
    return "\n".join(f"| {line} |" for line in text) + "\n" + NOTES + "".join(footnotes(lines))


def row(case, by_runner):
    ours, graphs = by_runner["pygraph"], by_runner["reduce-overhead"]
    times = [time_cell(by_runner[runner], case, runner) for runner in RUNNERS]
    return [case.title, *times, ratio(ours, graphs), *limits(case, ours), pair(ours, graphs, "kernels", "{:.0f}"), pair(ours, graphs, "host_us", "{:.1f}"), *numbers(ours)]


def is_measured(line):
    return line is not None and "failed" not in line


def time_cell(line, case, runner):
    if line is None:
        left_out = (runner == "jax" and not case.jax) or (runner == "max-autotune" and not case.autotune_seconds)
        return "–" if left_out else "no time left"
    return f"{line['synchronised_us']:.0f} / {line['pipelined_us']:.0f}" if is_measured(line) else "failed"


def ratio(ours, theirs):
    if not (is_measured(ours) and is_measured(theirs)):
        return "–"
    return " / ".join(f"{ours[key] / theirs[key]:.2f}" for key in ("synchronised_us", "pipelined_us"))


def limits(case, line):
    """What a step moves or computes in a second, whichever takes longer at the card's limit, and the part of that limit."""
    if not is_measured(line):
        return ["–", "–"]
    seconds = line["pipelined_us"] / 1e6
    reading, computing = case.bytes / READ_BYTES_PER_S, case.operations / OPERATIONS_PER_S
    rate = f"{case.bytes / seconds / 1e9:.0f} GB/s" if reading >= computing else f"{case.operations / seconds / 1e12:.0f} TFLOP/s"
    return [rate, f"{100 * max(reading, computing) / seconds:.0f} %"]


def pair(ours, theirs, key, form):
    return " / ".join(form.format(line[key]) if is_measured(line) and line.get(key) is not None else "–" for line in (ours, theirs))


def numbers(line):
    if not is_measured(line):
        return ["–", "–"]
    agreement = line["agreement"]
    verdict = "" if agreement["is_good"] else " TOO FAR"
    choice = "–" if agreement["rows"] is None else f"{agreement['same_choice']} of {agreement['rows']}"
    return [f"{agreement['error']:.1e}, {agreement['error_torch']:.1e}{verdict}", choice]


def footnotes(lines):
    for line in lines:
        if "failed" in line:
            yield f"- {line['case']}, {line['runner']}: {' '.join(line['failed'].split())}\n"
        if line["runner"] == "pygraph" and line.get("copied_bytes"):
            yield f"- {line['case']}: pygraph copied {line['copied_bytes']} bytes in all of its steps\n"
        if line["runner"] == "jax" and "agreement" in line and not line["agreement"]["is_good"]:
            yield f"- {line['case']}: JAX is {line['agreement']['error']:.1e} from the step in f32\n"
