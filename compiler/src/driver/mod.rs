//! What the tools share: from a file's text to IR that went through a pipeline.
//!
//! ```text
//! read_source ─▶ whole | split ─▶ compile_chunk = load (parse, verify) ─▶ bind ─▶ run_passes (verify after each)
//! ```
//!
//! Nothing here prints or picks an exit code: what is shown on the way goes to a writer that the caller gives.

pub mod bind;
pub mod command_line;
pub mod docs;
pub mod expect;
mod failure;
pub mod output;
mod run;
pub mod source;

use std::{io::Write, path::PathBuf};

pub use bind::BindOverride;
pub use failure::Failure;
pub use output::OutputError;
pub use run::{Timing, render_timings, run_passes};
pub use source::{Chunk, Source, SourceError, read_source};

use crate::{
    diagnostic::{Diagnostic, Diagnostics, Severity},
    ir::{self, Module, print::PrintOptions},
    passes::{PassDef, PassOptions},
};

/// What to do with every chunk.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The passes to run, in order.
    pub passes: Vec<&'static PassDef>,
    /// Classes of arguments from the command line.
    pub binds: Vec<BindOverride>,
    /// What passes are told.
    pub options: PassOptions,
    /// What is shown on the way.
    pub inspection: Inspection,
}

/// What is shown and checked on the way.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Verify after every pass.
    pub verify_each: bool,
    /// Print the IR after every pass.
    pub print_after_all: bool,
    /// Print the IR after every pass that changed it.
    pub print_after_change: bool,
    /// Where numbered files with the IR after every pass go.
    pub dump_folder: Option<PathBuf>,
    /// Where the input goes when a pass fails.
    pub reproducer: Option<PathBuf>,
    /// How the IR is printed.
    pub print: PrintOptions,
}

impl Default for Inspection {
    fn default() -> Inspection {
        Inspection {
            verify_each: true,
            print_after_all: false,
            print_after_change: false,
            dump_folder: None,
            reproducer: None,
            print: PrintOptions::default(),
        }
    }
}

/// A chunk that went through its pipeline.
#[derive(Debug)]
pub struct Compiled {
    /// The IR.
    pub module: Module,
    /// Warnings and remarks.
    pub diagnostics: Vec<Diagnostic>,
    /// How long everything took.
    pub timings: Vec<Timing>,
}

/// Why a chunk could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The input is wrong, or a pass has a bug.
    #[error("{}", lines(.0))]
    Diagnosed(Diagnostics),
    /// A dump or a reproducer could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// One diagnostic a line, without source text.
fn lines(diagnostics: &Diagnostics) -> String {
    let line = |d: &Diagnostic| format!("{}: {}: {}", d.position, d.severity.name(), d.message);
    diagnostics.0.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl From<Diagnostics> for CompileError {
    fn from(diagnostics: Diagnostics) -> CompileError {
        CompileError::Diagnosed(diagnostics)
    }
}

/// Parses and verifies one chunk. Positions are those of the whole file.
pub fn load(source: &Source, chunk: Chunk<'_>) -> Result<Module, Diagnostics> {
    let module = ir::parse::parse_at(chunk.text, &source.name, chunk.first_line)?;
    ir::verify::verify(&module)?;
    Ok(module)
}

/// Takes one chunk through everything. What the inspection shows goes to `log`.
pub fn compile_chunk(
    source: &Source,
    chunk: Chunk<'_>,
    settings: &Settings,
    log: &mut dyn Write,
) -> Result<Compiled, CompileError> {
    let mut timings = Vec::new();
    let mut module =
        Timing::measure(&mut timings, "parse", || ir::parse::parse_at(chunk.text, &source.name, chunk.first_line))?;
    Timing::measure(&mut timings, "verify", || ir::verify::verify(&module))?;
    bind::apply(&mut module, &settings.binds)?;
    let diagnostics = run_passes(&mut module, chunk, settings, &mut timings, log)?;
    Ok(Compiled { module, diagnostics, timings })
}

/// How remarks are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemarkFormat {
    /// As other diagnostics.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is shown of warnings and remarks; remarks only in a format that is asked for.
pub fn render_said(diagnostics: &[Diagnostic], source: &Source, remarks: Option<RemarkFormat>) -> String {
    let is_remark = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Remark;
    let shown = diagnostics.iter().filter(|diagnostic| {
        let as_text = matches!(remarks, Some(RemarkFormat::Text));
        as_text || !is_remark(diagnostic)
    });
    let mut text: String = shown.map(|diagnostic| diagnostic.render(&source.text)).collect();
    if remarks == Some(RemarkFormat::Json) {
        for remark in diagnostics.iter().filter(is_remark) {
            text += &(remark_json(remark).to_string() + "\n");
        }
    }
    text
}

/// A remark for programs: `file`, `line`, `column`, `message`, and for a decision `kind`, `op`, `reason` and `remedy`.
fn remark_json(remark: &Diagnostic) -> serde_json::Value {
    let position = &remark.position;
    let mut object = serde_json::json!({
        "file": &*position.file,
        "line": position.line,
        "column": position.column,
        "message": remark.message,
    });
    if let Some(decision) = &remark.decision {
        object["kind"] = decision.kind.name().into();
        object["op"] = decision.op.as_str().into();
        object["reason"] = decision.reason.as_str().into();
        object["remedy"] = decision.remedy.as_deref().into();
    }
    object
}

/// Everything that was said about a file, as a terminal shows it.
pub fn render(diagnostics: &[Diagnostic], source: &Source) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(&source.text)).collect()
}

/// Runs `work` on a thread whose stack holds deeply nested input.
pub fn with_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    const STACK_BYTES: usize = 256 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread.expect("the system should start a thread").join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
