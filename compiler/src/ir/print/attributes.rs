//! Attributes as text.

use std::fmt::{self, Write};

use super::{
    dense::write_dense,
    types::{Extents, write_type},
};
use crate::ir::{
    attribute::{AffineMap, AttrMap, Attribute, GatherDimensions, LinearExpr, ScatterDimensions},
    enums::EnumAttr,
    syntax::{floats, products::conv_dimensions, strings::write_escaped},
    types::{ElementType, FloatKind},
};

/// How attributes are spelled.
pub(super) struct Style {
    /// The dialect of the operation that has them: CHLO has enums of its own with StableHLO's names.
    pub dialect: &'static str,
    /// Whether types carry the names of unknown extents.
    pub extents: Extents,
    /// Leave the elements of larger constants out.
    pub elide_elements_above: Option<u64>,
}

impl Default for Style {
    fn default() -> Style {
        Style { dialect: "stablehlo", extents: Extents::Named, elide_elements_above: None }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_attribute(&mut text, self, &Style::default());
        f.write_str(&text)
    }
}

pub(super) fn write_attribute(out: &mut String, attr: &Attribute, style: &Style) {
    let written = match attr {
        Attribute::Unit => write!(out, "unit"),
        Attribute::Bool(value) => write!(out, "{value}"),
        Attribute::Integer { value, ty } => write!(out, "{value} : {ty}"),
        Attribute::Float { bits, ty } => {
            write_float(out, *bits, ty);
            write!(out, " : {ty}")
        }
        Attribute::String(text) => {
            write_escaped(out, text);
            Ok(())
        }
        Attribute::Type(ty) => {
            write_type(out, ty, style.extents);
            Ok(())
        }
        Attribute::Array(items) => {
            out.push('[');
            separated(out, items.iter(), |out, item| write_attribute(out, item, style));
            write!(out, "]")
        }
        Attribute::Dictionary(attrs) => {
            write_dictionary(out, attrs, style);
            Ok(())
        }
        Attribute::DenseArray { element, values } => write_dense_array(out, element, values),
        Attribute::DenseFloatArray { element, bits } => {
            let _ = write!(out, "array<{element}{}", if bits.is_empty() { "" } else { ": " });
            separated(out, bits.iter(), |out, bits| write_float(out, *bits, element));
            write!(out, ">")
        }
        Attribute::Dense(elements) => {
            write_dense(out, elements, style.elide_elements_above);
            Ok(())
        }
        Attribute::Symbol(path) => {
            for (position, name) in path.iter().enumerate() {
                out.push_str(if position > 0 { "::" } else { "" });
                write_symbol(out, name);
            }
            Ok(())
        }
        Attribute::AffineMap(map) => write_affine_map(out, map),
        // StableHLO writes this one as its number.
        Attribute::Enum(EnumAttr::CustomCallApiVersion(version)) => write!(out, "{} : i32", *version as i32),
        Attribute::Enum(case) => {
            let dialect = if style.dialect == "chlo" { "chlo" } else { "stablehlo" };
            write!(out, "#{dialect}<{} {}>", case.mnemonic(), case.name())
        }
        Attribute::Foreign(text) => write!(out, "#{text}"),
        _ => write_dimension_numbers(out, attr),
    };
    debug_assert!(written.is_ok());
}

/// The attributes of StableHLO that are structs.
fn write_dimension_numbers(out: &mut String, attr: &Attribute) -> fmt::Result {
    match attr {
        Attribute::DotDimensions(dims) => write_fields(
            out,
            "dot",
            &[
                ("lhs_batching_dimensions", &dims.lhs_batching),
                ("rhs_batching_dimensions", &dims.rhs_batching),
                ("lhs_contracting_dimensions", &dims.lhs_contracting),
                ("rhs_contracting_dimensions", &dims.rhs_contracting),
            ],
            None,
        ),
        Attribute::GatherDimensions(dims) => write_gather(out, dims),
        Attribute::ScatterDimensions(dims) => write_scatter(out, dims),
        Attribute::ConvDimensions(dims) => {
            write!(out, "#stablehlo.conv<{}>", conv_dimensions(dims).unwrap_or_else(|| format!("raw {dims:?}")))
        }
        Attribute::OutputOperandAlias(alias) => {
            out.push_str("#stablehlo.output_operand_alias<output_tuple_indices = ");
            write_i64_list(out, &alias.output_tuple_indices);
            let _ = write!(out, ", operand_index = {}, operand_tuple_indices = ", alias.operand_index);
            write_i64_list(out, &alias.operand_tuple_indices);
            write!(out, ">")
        }
        Attribute::ChannelHandle { handle, channel_type } => {
            write!(out, "#stablehlo.channel_handle<handle = {handle}, type = {channel_type}>")
        }
        _ => Ok(()),
    }
}

fn write_gather(out: &mut String, dims: &GatherDimensions) -> fmt::Result {
    let lists = [
        ("offset_dims", &dims.offset_dims),
        ("collapsed_slice_dims", &dims.collapsed_slice_dims),
        ("operand_batching_dims", &dims.operand_batching_dims),
        ("start_indices_batching_dims", &dims.start_indices_batching_dims),
        ("start_index_map", &dims.start_index_map),
    ];
    write_fields(out, "gather", &lists, Some(dims.index_vector_dim))
}

fn write_scatter(out: &mut String, dims: &ScatterDimensions) -> fmt::Result {
    let lists = [
        ("update_window_dims", &dims.update_window_dims),
        ("inserted_window_dims", &dims.inserted_window_dims),
        ("input_batching_dims", &dims.input_batching_dims),
        ("scatter_indices_batching_dims", &dims.scatter_indices_batching_dims),
        ("scatter_dims_to_operand_dims", &dims.scatter_dims_to_operand_dims),
    ];
    write_fields(out, "scatter", &lists, Some(dims.index_vector_dim))
}

/// `#stablehlo.name<list = [0], index_vector_dim = 1>`: what is empty or 0 is left out, as upstream does.
fn write_fields(
    out: &mut String,
    name: &str,
    lists: &[(&str, &Vec<i64>)],
    index_vector_dim: Option<i64>,
) -> fmt::Result {
    write!(out, "#stablehlo.{name}<")?;
    let mut separator = "";
    for (field, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        write!(out, "{separator}{field} = ")?;
        write_i64_list(out, list);
        separator = ", ";
    }
    if let Some(dim) = index_vector_dim.filter(|dim| *dim != 0) {
        write!(out, "{separator}index_vector_dim = {dim}")?;
    }
    write!(out, ">")
}

fn write_dense_array(out: &mut String, element: &ElementType, values: &[i64]) -> fmt::Result {
    write!(out, "array<{element}{}", if values.is_empty() { "" } else { ": " })?;
    separated(out, values.iter(), |out, value| {
        let _ = match *element {
            ElementType::BOOL => write!(out, "{}", *value != 0),
            _ => write!(out, "{value}"),
        };
    });
    write!(out, ">")
}

/// A float given as the bits of its binary64 value.
fn write_float(out: &mut String, bits: u64, ty: &ElementType) {
    let kind = if let ElementType::Float(kind) = ty { *kind } else { FloatKind::F64 };
    floats::write_float(out, floats::encode(f64::from_bits(bits), kind), kind);
}

/// `affine_map<(d0, d1) -> (d0 * 2 + d1 + 1)>`
fn write_affine_map(out: &mut String, map: &AffineMap) -> fmt::Result {
    out.push_str("affine_map<(");
    separated(out, 0..map.dim_count, |out, dim| {
        let _ = write!(out, "d{dim}");
    });
    out.push_str(") -> (");
    separated(out, map.results.iter(), write_linear);
    write!(out, ")>")
}

fn write_linear(out: &mut String, expr: &LinearExpr) {
    let start = out.len();
    for (dim, coefficient) in expr.coefficients.iter().enumerate().filter(|(_, coefficient)| **coefficient != 0) {
        let first = out.len() == start;
        let sign = match (first, *coefficient < 0) {
            (true, true) => "-",
            (true, false) => "",
            (false, true) => " - ",
            (false, false) => " + ",
        };
        let _ = match coefficient.unsigned_abs() {
            1 => write!(out, "{sign}d{dim}"),
            scale => write!(out, "{sign}d{dim} * {scale}"),
        };
    }
    let _ = match (out.len() == start, expr.constant) {
        (true, constant) => write!(out, "{constant}"),
        (false, 0) => Ok(()),
        (false, constant) if constant < 0 => write!(out, " - {}", constant.unsigned_abs()),
        (false, constant) => write!(out, " + {constant}"),
    };
}

/// `{name = value, …}`
pub(super) fn write_dictionary(out: &mut String, attrs: &AttrMap, style: &Style) {
    out.push('{');
    separated(out, attrs.iter(), |out, (name, value)| write_named(out, name, value, style));
    out.push('}');
}

/// `name = value`, or `name` for a unit.
pub(super) fn write_named(out: &mut String, name: &str, value: &Attribute, style: &Style) {
    if is_bare(name) {
        out.push_str(name);
    } else {
        write_escaped(out, name);
    }
    if *value != Attribute::Unit {
        out.push_str(" = ");
        write_attribute(out, value, style);
    }
}

/// `@name`
pub(super) fn write_symbol(out: &mut String, name: &str) {
    out.push('@');
    if is_bare(name) {
        out.push_str(name);
    } else {
        write_escaped(out, name);
    }
}

/// `[1, 2]`
pub(super) fn write_i64_list(out: &mut String, values: &[i64]) {
    out.push('[');
    separated(out, values.iter(), |out, value| {
        let _ = write!(out, "{value}");
    });
    out.push(']');
}

/// True for names that need no quotes.
fn is_bare(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.'))
}

fn separated<T>(out: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    for (position, item) in items.enumerate() {
        out.push_str(if position > 0 { ", " } else { "" });
        write(out, item);
    }
}
