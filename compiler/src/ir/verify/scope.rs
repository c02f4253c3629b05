//! Values are defined before they are read, where they can be seen; scalar operations stand in scalar bodies.

use super::value_name;
use crate::{
    diagnostic::Diagnostic,
    ir::{BlockId, Module, OpId, Opcode, ValueId},
};

/// What is left to do, last first: a stack, because the depth of the input is not ours to choose.
enum Todo {
    Enter(BlockId, Surroundings),
    Visit(OpId, Surroundings),
    Define(OpId, Surroundings),
    Leave(BlockId),
}

/// What is around an operation.
#[derive(Clone, Copy)]
struct Surroundings {
    /// The innermost region that sees nothing of the outside, by number from 1: only its values can be read.
    isolation: u32,
    /// The launch whose scalar body it is.
    launch: Option<OpId>,
}

/// Walks the module once, with a table of the values that can be seen.
pub(super) fn check(module: &Module, found: &mut Vec<Diagnostic>) {
    // For every value the isolated region that it can be seen in; 0 where it can't.
    let mut seen_in: Vec<u32> = vec![0; module.arena_sizes().1];
    let mut isolation_count = 1;
    let mut todo = vec![Todo::Enter(module.body(), Surroundings { isolation: 1, launch: None })];
    let mark = |values: &[ValueId], isolation: u32, seen_in: &mut Vec<u32>| {
        values.iter().for_each(|value| seen_in[value.index()] = isolation);
    };
    while let Some(next) = todo.pop() {
        match next {
            Todo::Enter(block, around) => {
                mark(&module.block(block).arguments, around.isolation, &mut seen_in);
                todo.push(Todo::Leave(block));
                let first = todo.len();
                todo.extend(module.block_ops(block).map(|op| Todo::Visit(op, around)));
                todo[first..].reverse();
            }
            Todo::Visit(op, around) => {
                check_operands(module, op, around, &seen_in, found);
                check_place(module, op, around, found);
                // Regions don't see the results of the operation around them.
                todo.push(Todo::Define(op, around));
                let inside = surroundings_inside(module, op, around, &mut isolation_count);
                let regions = module.op(op).regions.iter().rev();
                let blocks = regions.flat_map(|region| module.region(*region).blocks.iter().rev());
                todo.extend(blocks.map(|block| Todo::Enter(*block, inside)));
            }
            Todo::Define(op, around) => mark(&module.op(op).results, around.isolation, &mut seen_in),
            Todo::Leave(block) => {
                mark(&module.block(block).arguments, 0, &mut seen_in);
                module.block_ops(block).for_each(|op| mark(&module.op(op).results, 0, &mut seen_in));
            }
        }
    }
}

fn surroundings_inside(module: &Module, op: OpId, around: Surroundings, isolation_count: &mut u32) -> Surroundings {
    let opcode = module.op(op).opcode;
    let is_launch = matches!(opcode, Opcode::PygNest | Opcode::PygKernel);
    if !is_launch && !opcode.def().traits.isolated {
        return around;
    }
    *isolation_count += 1;
    Surroundings { isolation: *isolation_count, launch: is_launch.then_some(op).or(around.launch) }
}

fn check_operands(module: &Module, op: OpId, around: Surroundings, seen_in: &[u32], found: &mut Vec<Diagnostic>) {
    let operation = module.op(op);
    for operand in &operation.operands {
        let seen = seen_in[operand.index()];
        if seen == around.isolation {
            continue;
        }
        let (value, name) = (value_name(module, *operand), operation.opcode.name());
        let message = match seen {
            0 => format!("{name} reads {value}, which is not defined before it"),
            _ => format!("{name} reads {value}, which is outside of the function or scalar body that it is in"),
        };
        found.push(module.error(op, message));
    }
}

fn check_place(module: &Module, op: OpId, around: Surroundings, found: &mut Vec<Diagnostic>) {
    let operation = module.op(op);
    let is_scalar = matches!(
        operation.opcode,
        Opcode::Scalar(_) | Opcode::ScalarConstant | Opcode::ScalarIndex | Opcode::ScalarYield
    );
    let name = operation.opcode.name();
    match around.launch {
        None if is_scalar => found.push(module.error(op, format!("{name} stands outside of the body of a launch"))),
        Some(_) if !is_scalar => {
            found.push(
                module.error(op, format!("{name} stands in the body of a launch, which is of scalar operations")),
            );
        }
        Some(launch) if operation.opcode == Opcode::ScalarIndex => {
            let extents = module.op(launch).attr("extents").and_then(|extents| extents.as_i64_slice());
            let (count, dimension) = (extents.map_or(0, <[i64]>::len), operation.attr("dimension"));
            let dimension = dimension.and_then(|dimension| dimension.as_i64()).unwrap_or(0);
            if !usize::try_from(dimension).is_ok_and(|dimension| dimension < count) {
                let message = format!("scalar.index names dimension {dimension} of a launch that has {count}");
                found.push(module.error(op, message));
            }
        }
        _ => {}
    }
    let is_function_or_module = matches!(operation.opcode, Opcode::FuncFunc | Opcode::BuiltinModule);
    if is_function_or_module && module.parent_op(op) != Some(module.root()) && op != module.root() {
        found.push(module.error(op, format!("{name} stands inside of another operation than the module")));
    }
}
