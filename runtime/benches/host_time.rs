//! How long a step keeps the host, by how many arguments the program has: `LD_LIBRARY_PATH=$(scripts/fake-driver) cargo bench -p pygraph-runtime
//! --bench host_time`, on a driver whose calls cost next to nothing. On a GPU it says what each call of a step costs there, and what the three
//! calls of a step cost without anything of this project around them; `pygraph-bench` times whole models.
//!
//! Each is measured at once and after the thread has waited as long as a decode step takes: by then others may have used the processor's
//! caches, and the same instructions take several times as long.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use pygraph_artifact::plan::Bind;
use pygraph_runtime::cuda::{
    driver::{CudaError, DeviceBytes, Event, Graph, GraphExec, Grid, Module, PinnedBytes},
    gpu::Gpu,
};
use support::{
    decode::decode,
    gpu::{PTX, gpu},
    ints,
};

const STEPS: i32 = 1000;
/// How long the thread waits before a call.
const WAITS: [Duration; 2] = [Duration::ZERO, Duration::from_millis(2)];
/// Calls that are timed together, and then waited for.
const CALLS: u32 = 20;

fn main() {
    let Some((gpu, _guard)) = gpu("the host's time") else { return };
    time_calls(&gpu).expect("the GPU should do what it is asked");
    println!("median of {STEPS} steps: all of it, and of it the setting of a position and a token");
    for wait in WAITS {
        for bind in [Bind::Once, Bind::Step] {
            for others in [1, 147, 1000] {
                let (step, set) = time(others, bind, wait);
                println!(
                    "after {wait:>4.0?}, {others:>5} arguments bound as `{:<4}`: {step:>9.2?} {set:>9.2?}",
                    bind.name()
                );
            }
        }
    }
}

/// Lets time go by as a thread does that waits for a GPU.
fn spin(wait: Duration) {
    let start = Instant::now();
    while start.elapsed() < wait {
        std::hint::spin_loop();
    }
}

/// Prints what the calls of the driver cost that a step makes.
fn time_calls(gpu: &Gpu) -> Result<(), CudaError> {
    let (context, stream) = (gpu.context(), gpu.stream());
    let time = |name: &str, call: &mut dyn FnMut() -> Result<(), CudaError>| {
        let mut times = Vec::new();
        for _ in 0..200 {
            let start = Instant::now();
            (0..CALLS).try_for_each(|_| call())?;
            times.push(start.elapsed() / CALLS);
            stream.synchronize()?;
        }
        println!("{name:<40} {:>9.2?}", median(times));
        Ok::<(), CudaError>(())
    };
    time("another thread's GPU made this one's", &mut || context.make_current().map(drop))?;
    let _current = context.make_current()?;
    let (pinned, block) = (PinnedBytes::zeroed(context, 4096)?, DeviceBytes::new(context, "a block", 4096)?);
    for bytes in [64, 4096] {
        time(&format!("a copy of {bytes} bytes"), &mut || stream.upload(&pinned, 0, &block, 0, bytes))?;
    }
    for (name, event) in [("an event", Event::new(context)?), ("an event with a time", Event::timed(context)?)] {
        time(name, &mut || event.record(stream))?;
        time("  and that it is reached", &mut || event.synchronize())?;
    }
    for nodes in [1, 10, 100, 200] {
        let mut chain = chain(gpu, block.address(), nodes)?;
        time(&format!("a graph of {nodes} kernels"), &mut || chain.launch(stream))?;
    }
    let (mut chain, event) = (chain(gpu, block.address(), 100)?, Event::new(context)?);
    for wait in WAITS {
        let mut times = Vec::new();
        for _ in 0..STEPS {
            spin(wait);
            let start = Instant::now();
            stream.upload(&pinned, 0, &block, 0, 64)?;
            chain.launch(stream)?;
            event.record(stream)?;
            times.push(start.elapsed());
            event.synchronize()?;
        }
        println!("{:<40} {:>9.2?}", format!("after {wait:.0?}, a copy, a graph, an event"), median(times));
    }
    Ok(())
}

/// A graph of so many kernels, one behind the other.
fn chain(gpu: &Gpu, number: u64, nodes: usize) -> Result<GraphExec, CudaError> {
    let add_one = Module::load(gpu.context(), PTX.as_bytes())?.function("add_one")?;
    let mut graph = Graph::new(gpu.context())?;
    let mut last = Vec::new();
    for _ in 0..nodes {
        // SAFETY: the kernel of one thread adds one to the number, which outlives the graph.
        last = vec![unsafe { graph.add_kernel(&last, &add_one, Grid::ONE, &[number]) }?];
    }
    graph.instantiate(gpu.stream())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The median times of a step, which nothing before it holds up, and of setting what changes.
fn time(others: usize, bind: Bind, wait: Duration) -> (Duration, Duration) {
    let mut session = decode(others, bind).session();
    session.begin_fresh().expect("nothing to unmap");
    for index in 0..others {
        session.set(3 + index, ints(&[], &[index as i32])).expect("fits");
    }
    let (mut steps, mut sets) = (Vec::new(), Vec::new());
    for pos in 0..STEPS {
        spin(wait);
        let start = Instant::now();
        session.set(1, ints(&[], &[pos])).expect("fits");
        session.set(2, ints(&[], &[pos])).expect("fits");
        let set = start.elapsed();
        let ticket = session.step().expect("runs");
        steps.push(start.elapsed());
        sets.push(set);
        ticket.wait().expect("ends");
    }
    (median(steps), median(sets))
}
