//! Gives every tensor a place: in one arena, where tensors which are never needed together share bytes; where the state lies that it
//! replaces; or in the buffer of a result.
//!
//! Before: tensors as values.   After: `places` on every operation that writes, one a result, and `pyg.arena_bytes` on
//! the function. A view has its source's place, a loop's block arguments have its operands'.
//! Leaves alone: arguments and constants, which have places of their own; functions that have been planned.
//! Relies on: segments ([`super::form_segments`]).
//! Guarantees: two tensors share a byte only if no step needs both. A nest's result has the place of its init; a loop's
//! operand, block arguments, yielded value and result have one place, and so have the results of a choice and what
//! its branches yield. Where that would change a tensor that is still read, or an argument or a constant, a copy has
//! been put in. State that a result replaces is written in place if every reader of the old value is ordered before; else
//! the new value is copied there in the end, and a remark says why. Each other result of the function has a buffer of its own.
//!
//! Two steps: `share` decides which values are one buffer and puts copies in; then lifetimes of buffers are measured
//! along the text of the function, and `arena` packs them.

mod arena;
mod lifetimes;
mod share;

use arena::Request;
use lifetimes::{Order, Visit};
use share::Home;

use super::{Changed, PassContext, PassDef, Phase};
use crate::{
    diagnostic::Diagnostics,
    ir::{Attribute, Module, OpId, Opcode, ValueId},
    lower::{
        place::{PLACES, Place, places_attribute},
        site::size_bytes,
    },
};

/// See the module.
pub static PASS: PassDef = PassDef {
    name: "plan-memory",
    summary: "Give every tensor a place in one arena, shared where lifetimes allow it",
    phase: Phase::Plan,
    run,
};

/// The attribute of a function that holds the size of its arena.
pub const ARENA_BYTES: &str = "pyg.arena_bytes";

/// The attribute of a function that holds the most bytes that are needed at one time.
pub const ARENA_BYTES_LOWER_BOUND: &str = "pyg.arena_bytes_lower_bound";

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut changed = false;
    for function in module.functions().collect::<Vec<OpId>>() {
        let is_done = module.op(function).attr(ARENA_BYTES).is_some();
        if !is_done && module.region_block(function, 0).is_some() {
            plan_function(module, function, context)?;
            changed = true;
        }
    }
    Ok(changed.into())
}

fn plan_function(module: &mut Module, function: OpId, context: &PassContext) -> Result<(), Diagnostics> {
    let share::Shared { mut classes, copied } = share::share(module, function)?;
    copied.into_iter().for_each(|copy| context.remark(copy));
    erase_unused_empties(module, function);
    let requests = buffers(module, function, &mut classes);
    let layout = arena::pack(&requests.list);
    for op in module.walk(function) {
        let has_place = matches!(
            module.op(op).opcode,
            Opcode::PygNest | Opcode::PygKernel | Opcode::PygFused | Opcode::PygWhile | Opcode::PygSwitch
        );
        let is_stage = module.parent_op(op).is_some_and(|owner| module.op(owner).opcode == Opcode::PygFused);
        if !has_place || is_stage {
            continue;
        }
        let results = module.op(op).results.clone();
        let places = results.iter().map(|value| match classes.home(*value) {
            Some(Home::Argument(index)) => Place::Argument(index),
            Some(Home::Result(index)) => Place::Result(index),
            Some(Home::Constant) => unreachable!("nothing should be written to a constant"),
            None => {
                let request = requests.of_class[classes.find(*value)].expect("a result should have asked for a place");
                Place::Arena(layout.offsets[request as usize])
            }
        });
        let places = places_attribute(places.collect::<Vec<Place>>());
        module.op_mut(op).attrs.set(PLACES, places);
    }
    module.op_mut(function).attrs.set(ARENA_BYTES, Attribute::i64(layout.bytes as i64));
    module.op_mut(function).attrs.set(ARENA_BYTES_LOWER_BOUND, Attribute::i64(layout.peak as i64));
    let total: u64 = requests.list.iter().map(|request| request.bytes).sum();
    let name = module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default();
    context.remark(module.remark(
        function,
        format!(
            "`@{name}` needs an arena of {} bytes: {} buffers of {total} bytes together, at most {} at one time",
            layout.bytes,
            requests.list.len(),
            layout.peak
        ),
    ));
    Ok(())
}

/// Empty tensors whose nest writes in place of an input.
fn erase_unused_empties(module: &mut Module, function: OpId) {
    let uses = module.uses();
    for visit in lifetimes::visits(module, function) {
        let Visit::Enter(op) = visit else { continue };
        let operation = module.op(op);
        if operation.opcode == Opcode::PygEmpty && uses[operation.results[0].index()].is_empty() {
            module.erase(op);
        }
    }
}

/// The buffers that need a place in the arena.
struct Buffers {
    list: Vec<Request>,
    /// For a class of values (by its representative's index) its buffer in the list.
    of_class: Vec<Option<u32>>,
}

fn buffers(module: &Module, function: OpId, classes: &mut share::Classes) -> Buffers {
    let order = Order::of(module, function);
    let mut buffers = Buffers { list: Vec::new(), of_class: vec![None; module.arena_sizes().1] };
    let mut needs = |value: ValueId, position: u32| {
        if classes.home(value).is_some() {
            return;
        }
        let class = classes.find(value);
        let request = match buffers.of_class[class] {
            Some(request) => &mut buffers.list[request as usize],
            None => {
                buffers.of_class[class] = Some(buffers.list.len() as u32);
                buffers.list.push(Request { start: position, end: position, bytes: 0 });
                buffers.list.last_mut().expect("a request was pushed")
            }
        };
        request.start = request.start.min(position);
        request.end = request.end.max(position);
        request.bytes = request.bytes.max(size_bytes(module.ty(value)).unwrap_or(0));
    };
    for visit in lifetimes::visits(module, function) {
        let Visit::Enter(op) = visit else { continue };
        let operation = module.op(op);
        for operand in &operation.operands {
            needs(*operand, order.use_position(module, op, *operand));
        }
        // An empty tensor is needed from where it is written first.
        if operation.opcode != Opcode::PygEmpty {
            for result in &operation.results {
                needs(*result, order.leave(op));
            }
        }
    }
    buffers
}
