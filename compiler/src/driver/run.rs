//! Running passes one after another, and showing what they do.

use std::{
    any::Any,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

use super::{Chunk, CompileError, Inspection, OutputError, Settings, output::write_file};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Position},
    ir::{self, Loc, Module, print::PrintOptions},
    passes::{Changed, PassContext, PassDef},
};

/// How long one thing took, and what it counted.
#[derive(Debug, Clone)]
pub struct Timing {
    /// What.
    pub name: &'static str,
    /// How long.
    pub duration: Duration,
    /// Whether it changed the IR; none where it is no pass.
    pub changed: Option<Changed>,
    /// What it counted.
    pub statistics: Vec<(String, u64)>,
}

impl Timing {
    /// Does `work` and notes how long it took.
    pub fn measure<T>(timings: &mut Vec<Timing>, name: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        timings.push(Timing { name, duration: start.elapsed(), changed: None, statistics: Vec::new() });
        result
    }
}

/// Runs the passes of the settings on a verified module and returns their warnings and remarks.
///
/// A pass that panics or leaves IR that does not verify is reported as a bug. `chunk` is what the module was read from: it
/// goes into the reproducer.
pub fn run_passes(
    module: &mut Module,
    chunk: Chunk<'_>,
    settings: &Settings,
    timings: &mut Vec<Timing>,
    log: &mut dyn Write,
) -> Result<Vec<Diagnostic>, CompileError> {
    let Settings { passes, inspection, .. } = settings;
    let context = PassContext::new(settings.options.clone());
    dump(module, chunk, inspection, 0, "input")?;
    for (at, pass) in passes.iter().enumerate() {
        let start = Instant::now();
        let changed = match run_pass(pass, module, &context, inspection) {
            Ok(changed) => changed,
            Err(mut diagnostics) => {
                reproduce(chunk, &passes[..=at], inspection, &mut diagnostics)?;
                return Err(diagnostics.into());
            }
        };
        let duration = start.elapsed();
        let statistics = context.take_statistics();
        timings.push(Timing { name: pass.name, duration, changed: Some(changed), statistics });
        show(module, pass, changed, inspection, log);
        dump(module, chunk, inspection, at + 1, pass.name)?;
    }
    Ok(context.take_remarks())
}

fn run_pass(
    pass: &PassDef,
    module: &mut Module,
    context: &PassContext,
    inspection: &Inspection,
) -> Result<Changed, Diagnostics> {
    let changed = match catch_unwind(AssertUnwindSafe(|| (pass.run)(module, context))) {
        Ok(result) => result?,
        Err(panic) => return Err(bug(module, pass, &format!("panicked: {}", panic_message(&*panic))).into()),
    };
    if inspection.verify_each
        && let Err(mut diagnostics) = ir::verify::verify(module)
    {
        diagnostics.0.push(bug(module, pass, "left IR that does not verify"));
        return Err(diagnostics);
    }
    Ok(changed)
}

/// An error that is nobody's fault but ours.
fn bug(module: &Module, pass: &PassDef, what: &str) -> Diagnostic {
    let file = module.location(Loc::UNKNOWN).position.file.clone();
    Diagnostic::error(
        Position { file, line: 0, column: 0 },
        format!("the pass `{}` {what}; this is a bug of pygraph", pass.name),
    )
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

/// The comment in a reproducer that says which passes to run.
pub(super) const REPRODUCER_COMMENT: &str = "// pygraph-opt --pipeline=";

/// Writes the reproducer, or says how to get one.
fn reproduce(
    chunk: Chunk<'_>,
    passes: &[&PassDef],
    inspection: &Inspection,
    diagnostics: &mut Diagnostics,
) -> Result<(), OutputError> {
    let Some(last) = diagnostics.0.last_mut() else { return Ok(()) };
    let note = match &inspection.reproducer {
        Some(path) => {
            let names: Vec<&str> = passes.iter().map(|pass| pass.name).collect();
            let text = format!("{REPRODUCER_COMMENT}{}\n{}", names.join(","), chunk.text);
            write_file(path, text.as_bytes())?;
            format!("the input was written to {}; run it with --run-reproducer", path.display())
        }
        None if last.message.ends_with("bug of pygraph") => {
            "run again with --reproducer=FILE to get a file to report".to_owned()
        }
        None => return Ok(()),
    };
    last.notes.push((Position { line: 0, column: 0, ..last.position.clone() }, note));
    Ok(())
}

/// Prints the IR if it is asked for. The log is for people: a writer that fails is not worth an error.
fn show(module: &Module, pass: &PassDef, changed: Changed, inspection: &Inspection, log: &mut dyn Write) {
    if inspection.print_after_all || (inspection.print_after_change && changed == Changed::Yes) {
        let text = ir::print::print(module, &inspection.print);
        let _ = write!(
            log,
            "// IR after {}{}\n{text}",
            pass.name,
            if changed == Changed::Yes { "" } else { " (no change)" }
        );
    }
}

fn dump(
    module: &Module,
    chunk: Chunk<'_>,
    inspection: &Inspection,
    number: usize,
    name: &str,
) -> Result<(), OutputError> {
    let Some(folder) = &inspection.dump_folder else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|source| OutputError { path: folder.clone(), source })?;
    // Files of the chunks of one input lie side by side.
    let prefix = if chunk.first_line == 1 { String::new() } else { format!("line{}-", chunk.first_line) };
    let text = ir::print::print(module, &PrintOptions { generic: inspection.print.generic, ..PrintOptions::default() });
    write_file(&folder.join(Path::new(&format!("{prefix}{number:02}-{name}.mlir"))), text.as_bytes())
}

/// The table that `--timing` shows.
pub fn render_timings(timings: &[Timing]) -> String {
    let total: Duration = timings.iter().map(|timing| timing.duration).sum();
    let mut text = String::from("      time  share  what\n");
    for timing in timings {
        let share = 100.0 * timing.duration.as_secs_f64() / total.as_secs_f64().max(1e-9);
        let unchanged = if timing.changed == Some(Changed::No) { " (no change)" } else { "" };
        text += &format!("{:>8.2}ms {share:>5.1}%  {}{unchanged}\n", timing.duration.as_secs_f64() * 1e3, timing.name);
        for (name, count) in &timing.statistics {
            text += &format!("{:>22}{count:>8} {name}\n", "");
        }
    }
    text + &format!("{:>8.2}ms 100.0%  total\n", total.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        driver::{Source, compile_chunk},
        ir::{Opcode, module::OpParts},
        passes::Phase,
    };

    const TEXT: &str = "func.func @main() {\n  return\n}\n";

    static PANICS: PassDef =
        PassDef { name: "panics", summary: "Panic", phase: Phase::Tensor, run: |_, _| panic!("on purpose") };

    static BREAKS: PassDef = PassDef {
        name: "breaks",
        summary: "Leave an operation without its operands",
        phase: Phase::Tensor,
        run: |module, _| {
            let op = module.create_op(Opcode::StablehloAdd, OpParts::default(), Loc::UNKNOWN);
            let body = module.body();
            module.append(body, op);
            Ok(Changed::Yes)
        },
    };

    static REFUSES: PassDef = PassDef {
        name: "refuses",
        summary: "Refuse every function",
        phase: Phase::Tensor,
        run: |module, _| {
            let function = module.functions().next().expect("the test should have a function");
            Err(module.error(function, "no").into())
        },
    };

    /// What is said of a pass, with the notes.
    fn check(pass: &'static PassDef, inspection: Inspection, expected: &[&str]) {
        let source = Source { name: "t.mlir".into(), text: TEXT.into() };
        let settings = Settings { passes: vec![pass], inspection, ..Settings::default() };
        let result = compile_chunk(&source, source.whole()[0], &settings, &mut std::io::sink());
        let Err(CompileError::Diagnosed(diagnostics)) = result else { panic!("the pass should fail") };
        let text = crate::driver::render(&diagnostics.0, &source);
        for line in expected {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn a_panic_is_our_bug() {
        let expected = [
            "t.mlir: error: the pass `panics` panicked: on purpose; this is a bug of pygraph",
            "note: run again with --reproducer=FILE to get a file to report",
        ];
        check(&PANICS, Inspection::default(), &expected);
    }

    #[test]
    fn ir_that_does_not_verify_is_our_bug() {
        check(
            &BREAKS,
            Inspection::default(),
            &["the pass `breaks` left IR that does not verify; this is a bug of pygraph"],
        );
    }

    #[test]
    fn a_failed_pass_leaves_a_reproducer_that_says_what_to_run() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r.mlir");
        let inspection = Inspection { reproducer: Some(path.clone()), ..Inspection::default() };
        check(&REFUSES, inspection, &["t.mlir:1:1: error: no", "run it with --run-reproducer"]);
        let text = std::fs::read_to_string(path).expect("the reproducer");
        assert_eq!(text, format!("{REPRODUCER_COMMENT}refuses\n{TEXT}"));
    }

    #[test]
    fn a_refusal_is_not_our_bug() {
        let source = Source { name: "t.mlir".into(), text: TEXT.into() };
        let settings = Settings { passes: vec![&REFUSES], ..Settings::default() };
        let result = compile_chunk(&source, source.whole()[0], &settings, &mut std::io::sink());
        let Err(CompileError::Diagnosed(diagnostics)) = result else { panic!("the pass should fail") };
        assert!(diagnostics.0[0].notes.is_empty());
    }
}
