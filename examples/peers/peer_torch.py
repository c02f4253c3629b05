"""PyTorch's side of the table. Started by side_by_side.py, once for everything that is random, and once for each case and list of modes.

    python peer_torch.py prepare FOLDER CASE …          weights, inputs, and what PyTorch computes, in bf16 and in f32
    python peer_torch.py measure CASE MODE,… RESULTS    times; a line of JSON for each mode is added to RESULTS
"""
import gc, json, statistics, sys, time
from pathlib import Path

import torch
from agreement import save_expected, save_npz
from models import BF16, CASES, Case, build, fill, inputs

DEVICE = "cuda"
MODES = ("eager", "default", "reduce-overhead", "max-autotune")
STEPS, WARMUP = 100, 10
#: So many are enough of steps that take longer than this, in seconds.
SLOW_STEPS, SLOW = 30, 3e-3


# ---- what is random, and what is right


def prepare(folder: Path, names):
    from safetensors.torch import save_file

    for case in cases(names):
        started, expected = time.monotonic(), folder / f"{case.name}.expected.npz"
        if expected.exists():
            continue
        model = build(case, DEVICE)
        fill(model)
        weights, given = folder / f"{case.weights}.safetensors", inputs(case, DEVICE)
        parameters = {name: value.detach().cpu() for name, value in model.named_parameters()}
        if parameters and not weights.exists():
            save_file(parameters, weights)
        del parameters
        save_npz(folder / f"{case.name}.npz", dict(model.named_buffers()) | dict(zip(case.arguments, given)))
        torchs = model(*given)
        exact = exactly(model, given)
        save_expected(expected, torchs, exact)
        del model, given
        gc.collect()
        torch.cuda.empty_cache()
        print(f"prepared {case.name} in {time.monotonic() - started:.1f} s", flush=True)


def exactly(model, given):
    """The step in f32: what roundings to bf16 are measured from. The model's tensors are converted where they are."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return model.float()(*(value.float() if value.dtype == BF16 else value for value in given))


# ---- times


def measure(case: Case, modes, results: Path):
    torch.set_float32_matmul_precision("high")
    model = build(case, DEVICE)
    fill(model)
    sets = [inputs(case, DEVICE) for _ in range(case.input_sets)]
    if case.channels_last:
        model = model.to(memory_format=torch.channels_last)
        sets = [tuple(value.to(memory_format=torch.channels_last) for value in given) for given in sets]
    for mode in modes:
        line = {"case": case.name, "runner": mode}
        try:
            step = compiled(model, mode)
            line |= times(step, sets)
            if mode == "reduce-overhead":
                line["kernels"] = count_kernels(lambda: step(*sets[0]))
        except Exception as error:  # a mode that fails is a row of the table, and the others go on
            line["failed"] = f"{type(error).__name__}: {error}"[:300]
        with results.open("a") as file:
            file.write(json.dumps(line) + "\n")


def compiled(model, mode):
    torch._dynamo.reset()
    return model if mode == "eager" else torch.compile(model, mode=None if mode == "default" else mode, fullgraph=True)


def times(step, sets):
    """Microseconds a step: waited for each time, and given to the device one behind the other; and what the host spends on the call."""
    started = time.monotonic()
    run = lambda number: step(*sets[number % len(sets)])
    for number in range(3):
        run(number)
    torch.cuda.synchronize()
    compile_s = time.monotonic() - started
    begin = time.perf_counter()
    for number in range(WARMUP):
        run(number)
    torch.cuda.synchronize()
    steps = SLOW_STEPS if (time.perf_counter() - begin) / WARMUP > SLOW else STEPS
    whole, calls = [], []
    for number in range(steps):
        begin = time.perf_counter()
        run(number)
        called = time.perf_counter()
        torch.cuda.synchronize()
        whole.append((time.perf_counter() - begin) * 1e6)
        calls.append((called - begin) * 1e6)
    begin = time.perf_counter()
    for number in range(steps):
        run(number)
    torch.cuda.synchronize()
    pipelined = (time.perf_counter() - begin) * 1e6 / steps
    return {"synchronised_us": statistics.median(whole), "pipelined_us": pipelined, "host_us": statistics.median(calls), "compile_s": compile_s}


def count_kernels(run):
    """Kernels and copies of one step. After all times: a profiler that was loaded once may slow what comes later."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        run()
        torch.cuda.synchronize()
    return sum(event.device_type == torch.autograd.DeviceType.CUDA for event in profiled.events())


def cases(names):
    return [case for case in CASES if case.name in names]


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    match sys.argv[1:]:
        case ["prepare", folder, *names]:
            prepare(Path(folder), names)
        case ["measure", name, modes, results]:
            measure(cases([name])[0], modes.split(","), Path(results))
        case _:
            sys.exit(__doc__)
