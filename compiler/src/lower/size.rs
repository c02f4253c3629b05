//! What a launch moves and computes, from its types alone.

use super::site::{Tensor, size_bytes, tensor_of};
use crate::{
    cost::WorkSize,
    ir::{Attribute, Module, OpId, Opcode, ValueId},
};

/// The size of a launch's work; none for an operation that is no launch.
pub fn work_size(module: &Module, op: OpId) -> Option<WorkSize> {
    match module.op(op).opcode {
        Opcode::PygNest => Some(nest_size(module, op)),
        Opcode::PygKernel => Some(kernel_size(module, op)),
        Opcode::PygFused => Some(fused_size(module, op)),
        _ => None,
    }
}

/// Every element that the maps reach once, and the bodies' operations at every point.
fn nest_size(module: &Module, op: OpId) -> WorkSize {
    let operation = module.op(op);
    let extents = operation.attr("extents").and_then(Attribute::as_i64_slice).unwrap_or_default();
    let points = product(extents.iter().map(|extent| extent.unsigned_abs()));
    let Some(Attribute::Array(maps)) = operation.attr("maps") else { return WorkSize::default() };
    let mut bytes = 0u64;
    for (value, map) in operation.operands.iter().zip(maps.iter()) {
        let (Some(tensor), Attribute::AffineMap(map)) = (tensor_of(module.ty(*value)), map) else { continue };
        let moves = |d: usize| map.results.iter().any(|result| result.coefficients.get(d).is_some_and(|c| *c != 0));
        let walked = extents.iter().enumerate().filter(|(d, _)| moves(*d)).map(|(_, extent)| extent.unsigned_abs());
        let reached = product(walked).min(product(tensor.shape.iter().copied()));
        bytes = bytes.saturating_add(reached.saturating_mul(tensor.dtype.size_bytes() as u64));
    }
    let scalars = module.walk(op).into_iter().filter(|op| matches!(module.op(*op).opcode, Opcode::Scalar(_))).count();
    WorkSize { bytes, scalar_ops: points.saturating_mul(scalars as u64), ..WorkSize::default() }
}

/// What comes from outside and leaves, each once, and the operations of all stages: what stays inside moves no bytes.
fn fused_size(module: &Module, op: OpId) -> WorkSize {
    let operation = module.op(op);
    let outside = operation.operands.iter().chain(&operation.results);
    let bytes = outside.map(|value| size_bytes(module.ty(*value)).unwrap_or(0)).fold(0, u64::saturating_add);
    let stages = module.walk(op).into_iter().filter(|stage| *stage != op).filter_map(|stage| work_size(module, stage));
    stages.fold(WorkSize { bytes, ..WorkSize::default() }, |sum, stage| WorkSize {
        bytes,
        multiply_adds: sum.multiply_adds.saturating_add(stage.multiply_adds),
        multiply_type: sum.multiply_type.or(stage.multiply_type),
        scalar_ops: sum.scalar_ops.saturating_add(stage.scalar_ops),
    })
}

fn kernel_size(module: &Module, op: OpId) -> WorkSize {
    let operation = module.op(op);
    let tensors = |values: &[ValueId]| -> Vec<Tensor> {
        values.iter().filter_map(|value| tensor_of(module.ty(*value))).collect()
    };
    let (inputs, outputs) = (tensors(&operation.operands), tensors(&operation.results));
    let all = |tensors: &[Tensor]| {
        tensors.iter().map(|tensor| tensor.size_bytes().unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
    };
    let kernel = operation.attr("kernel").and_then(Attribute::as_str).unwrap_or_default();
    // Of what these read by index, only what they move counts.
    let bytes = match (kernel, &inputs[..]) {
        ("gather" | "dynamic_slice", [_, indices @ ..]) => all(&outputs).saturating_mul(2).saturating_add(all(indices)),
        ("dynamic_update_slice" | "scatter", [_, changes @ ..]) => all(changes).saturating_mul(2),
        ("attention", [q, k, v, rest @ ..]) => {
            // Of several layers one is read, and of heads and batches some.
            let (heads, batches) = (list_of(module, op, "heads"), list_of(module, op, "batches"));
            let part = |tensor: &Tensor, name: &str, count: usize| {
                let rows = extents_of(module, op, name, tensor).skip(1).step_by(2).take(2);
                let read = [heads.get(count), batches.first()].into_iter().flatten().map(|count| count.unsigned_abs());
                product(rows.chain(read)).saturating_mul(tensor.dtype.size_bytes() as u64)
            };
            let read = [part(q, "q_dims", 0), part(k, "k_dims", 1), part(v, "v_dims", 1), all(rest)];
            read.into_iter().fold(all(&outputs), u64::saturating_add)
        }
        _ => all(&inputs).saturating_add(all(&outputs)),
    };
    let results = product(outputs.iter().flat_map(|output| output.shape.iter().copied()));
    let multiply_adds = match (kernel, &inputs[..]) {
        ("contract", [lhs, ..]) => results.saturating_mul(contracted(module, op, lhs)),
        ("convolution", [_, weights, ..]) => {
            let features = extents_of(module, op, "kernel_dims", weights).nth(1).unwrap_or(1).max(1);
            results.saturating_mul(product(weights.shape.iter().copied()) / features)
        }
        _ => 0,
    };
    let multiply_type = inputs.first().map(|input| input.dtype).filter(|_| multiply_adds > 0);
    let scalar_ops = if multiply_adds == 0 { results } else { 0 };
    WorkSize { bytes, multiply_adds, multiply_type, scalar_ops }
}

/// Extents of the left input that a contraction sums over, multiplied.
pub fn contracted(module: &Module, op: OpId, lhs: &Tensor) -> u64 {
    product(extents_of(module, op, "lhs_contract", lhs))
}

/// Rows of the left matrix of a contraction, for each of its batches.
pub fn product_rows(module: &Module, op: OpId) -> Option<u64> {
    let lhs = tensor_of(module.ty(*module.op(op).operands.first()?))?;
    let others = contracted(module, op, &lhs).saturating_mul(product(extents_of(module, op, "lhs_batch", &lhs)));
    product(lhs.shape.iter().copied()).checked_div(others)
}

/// The numbers that an attribute of a kernel lists.
pub fn list_of(module: &Module, op: OpId, name: &str) -> Vec<i64> {
    let list = match module.op(op).attr("attributes") {
        Some(Attribute::Dictionary(attributes)) => attributes.get(name).and_then(Attribute::as_i64_slice),
        _ => None,
    };
    list.map(<[i64]>::to_vec).unwrap_or_default()
}

/// Extents of the dimensions that an attribute of a kernel lists.
fn extents_of<'t>(module: &Module, op: OpId, name: &str, tensor: &'t Tensor) -> impl Iterator<Item = u64> + use<'t> {
    list_of(module, op, name).into_iter().filter_map(|d| tensor.shape.get(usize::try_from(d).ok()?).copied())
}

fn product(extents: impl Iterator<Item = u64>) -> u64 {
    extents.fold(1, u64::saturating_mul)
}
