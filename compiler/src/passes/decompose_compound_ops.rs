//! Writes operations that are made of others as those others.
//!
//! Before: `chlo.broadcast_add %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>`.
//! After: `stablehlo.broadcast_in_dim %y, dims = [1]`, `stablehlo.add`. So are `chlo.scan`, `batch_norm_*`, `einsum`,
//! `unary_einsum`, `torch_index_select`; a `composite` becomes the call of its decomposition; a collective operation
//! among one process is its operand.
//! Leaves alone: operations that a launch or a kernel computes as they are (`chlo.top_k`, `chlo.erf`); dynamic shapes;
//! collective operations among several processes.
//! Relies on: nothing beyond the verifier.   Guarantees: what is left of these does not run, and says so when lowered.

mod batch_norm;
mod broadcasting;
mod scan;

use std::collections::HashMap;

use super::{
    Changed, PassContext, PassDef, Phase,
    einsum::einsum,
    emit::{Emit, Out, Refusal, tensor_type},
};
use crate::{
    diagnostic::Diagnostics,
    ir::{Attribute, Module, OpId, Opcode, Type, ValueId, attribute::GatherDimensions},
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "decompose-compound-ops",
    summary: "Write broadcasting, normalising, scanning and composite operations as the simpler ones they are made of",
    phase: Phase::Import,
    run,
};

/// What an operation gives, one value a result; none if it stays.
pub type Parts = Result<Option<Vec<ValueId>>, Refusal>;

fn run(module: &mut Module, _: &PassContext) -> Result<Changed, Diagnostics> {
    let (mut errors, mut replaced, mut dead) = (Vec::new(), HashMap::new(), Vec::new());
    for op in module.walk(module.root()) {
        for operand in &mut module.op_mut(op).operands {
            if let Some(value) = replaced.get(operand) {
                *operand = *value;
            }
        }
        match decompose(module, op) {
            Ok(Some(values)) => {
                replaced.extend(module.op(op).results.iter().copied().zip(values));
                dead.push(op);
            }
            Ok(None) => {}
            Err(Refusal(reason)) => {
                let name = module.op(op).opcode.name();
                errors.push(module.error(op, format!("{name}: {reason}")));
            }
        }
    }
    if !errors.is_empty() {
        return Err(Diagnostics(errors));
    }
    module.replace_values(module.root(), &replaced);
    for op in dead.iter().rev() {
        module.erase(*op);
    }
    Ok((!dead.is_empty()).into())
}

fn decompose(module: &mut Module, op: OpId) -> Parts {
    let opcode = module.op(op).opcode;
    if !module.op(op).operands.iter().all(|operand| is_static(module.ty(*operand))) {
        return Ok(None);
    }
    let mut e = Emit::before(module, op);
    match opcode {
        Opcode::StablehloBatchNormInference => batch_norm::inference(&mut e, op).map(Some),
        Opcode::StablehloBatchNormTraining => batch_norm::training(&mut e, op).map(Some),
        Opcode::StablehloBatchNormGrad => batch_norm::gradient(&mut e, op).map(Some),
        Opcode::StablehloEinsum | Opcode::StablehloUnaryEinsum => one(equation(&mut e, op)),
        Opcode::StablehloTorchIndexSelect => one(index_select(&mut e, op)),
        Opcode::StablehloComposite => composite(&mut e, op),
        Opcode::ChloScan => scan::scan(&mut e, op).map(Some),
        Opcode::StablehloAllReduce
        | Opcode::StablehloAllGather
        | Opcode::StablehloAllToAll
        | Opcode::StablehloReduceScatter
        | Opcode::StablehloCollectiveBroadcast
            if is_alone(e.module, op) =>
        {
            Ok(Some(e.module.op(op).operands.to_vec()))
        }
        _ => broadcasting::broadcasting(&mut e, op),
    }
}

fn one(value: Out) -> Parts {
    value.map(|value| Some(vec![value]))
}

fn is_static(ty: &Type) -> bool {
    ty.as_tensor().is_none_or(|tensor| tensor.static_shape().is_some())
}

/// True if a collective operation has one group of one process.
fn is_alone(module: &Module, op: OpId) -> bool {
    match module.op(op).attr("replica_groups") {
        Some(Attribute::Dense(groups)) => groups.ty.element_count().is_some_and(|count| count == 1),
        _ => false,
    }
}

fn equation(e: &mut Emit, op: OpId) -> Out {
    let operands = e.module.op(op).operands.to_vec();
    let config = e.module.op(op).attr("einsum_config").and_then(Attribute::as_str).unwrap_or_default().to_string();
    let element = e.element(e.module.op(op).results[0])?;
    einsum(e, &config, &operands, &element)
}

/// Rows of dimension `dim` at `index`; the first `batch_dims` dimensions of both go together.
fn index_select(e: &mut Emit, op: OpId) -> Out {
    let operation = e.module.op(op);
    let (x, index, result) = (operation.operands[0], operation.operands[1], operation.results[0]);
    let int = |name: &str| operation.attr(name).and_then(Attribute::as_i64).unwrap_or(0);
    let (dim, batch) = (int("dim"), int("batch_dims"));
    let (shape, index_rank, result_rank) = (e.shape(x)?, e.rank(index)? as i64, e.rank(result)? as i64);
    let batching: Vec<i64> = (0..batch).collect();
    let mut sizes = shape.clone();
    for at in batching.iter().chain([&dim]) {
        *sizes.get_mut(*at as usize).ok_or_else(|| Refusal(format!("there is no dimension {at}")))? = 1;
    }
    let dims = GatherDimensions {
        offset_dims: (batch..dim).chain(dim + index_rank - batch..result_rank).collect(),
        collapsed_slice_dims: vec![dim],
        operand_batching_dims: batching.clone(),
        start_indices_batching_dims: batching,
        start_index_map: vec![dim],
        index_vector_dim: index_rank,
    };
    let ty = tensor_type(&e.shape(result)?, &e.element(x)?);
    let attrs =
        [("dimension_numbers", Attribute::GatherDimensions(dims.into())), ("slice_sizes", Attribute::i64_array(sizes))];
    Ok(e.op(Opcode::StablehloGather, &[x, index], ty, &attrs))
}

/// A composite is a call of its decomposition; `inline-calls` does the rest, and finds recursion.
fn composite(e: &mut Emit, op: OpId) -> Parts {
    let operation = e.module.op(op);
    let Some(callee) = operation.attr("decomposition").cloned() else { return Ok(None) };
    let (operands, results) = (operation.operands.to_vec(), operation.results.to_vec());
    let types = results.iter().map(|result| e.module.ty(*result).clone()).collect();
    Ok(Some(e.op_with_regions(Opcode::FuncCall, &operands, types, &[("callee", callee)], &[])))
}
