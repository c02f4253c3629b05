//! How long a step keeps the host, by how many arguments the program has: `LD_LIBRARY_PATH=$(scripts/fake-driver) cargo bench -p pygraph-runtime
//! --bench host_time`, on a driver whose calls cost next to nothing. With a GPU, `pygraph-bench` says it of whole models.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use pygraph_artifact::plan::Bind;
use pygraph_runtime::session::Ticket;
use support::{decode::decode, gpu::gpu, ints};

const STEPS: i32 = 4000;

fn main() {
    let Some((_gpu, _guard)) = gpu("the host's time") else { return };
    println!("median of {STEPS} steps: all of it, and of it the setting of a position and a token");
    for bind in [Bind::Once, Bind::Step] {
        for others in [1, 147, 1000] {
            let (step, set) = time(others, bind);
            println!("{others:>5} arguments bound as `{:<4}`: {step:>9.2?} {set:>9.2?}", bind.name());
        }
    }
}

/// The median times of a step, and of setting what changes.
fn time(others: usize, bind: Bind) -> (Duration, Duration) {
    let mut session = decode(others, bind).session();
    session.begin_fresh().expect("nothing to unmap");
    for index in 0..others {
        session.set(3 + index, ints(&[], &[index as i32])).expect("fits");
    }
    let (mut steps, mut sets) = (Vec::new(), Vec::new());
    for pos in 0..STEPS {
        let start = Instant::now();
        session.set(1, ints(&[], &[pos])).expect("fits");
        session.set(2, ints(&[], &[pos])).expect("fits");
        let set = start.elapsed();
        session.step().expect("runs");
        steps.push(start.elapsed());
        sets.push(set);
    }
    session.step().and_then(Ticket::wait).expect("runs");
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    (median(steps), median(sets))
}
