//! What must hold of a plan before anything in it is used.
//!
//! 1. Names of programs, and within a program of segments, parameters and results, are unique.
//! 2. An array has at most [`RANK_MAX`] dimensions and [`ARRAY_BYTES_MAX`] bytes; an arena at most [`ARENA_BYTES_MAX`].
//! 3. Every buffer lies within its arena, its parameter or the constants, at a multiple of [`ALIGNMENT`].
//! 4. A buffer over a parameter has the parameter's size in bytes.
//! 5. A result has the type of its buffer. A parameter that a result updates has the type of that result and is
//!    bound as state or host value. What begins as a random generator's state is state, and two words.
//! 6. Every buffer that a step names exists, and what a launch writes lies in the arena.
//!    Stages of a fused launch, and its kernel, name operands that exist, and its temporaries keep to rule 2.
//! 7. Steps nest at most [`DEPTH_MAX`] deep; a loop's predicate is one `i1`, a choice's index is one `i32`, and a
//!    choice has a branch.
//!
//! What holds inside a loop nest or a kernel call (types, bounds of accesses, attributes, overlap of what it reads and
//! writes) is checked by the crate that executes them; the runtime asks it before it runs anything.

use std::collections::HashSet;

use crate::{
    bytes::ALIGNMENT,
    dtype::{DType, Family},
    order::dependences,
    plan::{
        ADDRESS_BYTES, Bind, Buffer, BufferId, FieldSource, Fused, FusedOperand, Initial, KvArena, Node, Param,
        ParamBlock, Place, Plan, PositionSource, Program, ResultSlot, Segment, SlotRows, Spread, Step, Work,
        field_alignment,
    },
    steps::DEPTH_MAX,
};

/// The most dimensions an array may have.
pub const RANK_MAX: usize = 64;

/// The largest array, in bytes: 1 TiB, beyond any machine that this release runs on. It keeps sums of sizes far from
/// overflow.
pub const ARRAY_BYTES_MAX: u64 = 1 << 40;

/// The largest arena, in bytes.
pub const ARENA_BYTES_MAX: u64 = 1 << 40;

/// The most slots that an arena of caches may have: what is kept of each is small, but not nothing.
pub const SLOTS_MAX: u64 = 1 << 16;

/// Checks a plan whose constants have `constants_bytes` bytes; reports the first thing that is wrong.
pub fn validate(plan: &Plan, constants_bytes: u64) -> Result<(), InvalidPlan> {
    check_unique("program", plan.programs.iter().map(|program| program.name.as_str()))
        .map_err(|reason| InvalidPlan { program: String::new(), reason })?;
    let invalid = |reason| InvalidPlan { program: String::new(), reason };
    check_unique("cache arena", plan.arenas.iter().map(|arena| arena.name.as_str())).map_err(invalid)?;
    plan.arenas.iter().try_for_each(check_arena).map_err(invalid)?;
    if let Some(other) = plan.arenas.iter().find(|arena| arena.handle_bytes != plan.arenas[0].handle_bytes) {
        return Err(invalid(Invalid::Arena {
            arena: other.name.clone(),
            reason: "has handles of another size than the first",
        }));
    }
    for program in &plan.programs {
        check_caches(plan, program)
            .and_then(|()| validate_program(program, constants_bytes))
            .map_err(|reason| InvalidPlan { program: program.name.clone(), reason })?;
    }
    Ok(())
}

/// Size in bytes of a dense array, or none if it breaks [`RANK_MAX`] or [`ARRAY_BYTES_MAX`].
pub fn array_bytes(dtype: DType, shape: &[u64]) -> Option<u64> {
    if shape.len() > RANK_MAX {
        return None;
    }
    // An empty array may have other extents of any size, but not such that code which multiplies them overflows.
    let mut largest = dtype.size_bytes() as u64;
    for extent in shape {
        largest = largest.checked_mul((*extent).max(1)).filter(|bytes| *bytes <= ARRAY_BYTES_MAX)?;
    }
    Some(if shape.contains(&0) { 0 } else { largest })
}

/// Sizes that can be reserved.
fn check_arena(arena: &KvArena) -> Result<(), Invalid> {
    let refuse = |reason| Invalid::Arena { arena: arena.name.clone(), reason };
    if [arena.slots, arena.tokens_max, arena.token_bytes, arena.handle_bytes].contains(&0) {
        return Err(refuse("has a size of 0"));
    }
    if arena.slots > SLOTS_MAX {
        return Err(refuse("has more slots than any arena may"));
    }
    let rows = arena.tokens_max.checked_mul(arena.token_bytes);
    let slot = rows.and_then(|rows| rows.checked_next_multiple_of(arena.handle_bytes));
    let all = slot.and_then(|slot| slot.checked_mul(arena.slots)).filter(|bytes| *bytes <= ARENA_BYTES_MAX);
    if all.is_none() { Err(refuse("is larger than any arena may be")) } else { Ok(()) }
}

/// Every cache lies in its arena, row by row, and is state; what is ensured and retired exists.
fn check_caches(plan: &Plan, program: &Program) -> Result<(), Invalid> {
    for (index, param) in program.params.iter().enumerate() {
        let Some(layout) = &param.cache else { continue };
        let refuse = |reason| Invalid::Cache { param: index, reason };
        let arena =
            plan.arenas.get(layout.arena as usize).ok_or_else(|| refuse("lies in an arena that does not exist"))?;
        let size = check_array(|| format!("parameter {index}"), param.dtype, &param.shape)?;
        if param.bind != Bind::State || size == 0 {
            return Err(refuse("is no state with elements"));
        }
        let rank = param.shape.len();
        let (slot, token) = (layout.slot_dim.map(|dim| dim as usize), layout.token_dim as usize);
        let has_slot = slot.is_none_or(|slot| slot < rank && slot != token);
        if layout.strides.len() != rank || token >= rank || !has_slot {
            return Err(refuse("has not one stride a dimension, and dimensions of slots and tokens"));
        }
        let element = param.dtype.size_bytes() as u64;
        let by_slots = match slot {
            None => arena.slots == 1,
            Some(slot) => {
                param.shape[slot] == arena.slots
                    && layout.strides[slot].checked_mul(element) == Some(arena.slot_bytes())
            }
        };
        let by_rows = by_slots
            && param.shape[token] == arena.tokens_max
            && layout.strides[token].checked_mul(element) == Some(arena.token_bytes);
        // What a row has of it lies in the row.
        let others = (0..rank).filter(|dim| Some(*dim) != slot && *dim != token);
        let end = others
            .clone()
            .try_fold(0u64, |end, dim| end.checked_add((param.shape[dim] - 1).checked_mul(layout.strides[dim])?));
        let end = end.and_then(|end| end.checked_add(1)?.checked_mul(element)?.checked_add(layout.offset));
        if !by_rows || !layout.offset.is_multiple_of(element) || end.is_none_or(|end| end > arena.token_bytes) {
            return Err(refuse("does not lie in the rows of its arena"));
        }
    }
    let of = program.params.iter().filter_map(|param| param.cache.as_ref().map(|layout| layout.arena)).collect();
    let arenas = Arenas { all: &plan.arenas, of };
    program.ensures.iter().try_for_each(|rows| check_rows(&arenas, program, rows))?;
    program.retires.iter().try_for_each(|rows| check_retired(&arenas, program, rows))?;
    program.segments.iter().try_for_each(|segment| check_rows_in(&arenas, program, &segment.nodes, 0))
}

/// The arenas of a plan, and which of them a program's caches lie in.
struct Arenas<'a> {
    all: &'a [KvArena],
    of: HashSet<u32>,
}

fn check_rows_in(arenas: &Arenas<'_>, program: &Program, nodes: &[Node], depth: usize) -> Result<(), Invalid> {
    for node in nodes {
        match &node.step {
            Step::Ensure(rows) => check_rows(arenas, program, rows)?,
            Step::Retire(rows) => check_retired(arenas, program, rows)?,
            _ => {}
        }
        if depth > DEPTH_MAX {
            continue; // `check_nodes` refuses it
        }
        let mut inside = node.step.inside().into_iter();
        inside.try_for_each(|nodes| check_rows_in(arenas, program, nodes, depth + 1))?;
    }
    Ok(())
}

/// Without a window no row would ever be retired.
fn check_retired(arenas: &Arenas<'_>, program: &Program, rows: &SlotRows) -> Result<(), Invalid> {
    check_rows(arenas, program, rows)?;
    match rows.window {
        Some(_) => Ok(()),
        None => Err(Invalid::Rows { arena: rows.arena, reason: "is retired below no window" }),
    }
}

fn check_rows(arenas: &Arenas<'_>, program: &Program, rows: &SlotRows) -> Result<(), Invalid> {
    let refuse = |reason| Err(Invalid::Rows { arena: rows.arena, reason });
    let Some(arena) = arenas.all.get(rows.arena as usize) else { return refuse("does not exist") };
    if !arenas.of.contains(&rows.arena) {
        return refuse("has no cache of the program, which asks for its rows");
    }
    let count = rows.offsets.len() as u64;
    if count == 0 || !count.is_multiple_of(arena.slots) {
        return refuse("has rows by offsets that are not as many for each slot");
    }
    if rows.window == Some(0) {
        return refuse("has a window of no rows");
    }
    let shaped = match rows.source {
        None => return Ok(()),
        Some(PositionSource::Param { index }) => match program.params.get(index as usize) {
            Some(param) if param.bind == Bind::Host => (param.dtype, &param.shape),
            _ => return refuse("has rows by positions of no argument that the host has"),
        },
        Some(PositionSource::Buffer(id)) => {
            let buffer = find_buffer(program, id, || "an `ensure` or `retire`".to_string())?;
            (buffer.dtype, &buffer.shape)
        }
    };
    let wanted = match rows.spread {
        Spread::One => 1,
        Spread::Slots => arena.slots,
        Spread::Tokens => count / arena.slots,
    };
    let is_integer = matches!(shaped.0.family(), Family::Signed | Family::Unsigned) && shaped.0.bits() >= 8;
    let elements = array_bytes(shaped.0, shaped.1).map(|bytes| bytes / shaped.0.size_bytes() as u64);
    if is_integer && elements == Some(wanted) { Ok(()) } else { refuse("has rows by positions of another type") }
}

fn validate_program(program: &Program, constants_bytes: u64) -> Result<(), Invalid> {
    check_unique("parameter", program.params.iter().map(|param| param.name.as_str()))?;
    check_unique("result", program.results.iter().map(|result| result.name.as_str()))?;
    check_unique("segment", program.segments.iter().map(|segment| segment.name.as_str()))?;
    check_unique("parameter block", program.blocks.iter().map(|block| block.name.as_str()))?;
    if program.device != 0 {
        return Err(Invalid::Device { number: program.device });
    }
    if program.arena_bytes > ARENA_BYTES_MAX {
        return Err(Invalid::ArenaTooLarge { bytes: program.arena_bytes });
    }
    for (index, param) in program.params.iter().enumerate() {
        check_array(|| format!("parameter {index}"), param.dtype, &param.shape)?;
        check_update(program, index, param)?;
        check_initial(index, param)?;
    }
    for (index, result) in program.results.iter().enumerate() {
        check_array(|| format!("result {index}"), result.dtype, &result.shape)?;
    }
    program.blocks.iter().try_for_each(|block| check_block(program, block))?;
    for (index, buffer) in program.buffers.iter().enumerate() {
        check_place(program, index, buffer, constants_bytes)?;
    }
    for (index, result) in program.results.iter().enumerate() {
        check_result(program, index, result)?;
    }
    for segment in &program.segments {
        if let Some(block) = segment.block.filter(|block| *block as usize >= program.blocks.len()) {
            return Err(Invalid::BlockMissing { segment: segment.name.clone(), block });
        }
        check_nodes(program, segment, &segment.nodes, 0)?;
    }
    Ok(())
}

fn check_unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a str>) -> Result<(), Invalid> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Invalid::DuplicateName { kind, name: name.to_string() });
        }
    }
    Ok(())
}

fn check_array(what: impl Fn() -> String, dtype: DType, shape: &[u64]) -> Result<u64, Invalid> {
    array_bytes(dtype, shape).ok_or_else(|| Invalid::ArrayTooLarge { what: what(), dtype, shape: shape.to_vec() })
}

/// What the runtime makes of a seed fits, and is kept.
fn check_initial(index: usize, param: &Param) -> Result<(), Invalid> {
    match param.initial {
        None => Ok(()),
        Some(Initial::RandomState) => {
            let is_state = (param.bind, param.dtype, param.shape.as_slice()) == (Bind::State, DType::U64, &[2]);
            if is_state && param.cache.is_none() { Ok(()) } else { Err(Invalid::RandomState { param: index }) }
        }
    }
}

fn check_update(program: &Program, index: usize, param: &Param) -> Result<(), Invalid> {
    let Some(updated_by) = param.updated_by else { return Ok(()) };
    let result =
        program.results.get(updated_by as usize).ok_or(Invalid::UpdateMissing { param: index, result: updated_by })?;
    if (result.dtype, &result.shape) != (param.dtype, &param.shape) {
        return Err(Invalid::UpdateType { param: index, result: updated_by });
    }
    if param.bind != Bind::State {
        return Err(Invalid::UpdateBind { param: index, bind: param.bind.name() });
    }
    Ok(())
}

/// Fields lie in the block, in order, aligned, apart; each source exists and suits the field.
fn check_block(program: &Program, block: &ParamBlock) -> Result<(), Invalid> {
    let mut free = 0;
    for field in &block.fields {
        let name = || (block.name.clone(), field.name.clone());
        let refuse = |reason| {
            let (block, field) = name();
            Invalid::Field { block, field, reason }
        };
        let bytes = source_bytes(program, field.source).ok_or_else(|| refuse("has a source that does not exist"))?;
        let fits = match field.source {
            FieldSource::Value { param } => program.params[param as usize].bind == Bind::Host,
            FieldSource::ParamAddress { param } => program.params[param as usize].bind == Bind::Step,
            FieldSource::ResultAddress { .. } => true,
        };
        if !fits {
            return Err(refuse("has a source that does not change so"));
        }
        let size = if matches!(field.source, FieldSource::Value { .. }) { bytes } else { ADDRESS_BYTES };
        let alignment = field_alignment(size);
        let end = field.offset.checked_add(size).filter(|end| *end <= block.bytes);
        match end {
            Some(end) if field.offset >= free && field.offset.is_multiple_of(alignment) => free = end,
            _ => return Err(refuse("does not lie in the block, aligned and behind the fields before it")),
        }
    }
    if block.bytes > ARENA_BYTES_MAX {
        return Err(Invalid::BlockTooLarge { block: block.name.clone(), bytes: block.bytes });
    }
    Ok(())
}

/// Size of what a field's value or address stands for; none if it does not exist.
fn source_bytes(program: &Program, source: FieldSource) -> Option<u64> {
    match source {
        FieldSource::Value { param } | FieldSource::ParamAddress { param } => {
            let param = program.params.get(param as usize)?;
            array_bytes(param.dtype, &param.shape)
        }
        FieldSource::ResultAddress { result } => {
            let result = program.results.get(result as usize)?;
            array_bytes(result.dtype, &result.shape)
        }
    }
}

fn check_place(program: &Program, index: usize, buffer: &Buffer, constants_bytes: u64) -> Result<(), Invalid> {
    let bytes = check_array(|| format!("buffer {index}"), buffer.dtype, &buffer.shape)?;
    let (offset, room, region) = match buffer.place {
        Place::Arena { offset } => (offset, program.arena_bytes, "arena"),
        Place::Constant { offset } => (offset, constants_bytes, "constants"),
        Place::Param { index: param_index } => {
            let param = program
                .params
                .get(param_index as usize)
                .ok_or(Invalid::ParamMissing { buffer: index, param: param_index })?;
            if array_bytes(param.dtype, &param.shape) != Some(bytes) {
                return Err(Invalid::ParamSize { buffer: index, bytes, param: param_index });
            }
            if param.cache.is_some() && (buffer.dtype, &buffer.shape) != (param.dtype, &param.shape) {
                return Err(Invalid::CacheType { buffer: index, param: param_index });
            }
            if !matches!(param.bind, Bind::Once | Bind::State) {
                return Err(Invalid::ParamChanges { buffer: index, param: param_index, bind: param.bind.name() });
            }
            return Ok(());
        }
        Place::Field { block, field } => {
            let found = program.blocks.get(block as usize).and_then(|block| block.fields.get(field as usize));
            let found = found.ok_or(Invalid::FieldMissing { buffer: index, block, field })?;
            if source_bytes(program, found.source) != Some(bytes) {
                return Err(Invalid::FieldSize { buffer: index, bytes, field: found.name.clone() });
            }
            return Ok(());
        }
    };
    if offset % ALIGNMENT as u64 != 0 {
        return Err(Invalid::Misaligned { buffer: index, offset });
    }
    if offset.checked_add(bytes).is_none_or(|end| end > room) {
        return Err(Invalid::OutOfRegion { buffer: index, offset, bytes, region, room });
    }
    Ok(())
}

fn check_result(program: &Program, index: usize, result: &ResultSlot) -> Result<(), Invalid> {
    let buffer = find_buffer(program, result.buffer, || format!("result {index}"))?;
    if (buffer.dtype, &buffer.shape) != (result.dtype, &result.shape) {
        return Err(Invalid::ResultType { result: index, buffer: result.buffer.0 });
    }
    let param = match buffer.place {
        Place::Param { index } => Some(index),
        Place::Field { block, field } => match program.blocks[block as usize].fields[field as usize].source {
            FieldSource::Value { param } | FieldSource::ParamAddress { param } => Some(param),
            FieldSource::ResultAddress { .. } => None,
        },
        Place::Arena { .. } | Place::Constant { .. } => None,
    };
    let replaced = param.filter(|param| {
        program.params[*param as usize].updated_by.is_some_and(|updated_by| updated_by as usize != index)
    });
    match replaced {
        Some(param) => Err(Invalid::ResultReplaced { result: index, param }),
        None => Ok(()),
    }
}

fn check_nodes(program: &Program, segment: &Segment, nodes: &[Node], depth: usize) -> Result<(), Invalid> {
    if depth > DEPTH_MAX {
        return Err(Invalid::TooDeep { segment: segment.name.clone() });
    }
    for node in nodes {
        match &node.step {
            Step::Launch(launch) => check_launch(program, segment, &launch.name, &launch.work)?,
            Step::Ensure(rows) | Step::Retire(rows) => {
                if let Some(PositionSource::Buffer(id)) = rows.source {
                    check_read(program, segment, id, || "an `ensure` or `retire`".to_string())?;
                }
            }
            Step::While { condition, predicate, body } => {
                check_scalar(program, segment, "predicate", *predicate, DType::I1)?;
                check_nodes(program, segment, condition, depth + 1)?;
                check_nodes(program, segment, body, depth + 1)?;
            }
            Step::Switch { index, branches } => {
                check_scalar(program, segment, "index", *index, DType::I32)?;
                if branches.is_empty() {
                    return Err(Invalid::NoBranch { segment: segment.name.clone() });
                }
                for branch in branches {
                    check_nodes(program, segment, branch, depth + 1)?;
                }
            }
        }
    }
    check_edges(program, segment, nodes)
}

/// Every edge leads to an earlier node, and every access that conflicts with an earlier one has its edge.
fn check_edges(program: &Program, segment: &Segment, nodes: &[Node]) -> Result<(), Invalid> {
    for (number, (node, required)) in nodes.iter().zip(dependences(program, nodes)).enumerate() {
        let is_ascending = node.after.windows(2).all(|pair| pair[0] < pair[1]);
        if !is_ascending || node.after.last().is_some_and(|last| *last as usize >= number) {
            return Err(Invalid::Edges { segment: segment.name.clone(), node: number });
        }
        if let Some(missing) = required.into_iter().find(|earlier| node.after.binary_search(earlier).is_err()) {
            return Err(Invalid::EdgeMissing { segment: segment.name.clone(), node: number, earlier: missing });
        }
    }
    Ok(())
}

fn check_scalar(
    program: &Program,
    segment: &Segment,
    role: &'static str,
    id: BufferId,
    dtype: DType,
) -> Result<(), Invalid> {
    let buffer = check_read(program, segment, id, || format!("a {role} in segment `{}`", segment.name))?;
    if buffer.dtype != dtype || buffer.shape.iter().any(|extent| *extent != 1) {
        return Err(Invalid::NotAScalar { segment: segment.name.clone(), role, buffer: id.0, dtype });
    }
    Ok(())
}

fn check_launch(program: &Program, segment: &Segment, name: &str, work: &Work) -> Result<(), Invalid> {
    if let Work::Fused(fused) = work {
        check_operands(name, fused)?;
    }
    for buffer in work.reads() {
        check_read(program, segment, buffer, || format!("launch `{name}`"))?;
    }
    work.writes().into_iter().try_for_each(|buffer| check_written(program, segment, name, buffer))
}

fn check_operands(name: &str, fused: &Fused) -> Result<(), Invalid> {
    for (number, operand) in fused.operands.iter().enumerate() {
        if let FusedOperand::Temporary { dtype, shape } = operand {
            check_array(|| format!("operand {number} of launch `{name}`"), *dtype, shape)?;
        }
    }
    match fused.named().map(|operand| operand.0).find(|operand| *operand as usize >= fused.operands.len()) {
        Some(operand) => Err(Invalid::OperandMissing { launch: name.to_string(), operand }),
        None => Ok(()),
    }
}

/// A launch sees the parameter block of its own segment only.
fn check_read<'p>(
    program: &'p Program,
    segment: &Segment,
    id: BufferId,
    user: impl Fn() -> String,
) -> Result<&'p Buffer, Invalid> {
    let buffer = find_buffer(program, id, &user)?;
    match buffer.place {
        Place::Field { block, .. } if segment.block != Some(block) => {
            Err(Invalid::OtherBlock { user: user(), buffer: id.0, segment: segment.name.clone() })
        }
        _ => Ok(buffer),
    }
}

fn check_written(program: &Program, segment: &Segment, launch: &str, id: BufferId) -> Result<(), Invalid> {
    let buffer = check_read(program, segment, id, || format!("launch `{launch}`"))?;
    let may = match buffer.place {
        Place::Arena { .. } => true,
        Place::Constant { .. } => false,
        Place::Param { index } => is_updated_in_place(program, index),
        Place::Field { block, field } => {
            let source = program.blocks[block as usize].fields[field as usize].source;
            matches!(source, FieldSource::ResultAddress { .. })
        }
    };
    if may { Ok(()) } else { Err(Invalid::ReadOnly { launch: launch.to_string(), buffer: id.0 }) }
}

/// True if launches write a parameter where it lies: it is state, and the result that updates it lies there too.
pub fn is_updated_in_place(program: &Program, param: u32) -> bool {
    let Some(found) = program.params.get(param as usize) else { return false };
    let result = found.updated_by.and_then(|result| program.results.get(result as usize));
    let buffer = result.and_then(|result| program.buffers.get(result.buffer.0 as usize));
    found.bind == Bind::State && buffer.is_some_and(|buffer| buffer.place == Place::Param { index: param })
}

fn find_buffer(program: &Program, id: BufferId, user: impl Fn() -> String) -> Result<&Buffer, Invalid> {
    program.buffers.get(id.0 as usize).ok_or_else(|| Invalid::BufferMissing { user: user(), buffer: id.0 })
}

/// A plan that must not run: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if program.is_empty() { String::new() } else { format!("program `{program}`: ") })]
pub struct InvalidPlan {
    /// The program's name; empty if the plan as a whole is wrong.
    pub program: String,
    /// What is wrong.
    pub reason: Invalid,
}

/// What can be wrong with a plan. Numbers are indices into the program's lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each field is named in the message")]
pub enum Invalid {
    /// Two things of one kind with one name.
    #[error("two {kind}s are named `{name}`")]
    DuplicateName { kind: &'static str, name: String },
    /// A device other than the first.
    #[error("device {number} is asked for, this release has device 0 only")]
    Device { number: u32 },
    /// An arena above the cap.
    #[error("the arena has {bytes} bytes, at most {ARENA_BYTES_MAX} are allowed")]
    ArenaTooLarge { bytes: u64 },
    /// An arena of caches that cannot be reserved.
    #[error("cache arena `{arena}` {reason}")]
    Arena { arena: String, reason: &'static str },
    /// A cache that does not lie in its arena.
    #[error("parameter {param} is a cache and {reason}")]
    Cache { param: usize, reason: &'static str },
    /// A cache under another type.
    #[error("buffer {buffer} lies in parameter {param}, a cache, and has another type")]
    CacheType { buffer: usize, param: u32 },
    /// Rows that cannot be ensured or retired.
    #[error("cache arena {arena} {reason}")]
    Rows { arena: u32, reason: &'static str },
    /// An array above a cap.
    #[error("{what} has type {dtype} and shape {shape:?}, more than {RANK_MAX} dimensions or {ARRAY_BYTES_MAX} bytes")]
    ArrayTooLarge { what: String, dtype: DType, shape: Vec<u64> },
    /// `updated_by` names no result.
    #[error("parameter {param} is updated by result {result}, which does not exist")]
    UpdateMissing { param: usize, result: u32 },
    /// `updated_by` names a result of another type.
    #[error("parameter {param} is updated by result {result} of another type")]
    UpdateType { param: usize, result: u32 },
    /// `updated_by` on a parameter that is no state. What the host reads in each step it must have, so a device cannot update it.
    #[error("parameter {param} is updated by a result but bound as `{bind}`")]
    UpdateBind { param: usize, bind: &'static str },
    /// The state of a generator that is none.
    #[error(
        "parameter {param} begins as the state of a random generator, but is not bound as state, or no two words of ui64"
    )]
    RandomState { param: usize },
    /// A buffer over a parameter that does not exist.
    #[error("buffer {buffer} lies in parameter {param}, which does not exist")]
    ParamMissing { buffer: usize, param: u32 },
    /// A buffer over a parameter of another size.
    #[error("buffer {buffer} has {bytes} bytes, which is not the size of parameter {param}")]
    ParamSize { buffer: usize, bytes: u64, param: u32 },
    /// A buffer at the fixed address of a parameter that has none.
    #[error("buffer {buffer} lies in parameter {param}, which is bound as `{bind}` and has no address that stays")]
    ParamChanges { buffer: usize, param: u32, bind: &'static str },
    /// A buffer behind a field that does not exist.
    #[error("buffer {buffer} lies behind field {field} of parameter block {block}, which does not exist")]
    FieldMissing { buffer: usize, block: u32, field: u32 },
    /// A buffer behind a field of another size.
    #[error("buffer {buffer} has {bytes} bytes, which is not the size of what field `{field}` stands for")]
    FieldSize { buffer: usize, bytes: u64, field: String },
    /// A field that is wrong in itself.
    #[error("field `{field}` of parameter block `{block}` {reason}")]
    Field { block: String, field: String, reason: &'static str },
    /// A block above the cap.
    #[error("parameter block `{block}` has {bytes} bytes, at most {ARENA_BYTES_MAX} are allowed")]
    BlockTooLarge { block: String, bytes: u64 },
    /// A segment whose block does not exist.
    #[error("segment `{segment}` reads parameter block {block}, which does not exist")]
    BlockMissing { segment: String, block: u32 },
    /// A launch that reads another segment's block.
    #[error("{user} names buffer {buffer} in a parameter block that segment `{segment}` does not read")]
    OtherBlock { user: String, buffer: u32, segment: String },
    /// Edges that are no edges of a graph without cycles.
    #[error("the edges of node {node} in segment `{segment}` do not lead to earlier nodes, in order, each once")]
    Edges { segment: String, node: usize },
    /// Two steps that touch the same bytes and may run in any order.
    #[error("in segment `{segment}` node {node} touches bytes of node {earlier} and has no edge to it")]
    EdgeMissing { segment: String, node: usize, earlier: u32 },
    /// An offset that is no multiple of the alignment.
    #[error("buffer {buffer} lies at offset {offset}, which is no multiple of {ALIGNMENT}")]
    Misaligned { buffer: usize, offset: u64 },
    /// A buffer that leaves its arena or the constants.
    #[error("buffer {buffer} of {bytes} bytes at offset {offset} leaves the {region} of {room} bytes")]
    OutOfRegion { buffer: usize, offset: u64, bytes: u64, region: &'static str, room: u64 },
    /// A result of another type than its buffer.
    #[error("result {result} has another type than its buffer {buffer}")]
    ResultType { result: usize, buffer: u32 },
    /// A result that another one overwrites when the step ends.
    #[error("result {result} lies in parameter {param}, which another result replaces")]
    ResultReplaced { result: usize, param: u32 },
    /// A buffer that does not exist.
    #[error("{user} names buffer {buffer}, which does not exist")]
    BufferMissing { user: String, buffer: u32 },
    /// A stage of a fused launch names an operand that it has not.
    #[error("a stage of launch `{launch}` names operand {operand}, which does not exist")]
    OperandMissing { launch: String, operand: u32 },
    /// Steps above the cap.
    #[error("steps of segment `{segment}` nest deeper than {DEPTH_MAX} levels")]
    TooDeep { segment: String },
    /// A choice without branches.
    #[error("a choice in segment `{segment}` has no branch")]
    NoBranch { segment: String },
    /// A predicate or index of another type.
    #[error("the {role} in segment `{segment}`, buffer {buffer}, is not one {dtype}")]
    NotAScalar { segment: String, role: &'static str, buffer: u32, dtype: DType },
    /// A write to what is only read.
    #[error(
        "launch `{launch}` writes buffer {buffer}, which is only read: an input, a weight, a constant or state of another result"
    )]
    ReadOnly { launch: String, buffer: u32 },
}
