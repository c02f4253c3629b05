//! `pyg.fused`: nests that a device may run row by row, alone or around a product.
//!
//! It computes what its stages compute one after another. So that rows may run at the same time, and each with room of its own:
//! 1. Its region holds nests, views and empty tensors, takes the inputs, and yields results of stages, each once.
//!    It may hold one `pyg.kernel` that the manifest lets stages follow: nests behind it are its epilogue, nests before it its
//!    prologue. It reads inputs, and what its prologue makes. A nest of the prologue makes one tensor, element by element, from
//!    inputs, for the kernel alone; it is no stage, so 2, 3 and 5 say nothing of it.
//! 2. The first parallel dimensions of every stage count the rows.
//! 3. What is made inside (an empty tensor, what a nest writes into it, what the kernel makes, a view of any) has as many equal parts, in order
//!    of its elements, and every nest touches it in its own row's part alone. Inputs may be read anywhere.
//! 4. A nest writes into what is made inside, and nobody reads what was there before: an init has one reader.
//! 5. A view keeps the type of elements, and temporaries of a row fit [`TEMPORARY_BYTES_MAX`] together.

use std::collections::HashMap;

use pygraph_artifact::plan::{Access, BufferId};
use pygraph_kernels::nest::{TEMPORARY_BYTES_MAX, row_dims, walks_in_order, walks_its_row};

use super::{ensure, reduce::body};
use crate::{
    emit::launch::walk_of,
    ir::{
        Attribute, Module, OpId, Opcode, Type, ValueId,
        ops::view::{View, show},
    },
    lower::site::{size_bytes, tensor_of},
};

/// See the module.
pub fn fused(view: &View) -> Result<(), String> {
    let rows = u64::try_from(view.int("rows")?).ok().filter(|rows| *rows > 0);
    let rows = rows.ok_or("`rows` should be at least 1")?;
    let own: Vec<&Type> = view.operands.iter().map(|value| view.module.ty(*value)).collect();
    let results: Vec<&Type> = view.results.iter().map(|value| view.module.ty(*value)).collect();
    body(view, 0, &own, Some(&results))?;
    let Some(block) = view.regions.first().and_then(|region| view.module.region(*region).blocks.first()) else {
        return Err("pyg.fused has no stages".to_string());
    };
    let arguments = view.module.block(*block).arguments.iter().map(|argument| (*argument, Made::Input));
    let kernel = view.module.block_ops(*block).find(|op| view.module.op(*op).opcode == Opcode::PygKernel);
    let mut stages = Stages {
        module: view.module,
        rows,
        made: arguments.collect(),
        readers: HashMap::new(),
        bytes: 0,
        nest_count: 0,
        is_prologue: kernel.is_some(),
    };
    for op in view.module.block_ops(*block) {
        stages.stage(op)?;
    }
    ensure(stages.nest_count > 0, || "pyg.fused holds no nest".to_string())?;
    ensure(stages.bytes / rows <= TEMPORARY_BYTES_MAX, || {
        format!("temporaries of a row take {} bytes, at most {TEMPORARY_BYTES_MAX} are allowed", stages.bytes / rows)
    })?;
    let inits = stages.made.iter().filter(|(_, made)| **made == Made::Init);
    let read_again = inits.into_iter().find(|(value, _)| stages.readers.get(value).copied().unwrap_or(0) > 1);
    ensure(read_again.is_none(), || "pyg.fused reads what a nest writes over".to_string())
}

fn element_count(ty: &Type) -> u64 {
    let count =
        tensor_of(ty).and_then(|tensor| tensor.shape.iter().try_fold(1u64, |count, extent| count.checked_mul(*extent)));
    count.unwrap_or(0)
}

/// Where a value of the region comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// From outside, or a view of that.
    Input,
    /// An empty tensor, or a view of what was made here.
    Here,
    /// By a nest before the kernel, or a view of that.
    Prologue,
    /// By a nest or the kernel.
    Stage,
    /// As before, and written over.
    Init,
}

struct Stages<'m> {
    module: &'m Module,
    rows: u64,
    made: HashMap<ValueId, Made>,
    /// How often each value is read.
    readers: HashMap<ValueId, usize>,
    /// Of everything made here.
    bytes: u64,
    nest_count: usize,
    /// True until the kernel, if there is one.
    is_prologue: bool,
}

impl Stages<'_> {
    fn stage(&mut self, op: OpId) -> Result<(), String> {
        let operation = self.module.op(op);
        for operand in &operation.operands {
            *self.readers.entry(*operand).or_default() += 1;
        }
        match operation.opcode {
            Opcode::PygEmpty => self.empty(operation.results[0]),
            Opcode::PygView => self.view(operation.operands[0], operation.results[0]),
            Opcode::PygNest if self.is_prologue => self.prologue(op),
            Opcode::PygNest => self.nest(op),
            Opcode::PygKernel => self.kernel(op),
            Opcode::PygYield => self.yielded(&operation.operands),
            other => Err(format!("pyg.fused holds {}, which is no stage", other.name())),
        }
    }

    fn empty(&mut self, value: ValueId) -> Result<(), String> {
        self.made.insert(value, Made::Here);
        self.bytes = self.bytes.saturating_add(size_bytes(self.module.ty(value)).unwrap_or(u64::MAX));
        Ok(())
    }

    fn view(&mut self, source: ValueId, value: ValueId) -> Result<(), String> {
        let [from, to] = [source, value].map(|value| self.module.ty(value));
        let element = |ty: &Type| tensor_of(ty).map(|tensor| tensor.dtype);
        ensure(element(from) == element(to), || format!("pyg.fused holds a view of {} as {}", show(from), show(to)))?;
        let made = self.made.get(&source).copied().filter(|made| matches!(made, Made::Input | Made::Prologue));
        self.made.insert(value, made.unwrap_or(Made::Here));
        Ok(())
    }

    fn yielded(&self, values: &[ValueId]) -> Result<(), String> {
        for (at, value) in values.iter().enumerate() {
            let is_new = self.made.get(value) == Some(&Made::Stage) && !values[..at].contains(value);
            ensure(is_new, || {
                format!("pyg.fused yields as result {at} what is no result of a stage, or yielded twice")
            })?;
        }
        Ok(())
    }

    fn kernel(&mut self, op: OpId) -> Result<(), String> {
        let operation = self.module.op(op);
        let name = operation.attr("kernel").and_then(Attribute::as_str).unwrap_or_default();
        let kernel = pygraph_kernels::manifest::find(name).filter(|kernel| kernel.takes_stages);
        ensure(kernel.is_some(), || format!("pyg.fused holds the kernel `{name}`, which no stages can follow"))?;
        ensure(self.is_prologue, || format!("pyg.fused holds the kernel `{name}` behind another one"))?;
        self.is_prologue = false;
        let is_made = |operand: &ValueId| matches!(self.made.get(operand), Some(Made::Input | Made::Prologue));
        let made_here = operation.operands.iter().position(|operand| !is_made(operand));
        ensure(made_here.is_none(), || {
            format!("kernel `{name}` reads as operand {} what is made in its own launch", made_here.unwrap_or(0))
        })?;
        for result in &operation.results {
            let elements = element_count(self.module.ty(*result));
            ensure(elements.is_multiple_of(self.rows), || {
                format!("kernel `{name}` makes {elements} elements for {} rows", self.rows)
            })?;
            self.made.insert(*result, Made::Stage);
        }
        Ok(())
    }

    fn prologue(&mut self, op: OpId) -> Result<(), String> {
        let operation = self.module.op(op);
        let ([result], Some(init)) = (&operation.results[..], operation.operands.last()) else {
            return Err(format!("a nest before a kernel makes {} tensors", operation.results.len()));
        };
        ensure(operation.regions.len() == 1, || "a nest before a kernel folds".to_string())?;
        let is_empty = self.module.defining_op(*init).map(|op| self.module.op(op).opcode) == Some(Opcode::PygEmpty);
        ensure(is_empty && self.made.get(init) == Some(&Made::Here), || {
            "a nest before a kernel writes into what is no empty tensor of its own".to_string()
        })?;
        let inputs = &operation.operands[..operation.operands.len() - 1];
        let inside = inputs.iter().position(|input| self.made.get(input) != Some(&Made::Input));
        ensure(inside.is_none(), || {
            format!("a nest before a kernel reads as operand {} what is made in its own launch", inside.unwrap_or(0))
        })?;
        let extents = operation.attr("extents").and_then(Attribute::as_i64_slice).unwrap_or_default();
        let extents: Vec<u64> = extents.iter().map(|extent| u64::try_from(*extent).unwrap_or(0)).collect();
        let Some(Attribute::Array(maps)) = operation.attr("maps") else { return Err("`maps` is missing".to_string()) };
        let walk = match maps.last() {
            Some(Attribute::AffineMap(map)) => walk_of(self.module, *init, map, extents.len()),
            _ => None,
        };
        let elements = element_count(self.module.ty(*init));
        let is_whole = walk.is_some_and(|(offset, strides)| {
            walks_in_order(&Access { buffer: BufferId(0), offset, strides }, &extents, elements)
        });
        ensure(is_whole, || {
            "a nest before a kernel does not make its tensor element by element, in order".to_string()
        })?;
        self.bytes -= size_bytes(self.module.ty(*init)).unwrap_or(u64::MAX).min(self.bytes);
        self.made.insert(*init, Made::Init);
        self.made.insert(*result, Made::Prologue);
        self.nest_count += 1;
        Ok(())
    }

    fn nest(&mut self, op: OpId) -> Result<(), String> {
        let operation = self.module.op(op);
        let extents = operation.attr("extents").and_then(Attribute::as_i64_slice).ok_or("`extents` is missing")?;
        let extents: Vec<u64> = extents.iter().map(|extent| u64::try_from(*extent).unwrap_or(0)).collect();
        let number =
            |name: &str| operation.attr(name).and_then(Attribute::as_i64).and_then(|n| usize::try_from(n).ok());
        let (input_count, reduced) = (number("input_count").unwrap_or(0), number("reduction_dims").unwrap_or(0));
        let dims = row_dims(&extents, reduced, self.rows)
            .ok_or_else(|| format!("the first of a stage's extents {extents:?} do not count {} rows", self.rows))?;
        let Some(Attribute::Array(maps)) = operation.attr("maps") else { return Err("`maps` is missing".to_string()) };
        for (at, (operand, map)) in operation.operands.iter().zip(maps.iter()).enumerate() {
            let is_written = at >= input_count;
            if self.made.get(operand) == Some(&Made::Input) {
                ensure(!is_written, || format!("a stage writes into operand {at}, which comes from outside"))?;
                continue;
            }
            ensure(self.made.get(operand) != Some(&Made::Prologue), || {
                format!("a stage touches operand {at}, which is made for the kernel alone")
            })?;
            let Attribute::AffineMap(map) = map else { continue };
            let walk = walk_of(self.module, *operand, map, extents.len());
            let elements = element_count(self.module.ty(*operand));
            let stays = walk.is_some_and(|(offset, strides)| {
                let access = Access { buffer: BufferId(0), offset, strides };
                walks_its_row(&access, &extents, dims, self.rows, elements)
            });
            ensure(stays, || {
                format!("a stage touches operand {at}, {}, in other rows than its own", show(self.module.ty(*operand)))
            })?;
            if is_written {
                ensure(!self.is_view(*operand), || format!("a stage writes into operand {at}, which is a view"))?;
                self.made.insert(*operand, Made::Init);
            }
        }
        self.nest_count += 1;
        self.made.extend(operation.results.iter().map(|result| (*result, Made::Stage)));
        Ok(())
    }

    fn is_view(&self, value: ValueId) -> bool {
        self.module.defining_op(value).is_some_and(|op| self.module.op(op).opcode == Opcode::PygView)
    }
}
