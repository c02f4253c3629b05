//! `--verify-diagnostics`: compares what was reported with what comments in the input expect.
//!
//! `// expected-error @+1 {{text}}` expects an error on the next line whose message contains `text`. `error` may be
//! `warning`, `remark` or `note`; the place may be missing (this line), `@-N`, `@+N`, `@above`, `@below` (the nearest line
//! that is no such comment) or `@unknown`. A number before the braces says how often.

use super::Chunk;
use crate::diagnostic::{Diagnostic, Severity};

/// What one comment expects.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expectation {
    severity: Severity,
    /// The line it is expected on; 0 where no line is known.
    line: u32,
    /// Where the comment stands.
    comment_line: u32,
    text: String,
}

/// Differences between expectations and reports, each as `LINE: message`; empty if there are none.
///
/// An unexpected note is never a difference, and an unexpected remark is one only if the chunk expects some remark: passes
/// leave many.
pub fn compare(chunk: &Chunk<'_>, reported: &[Diagnostic]) -> Vec<(u32, String)> {
    let (mut expected, mut differences) = expectations(chunk);
    let checks_remarks = expected.iter().any(|expectation| expectation.severity == Severity::Remark);
    for diagnostic in reported {
        let severity = diagnostic.severity;
        if !take(&mut expected, severity, diagnostic.position.line, &diagnostic.message)
            && (matches!(severity, Severity::Error | Severity::Warning)
                || (severity == Severity::Remark && checks_remarks))
        {
            let message = format!("unexpected {}: {}", severity.name(), diagnostic.message);
            differences.push((diagnostic.position.line, message));
        }
        for (position, message) in &diagnostic.notes {
            take(&mut expected, Severity::Note, position.line, message);
        }
    }
    differences.extend(expected.into_iter().map(|expectation| {
        let message = format!("expected {} \"{}\" was not produced", expectation.severity.name(), expectation.text);
        (expectation.comment_line, message)
    }));
    differences.sort();
    differences
}

/// Removes the first expectation that the message meets; false if there is none.
fn take(expected: &mut Vec<Expectation>, severity: Severity, line: u32, message: &str) -> bool {
    let meets = |e: &Expectation| e.severity == severity && e.line == line && message.contains(&e.text);
    expected.iter().position(meets).map(|at| expected.remove(at)).is_some()
}

fn expectations(chunk: &Chunk<'_>) -> (Vec<Expectation>, Vec<(u32, String)>) {
    let lines: Vec<&str> = chunk.text.lines().collect();
    let (mut expected, mut malformed) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        let comment_line = chunk.first_line + at as u32;
        let Some((_, comment)) = line.split_once("//") else { continue };
        let mut rest = comment;
        while let Some((_, tail)) = rest.split_once("expected-") {
            match parse_expectation(tail) {
                Some((severity, place, count, text, tail)) => {
                    let line = resolve(place, at, &lines).map_or(0, |at| chunk.first_line + at as u32);
                    let one = Expectation { severity, line, comment_line, text: text.to_owned() };
                    expected.extend(std::iter::repeat_n(one, count));
                    rest = tail;
                }
                None => {
                    let message = "malformed expectation; write `expected-error @+1 {{text}}`".to_owned();
                    malformed.push((comment_line, message));
                    break;
                }
            }
        }
    }
    (expected, malformed)
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Offset(i64),
    Above,
    Below,
    Unknown,
}

/// The index of the line meant by the comment on line `at`.
fn resolve(place: Place, at: usize, lines: &[&str]) -> Option<usize> {
    let is_comment = |line: &&str| line.trim_start().starts_with("//") && line.contains("expected-");
    match place {
        Place::Offset(offset) => usize::try_from(at as i64 + offset).ok(),
        Place::Above => (0..at).rev().find(|at| !is_comment(&lines[*at])),
        Place::Below => (at + 1..lines.len()).find(|at| !is_comment(&lines[*at])),
        Place::Unknown => None,
    }
}

/// Reads what follows `expected-`; also returns the text after it.
fn parse_expectation(text: &str) -> Option<(Severity, Place, usize, &str, &str)> {
    let severities = [Severity::Error, Severity::Warning, Severity::Remark, Severity::Note];
    let (severity, rest) =
        severities.into_iter().find_map(|severity| Some((severity, text.strip_prefix(severity.name())?)))?;
    let rest = rest.trim_start();
    let (place, rest) = match rest.strip_prefix('@') {
        Some(rest) => {
            let end = rest.find([' ', '{'])?;
            let place = match &rest[..end] {
                "above" => Place::Above,
                "below" => Place::Below,
                "unknown" => Place::Unknown,
                offset => Place::Offset(i64::from(offset.parse::<i32>().ok()?)),
            };
            (place, rest[end..].trim_start())
        }
        None => (Place::Offset(0), rest),
    };
    let open = rest.find("{{")?;
    let count = match rest[..open].trim() {
        "" => 1,
        count => usize::from(count.parse::<u16>().ok()?),
    };
    let (message, rest) = rest[open + 2..].split_once("}}")?;
    Some((severity, place, count, message, rest))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Position;

    /// `reported`: severity, line, message. Lines are those of a file in which the chunk starts on line 10.
    fn check(text: &str, reported: &[(Severity, u32, &str)], expected: &[(u32, &str)]) {
        let reported: Vec<Diagnostic> = reported
            .iter()
            .map(|(severity, line, message)| Diagnostic {
                severity: *severity,
                position: Position { file: Arc::from("t.mlir"), line: *line, column: 1 },
                message: (*message).to_owned(),
                notes: Vec::new(),
                decision: None,
            })
            .collect();
        let differences = compare(&Chunk { text, first_line: 10 }, &reported);
        let differences: Vec<(u32, &str)> = differences.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(differences, expected);
    }

    #[test]
    fn places_are_relative_to_the_comment() {
        check("// expected-error @+1 {{bad}}\nx", &[(Severity::Error, 11, "a bad thing")], &[]);
        check("x // expected-error {{bad}}", &[(Severity::Error, 10, "bad")], &[]);
        check("x\n// expected-error @-1 {{bad}}", &[(Severity::Error, 10, "bad")], &[]);
        check(
            "// expected-error @below {{bad}}\n// expected-warning@below {{odd}}\nx",
            &[(Severity::Error, 12, "bad"), (Severity::Warning, 12, "odd")],
            &[],
        );
        check(
            "x\n// expected-error @above 2 {{bad}}",
            &[(Severity::Error, 10, "bad"), (Severity::Error, 10, "bad")],
            &[],
        );
        check("// expected-error @unknown {{bad}}", &[(Severity::Error, 0, "bad")], &[]);
    }

    #[test]
    fn what_is_missing_or_unexpected_is_a_difference() {
        check("// expected-error @+1 {{bad}}\nx", &[], &[(10, "expected error \"bad\" was not produced")]);
        check("x", &[(Severity::Error, 10, "bad")], &[(10, "unexpected error: bad")]);
        check(
            "// expected-error @+1 {{worse}}\nx",
            &[(Severity::Error, 11, "bad")],
            &[(10, "expected error \"worse\" was not produced"), (11, "unexpected error: bad")],
        );
    }

    #[test]
    fn remarks_count_only_where_one_is_expected() {
        check("x", &[(Severity::Remark, 10, "folded")], &[]);
        check(
            "x // expected-remark {{folded}}",
            &[(Severity::Remark, 10, "folded"), (Severity::Remark, 10, "merged")],
            &[(10, "unexpected remark: merged")],
        );
    }

    #[test]
    fn a_malformed_expectation_is_not_overlooked() {
        check("x // expected-error {bad}", &[], &[(10, "malformed expectation; write `expected-error @+1 {{text}}`")]);
    }
}
