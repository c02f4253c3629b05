//! Types as text.

use std::fmt::{self, Write};

use super::attributes::{Style, write_attribute};
use crate::ir::types::{Dim, ElementType, FunctionType, Signedness, Symbol, TensorType, Type};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_type(&mut text, self);
        f.write_str(&text)
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_tensor(&mut text, self);
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
        write_function_type(&mut text, &self.inputs, &self.results);
        f.write_str(&text)
    }
}

pub(super) fn write_type(out: &mut String, ty: &Type) {
    match ty {
        Type::Tensor(tensor) => write_tensor(out, tensor),
        Type::Scalar(element) => write_display(out, element),
        Type::Tuple(types) => {
            out.push_str("tuple<");
            write_types(out, types);
            out.push('>');
        }
        Type::Function(function) => write_function_type(out, &function.inputs, &function.results),
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

fn write_tensor(out: &mut String, tensor: &TensorType) {
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
    if !symbols.is_empty() {
        out.push_str(", #pyg.dims<");
        for (position, symbol) in symbols.iter().enumerate() {
            out.push_str(if position > 0 { ", " } else { "" });
            write_symbol(out, symbol);
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

fn write_symbol(out: &mut String, symbol: &Symbol) {
    let Symbol { name, extent_min, extent_max } = symbol;
    out.push_str(name);
    let _ = match extent_max {
        Some(extent_max) => write!(out, " in [{extent_min}, {extent_max}]"),
        None if *extent_min > 0 => write!(out, " in [{extent_min}, *]"),
        None => Ok(()),
    };
}

pub(super) fn write_types(out: &mut String, types: &[Type]) {
    for (position, ty) in types.iter().enumerate() {
        out.push_str(if position > 0 { ", " } else { "" });
        write_type(out, ty);
    }
}

pub(super) fn write_result_types(out: &mut String, types: &[Type]) {
    match types {
        [ty] if !matches!(ty, Type::Function(_)) => write_type(out, ty),
        _ => {
            out.push('(');
            write_types(out, types);
            out.push(')');
        }
    }
}

pub(super) fn write_function_type(out: &mut String, inputs: &[Type], results: &[Type]) {
    out.push('(');
    write_types(out, inputs);
    out.push_str(") -> ");
    write_result_types(out, results);
}
