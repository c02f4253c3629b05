//! `loc(…)` as text.

use std::fmt::Write;

use super::attributes::{Style, write_attribute};
use crate::ir::{
    module::{Location, UserLocation},
    syntax::strings::write_escaped,
};

/// What the exporter says, or where the operation stands in the input.
pub(super) fn write_location(out: &mut String, location: &Location) {
    out.push_str("loc(");
    match &location.user {
        Some(user) => write_user(out, user),
        None if location.position.line == 0 => out.push_str("unknown"),
        None => {
            write_escaped(out, &location.position.file);
            let _ = write!(out, ":{}:{}", location.position.line, location.position.column);
        }
    }
    out.push(')');
}

fn write_user(out: &mut String, location: &UserLocation) {
    match location {
        UserLocation::Unknown => out.push_str("unknown"),
        UserLocation::File { file, start, end } => {
            write_escaped(out, file);
            let _ = write!(out, ":{}:{}", start.0, start.1);
            if let Some(end) = end {
                let _ = write!(out, " to {}:{}", end.0, end.1);
            }
        }
        UserLocation::Name { name, child } => {
            write_escaped(out, name);
            if let Some(child) = child {
                out.push('(');
                write_user(out, child);
                out.push(')');
            }
        }
        UserLocation::CallSite { callee, caller } => {
            out.push_str("callsite(");
            write_user(out, callee);
            out.push_str(" at ");
            write_user(out, caller);
            out.push(')');
        }
        UserLocation::Fused { metadata, parts } => {
            out.push_str("fused");
            if let Some(metadata) = metadata {
                out.push('<');
                write_attribute(out, metadata, &Style::default());
                out.push('>');
            }
            out.push('[');
            for (position, part) in parts.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                write_user(out, part);
            }
            out.push(']');
        }
    }
}
