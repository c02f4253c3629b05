//! `pygraph-opt`: reads MLIR text, runs passes and prints the IR, with the manners of mlir-opt.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::{Arg, ArgAction, ArgMatches, Command};
use pygraph_compiler::{
    diagnostic::Diagnostics,
    driver::{
        self, Chunk, CompileError, Compiled, Failure, RemarkFormat, Settings, Source,
        command_line::{self, EXIT_INPUT, UsageError},
        docs, expect,
        output::write_output,
        source::SEPARATOR,
    },
    ir::{dot, print},
    knobs::{self, Knob, Tool},
    passes::{PASSES, PassDef, Phase, pipeline},
};

fn main() -> ExitCode {
    let matches = command().get_matches();
    driver::with_deep_stack(|| match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{}", failure.text(Tool::Opt));
            ExitCode::from(failure.code())
        }
    })
}

/// The knobs, and a flag for every pass.
fn command() -> Command {
    let flags = PASSES.iter().map(|pass| {
        // Not a plain flag: those do not keep where they stood among others.
        let arg = Arg::new(pass.name).long(pass.name).num_args(0).default_missing_value("").action(ArgAction::Append);
        arg.help(pass.summary).help_heading("Passes")
    });
    knobs::command(Tool::Opt, "Reads MLIR text, runs passes and prints the IR")
        .args(flags)
        .mut_arg(knobs::INPUT.name, |arg| arg.required(false).required_unless_present(knobs::LIST_PASSES.name))
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    if knobs::LIST_PASSES.is_set(matches) {
        return write_output(None, docs::list_passes().as_bytes()).map_err(|error| Failure::error(EXIT_INPUT, error));
    }
    let input = knobs::INPUT.value(matches).expect("the input should be required");
    // The call is checked before the input is looked at; a reproducer's passes are in the input.
    let requested = requested_passes(matches)?;
    let source = driver::read_source(Path::new(input))?;
    let passes = match requested {
        Some(passes) => passes,
        None => command_line::reproducer_pipeline(&source.name, &source.text)?,
    };
    let settings = command_line::settings(matches, passes, print_options(matches))?;
    let output = compile(&source, &settings, matches)?;
    let path = knobs::OUTPUT.value(matches).map(Path::new);
    write_output(path, output.as_bytes()).map_err(|error| Failure::error(EXIT_INPUT, error))
}

/// `--elide-constants` keeps constants of so many elements.
const ELIDED_ABOVE: u64 = 8;

fn print_options(matches: &ArgMatches) -> print::PrintOptions {
    print::PrintOptions {
        generic: knobs::PRINT_GENERIC.is_set(matches),
        locations: knobs::PRINT_LOCATIONS.is_set(matches),
        elide_elements_above: knobs::ELIDE_CONSTANTS.is_set(matches).then_some(ELIDED_ABOVE),
    }
}

/// The passes that the command line asks for; none if the input has to say.
fn requested_passes(matches: &ArgMatches) -> Result<Option<Vec<&'static PassDef>>, UsageError> {
    let mut flags: Vec<(usize, &'static PassDef)> = PASSES
        .iter()
        .flat_map(|pass| matches.indices_of(pass.name).into_iter().flatten().map(move |at| (at, *pass)))
        .collect();
    flags.sort_by_key(|(at, _)| *at);

    let knob_given = |knob: &Knob, given: bool| given.then(|| format!("--{}", knob.name));
    let ways: Vec<String> = [
        knob_given(&knobs::PIPELINE, knobs::PIPELINE.value(matches).is_some()),
        knob_given(&knobs::STOP_AFTER, knobs::STOP_AFTER.value(matches).is_some()),
        knob_given(&knobs::RUN_REPRODUCER, knobs::RUN_REPRODUCER.is_set(matches)),
        flags.first().map(|(_, pass)| format!("--{}", pass.name)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let [first, second, ..] = &ways[..] {
        return Err(UsageError::TwoPipelines { first: first.clone(), second: second.clone() });
    }

    Ok(if knobs::RUN_REPRODUCER.is_set(matches) {
        None
    } else if let Some(names) = knobs::PIPELINE.value(matches) {
        Some(command_line::parse_pipeline(names)?)
    } else if let Some(phase) = knobs::STOP_AFTER.value(matches) {
        Some(pipeline::default_passes(command_line::parse_phase(phase)?))
    } else if !flags.is_empty() {
        Some(flags.into_iter().map(|(_, pass)| pass).collect())
    } else {
        Some(pipeline::default_passes(Phase::Plan))
    })
}

/// The text of every chunk that compiled, if all did what was expected of them.
fn compile(source: &Source, settings: &Settings, matches: &ArgMatches) -> Result<String, Failure> {
    let chunks = if knobs::SPLIT_INPUT_FILE.is_set(matches) { source.split() } else { source.whole() };
    let verifies = knobs::VERIFY_DIAGNOSTICS.is_set(matches);
    let remarks = command_line::remark_format(matches)?;
    let (mut texts, mut failures) = (Vec::new(), String::new());
    for chunk in &chunks {
        let compiled = match driver::compile_chunk(source, *chunk, settings, &mut io::stderr()) {
            Ok(compiled) => Ok(compiled),
            Err(CompileError::Diagnosed(diagnostics)) => Err(diagnostics),
            Err(error @ CompileError::Output(_)) => return Err(Failure::error(EXIT_INPUT, error)),
        };
        if verifies {
            failures += &differences(source, chunk, &compiled);
        }
        match compiled {
            Ok(compiled) => {
                if !verifies {
                    report(source, &compiled, remarks, matches);
                }
                texts.push(render(&compiled, matches));
            }
            Err(diagnostics) if !verifies => failures += &driver::render(&diagnostics.0, source),
            Err(_) => {}
        }
    }
    if failures.is_empty() { Ok(texts.join(&format!("{SEPARATOR}\n"))) } else { Err(Failure::Input(failures)) }
}

/// What differs from the comments in a chunk, as errors.
fn differences(source: &Source, chunk: &Chunk<'_>, compiled: &Result<Compiled, Diagnostics>) -> String {
    let reported = match compiled {
        Ok(compiled) => &compiled.diagnostics,
        Err(diagnostics) => &diagnostics.0,
    };
    let lines = expect::compare(chunk, reported);
    lines.iter().map(|(line, message)| format!("{}:{line}: error: {message}\n", source.name)).collect()
}

/// Shows warnings, and remarks and times if asked.
fn report(source: &Source, compiled: &Compiled, remarks: Option<RemarkFormat>, matches: &ArgMatches) {
    let mut text = driver::render_said(&compiled.diagnostics, source, remarks);
    if knobs::TIMING.is_set(matches) {
        text += &driver::render_timings(&compiled.timings);
    }
    // Standard error is for people: if nobody listens, nothing is lost.
    let _ = io::stderr().write_all(text.as_bytes());
}

fn render(compiled: &Compiled, matches: &ArgMatches) -> String {
    if knobs::DOT.is_set(matches) {
        dot::render(&compiled.module)
    } else {
        print::print(&compiled.module, &print_options(matches))
    }
}
