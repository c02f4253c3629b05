//! `pygraph-compile`: compiles a model, as MLIR text, into an artifact that `pygraph-run` executes.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

mod device;
mod native;

use clap::ArgMatches;
use pygraph_artifact::container::{self, Code};
use pygraph_compiler::{
    driver::{
        self, Chunk, CompileError, Compiled, Failure, RemarkFormat, Settings, Source,
        command_line::{self, EXIT_INPUT, EXIT_USAGE},
        output::write_output,
    },
    emit::{self, Emitted},
    ir::print::PrintOptions,
    knobs::{self, Tool},
    passes::{Phase, pipeline},
    report,
};

fn main() -> ExitCode {
    let matches = knobs::command(Tool::Compile, "Compiles a model, as MLIR text, into an artifact")
        .mut_arg(knobs::OUTPUT.name, |arg| arg.required_unless_present(knobs::REPORT.name))
        .after_help(
            "With --split-input-file, part N of the input goes to the output's name with N before the ending.\n\
             With --report and no --output, a program that does not run whole is reported all the same.",
        )
        .get_matches();
    driver::with_deep_stack(|| match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{}", failure.text(Tool::Compile));
            ExitCode::from(failure.code())
        }
    })
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let input = knobs::INPUT.value(matches).expect("the input should be required");
    let output = knobs::OUTPUT.value(matches).map(Path::new);
    let settings = command_line::settings(matches, pipeline::default_passes(Phase::Plan), PrintOptions::default())
        .map_err(|error| Failure::error(EXIT_USAGE, error))?;
    let source = driver::read_source(Path::new(input)).map_err(|error| Failure::error(EXIT_INPUT, error))?;
    let splits = knobs::SPLIT_INPUT_FILE.is_set(matches);
    let chunks = if splits { source.split() } else { source.whole() };

    let reports = report_files(matches)?;
    let remarks = command_line::remark_format(matches).map_err(|error| Failure::error(EXIT_USAGE, error))?;
    let native = native::choice(matches).map_err(|error| Failure::error(EXIT_USAGE, error))?;
    let device = device::choice(matches).map_err(|error| Failure::error(EXIT_USAGE, error))?;
    // No artifact is written before everything compiles.
    let mut emitted = Vec::new();
    let mut failures = String::new();
    for (number, chunk) in chunks.into_iter().enumerate() {
        let compiled = match compile(&source, chunk, &settings, remarks, matches) {
            Ok(compiled) => compiled,
            Err(failure) => {
                failures += &failure.text(Tool::Compile);
                continue;
            }
        };
        if !reports.is_empty() {
            let report = report::gather(&compiled.module, &compiled.diagnostics, &settings.options.costs);
            for (path, render) in &reports {
                let path = if splits && path.as_os_str() != "-" { numbered(path, number) } else { path.clone() };
                write_output(Some(&path), render(&report).as_bytes())
                    .map_err(|error| Failure::error(EXIT_INPUT, error))?;
            }
        }
        if output.is_some() {
            match emit::emit(&compiled.module) {
                Ok(mut artifact) => {
                    let native = native::generate(&mut artifact.plan, native, &source.name)
                        .map_err(|error| Failure::error(EXIT_INPUT, error))?;
                    let _ = io::stderr().write_all(driver::render_said(&native.remarks, &source, remarks).as_bytes());
                    match device::generate(&artifact.plan, &device) {
                        Ok(code) => emitted.push((artifact, native.code, code)),
                        Err(errors) => {
                            let failure = |error| Failure::error(EXIT_INPUT, error).text(Tool::Compile);
                            failures.extend(errors.iter().map(failure));
                        }
                    }
                }
                Err(diagnostics) => failures += &driver::render(&diagnostics.0, &source),
            }
        }
    }
    if !failures.is_empty() {
        return Err(Failure::Input(failures));
    }
    let Some(output) = output else { return Ok(()) };
    for (number, (Emitted { plan, constants }, host, device)) in emitted.iter().enumerate() {
        let path = if splits { numbered(output, number) } else { output.to_path_buf() };
        let code = Code { host: host.as_ref(), device: device.as_ref() };
        container::write(&path, plan, constants, code).map_err(|error| Failure::error(EXIT_INPUT, error))?;
    }
    Ok(())
}

/// Writes a report.
type Render = fn(&report::Report) -> String;

/// Where reports go, each in the form that its name asks for.
fn report_files(matches: &ArgMatches) -> Result<Vec<(PathBuf, Render)>, Failure> {
    let form = |name: &str| -> Option<Render> {
        match (name, Path::new(name).extension().and_then(|ending| ending.to_str())) {
            ("-", _) => Some(report::text::render),
            (_, Some("json")) => Some(report::json::render),
            (_, Some("html")) => Some(report::html::render),
            _ => None,
        }
    };
    let mut files = Vec::new();
    for name in knobs::REPORT.values(matches) {
        let render = form(name).ok_or_else(|| {
            let message =
                format!("--{}: `{name}` is neither `-` nor a name that ends in .json or .html", knobs::REPORT.name);
            Failure::error(EXIT_USAGE, message)
        })?;
        files.push((PathBuf::from(name), render));
    }
    Ok(files)
}

/// `out.pyg` with 3 is `out.3.pyg`.
fn numbered(output: &Path, number: usize) -> PathBuf {
    let ending = output.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
    output.with_extension(format!("{number}{ending}"))
}

fn compile(
    source: &Source,
    chunk: Chunk<'_>,
    settings: &Settings,
    remarks: Option<RemarkFormat>,
    matches: &ArgMatches,
) -> Result<Compiled, Failure> {
    let compiled = driver::compile_chunk(source, chunk, settings, &mut io::stderr()).map_err(|error| match error {
        CompileError::Diagnosed(diagnostics) => Failure::Input(driver::render(&diagnostics.0, source)),
        error @ CompileError::Output(_) => Failure::error(EXIT_INPUT, error),
    })?;
    let mut text = driver::render_said(&compiled.diagnostics, source, remarks);
    if knobs::TIMING.is_set(matches) {
        text += &driver::render_timings(&compiled.timings);
    }
    // Standard error is for people: if nobody listens, nothing is lost.
    let _ = io::stderr().write_all(text.as_bytes());
    Ok(compiled)
}
