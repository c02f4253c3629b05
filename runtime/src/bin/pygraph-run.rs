//! `pygraph-run`: runs a compiled model, or compiles and runs one.

use std::{io, process::ExitCode};

use clap::Parser;
use pygraph_runtime::run::{Options, run};

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.wants_message() {
                eprintln!("error: {error}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}
