//! Computes at compile time what depends on constants alone.
//!
//! Before: `%0 = stablehlo.multiply %c, %d` of two constants.   After: `%0 = stablehlo.constant`.
//! An elementwise operation on constants that are one value everywhere becomes such a constant, however large.
//! Leaves alone: loops and branches; random numbers; results of more than 64 KiB or that take long to compute; large
//! `iota`s and broadcasts, which cost less computed than stored; what does not run.
//! Relies on: nothing beyond the verifier.   Guarantees: one call reaches a fixed point in linear time. Numbers are those of
//! the host device: the operation is lowered, and its launches run on the executors that the runtime uses.

use std::{collections::HashMap, sync::Arc};

use super::{
    Changed, PassContext, PassDef, Phase,
    build::{constant_before, constant_of},
};
use crate::{
    diagnostic::Diagnostics,
    evaluate::{Values, evaluate_op},
    ir::{
        Module, OpId, Opcode, TensorType, Type, ValueId,
        attribute::DenseElements,
        module::OpParts,
        ops::is_pure_op,
    },
    lower::lower_op,
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "fold-constants",
    summary: "Compute at compile time what depends on constants alone",
    phase: Phase::Tensor,
    run,
};

/// No result is larger.
const RESULT_BYTES_MAX: u64 = 64 << 10;
/// Counting and repeating are cheaper than storing, but for the smallest.
const GENERATED_BYTES_MAX: u64 = 256;
/// Product of the elements of the result and of the largest operand: bounds the work of products, sorts and windows.
const WORK_MAX: u64 = 1 << 24;

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut replaced: HashMap<ValueId, ValueId> = HashMap::new();
    let mut folded = 0;
    for op in module.walk(module.root()) {
        // What was in the regions of an operation that was folded.
        if module.is_erased(op) {
            continue;
        }
        for operand in &mut module.op_mut(op).operands {
            *operand = replaced.get(operand).copied().unwrap_or(*operand);
        }
        let Some(values) = fold(module, op) else { continue };
        for (result, elements) in module.op(op).results.clone().into_iter().zip(values) {
            let constant = constant_before(module, op, elements);
            module.value_mut(constant).name = module.value(result).name.clone();
            replaced.insert(result, constant);
        }
        module.erase(op);
        folded += 1;
    }
    context.count("operations folded", folded);
    Ok(Changed::from(folded > 0))
}

/// What the results of an operation are, if that can be computed now.
fn fold(module: &mut Module, op: OpId) -> Option<Vec<DenseElements>> {
    let operation = module.op(op);
    let is_candidate = !operation.results.is_empty()
        && operation.opcode.name().split_once('.').is_some_and(|(dialect, _)| matches!(dialect, "stablehlo" | "chlo" | "tensor"))
        && !matches!(
            operation.opcode,
            Opcode::StablehloConstant
                | Opcode::StablehloWhile
                | Opcode::StablehloIf
                | Opcode::StablehloCase
                | Opcode::StablehloRng
                | Opcode::StablehloRngBitGenerator
                | Opcode::StablehloCustomCall
                | Opcode::StablehloOptimizationBarrier
                | Opcode::StablehloReplicaId
                | Opcode::StablehloPartitionId
        );
    if !is_candidate || !operation.operands.iter().all(|value| constant_of(module, *value).is_some()) {
        return None;
    }
    let is_in_function = module.op(op).parent().is_some_and(|block| holds_tensors(module, block));
    if !is_in_function || !is_pure_op(module, op) {
        return None;
    }
    if module.op(op).opcode.def().is_elementwise()
        && let Some(splat) = fold_splats(module, op)
    {
        return Some(vec![splat]);
    }
    if is_small(module, op)? { evaluate(module, op) } else { None }
}

/// False in the bodies of launches, which compute on scalars and are better left as they are written.
fn holds_tensors(module: &Module, block: crate::ir::BlockId) -> bool {
    let owner = module.block(block).parent().and_then(|region| module.region(region).parent());
    owner.is_some_and(|owner| {
        matches!(
            module.op(owner).opcode,
            Opcode::FuncFunc | Opcode::StablehloWhile | Opcode::StablehloIf | Opcode::StablehloCase
        )
    })
}

/// True if the results are small enough to store and quick enough to compute; none if that is not known.
fn is_small(module: &Module, op: OpId) -> Option<bool> {
    let operation = module.op(op);
    let (mut elements, mut bytes, mut largest) = (0u64, 0u64, 1u64);
    for value in &operation.results {
        let (count, size) = extent(module, *value)?;
        elements = elements.saturating_add(count);
        bytes = bytes.saturating_add(size);
    }
    for value in &operation.operands {
        largest = largest.max(extent(module, *value)?.0);
    }
    let generates = matches!(
        operation.opcode,
        Opcode::StablehloIota | Opcode::StablehloBroadcastInDim | Opcode::StablehloBroadcast | Opcode::StablehloPad
    );
    let bytes_max = if generates { GENERATED_BYTES_MAX } else { RESULT_BYTES_MAX };
    let work = if operation.opcode.def().is_elementwise() { 0 } else { elements.saturating_mul(largest) };
    Some(bytes <= bytes_max && work <= WORK_MAX)
}

/// Elements and bytes of a tensor.
fn extent(module: &Module, value: ValueId) -> Option<(u64, u64)> {
    let tensor = module.ty(value).as_tensor()?;
    let count = tensor.element_count()?;
    Some((count, count.saturating_mul(tensor.element.dtype()?.size_bytes() as u64)))
}

/// The one value of an elementwise operation whose operands have one value each.
fn fold_splats(module: &mut Module, op: OpId) -> Option<DenseElements> {
    let operation = module.op(op);
    let [result] = operation.results[..] else { return None };
    let Type::Tensor(ty) = module.ty(result).clone() else { return None };
    if !operation.regions.is_empty() || ty.element_count()? == 0 {
        return None;
    }
    let mut scalars = Vec::new();
    for value in &operation.operands {
        let elements = constant_of(module, *value)?;
        let scalar = Arc::new(TensorType::new(&[], elements.ty.element.clone()));
        scalars.push(DenseElements::splat(scalar, elements.splat_bytes()?));
    }
    let (opcode, attrs, loc) = (operation.opcode, operation.attrs.clone(), operation.loc);
    let operands: Vec<ValueId> = scalars.into_iter().map(|scalar| constant_before(module, op, scalar)).collect();
    let parts = OpParts {
        operands: operands.iter().copied().collect(),
        result_types: vec![Type::tensor(&[], ty.element.clone())],
        attrs,
        ..OpParts::default()
    };
    let scalar = module.create_op(opcode, parts, loc);
    module.insert_before(op, scalar);
    let folded = evaluate(module, scalar);
    module.erase(scalar);
    for operand in operands {
        let constant = module.defining_op(operand).expect("a constant should have been made");
        module.erase(constant);
    }
    Some(DenseElements::splat(ty, folded?.first()?.splat_bytes()?))
}

/// Lowers the operation, runs its launches, and takes them away again.
fn evaluate(module: &mut Module, op: OpId) -> Option<Vec<DenseElements>> {
    let before = module.op(op).previous();
    let lowered = lower_op(module, op).ok();
    let first = match before {
        Some(before) => module.op(before).next(),
        None => module.block(module.op(op).parent()?).first(),
    };
    let launches: Vec<OpId> =
        std::iter::successors(first, |at| module.op(*at).next()).take_while(|at| *at != op).collect();
    let elements = lowered.and_then(|values| run_launches(module, op, &launches, &values));
    launches.into_iter().rev().for_each(|launch| module.erase(launch));
    elements
}

fn run_launches(module: &Module, op: OpId, launches: &[OpId], results: &[ValueId]) -> Option<Vec<DenseElements>> {
    let mut values = Values::default();
    for launch in launches {
        evaluate_op(module, *launch, &mut values).ok()?;
    }
    let types = module.op(op).results.iter();
    let folded = results.iter().zip(types).map(|(value, result)| {
        let Type::Tensor(ty) = module.ty(*result) else { return None };
        let bytes = values.get(module, *value).ok()?;
        Some(DenseElements::new(ty.clone(), bytes.as_slice().to_vec()))
    });
    folded.collect()
}
