//! Reading input files and cutting them into chunks.

use std::{fs, io, io::Read, path::Path};

use crate::{diagnostic::Diagnostics, ir::parse::source_text};

/// The text of one input file.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the user named it; `<stdin>` for standard input.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// A part of a source that is compiled alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Its text.
    pub text: &'a str,
    /// The line of the file on which it starts, from 1.
    pub first_line: u32,
}

/// Why a file can't be an input.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The system refused.
    #[error("cannot read {name}: {source}")]
    Read {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is not text: bytecode, for one.
    #[error("{}", .0.0.iter().map(|d| format!("{}: {}", d.position, d.message)).collect::<Vec<_>>().join("\n"))]
    NotText(Diagnostics),
}

/// Reads a file, or standard input for `-`.
pub fn read_source(path: &Path) -> Result<Source, SourceError> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { "<stdin>".to_owned() } else { path.display().to_string() };
    let bytes = if is_stdin {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|source| SourceError::Read { name: name.clone(), source })?;
    decode(name, bytes)
}

fn decode(name: String, bytes: Vec<u8>) -> Result<Source, SourceError> {
    source_text(&bytes, &name).map_err(SourceError::NotText)?;
    let text = String::from_utf8(bytes).expect("the reader should accept only UTF-8");
    Ok(Source { name, text })
}

/// The line that separates chunks.
pub const SEPARATOR: &str = "// -----";

impl Source {
    /// The whole text as one chunk.
    pub fn whole(&self) -> Vec<Chunk<'_>> {
        vec![Chunk { text: &self.text, first_line: 1 }]
    }

    /// The parts between separating lines.
    pub fn split(&self) -> Vec<Chunk<'_>> {
        let mut chunks = Vec::new();
        let (mut start, mut first_line) = (0, 1);
        let mut offset = 0;
        for (number, line) in (1u32..).zip(self.text.split_inclusive('\n')) {
            let end = offset + line.len();
            if line.trim_end() == SEPARATOR {
                chunks.push(Chunk { text: &self.text[start..offset], first_line });
                (start, first_line) = (end, number + 1);
            }
            offset = end;
        }
        chunks.push(Chunk { text: &self.text[start..], first_line });
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_split(text: &str, expected: &[(&str, u32)]) {
        let source = Source { name: "test".into(), text: text.into() };
        let chunks: Vec<(&str, u32)> = source.split().iter().map(|chunk| (chunk.text, chunk.first_line)).collect();
        assert_eq!(chunks, expected);
    }

    #[test]
    fn chunks_know_the_line_they_start_on() {
        check_split("a\n// -----\nb\nc\n// -----\nd", &[("a\n", 1), ("b\nc\n", 3), ("d", 6)]);
        check_split("a\n// -----  \n", &[("a\n", 1), ("", 3)]);
    }

    #[test]
    fn other_comments_do_not_separate() {
        check_split("a\n// --------\n  // -----\nb", &[("a\n// --------\n  // -----\nb", 1)]);
    }

    fn check_decode(bytes: &[u8], expected: &str) {
        let error = decode("m.mlir".into(), bytes.to_vec()).expect_err("the bytes should be refused");
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn bytecode_is_refused_with_the_command_that_converts_it() {
        let expected =
            "m.mlir: the file holds MLIR bytecode, not text; convert it with `stablehlo-translate --deserialize";
        check_decode(b"ML\xefR\x0dStableHLO", expected);
        // As JAX wraps it.
        check_decode(b"\x20\x00\x00\x00\xff\x00ML\xefR", expected);
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_the_first_bad_one() {
        check_decode(b"func \xff", "m.mlir:1:6: byte 0xFF is not UTF-8");
    }
}
