//! Other spellings of attributes, brought to the one form that the rest of the compiler knows.
//!
//! Until 2024 StableHLO wrote lists of integers as `dense<[0, 1]> : tensor<2xi64>`; they are `array<i64: 0, 1>` now.
//! The version of a custom call's calling convention is an enum that StableHLO writes as its number.

use crate::ir::{
    Attribute, Opcode,
    attribute::{AttrMap, DenseElements},
    enums::{CustomCallApiVersion, EnumAttr},
    syntax::elements::read_integer,
    types::ElementType,
};

/// Attributes of StableHLO and CHLO operations that are lists.
const LISTS: &[&str] = &[
    "base_dilations",
    "broadcast_dimensions",
    "broadcast_sizes",
    "dimensions",
    "edge_padding_high",
    "edge_padding_low",
    "fft_length",
    "interior_padding",
    "known_expanding_dimensions",
    "known_nonexpanding_dimensions",
    "lhs_dilation",
    "limit_indices",
    "permutation",
    "rhs_dilation",
    "slice_sizes",
    "start_indices",
    "strides",
    "window_dilations",
    "window_dimensions",
    "window_reversal",
    "window_strides",
];

/// A longer list than any rank: such a constant is left for the verifier to refuse.
const LENGTH_MAX: u64 = 1024;

/// Brings the attributes of an operation to their one form.
pub(super) fn normalise(opcode: Opcode, attrs: &mut AttrMap) {
    let name = opcode.name();
    if !name.starts_with("stablehlo.") && !name.starts_with("chlo.") {
        return;
    }
    let lists: Vec<(&str, Attribute)> = LISTS
        .iter()
        .filter_map(|name| match attrs.get(name) {
            Some(Attribute::Dense(elements)) => Some((*name, list_of(elements)?)),
            _ => None,
        })
        .collect();
    for (name, list) in lists {
        attrs.set(name, list);
    }
    if let Some(Attribute::Integer { value, ty: ElementType::I32 }) = attrs.get("api_version")
        && let Some(version) = usize::try_from(*value).ok().and_then(|value| CustomCallApiVersion::ALL.get(value))
    {
        attrs.set("api_version", Attribute::Enum(EnumAttr::CustomCallApiVersion(*version)));
    }
}

fn list_of(elements: &DenseElements) -> Option<Attribute> {
    let element = &elements.ty.element;
    let count = elements.ty.element_count()?;
    let is_list = elements.ty.rank() == 1 && count <= LENGTH_MAX;
    if !is_list || !(*element == ElementType::I64 || *element == ElementType::BOOL) {
        return None;
    }
    let size = if *element == ElementType::BOOL { 1 } else { 8 };
    let mut values: Vec<i64> =
        elements.bytes.chunks_exact(size).map(|bytes| read_integer(bytes, element) as i64).collect();
    if elements.is_splat {
        values = vec![*values.first()?; count as usize];
    }
    Some(Attribute::DenseArray { element: element.clone(), values: values.into() })
}
