//! String literals: MLIR's are bytes, ours are text.
//!
//! A byte that is not UTF-8 (some backends' `backend_config` is binary) is kept as a private-use character and printed as
//! that byte again.

use std::fmt::Write;

/// The character that stands for byte 0; no text has these.
const BYTE_BASE: u32 = 0x10_FF00;

/// The text that the inside of a string literal stands for; an error is the offset of a bad escape in it.
pub fn unescape(literal: &str) -> Result<String, usize> {
    if !literal.contains('\\') {
        return Ok(literal.into());
    }
    let mut bytes = Vec::with_capacity(literal.len());
    let source = literal.as_bytes();
    let mut at = 0;
    while let Some(byte) = source.get(at) {
        if *byte != b'\\' {
            bytes.push(*byte);
            at += 1;
            continue;
        }
        let (byte, length) = match (source.get(at + 1), source.get(at + 2)) {
            (Some(b'n'), _) => (b'\n', 2),
            (Some(b't'), _) => (b'\t', 2),
            (Some(quoted @ (b'"' | b'\\')), _) => (*quoted, 2),
            (Some(high), Some(low)) => match ((*high as char).to_digit(16), (*low as char).to_digit(16)) {
                (Some(high), Some(low)) => ((high << 4 | low) as u8, 3),
                _ => return Err(at),
            },
            _ => return Err(at),
        };
        bytes.push(byte);
        at += length;
    }
    Ok(text_of(&bytes))
}

fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(BYTE_BASE + u32::from(*byte))));
    }
    text
}

/// Writes a text as a string literal, with its quotes.
pub fn write_escaped(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\22"),
            '\\' => out.push_str("\\\\"),
            _ if character.is_control() && character.is_ascii() => {
                let _ = write!(out, "\\{:02X}", u32::from(character));
            }
            _ if u32::from(character) >= BYTE_BASE && u32::from(character) <= BYTE_BASE + 0xff => {
                let _ = write!(out, "\\{:02X}", u32::from(character) - BYTE_BASE);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}
