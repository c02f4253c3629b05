//! Native code for the loop nests of a plan: what the command line says of it, and what it says of them.

use clap::ArgMatches;
use pygraph_artifact::{host_code::HostCode, plan::Plan};
use pygraph_compiler::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Position},
    knobs,
};

/// Native code, and remarks on what has none.
#[derive(Default)]
pub struct Native {
    pub code: Option<HostCode>,
    pub remarks: Vec<Diagnostic>,
}

/// What was asked for.
#[derive(Clone, Copy)]
pub enum Choice {
    /// Interpret all nests.
    None,
    /// Generate code for this processor.
    #[cfg(feature = "native")]
    For(&'static str),
    /// Code would be generated if this build could.
    Unavailable(&'static str),
}

/// Reads the command line.
#[cfg(feature = "native")]
pub fn choice(matches: &ArgMatches) -> Result<Choice, String> {
    if knobs::NO_NATIVE.is_set(matches) {
        return Ok(Choice::None);
    }
    let processors = pygraph_native::processors();
    match knobs::HOST_CPU.value(matches) {
        None => Ok(pygraph_native::default_processor()
            .map_or(Choice::Unavailable("code is generated on x86_64 alone"), Choice::For)),
        Some(name) => processors
            .iter()
            .find(|processor| **processor == name)
            .map(|processor| Choice::For(processor))
            .ok_or_else(|| format!("--{}: `{name}` is none of {}", knobs::HOST_CPU.name, processors.join(", "))),
    }
}

/// Reads the command line.
#[cfg(not(feature = "native"))]
pub fn choice(matches: &ArgMatches) -> Result<Choice, String> {
    if knobs::NO_NATIVE.is_set(matches) {
        return Ok(Choice::None);
    }
    match knobs::HOST_CPU.value(matches) {
        None => Ok(Choice::Unavailable("this build of the compiler has no code generator")),
        Some(_) => Err(format!("--{}: this build of the compiler has no code generator", knobs::HOST_CPU.name)),
    }
}

/// Generates what was asked for, and names each loop nest's function in the plan.
pub fn generate(plan: &mut Plan, choice: Choice, file: &str) -> Result<Native, String> {
    match choice {
        Choice::None => Ok(Native::default()),
        Choice::Unavailable(reason) => {
            let remarks = vec![remark(whole(file), DecisionKind::Refusal, "native code", reason.to_string())];
            Ok(Native { code: None, remarks })
        }
        #[cfg(feature = "native")]
        Choice::For(processor) => {
            let generated =
                pygraph_native::generate(plan, pygraph_native::target(processor)).map_err(|e| e.to_string())?;
            let interpreted = generated.interpreted.iter().map(|nest| {
                let reason = format!("a loop nest is interpreted: {}", nest.reason);
                remark(position(&nest.location), DecisionKind::Refusal, &nest.launch, reason)
            });
            let mut remarks: Vec<Diagnostic> = interpreted.collect();
            let native = generated.native_count;
            let (functions, bytes) =
                generated.code.as_ref().map_or((0, 0), |code| (code.functions.len(), code.image.len()));
            let total = native + generated.interpreted.len();
            let reason =
                format!("{native} of {total} loop nests, by {functions} functions of {bytes} bytes for {processor}");
            remarks.push(remark(whole(file), DecisionKind::Choice, "native code", reason));
            Ok(Native { code: generated.code, remarks })
        }
    }
}

fn remark(position: Position, kind: DecisionKind, op: &str, reason: String) -> Diagnostic {
    Diagnostic::decision(position, Decision { kind, op: op.to_string(), reason, remedy: None })
}

fn whole(file: &str) -> Position {
    Position { file: file.into(), line: 0, column: 1 }
}

/// The place that a launch's location names.
#[cfg(feature = "native")]
fn position(location: &str) -> Position {
    let mut parts = location.rsplitn(3, ':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    match (file, number(line), number(column)) {
        (Some(file), Some(line), Some(column)) => Position { file: file.into(), line, column },
        _ => whole(location),
    }
}
