//! What checks and references share: reading attributes, and the checks that many kernels need.

use bytemuck::Pod;
use pygraph_artifact::{dtype::DType, plan::KernelAttr, scalar::ScalarBody};

use crate::{
    manifest::{AttrDef, AttrKind, CallType},
    scalar::PreparedBody,
    tensor::{TensorRef, TensorType},
};

type Attributes = [(String, KernelAttr)];

/// An attribute of kind [`AttrKind::Ints`].
pub const fn ints_attr(name: &'static str, doc: &'static str) -> AttrDef {
    AttrDef { name, kind: AttrKind::Ints, doc }
}

/// An attribute of kind [`AttrKind::Int`].
pub const fn int_attr(name: &'static str, doc: &'static str) -> AttrDef {
    AttrDef { name, kind: AttrKind::Int, doc }
}

fn find<'a>(attributes: &'a Attributes, name: &str) -> &'a KernelAttr {
    let found = attributes.iter().find(|(of, _)| of == name);
    &found.expect("attributes should be checked before they are read").1
}

/// The list under that name, which the kernel's definition has.
pub fn ints<'a>(attributes: &'a Attributes, name: &str) -> &'a [i64] {
    match find(attributes, name) {
        KernelAttr::Ints(values) => values,
        _ => unreachable!("attributes should be checked before they are read"),
    }
}

/// The integer under that name, which the kernel's definition has.
pub fn int(attributes: &Attributes, name: &str) -> i64 {
    match find(attributes, name) {
        KernelAttr::Int(value) => *value,
        _ => unreachable!("attributes should be checked before they are read"),
    }
}

/// The truth value under that name, which the kernel's definition has.
pub fn boolean(attributes: &Attributes, name: &str) -> bool {
    match find(attributes, name) {
        KernelAttr::Bool(value) => *value,
        _ => unreachable!("attributes should be checked before they are read"),
    }
}

/// The number under that name, which the kernel's definition has.
pub fn float(attributes: &Attributes, name: &str) -> f64 {
    match find(attributes, name) {
        KernelAttr::Float(value) => *value,
        _ => unreachable!("attributes should be checked before they are read"),
    }
}

/// The text under that name, which the kernel's definition has.
pub fn text<'a>(attributes: &'a Attributes, name: &str) -> &'a str {
    match find(attributes, name) {
        KernelAttr::Text(value) => value,
        _ => unreachable!("attributes should be checked before they are read"),
    }
}

/// A list of dimensions, as it was checked.
pub fn dimensions(attributes: &Attributes, name: &str) -> Vec<usize> {
    ints(attributes, name).iter().map(|dimension| *dimension as usize).collect()
}

/// A list of dimensions, each once and below the rank.
pub fn check_dimensions(attributes: &Attributes, name: &str, rank: usize) -> Result<Vec<usize>, String> {
    let mut dimensions = Vec::new();
    for dimension in ints(attributes, name) {
        match usize::try_from(*dimension) {
            Ok(index) if index < rank && !dimensions.contains(&index) => dimensions.push(index),
            _ => return Err(format!("{name} has {dimension}, which is twice there or no dimension of {rank}")),
        }
    }
    Ok(dimensions)
}

/// A list of as many integers as asked for, each in a range.
pub fn check_ints<'a>(
    attributes: &'a Attributes,
    name: &str,
    count: usize,
    range: std::ops::RangeInclusive<i64>,
) -> Result<&'a [i64], String> {
    let values = ints(attributes, name);
    if values.len() != count {
        return Err(format!("{name} has {} entries for {count} dimensions", values.len()));
    }
    match values.iter().find(|value| !range.contains(value)) {
        Some(value) => Err(format!("{name} has {value}, which is not in {} to {}", range.start(), range.end())),
        None => Ok(values),
    }
}

/// That many inputs and outputs.
pub fn check_counts(call: &CallType<'_>, inputs: usize, outputs: usize) -> Result<(), String> {
    if call.inputs.len() != inputs || call.outputs.len() != outputs {
        let (has_inputs, has_outputs) = (call.inputs.len(), call.outputs.len());
        return Err(format!("takes {inputs} inputs and {outputs} outputs, not {has_inputs} and {has_outputs}"));
    }
    Ok(())
}

/// The type that something must have.
pub fn check_type(what: &str, ty: TensorType<'_>, dtype: DType, shape: &[u64]) -> Result<(), String> {
    if ty.dtype != dtype || ty.shape != shape {
        return Err(format!("{what} is {:?} of {}, not {shape:?} of {dtype}", ty.shape, ty.dtype));
    }
    Ok(())
}

/// A body from some types to others.
pub fn check_body(what: &str, body: &ScalarBody, inputs: &[DType], outputs: &[DType]) -> Result<(), String> {
    if body.inputs != inputs || body.output_types().as_deref() != Some(outputs) {
        return Err(format!("{what} does not go from {inputs:?} to {outputs:?}"));
    }
    Ok(())
}

/// An integer type, for indices.
pub fn check_index_type(what: &str, dtype: DType) -> Result<(), String> {
    if dtype.is_integer() { Ok(()) } else { Err(format!("{what} holds {dtype}, not integers")) }
}

/// The elements of an input.
pub fn elements<'a, T: Pod>(tensor: &TensorRef<'a>) -> &'a [T] {
    bytemuck::cast_slice(tensor.bytes)
}

/// Integers of any type as `i64`; what is larger goes to the largest.
pub fn index_values(tensor: &TensorRef<'_>) -> Vec<i64> {
    macro_rules! cast {
        ($t:ty) => {
            elements::<$t>(tensor).iter().map(|value| *value as i64).collect()
        };
    }
    match tensor.ty.dtype {
        DType::I2 | DType::I4 | DType::I8 => cast!(i8),
        DType::I16 => cast!(i16),
        DType::I32 => cast!(i32),
        DType::I64 => cast!(i64),
        DType::U16 => cast!(u16),
        DType::U32 => cast!(u32),
        DType::U64 => elements::<u64>(tensor).iter().map(|value| i64::try_from(*value).unwrap_or(i64::MAX)).collect(),
        _ => cast!(u8),
    }
}

/// A body whose check has passed.
pub fn prepared(body: &ScalarBody) -> PreparedBody {
    PreparedBody::new(body).expect("a body should be checked before it runs")
}
