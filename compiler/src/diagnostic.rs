//! What the compiler says about the user's input, at its location.

use std::{fmt, sync::Arc};

/// A place in an input file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The file, as the user named it.
    pub file: Arc<str>,
    /// Line, from 1; 0 where the position is the whole file.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file),
            _ => write!(f, "{}:{}:{}", self.file, self.line, self.column),
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The input can't be compiled.
    Error,
    /// The input is compiled, but probably not as meant.
    Warning,
    /// What the compiler decided, and why.
    Remark,
    /// More about the diagnostic before it.
    Note,
}

impl Severity {
    /// The word that is printed and that `expected-…` comments use.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Remark => "remark",
            Severity::Note => "note",
        }
    }
}

/// What was decided about an operation, in the parts that a program can read (`--remarks=json`, reports).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which sort of decision.
    pub kind: DecisionKind,
    /// The operation, argument or result that it is about: its name in the user's dialect.
    pub op: String,
    /// Why.
    pub reason: String,
    /// What would change it; none where nothing needs to.
    pub remedy: Option<String>,
}

/// Sorts of decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DecisionKind {
    /// A segment ends here.
    Cut,
    /// Something would have ended a segment or cost a copy, and was rewritten so that it does not.
    Rescue,
    /// An optimisation does not apply.
    Refusal,
    /// One of several ways was chosen.
    Choice,
}

impl DecisionKind {
    /// The word in text and JSON.
    pub fn name(self) -> &'static str {
        match self {
            DecisionKind::Cut => "cut",
            DecisionKind::Rescue => "rescue",
            DecisionKind::Refusal => "refusal",
            DecisionKind::Choice => "choice",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind.name(), self.op, self.reason)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

/// One message about the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub position: Position,
    /// What: lower case, no final full stop, with the values.
    pub message: String,
    /// More, each with its own place.
    pub notes: Vec<(Position, String)>,
    /// What was decided, where the message says a decision.
    pub decision: Option<Box<Decision>>,
}

impl Diagnostic {
    /// An error at a position.
    pub fn error(position: Position, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, position, message: message.into(), notes: Vec::new(), decision: None }
    }

    /// A remark that says a decision.
    pub fn decision(position: Position, decision: Decision) -> Diagnostic {
        let remark = Diagnostic::remark(position, decision.to_string());
        Diagnostic { decision: Some(Box::new(decision)), ..remark }
    }

    /// A remark at a position.
    pub fn remark(position: Position, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Remark, position, message: message.into(), notes: Vec::new(), decision: None }
    }

    /// The same with one more note.
    #[must_use]
    pub fn with_note(mut self, position: Position, message: impl Into<String>) -> Diagnostic {
        self.notes.push((position, message.into()));
        self
    }

    /// The text that a terminal shows: position, severity, message, the source line and a caret under the column.
    ///
    /// `source` is the text of the file that the positions refer to.
    pub fn render(&self, source: &str) -> String {
        let mut text = render_line(self.severity, &self.position, &self.message, source);
        for (position, message) in &self.notes {
            text += &render_line(Severity::Note, position, message, source);
        }
        text
    }
}

fn render_line(severity: Severity, position: &Position, message: &str, source: &str) -> String {
    let mut text = format!("{position}: {}: {message}\n", severity.name());
    let line = (position.line > 0).then(|| source.lines().nth(position.line as usize - 1)).flatten();
    if let Some(line) = line {
        text += &excerpt(line, position.column as usize);
    }
    text
}

/// The line with a caret under the column. A model's signature can be a line of 100 KB: show a window of it.
fn excerpt(line: &str, column: usize) -> String {
    const WIDTH: usize = 160;
    let start = column.saturating_sub(WIDTH / 2);
    let window: String = line.chars().skip(start).take(WIDTH).map(|c| if c == '\t' { ' ' } else { c }).collect();
    format!("{window}\n{:>width$}\n", '^', width = (column - start).max(1))
}

/// One or more diagnostics, at least one of them an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}
