//! Types as text.

use std::fmt::{self, Write};

use super::attributes::{Style, write_attribute};
use crate::ir::{
    syntax::symbols::symbol_text,
    types::{Dim, ElementType, FunctionType, Signedness, TensorType, Type},
};

/// Whether types carry the names of unknown extents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Extents {
    /// `tensor<?xf32, #pyg.dims<s0>>`
    #[default]
    Named,
    /// `tensor<?xf32>`
    Plain,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_type(&mut text, self, Extents::Named);
        f.write_str(&text)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_tensor(&mut text, self, Extents::Named);
        f.write_str(&text)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElementType::Integer { width, signedness: Signedness::Signless } => write!(f, "i{width}"),
            ElementType::Integer { width, signedness: Signedness::Signed } => write!(f, "si{width}"),
            ElementType::Integer { width, signedness: Signedness::Unsigned } => write!(f, "ui{width}"),
            ElementType::Float(kind) => f.write_str(kind.name()),
            ElementType::Complex(kind) => write!(f, "complex<{}>", kind.name()),
            ElementType::Index => f.write_str("index"),
            ElementType::Quantized(text) => write!(f, "!{text}"),
        }
    }
}

impl fmt::Display for FunctionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_function_type(&mut text, &self.inputs, &self.results, Extents::Named);
        f.write_str(&text)
    }
}

pub(super) fn write_type(out: &mut String, ty: &Type, extents: Extents) {
    match ty {
        Type::Tensor(tensor) => write_tensor(out, tensor, extents),
        Type::Scalar(element) => write_display(out, element),
        Type::Tuple(types) => {
            out.push_str("tuple<");
            write_types(out, types, extents);
            out.push('>');
        }
        Type::Function(function) => write_function_type(out, &function.inputs, &function.results, extents),
        Type::None => out.push_str("none"),
        Type::Dialect(text) => {
            out.push('!');
            out.push_str(text);
        }
    }
}

fn write_display(out: &mut String, value: &impl fmt::Display) {
    let _ = write!(out, "{value}");
}

fn write_tensor(out: &mut String, tensor: &TensorType, extents: Extents) {
    out.push_str("tensor<");
    let mut symbols = Vec::new();
    for dim in &tensor.shape {
        match dim {
            Dim::Static(extent) => write_display(out, extent),
            Dim::Symbol(symbol) => {
                symbols.push(symbol);
                out.push('?');
            }
        }
        out.push('x');
    }
    write_display(out, &tensor.element);
    let style = Style::default();
    if !symbols.is_empty() && extents == Extents::Named {
        out.push_str(", #pyg.dims<");
        for (position, symbol) in symbols.iter().enumerate() {
            out.push_str(if position > 0 { ", " } else { "" });
            out.push_str(&symbol_text(symbol));
        }
        if let Some(encoding) = &tensor.encoding {
            out.push_str(", encoding = ");
            write_attribute(out, encoding, &style);
        }
        out.push('>');
    } else if let Some(encoding) = &tensor.encoding {
        out.push_str(", ");
        write_attribute(out, encoding, &style);
    }
    out.push('>');
}

pub(super) fn write_types(out: &mut String, types: &[Type], extents: Extents) {
    for (position, ty) in types.iter().enumerate() {
        out.push_str(if position > 0 { ", " } else { "" });
        write_type(out, ty, extents);
    }
}

pub(super) fn write_result_types(out: &mut String, types: &[Type], extents: Extents) {
    match types {
        [ty] if !matches!(ty, Type::Function(_)) => write_type(out, ty, extents),
        _ => {
            out.push('(');
            write_types(out, types, extents);
            out.push(')');
        }
    }
}

pub(super) fn write_function_type(out: &mut String, inputs: &[Type], results: &[Type], extents: Extents) {
    out.push('(');
    write_types(out, inputs, extents);
    out.push_str(") -> ");
    write_result_types(out, results, extents);
}
