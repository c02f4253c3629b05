//! Launches: `pyg.nest`, `pyg.kernel` and `pyg.fused` as the artifact has them.

use std::collections::HashMap;

use pygraph_artifact::{
    plan::{Access, BufferId, Fused, FusedOperand, KernelAttr, KernelCall, Nest, Work},
    scalar::{ScalarBody, ScalarInst},
};

use crate::{
    diagnostic::Diagnostic,
    ir::{Attribute, Module, OpId, Opcode, ValueId, attribute::AffineMap},
    lower::{body::body_of, site::tensor_of},
};

/// The work of a launch; `buffer_of` says which buffer a value is.
pub fn work_of(
    module: &Module,
    op: OpId,
    buffer_of: &mut dyn FnMut(ValueId) -> Result<BufferId, Diagnostic>,
) -> Result<Work, Diagnostic> {
    match module.op(op).opcode {
        Opcode::PygNest => nest_of(module, op, buffer_of).map(Work::Nest),
        Opcode::PygKernel => kernel_of(module, op, buffer_of).map(Work::Kernel),
        Opcode::PygFused => fused_of(module, op, buffer_of).map(Work::Fused),
        other => unreachable!("`{}` should be no launch", other.name()),
    }
}

fn nest_of(
    module: &Module,
    op: OpId,
    buffer_of: &mut dyn FnMut(ValueId) -> Result<BufferId, Diagnostic>,
) -> Result<Nest, Diagnostic> {
    let operation = module.op(op);
    let extents = operation.attr("extents").and_then(Attribute::as_i64_slice);
    let extents = extents.expect("the verifier should have seen a nest's extents");
    let reduction_dims = operation.attr("reduction_dims").and_then(Attribute::as_i64);
    let reduction_dims = reduction_dims.expect("the verifier should have seen how many dimensions a nest folds");
    let input_count = nest_input_count(module, op);
    let Some(Attribute::Array(maps)) = operation.attr("maps") else {
        unreachable!("the verifier should have seen a nest's maps");
    };
    // An output is where the result is; its init has the same place or no content.
    let values = operation.operands[..input_count].iter().chain(&operation.results);
    let mut accesses = Vec::with_capacity(maps.len());
    for (at, (value, map)) in values.zip(maps.iter()).enumerate() {
        let Attribute::AffineMap(map) = map else { unreachable!("the verifier should have seen a nest's maps") };
        let walk = walk_of(module, *value, map, extents.len());
        let (offset, strides) =
            walk.ok_or_else(|| module.error(op, format!("operand {at} is walked in steps beyond 64 bits")))?;
        accesses.push(Access { buffer: buffer_of(*value)?, offset, strides });
    }
    let outputs = accesses.split_off(input_count);
    Ok(Nest {
        extents: extents.iter().map(|extent| extent.unsigned_abs()).collect(),
        reduction_dims: reduction_dims as u32,
        inputs: accesses,
        outputs,
        map: verified_body(module, op, 0),
        combine: (operation.regions.len() > 1).then(|| verified_body(module, op, 1)),
    })
}

/// How many of a nest's operands it only reads.
pub(crate) fn nest_input_count(module: &Module, nest: OpId) -> usize {
    let operation = module.op(nest);
    let count = operation.operands.len().checked_sub(operation.results.len());
    count.expect("the verifier should have seen an operand of a nest for each of its results")
}

fn verified_body(module: &Module, launch: OpId, region: usize) -> ScalarBody {
    body_of(module, launch, region).expect("the verifier should have seen the bodies of a launch")
}

/// Offset and strides of a tensor that is walked through a map; none if they are beyond 64 bits.
pub(crate) fn walk_of(module: &Module, value: ValueId, map: &AffineMap, dim_count: usize) -> Option<(i64, Vec<i64>)> {
    let shape = tensor_of(module.ty(value))?.shape;
    if map.dim_count != dim_count || map.results.len() != shape.len() {
        return None;
    }
    let (mut offset, mut strides, mut step) = (0i64, vec![0i64; dim_count], 1i64);
    for (extent, result) in shape.iter().zip(&map.results).rev() {
        offset = offset.checked_add(step.checked_mul(result.constant)?)?;
        for (stride, coefficient) in strides.iter_mut().zip(&result.coefficients) {
            if *coefficient != 0 {
                *stride = stride.checked_add(step.checked_mul(*coefficient)?)?;
            }
        }
        step = step.checked_mul(i64::try_from((*extent).max(1)).ok()?)?;
    }
    Some((offset, strides))
}

/// Arguments and results are buffers; what else the stages make is a temporary. A view is what it is a view of.
fn fused_of(
    module: &Module,
    op: OpId,
    buffer_of: &mut dyn FnMut(ValueId) -> Result<BufferId, Diagnostic>,
) -> Result<Fused, Diagnostic> {
    let operation = module.op(op);
    let rows = operation.attr("rows").and_then(Attribute::as_i64);
    let rows = rows.expect("the verifier should have seen how many rows a launch has").unsigned_abs();
    let block = module.region_block(op, 0).expect("the verifier should have seen the stages of a launch");
    let end = module.block(block).last().expect("the verifier should have seen the end of the stages");
    let mut operands: Vec<FusedOperand> = Vec::new();
    // From values to the memory that they are, which is a number of a set of values, and from there to the operand.
    let mut memory = Memory::default();
    let mut known: HashMap<ValueId, u32> = HashMap::new();
    let mut add = |operand: FusedOperand| {
        operands.push(operand);
        operands.len() as u32 - 1
    };
    for stage in module.block_ops(block) {
        let stage = module.op(stage);
        if stage.opcode == Opcode::PygView {
            memory.unite(stage.results[0], stage.operands[0]);
        } else if stage.opcode == Opcode::PygNest {
            for (init, result) in stage.operands.iter().rev().zip(stage.results.iter().rev()) {
                memory.unite(*result, *init);
            }
        }
    }
    for (argument, value) in module.block(block).arguments.iter().zip(&operation.operands) {
        known.insert(memory.root(*argument), add(FusedOperand::Buffer(buffer_of(*value)?)));
    }
    for (yielded, result) in module.op(end).operands.iter().zip(&operation.results) {
        known.insert(memory.root(*yielded), add(FusedOperand::Buffer(buffer_of(*result)?)));
    }
    // Shapes are checked access by access: an operand has the shape of whichever value is met first.
    let (mut prologue, mut kernel, mut stages) = (Vec::new(), None, Vec::new());
    let is_kernel = |op: &OpId| module.op(*op).opcode == Opcode::PygKernel;
    // What a prologue makes has the shape that the kernel reads, which may be a view of it.
    let call = module.block_ops(block).find(is_kernel);
    let made_before = call.map(|call| module.op(call).operands.clone()).unwrap_or_default();
    let mut shown: HashMap<ValueId, ValueId> = HashMap::new();
    for value in &made_before {
        shown.entry(memory.root(*value)).or_insert(*value);
    }
    for stage in module.block_ops(block) {
        let opcode = module.op(stage).opcode;
        if matches!(opcode, Opcode::PygNest | Opcode::PygKernel) {
            let mut operand_of = |value: ValueId| {
                let root = memory.root(value);
                if let Some(operand) = known.get(&root) {
                    return Ok(BufferId(*operand));
                }
                let tensor = tensor_of(module.ty(*shown.get(&root).unwrap_or(&root)))
                    .expect("the verifier should have seen that launches work on tensors that run");
                let operand = add(FusedOperand::Temporary { dtype: tensor.dtype, shape: tensor.shape });
                known.insert(root, operand);
                Ok(BufferId(operand))
            };
            match opcode {
                Opcode::PygKernel => kernel = Some(kernel_of(module, stage, &mut operand_of)?),
                _ if kernel.is_none() && call.is_some() => prologue.push(nest_of(module, stage, &mut operand_of)?),
                _ => stages.push(nest_of(module, stage, &mut operand_of)?),
            }
        }
    }
    Ok(Fused { rows, operands, prologue, kernel, stages })
}

/// Which values are the same memory.
#[derive(Default)]
struct Memory(HashMap<ValueId, ValueId>);

impl Memory {
    fn root(&self, value: ValueId) -> ValueId {
        let mut value = value;
        while let Some(source) = self.0.get(&value) {
            value = *source;
        }
        value
    }

    fn unite(&mut self, value: ValueId, source: ValueId) {
        let source = self.root(source);
        self.0.insert(value, source);
    }
}

fn kernel_of(
    module: &Module,
    op: OpId,
    buffer_of: &mut dyn FnMut(ValueId) -> Result<BufferId, Diagnostic>,
) -> Result<KernelCall, Diagnostic> {
    let operation = module.op(op);
    let kernel = operation.attr("kernel").and_then(Attribute::as_str);
    let kernel = kernel.expect("the verifier should have seen the name of a kernel").to_string();
    let Some(Attribute::Dictionary(attributes)) = operation.attr("attributes") else {
        unreachable!("the verifier should have seen a kernel's attributes");
    };
    let attributes = attributes.iter().map(|(name, value)| {
        let value = attribute_of(value).expect("the verifier should have seen attributes of kinds that kernels have");
        (name.to_string(), value)
    });
    let attributes = attributes.collect();
    let inputs = operation.operands.iter().map(|value| buffer_of(*value)).collect::<Result<_, _>>()?;
    let outputs = operation.results.iter().map(|value| buffer_of(*value)).collect::<Result<_, _>>()?;
    let bodies = (0..operation.regions.len()).map(|region| verified_body(module, op, region)).collect();
    Ok(KernelCall { kernel, inputs, outputs, attributes, bodies })
}

/// An attribute as kernels have them; none if it is of no such kind.
pub fn attribute_of(attribute: &Attribute) -> Option<KernelAttr> {
    Some(match attribute {
        Attribute::Bool(value) => KernelAttr::Bool(*value),
        Attribute::Integer { .. } => KernelAttr::Int(attribute.as_i64()?),
        Attribute::DenseArray { values, .. } => KernelAttr::Ints(values.to_vec()),
        Attribute::Float { bits, .. } => KernelAttr::Float(f64::from_bits(*bits)),
        Attribute::String(text) => KernelAttr::Text(text.to_string()),
        _ => return None,
    })
}

/// What a launch computes, in a word.
pub fn name_of(work: &Work) -> String {
    match work {
        Work::Kernel(call) => call.kernel.clone(),
        Work::Fused(_) => "fused".to_string(),
        Work::Nest(nest) => match &nest.combine {
            Some(combine) => format!("reduce_{}", body_name(combine)),
            None => match (nest.inputs.is_empty(), body_name(&nest.map)) {
                (true, "copy") => "fill".to_string(),
                (_, name) => name.to_string(),
            },
        },
    }
}

/// The last operation of a body, whose value is the result.
fn body_name(body: &ScalarBody) -> &'static str {
    let last = body.instructions.iter().rev().find_map(|instruction| match instruction {
        ScalarInst::Op { op, .. } => Some(op.name()),
        _ => None,
    });
    last.unwrap_or("copy")
}
