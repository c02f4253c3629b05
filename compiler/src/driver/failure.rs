//! Why a tool gives up.

use super::{
    SourceError,
    command_line::{EXIT_INPUT, EXIT_USAGE, UsageError},
};
use crate::knobs::Tool;

/// What a tool prints last, and the code that it exits with.
#[derive(Debug)]
pub enum Failure {
    /// Diagnostics of the input, each behind its location.
    Input(String),
    /// Anything else, as a sentence.
    Error {
        /// The exit code.
        code: u8,
        /// What is wrong.
        message: String,
    },
}

impl Failure {
    /// An error without a location.
    pub fn error(code: u8, error: impl std::fmt::Display) -> Failure {
        Failure::Error { code, message: error.to_string() }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Input(_) => EXIT_INPUT,
            Failure::Error { code, .. } => *code,
        }
    }

    /// Lines to print. What has no location begins with the name of the tool.
    pub fn text(&self, tool: Tool) -> String {
        match self {
            Failure::Input(text) => text.clone(),
            Failure::Error { message, .. } => format!("{}: error: {message}\n", tool.name()),
        }
    }
}

impl From<UsageError> for Failure {
    fn from(error: UsageError) -> Failure {
        Failure::error(EXIT_USAGE, error)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Failure {
        match error {
            SourceError::NotText(diagnostics) => {
                Failure::Input(diagnostics.0.iter().map(|diagnostic| diagnostic.render("")).collect())
            }
            error => Failure::error(EXIT_INPUT, error),
        }
    }
}
