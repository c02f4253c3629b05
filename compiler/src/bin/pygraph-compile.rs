//! `pygraph-compile`: compiles a model, as MLIR text, into an artifact that `pygraph-run` executes.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ArgMatches;
use pygraph_artifact::container;
use pygraph_compiler::{
    diagnostic::Diagnostic,
    driver::{
        self, Chunk, CompileError, Settings, Source,
        command_line::{self, EXIT_INPUT, EXIT_USAGE},
    },
    emit::{self, Emitted},
    ir::print::PrintOptions,
    knobs::{self, Tool},
    passes::{Phase, pipeline},
};

fn main() -> ExitCode {
    let matches = knobs::command(Tool::Compile, "Compiles a model, as MLIR text, into an artifact")
        .mut_arg(knobs::OUTPUT.name, |arg| arg.required(true))
        .after_help("With --split-input-file, part N of the input goes to the output's name with N before the ending.")
        .get_matches();
    driver::with_deep_stack(|| match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            eprint!("{message}");
            ExitCode::from(code)
        }
    })
}

/// What to print and which code to exit with.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn error(code: u8, error: impl std::fmt::Display) -> Failure {
        Failure { code, message: format!("pygraph-compile: error: {error}\n") }
    }
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let input = knobs::INPUT.value(matches).expect("the input should be required");
    let output = Path::new(knobs::OUTPUT.value(matches).expect("the output should be required"));
    let settings = command_line::settings(matches, pipeline::default_passes(Phase::Plan), PrintOptions::default())
        .map_err(|error| Failure::error(EXIT_USAGE, error))?;
    let source = driver::read_source(Path::new(input)).map_err(|error| Failure::error(EXIT_INPUT, error))?;
    let splits = knobs::SPLIT_INPUT_FILE.is_set(matches);
    let chunks = if splits { source.split() } else { source.whole() };

    // Nothing is written before everything compiles.
    let mut emitted = Vec::new();
    let mut failures = String::new();
    for chunk in chunks {
        match compile(&source, chunk, &settings, matches) {
            Ok(artifact) => emitted.push(artifact),
            Err(failure) => failures += &failure.message,
        }
    }
    if !failures.is_empty() {
        return Err(Failure { code: EXIT_INPUT, message: failures });
    }
    for (number, Emitted { plan, constants }) in emitted.iter().enumerate() {
        let path = if splits { numbered(output, number) } else { output.to_path_buf() };
        container::write(&path, plan, constants).map_err(|error| Failure::error(EXIT_INPUT, error))?;
    }
    Ok(())
}

/// `out.pyg` with 3 is `out.3.pyg`.
fn numbered(output: &Path, number: usize) -> PathBuf {
    let ending = output.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
    output.with_extension(format!("{number}{ending}"))
}

fn compile(source: &Source, chunk: Chunk<'_>, settings: &Settings, matches: &ArgMatches) -> Result<Emitted, Failure> {
    let diagnosed =
        |diagnostics: &[Diagnostic]| Failure { code: EXIT_INPUT, message: driver::render(diagnostics, source) };
    let compiled = driver::compile_chunk(source, chunk, settings, &mut io::stderr()).map_err(|error| match error {
        CompileError::Diagnosed(diagnostics) => diagnosed(&diagnostics.0),
        error @ CompileError::Output(_) => Failure::error(EXIT_INPUT, error),
    })?;
    let remarks = command_line::remark_format(matches).map_err(|error| Failure::error(EXIT_USAGE, error))?;
    let mut text = driver::render_said(&compiled.diagnostics, source, remarks);
    if knobs::TIMING.is_set(matches) {
        text += &driver::render_timings(&compiled.timings);
    }
    // Standard error is for people: if nobody listens, nothing is lost.
    let _ = io::stderr().write_all(text.as_bytes());
    emit::emit(&compiled.module).map_err(|diagnostics| diagnosed(&diagnostics.0))
}
