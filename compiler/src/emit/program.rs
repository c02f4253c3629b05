//! Programs: a function's signature, its segments and their steps.

use std::{collections::BTreeSet, sync::Arc};

use pygraph_artifact::{
    deployment::Deployment,
    order::add_edges,
    plan::{
        Bind, CacheLayout, Field, FieldSource, Initial, KvArena, Launch, Node, Param, ParamBlock, Place,
        PositionSource, Program, ResultSlot, Segment, SlotRows, Spread, Step,
    },
    steps::DEPTH_MAX,
};

use super::{
    buffers::{Buffers, Constants},
    launch::{name_of, work_of},
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    ir::{AttrMap, Attribute, BlockId, Module, OpId, Opcode, ValueId},
    lower::{
        block::{BlockField, block_of},
        place::{self, places_of},
        site::{Tensor, tensor_of},
    },
    passes::{
        choose_deployment::DEPLOY,
        place_caches::arena_of,
        plan_memory::ARENA_BYTES,
        signature::{Binding, argument_index, bindings},
        thread_random_state::INITIAL,
    },
};

/// The program that a function is, and for each of its launches, in order, the operation.
pub fn emit_program(
    module: &Module,
    function: OpId,
    constants: &mut Constants,
    arenas: &[KvArena],
) -> Result<(Program, Vec<OpId>), Diagnostics> {
    let block = module.region_block(function, 0).ok_or_else(|| module.error(function, "the function has no body"))?;
    let arena_bytes = module.op(function).attr(ARENA_BYTES).and_then(Attribute::as_i64);
    let arena_bytes = arena_bytes.expect("memory should be planned before a program is emitted").unsigned_abs();
    let mut emission = Emission {
        module,
        constants,
        buffers: Buffers::new(module),
        launch_ops: Vec::new(),
        blocks: Vec::new(),
        block: None,
        arenas,
    };
    let bound = bindings(module, function);
    for ((index, argument), Binding { bind, .. }) in (0u32..).zip(&module.block(block).arguments).zip(bound) {
        // What changes is reached through a block.
        if matches!(bind, Bind::Once | Bind::State) {
            emission.buffers.set_place(*argument, Some(Place::Param { index }));
        }
    }
    let mut segments = Vec::new();
    let (mut ensures, mut retires) = (Vec::new(), Vec::new());
    let mut results = Vec::new();
    for op in module.block_ops(block) {
        match module.op(op).opcode {
            Opcode::PygSegment => segments.push(emission.segment(op)?),
            Opcode::PygBlockWrite => {}
            Opcode::PygKvEnsure | Opcode::PygKvRetire => {
                let source = module.op(op).operands.first().and_then(|value| argument_index(module, function, *value));
                let source = source.map(|index| PositionSource::Param { index: index as u32 });
                let rows = emission.rows(op, source);
                if module.op(op).opcode == Opcode::PygKvEnsure { ensures.push(rows) } else { retires.push(rows) }
            }
            Opcode::FuncReturn | Opcode::PygReturn => results = emission.results(function, op)?,
            other => {
                return Err(module
                    .error(op, format!("`{}` is in no segment: run `form-segments`", other.name()))
                    .into());
            }
        }
    }
    let name = module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default().to_string();
    let params = params(module, function, block, arenas)?;
    ensures.extend(whole(&params, arenas, &ensures, &segments));
    let Emission { buffers, launch_ops, blocks, .. } = emission;
    let mut program = Program {
        name,
        params,
        results,
        buffers: buffers.list,
        arena_bytes,
        blocks,
        device: 0,
        ensures,
        retires,
        segments,
    };
    add_edges(&mut program);
    Ok((program, launch_ops))
}

/// Arenas that nothing is said of are mapped whole.
fn whole(params: &[Param], arenas: &[KvArena], ensures: &[SlotRows], segments: &[Segment]) -> Vec<SlotRows> {
    let mut said: BTreeSet<u32> = ensures.iter().map(|ensure| ensure.arena).collect();
    segments.iter().for_each(|segment| said.extend(ensured_in(&segment.nodes)));
    let used: BTreeSet<u32> = params.iter().filter_map(|param| Some(param.cache.as_ref()?.arena)).collect();
    let whole = used.difference(&said).map(|arena| {
        let KvArena { slots, tokens_max, .. } = arenas[*arena as usize];
        let offsets = vec![tokens_max as i64 - 1; slots as usize];
        SlotRows { arena: *arena, source: None, spread: Spread::One, offsets, window: None }
    });
    whole.collect()
}

fn ensured_in(nodes: &[Node]) -> Vec<u32> {
    let of = |node: &Node| {
        let own = if let Step::Ensure(rows) = &node.step { Some(rows.arena) } else { None };
        own.into_iter().chain(node.step.inside().into_iter().flat_map(ensured_in)).collect::<Vec<u32>>()
    };
    nodes.iter().flat_map(of).collect()
}

/// Where a cache lies, from what `find-caches` wrote on its argument.
fn layout_of(attrs: &AttrMap, arenas: &[KvArena], tensor: &Tensor) -> Option<CacheLayout> {
    let arena = arenas.iter().position(|arena| Some(&arena.name) == arena_of(attrs).as_ref())?;
    let Some(Attribute::Dictionary(cache)) = attrs.get("pyg.kv") else { return None };
    let number = |name: &str| cache.get(name).and_then(Attribute::as_i64).and_then(|value| u64::try_from(value).ok());
    let (slot, token, offset) = (number("slot_dim"), number("token_dim")?, number("offset")?);
    let layer = number("layer_dim");
    let element = tensor.dtype.size_bytes() as u64;
    let mut strides = vec![0; tensor.shape.len()];
    if let Some(slot) = slot {
        *strides.get_mut(slot as usize)? = arenas[arena].slot_bytes() / element;
    }
    *strides.get_mut(token as usize)? = arenas[arena].token_bytes / element;
    if let Some(layer) = layer {
        *strides.get_mut(layer as usize)? = number("layer_bytes")? / element;
    }
    let mut step = 1;
    for dim in (0..strides.len()).rev().filter(|dim| ![slot, layer, Some(token)].contains(&Some(*dim as u64))) {
        strides[dim] = step;
        step *= tensor.shape[dim];
    }
    Some(CacheLayout {
        arena: arena as u32,
        offset,
        strides,
        slot_dim: slot.map(|dim| dim as u32),
        token_dim: token as u32,
    })
}

fn params(module: &Module, function: OpId, block: BlockId, arenas: &[KvArena]) -> Result<Vec<Param>, Diagnostics> {
    let mut params: Vec<Param> = Vec::new();
    let bound = bindings(module, function);
    for ((index, argument), Binding { bind, updated_by }) in module.block(block).arguments.iter().enumerate().zip(bound)
    {
        let tensor = tensor(module, function, *argument, "argument", index)?;
        let attrs = attrs_at(module, function, "arg_attrs", index);
        let text = |name: &str| attrs.as_ref().and_then(|attrs| attrs.get(name)?.as_str().map(str::to_string));
        let name = text("pyg.name").unwrap_or_else(|| format!("arg{index}"));
        let cache = attrs.as_ref().and_then(|attrs| layout_of(attrs, arenas, &tensor));
        let Tensor { dtype, shape } = tensor;
        let initial = text(INITIAL).and_then(|spelling| Initial::from_name(&spelling));
        params.push(Param { name, dtype, shape, bind, updated_by, cache, initial });
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
    blocks: Vec<ParamBlock>,
    arenas: &'m [KvArena],
    /// The block of the segment that is emitted, by number, with its fields.
    block: Option<(u32, Vec<BlockField>)>,
}

impl Emission<'_> {
    fn segment(&mut self, op: OpId) -> Result<Segment, Diagnostic> {
        let name = self.module.op(op).attr("sym_name").and_then(Attribute::as_str).unwrap_or("s0").to_string();
        let form = self.module.op(op).attr(DEPLOY).and_then(Attribute::as_str);
        let form = form.expect("every segment should have a form before a program is emitted");
        let deploy = Deployment::from_name(form).expect("the verifier should have seen a form that there is");
        self.block = block_of(self.module, op).map(|(block, fields)| {
            let bytes = self.module.op(block).attr("bytes").and_then(Attribute::as_i64).unwrap_or(0) as u64;
            let name = super::name_of(self.module, block).to_string();
            let listed = fields.iter().map(|BlockField { name, offset, source, .. }| Field {
                name: name.clone(),
                offset: *offset,
                source: *source,
            });
            self.blocks.push(ParamBlock { name, bytes, fields: listed.collect() });
            (self.blocks.len() as u32 - 1, fields)
        });
        let body = self.region(op, 0);
        let nodes = self.nodes(body, 0)?;
        self.hand_on(op, body)?;
        Ok(Segment { name, deploy, block: self.block.as_ref().map(|(number, _)| *number), nodes })
    }

    /// What lies behind a field of the segment's block.
    fn field_place(&self, is_it: impl Fn(&BlockField) -> bool) -> Option<Place> {
        let (block, fields) = self.block.as_ref()?;
        let field = fields.iter().position(is_it)?;
        Some(Place::Field { block: *block, field: field as u32 })
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

    fn region(&self, op: OpId, region: usize) -> BlockId {
        self.module.region_block(op, region).expect("the verifier should have seen the blocks of regions")
    }

    fn nodes(&mut self, block: BlockId, depth: usize) -> Result<Vec<Node>, Diagnostic> {
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
                        unreachable!("the verifier should have seen the elements of a constant");
                    };
                    let place = self.constants.place(elements);
                    let place = place.ok_or_else(|| self.module.error(op, "the constant is too large"))?;
                    self.buffers.set_place(operation.results[0], Some(place));
                }
                Opcode::PygBlockField => {
                    let name = operation.attr("field").and_then(Attribute::as_str).unwrap_or_default();
                    let place = self.field_place(|field| field.name == name);
                    self.buffers.set_place(operation.results[0], place);
                }
                Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused => steps.extend(self.launch(op)?),
                Opcode::PygKvEnsure | Opcode::PygKvRetire => {
                    let source = operation.operands.first().copied();
                    let source = source.map(|value| self.buffers.id(self.module, op, value)).transpose()?;
                    let rows = self.rows(op, source.map(PositionSource::Buffer));
                    let is_ensure = operation.opcode == Opcode::PygKvEnsure;
                    steps.push(if is_ensure { Step::Ensure(rows) } else { Step::Retire(rows) });
                }
                Opcode::PygWhile => steps.push(self.while_loop(op, depth)?),
                Opcode::PygSwitch => steps.push(self.switch(op, depth)?),
                other => {
                    let name = other.name();
                    return Err(self.module.error(op, format!("`{name}` is no step of a segment")));
                }
            }
        }
        // Edges follow from buffers, all of which are known in the end.
        Ok(steps.into_iter().map(|step| Node { after: Vec::new(), step }).collect())
    }

    fn rows(&self, op: OpId, source: Option<PositionSource>) -> SlotRows {
        let operation = self.module.op(op);
        let name = match operation.attr("arena") {
            Some(Attribute::Symbol(path)) => path.last().map(|name| name.to_string()),
            _ => None,
        };
        let arena = self.arenas.iter().position(|arena| Some(&arena.name) == name.as_ref());
        let spelling = operation.attr("spread").and_then(Attribute::as_str).unwrap_or_default();
        let spread = Spread::ALL.iter().find(|(known, _)| *known == spelling).map(|(_, spread)| *spread);
        let offsets = operation.attr("offsets").and_then(Attribute::as_i64_slice).unwrap_or(&[]).to_vec();
        let window = operation.attr("window").and_then(Attribute::as_i64).map(i64::unsigned_abs);
        let arena = arena.expect("the verifier should have seen an arena of that name") as u32;
        let spread = spread.expect("the verifier should have seen a spread that there is");
        SlotRows { arena, source, spread, offsets, window }
    }

    /// Sets the places of an operation's results from its attribute.
    fn place_results(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let places = places_of(self.module, op);
        let places = places
            .ok_or_else(|| self.module.error(op, format!("`{}` is missing: run `plan-memory`", place::PLACES)))?;
        for (place, result) in places.into_iter().zip(&self.module.op(op).results) {
            let place = match place {
                place::Place::Arena(offset) => Some(Place::Arena { offset }),
                place::Place::Argument(index) => Some(Place::Param { index }),
                place::Place::Result(number) => {
                    let source = FieldSource::ResultAddress { result: number };
                    let place = self.field_place(|field| field.source == source);
                    Some(place.expect("the addresses of results should be in blocks before a program is emitted"))
                }
            };
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
        Ok(Some(Step::Launch(Launch { name, location, work, functions: Vec::new() })))
    }

    fn while_loop(&mut self, op: OpId, depth: usize) -> Result<Step, Diagnostic> {
        let (condition, body) = (self.region(op, 0), self.region(op, 1));
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
        let condition_nodes = self.nodes(condition, depth + 1)?;
        let [predicate] = self.yielded(condition)[..] else {
            unreachable!("the verifier should have seen a loop's one predicate");
        };
        let predicate = self.buffers.id(self.module, op, predicate)?;
        let body_nodes = self.nodes(body, depth + 1)?;
        self.hand_on(op, body)?;
        Ok(Step::While { condition: condition_nodes, predicate, body: body_nodes })
    }

    fn switch(&mut self, op: OpId, depth: usize) -> Result<Step, Diagnostic> {
        self.place_results(op)?;
        let operation = self.module.op(op);
        let index = self.buffers.id(self.module, op, operation.operands[0])?;
        let mut branches = Vec::new();
        for region in 0..operation.regions.len() {
            let block = self.region(op, region);
            branches.push(self.nodes(block, depth + 1)?);
            self.hand_on(op, block)?;
        }
        Ok(Step::Switch { index, branches })
    }

    fn yielded(&self, block: BlockId) -> Vec<ValueId> {
        let end = self.module.block(block).last().expect("the verifier should have seen the ends of regions");
        self.module.op(end).operands.to_vec()
    }

    /// The results are what the region yields: in one place, which a segment's results take from there.
    fn hand_on(&mut self, op: OpId, block: BlockId) -> Result<(), Diagnostic> {
        let results = self.module.op(op).results.clone();
        for (value, result) in self.yielded(block).into_iter().zip(results) {
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
