//! The elements of constants as text.

use std::fmt::Write;

use super::types::{Extents, write_type};
use crate::ir::{
    attribute::DenseElements,
    syntax::{
        elements::{element_bytes, read_bits, read_integer},
        floats,
    },
    types::{ElementType, Type},
};

/// Longer constants are printed in hexadecimal, as upstream does.
const LIST_LENGTH_MAX: u64 = 100;

/// `dense<…> : tensor<…>`
pub(super) fn write_dense(out: &mut String, elements: &DenseElements, elide_above: Option<u64>) {
    let count = elements.ty.element_count().unwrap_or(u64::MAX);
    let element = &elements.ty.element;
    let size = element_bytes(element).unwrap_or(1);
    let elided = elide_above.is_some_and(|limit| count > limit) && !elements.is_splat;
    out.push_str(if elided { "dense_resource<" } else { "dense<" });
    if elided {
        out.push_str("__elided__");
    } else if elements.is_splat {
        write_element(out, &elements.bytes, element);
    } else if count > LIST_LENGTH_MAX && *element != ElementType::BOOL {
        write_hex(out, &elements.bytes, element, size);
    } else if count > 0 {
        // Upstream packs booleans in hexadecimal one way or the other by version; lists mean the same to all.
        write_list(out, elements, size);
    }
    out.push_str("> : ");
    write_type(out, &Type::Tensor(elements.ty.clone()), Extents::Named);
}

/// Nested lists. The elements are walked in order; brackets open and close where a row of a dimension begins and ends.
fn write_list(out: &mut String, elements: &DenseElements, size: usize) {
    let shape: Vec<usize> =
        elements.ty.static_shape().unwrap_or_default().iter().map(|extent| *extent as usize).collect();
    let mut row_lengths = Vec::with_capacity(shape.len());
    let mut length = 1usize;
    for extent in shape.iter().rev() {
        length = length.saturating_mul(*extent);
        row_lengths.push(length);
    }
    for (position, bytes) in elements.bytes.chunks_exact(size).enumerate() {
        out.push_str(if position > 0 { ", " } else { "" });
        for _ in row_lengths.iter().filter(|length| position % **length == 0) {
            out.push('[');
        }
        write_element(out, bytes, &elements.ty.element);
        for _ in row_lengths.iter().filter(|length| (position + 1) % **length == 0) {
            out.push(']');
        }
    }
}

fn write_element(out: &mut String, bytes: &[u8], element: &ElementType) {
    match element {
        ElementType::Float(kind) => floats::write_float(out, read_bits(bytes), *kind),
        ElementType::Complex(kind) => {
            let (real, imaginary) = bytes.split_at(bytes.len() / 2);
            out.push('(');
            floats::write_float(out, read_bits(real), *kind);
            out.push_str(", ");
            floats::write_float(out, read_bits(imaginary), *kind);
            out.push(')');
        }
        _ if *element == ElementType::BOOL => {
            out.push_str(if bytes.first() == Some(&0) { "false" } else { "true" });
        }
        _ => {
            let _ = write!(out, "{}", read_integer(bytes, element));
        }
    }
}

/// `"0x…"`. Upstream keeps the bits beyond an integer's width 0, where devices have copies of its sign.
fn write_hex(out: &mut String, bytes: &[u8], element: &ElementType, size: usize) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mask = match element {
        ElementType::Integer { width, .. } if *width < 8 => (1u8 << width) - 1,
        _ => 0xff,
    };
    debug_assert!(mask == 0xff || size == 1);
    out.reserve(2 * bytes.len() + 4);
    out.push_str("\"0x");
    for byte in bytes {
        let byte = byte & mask;
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out.push('"');
}
