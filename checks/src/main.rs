//! `pygraph-check-plans`: compares whole compiled plans with the plain executor, on random programs.

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use pygraph_checks::check_seed;
use rayon::prelude::*;

/// Compile and run random programs, and compare with their operations computed one by one.
#[derive(Debug, Parser)]
#[command(name = "pygraph-check-plans", version)]
struct Options {
    /// Seed of the first program; the next has the next
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// How many programs
    #[arg(long, default_value_t = 10_000)]
    count: u64,

    /// Operations of the longest programs
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..))]
    ops: u16,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let start = Instant::now();
    let seeds = options.seed..options.seed.saturating_add(options.count);
    let op_count = |seed: u64| 1 + (seed % u64::from(options.ops)) as usize;
    let mismatches: Vec<_> = seeds.into_par_iter().filter_map(|seed| check_seed(seed, op_count(seed)).err()).collect();
    for mismatch in mismatches.iter().take(5) {
        println!("seed {}, {} operations: {}\n{}", mismatch.seed, mismatch.op_count, mismatch.reason, mismatch.text);
    }
    println!(
        "{} programs from seed {}, {} mismatches, in {:.0} s",
        options.count,
        options.seed,
        mismatches.len(),
        start.elapsed().as_secs_f64()
    );
    if mismatches.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
