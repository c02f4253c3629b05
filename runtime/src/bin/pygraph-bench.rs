//! `pygraph-bench`: times the steps of a compiled model.

use std::{io, process::ExitCode};

use clap::Parser;
use pygraph_runtime::bench::{Options, bench};

fn main() -> ExitCode {
    match bench(&Options::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
