//! Programs: a function's signature, its segments and their steps.

use std::sync::Arc;

use pygraph_artifact::{
    plan::{Bind, Launch, Param, Place, Program, ResultSlot, Segment, Step},
    steps::DEPTH_MAX,
};

use super::{
    buffers::{Buffers, Constants},
    launch::{name_of, work_of},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, Module, OpId, Opcode, ValueId},
    lower::site::{Tensor, tensor_of},
    passes::plan_memory::{ARENA_BYTES, OFFSETS},
};

/// The program that a function is, and for each of its launches, in order, the operation.
pub fn emit_program(
    module: &Module,
    function: OpId,
    constants: &mut Constants,
) -> Result<(Program, Vec<OpId>), Diagnostics> {
    let block = module.region_block(function, 0).ok_or_else(|| module.error(function, "the function has no body"))?;
    let arena_bytes = module.op(function).attr(ARENA_BYTES).and_then(Attribute::as_i64);
    let arena_bytes = arena_bytes.and_then(|bytes| u64::try_from(bytes).ok());
    let arena_bytes = arena_bytes.ok_or_else(|| {
        module.error(function, format!("`{ARENA_BYTES}` is missing: run `plan-memory` before a program is emitted"))
    })?;
    let mut emission = Emission { module, constants, buffers: Buffers::new(module), launch_ops: Vec::new() };
    for (index, argument) in (0u32..).zip(&module.block(block).arguments) {
        emission.buffers.set_place(*argument, Some(Place::Param { index }));
    }
    let mut segments = Vec::new();
    let mut results = Vec::new();
    for op in module.block_ops(block) {
        match module.op(op).opcode {
            Opcode::PygSegment => segments.push(emission.segment(op)?),
            Opcode::FuncReturn | Opcode::PygReturn => results = emission.results(function, op)?,
            other => {
                return Err(module
                    .error(op, format!("`{}` is in no segment: run `form-segments`", other.name()))
                    .into());
            }
        }
    }
    let name = module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default().to_string();
    let params = params(module, function, block)?;
    let Emission { buffers, launch_ops, .. } = emission;
    let program = Program { name, params, results, buffers: buffers.list, arena_bytes, device: 0, segments };
    Ok((program, launch_ops))
}

fn params(module: &Module, function: OpId, block: BlockId) -> Result<Vec<Param>, Diagnostics> {
    let mut params: Vec<Param> = Vec::new();
    for (index, argument) in module.block(block).arguments.iter().enumerate() {
        let Tensor { dtype, shape } = tensor(module, function, *argument, "argument", index)?;
        let attrs = attrs_at(module, function, "arg_attrs", index);
        let text = |name: &str| attrs.as_ref().and_then(|attrs| attrs.get(name)?.as_str().map(str::to_string));
        let updated_by = attrs.as_ref().and_then(|attrs| attrs.get("pyg.updated_by")?.as_i64());
        let updated_by = updated_by.and_then(|result| u32::try_from(result).ok());
        let unstated = if updated_by.is_some() { Bind::State } else { Bind::Step };
        let bind = match text("pyg.bind") {
            Some(name) => Bind::from_name(&name).ok_or_else(|| {
                let known: Vec<&str> = Bind::ALL.iter().map(|bind| bind.name()).collect();
                module.error(
                    function,
                    format!("argument {index} is bound as `{name}`, which is none of {}", known.join(", ")),
                )
            })?,
            None => unstated,
        };
        let name = text("pyg.name").unwrap_or_else(|| format!("arg{index}"));
        params.push(Param { name, dtype, shape, bind, updated_by });
    }
    Ok(params)
}

fn tensor(module: &Module, function: OpId, value: ValueId, role: &str, index: usize) -> Result<Tensor, Diagnostic> {
    tensor_of(module.ty(value)).ok_or_else(|| {
        module.error(function, format!("{role} {index} of the function has a type that does not run yet"))
    })
}

fn attrs_at(module: &Module, function: OpId, list: &str, index: usize) -> Option<Arc<AttrMap>> {
    let Some(Attribute::Array(items)) = module.op(function).attr(list) else { return None };
    if let Some(Attribute::Dictionary(attrs)) = items.get(index) { Some(attrs.clone()) } else { None }
}

struct Emission<'m> {
    module: &'m Module,
    constants: &'m mut Constants,
    buffers: Buffers,
    launch_ops: Vec<OpId>,
}

impl Emission<'_> {
    fn segment(&mut self, op: OpId) -> Result<Segment, Diagnostic> {
        let name = self.module.op(op).attr("sym_name").and_then(Attribute::as_str).unwrap_or("s0").to_string();
        let body = self.region(op, 0)?;
        let steps = self.steps(body, 0)?;
        self.hand_on(op, body)?;
        Ok(Segment { name, steps })
    }

    fn results(&mut self, function: OpId, end: OpId) -> Result<Vec<ResultSlot>, Diagnostic> {
        let mut results = Vec::new();
        for (index, value) in self.module.op(end).operands.iter().enumerate() {
            let Tensor { dtype, shape } = tensor(self.module, function, *value, "result", index)?;
            let attrs = attrs_at(self.module, function, "res_attrs", index);
            let name = attrs.and_then(|attrs| attrs.get("pyg.name")?.as_str().map(str::to_string));
            let name = name.unwrap_or_else(|| format!("out{index}"));
            let buffer = self.buffers.id(self.module, end, *value)?;
            results.push(ResultSlot { name, dtype, shape, buffer });
        }
        Ok(results)
    }

    fn region(&self, op: OpId, region: usize) -> Result<BlockId, Diagnostic> {
        self.module.region_block(op, region).ok_or_else(|| self.module.error(op, "a region of it has no block"))
    }

    fn steps(&mut self, block: BlockId, depth: usize) -> Result<Vec<Step>, Diagnostic> {
        let mut steps = Vec::new();
        for op in self.module.block_ops(block) {
            let operation = self.module.op(op);
            if depth >= DEPTH_MAX {
                return Err(self.module.error(op, format!("loops and choices nest deeper than {DEPTH_MAX} levels")));
            }
            match operation.opcode {
                Opcode::PygEmpty | Opcode::PygYield => {}
                Opcode::PygView => {
                    let place = self.buffers.place(operation.operands[0]);
                    self.buffers.set_place(operation.results[0], place);
                }
                Opcode::PygConstant => {
                    let Some(Attribute::Dense(elements)) = operation.attr("value") else {
                        return Err(self.module.error(op, "`value` is no constant"));
                    };
                    let place = self.constants.place(elements);
                    let place =
                        place.ok_or_else(|| self.module.error(op, "a constant of this type does not run yet"))?;
                    self.buffers.set_place(operation.results[0], Some(place));
                }
                Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused => steps.extend(self.launch(op)?),
                Opcode::PygWhile => steps.push(self.while_loop(op, depth)?),
                Opcode::PygSwitch => steps.push(self.switch(op, depth)?),
                other => {
                    let name = other.name();
                    return Err(self.module.error(op, format!("`{name}` is no step: run `lower-to-launches`")));
                }
            }
        }
        Ok(steps)
    }

    /// Sets the places of an operation's results from its attribute.
    fn place_results(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let operation = self.module.op(op);
        let offsets = operation.attr(OFFSETS).and_then(Attribute::as_i64_slice).unwrap_or(&[]);
        if offsets.len() != operation.results.len() {
            return Err(self.module.error(op, format!("`{OFFSETS}` has not one number a result: run `plan-memory`")));
        }
        for (offset, result) in offsets.iter().zip(&operation.results) {
            let place = u64::try_from(*offset).ok().map(|offset| Place::Arena { offset });
            self.buffers.set_place(*result, place);
        }
        Ok(())
    }

    /// None for a nest without points: it leaves its inits as they are.
    fn launch(&mut self, op: OpId) -> Result<Option<Step>, Diagnostic> {
        self.place_results(op)?;
        let operation = self.module.op(op);
        if operation.opcode == Opcode::PygNest {
            let inits = operation.operands.iter().rev().zip(operation.results.iter().rev());
            for (init, result) in inits {
                self.check_same_place(op, *init, *result)?;
            }
            let extents = operation.attr("extents").and_then(Attribute::as_i64_slice);
            if extents.is_some_and(|extents| extents.contains(&0)) {
                return Ok(None);
            }
        }
        let (module, buffers) = (self.module, &mut self.buffers);
        let work = work_of(module, op, &mut |value| buffers.id(module, op, value))?;
        let number = self.launch_ops.len();
        self.launch_ops.push(op);
        let given = operation.attr("name").and_then(Attribute::as_str);
        let name = format!("{}_{number}", given.map_or_else(|| name_of(&work), str::to_string));
        let location = module.location(operation.loc).position.to_string();
        Ok(Some(Step::Launch(Launch { name, location, work })))
    }

    fn while_loop(&mut self, op: OpId, depth: usize) -> Result<Step, Diagnostic> {
        let (condition, body) = (self.region(op, 0)?, self.region(op, 1)?);
        let operation = self.module.op(op);
        self.place_results(op)?;
        for block in [condition, body] {
            for (operand, argument) in operation.operands.iter().zip(&self.module.block(block).arguments) {
                let place = self.buffers.place(*operand);
                self.buffers.set_place(*argument, place);
            }
        }
        for (operand, result) in operation.operands.iter().zip(&operation.results) {
            self.check_same_place(op, *operand, *result)?;
        }
        let condition_steps = self.steps(condition, depth + 1)?;
        let predicate = match self.yielded(op, condition)?[..] {
            [predicate] => self.buffers.id(self.module, op, predicate)?,
            _ => return Err(self.module.error(op, "the condition of a loop yields one value")),
        };
        let body_steps = self.steps(body, depth + 1)?;
        self.hand_on(op, body)?;
        Ok(Step::While { condition: condition_steps, predicate, body: body_steps })
    }

    fn switch(&mut self, op: OpId, depth: usize) -> Result<Step, Diagnostic> {
        self.place_results(op)?;
        let operation = self.module.op(op);
        let index = self.buffers.id(self.module, op, operation.operands[0])?;
        let mut branches = Vec::new();
        for region in 0..operation.regions.len() {
            let block = self.region(op, region)?;
            branches.push(self.steps(block, depth + 1)?);
            self.hand_on(op, block)?;
        }
        Ok(Step::Switch { index, branches })
    }

    fn yielded(&self, op: OpId, block: BlockId) -> Result<Vec<ValueId>, Diagnostic> {
        let end = self.module.block(block).last().filter(|end| self.module.op(*end).opcode == Opcode::PygYield);
        let end = end.ok_or_else(|| self.module.error(op, "a region ends with `pyg.yield`"))?;
        Ok(self.module.op(end).operands.to_vec())
    }

    /// The results are what the region yields: in one place, which a segment's results take from there.
    fn hand_on(&mut self, op: OpId, block: BlockId) -> Result<(), Diagnostic> {
        let results = self.module.op(op).results.clone();
        for (value, result) in self.yielded(op, block)?.into_iter().zip(results) {
            if self.module.op(op).opcode == Opcode::PygSegment {
                let place = self.buffers.place(value);
                self.buffers.set_place(result, place);
            }
            self.check_same_place(op, value, result)?;
        }
        Ok(())
    }

    /// A value that is handed on must lie where the other is; one without content has no place.
    fn check_same_place(&self, op: OpId, from: ValueId, to: ValueId) -> Result<(), Diagnostic> {
        match (self.buffers.place(from), self.buffers.place(to)) {
            (Some(from), Some(to)) if from != to => Err(self
                .module
                .error(op, format!("a value handed on at {from:?} is read at {to:?}: plan memory again"))),
            _ => Ok(()),
        }
    }
}
