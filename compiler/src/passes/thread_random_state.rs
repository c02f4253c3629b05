//! Gives random operations a state that they draw from, as an argument that a result replaces.
//!
//! Before: `%0 = stablehlo.rng %a, %b, %s, distribution = UNIFORM : … -> tensor<4xf32>`, whose numbers come from nowhere.
//! After: one more argument, `%rng_state: tensor<2xui64> {pyg.bind = "state", pyg.initial = "random_state", pyg.name = "rng_state",
//! pyg.updated_by = N}`, seed and offset; numbers computed from it by `stablehlo.map` (Philox-4x32-10); and one more result,
//! the offset advanced by what was drawn. Both stand last, so that other positions are as they were.
//! Each operation takes a part of the stream of its own, in textual order. Loops carry the state; branches take it and give it back.
//! Leaves alone: programs without `stablehlo.rng`; `stablehlo.rng_bit_generator`, which has its state; types that do not run,
//! which the lowering refuses; private functions.
//! Relies on: calls inlined; bindings assigned.   Guarantees: no `stablehlo.rng` of a type that runs is left; a program that is run
//! again draws other numbers, which follow from the state alone. Refuses, at its location, one in the condition of a loop or in
//! the body of an operation on elements, where no state can come back from.

mod draw;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use pygraph_artifact::plan::{Bind, Initial};

use super::{
    Changed, PassContext, PassDef, Phase,
    build::{constant_before, op_before},
    emit::{Refusal, static_shape, tensor_type},
    signature::{dictionaries, function_type, is_public, set_dictionaries, text},
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    ir::{
        AttrMap, Attribute, BlockId, Module, OpId, Opcode, Type, ValueId, attribute::DenseElements,
        types::FunctionType,
    },
};

/// The pass.
pub static PASS: PassDef = PassDef {
    name: "thread-random-state",
    summary: "Make the state of random operations an argument that a result replaces",
    phase: Phase::Tensor,
    run,
};

/// The attribute of an argument that says what it begins as if a caller gives no value.
pub const INITIAL: &str = "pyg.initial";

/// The name of the argument and of the result.
const NAME: &str = "rng_state";

fn run(module: &mut Module, context: &PassContext) -> Result<Changed, Diagnostics> {
    let mut errors = Vec::new();
    let mut drawn = 0;
    for function in module.functions().collect::<Vec<_>>() {
        let draws: Vec<OpId> = module.walk(function).into_iter().filter(|op| is_drawn(module, *op)).collect();
        if draws.is_empty() || !is_public(module, function) {
            continue;
        }
        let misplaced: Vec<Diagnostic> = draws.iter().filter_map(|op| misplaced(module, function, *op)).collect();
        if misplaced.is_empty() {
            errors.extend(thread(module, function, &draws, context).err());
        }
        errors.extend(misplaced);
        drawn += draws.len() as u64;
    }
    context.count("random operations", drawn);
    if errors.is_empty() { Ok(Changed::from(drawn > 0)) } else { Err(Diagnostics(errors)) }
}

/// True for a random operation without a state, of a type that runs.
fn is_drawn(module: &Module, op: OpId) -> bool {
    let operation = module.op(op);
    let runs = |value: &ValueId| {
        let tensor = module.ty(*value).as_tensor();
        tensor.is_some_and(|tensor| tensor.element.dtype().is_some() && static_shape(tensor).is_ok())
    };
    operation.opcode == Opcode::StablehloRng && operation.results.iter().all(runs)
}

/// Why an operation cannot get a state where it stands.
fn misplaced(module: &Module, function: OpId, draw: OpId) -> Option<Diagnostic> {
    let mut inner = draw;
    while let Some(outer) = module.parent_op(inner).filter(|outer| *outer != function) {
        let name = module.op(outer).opcode.name();
        match module.op(outer).opcode {
            Opcode::StablehloWhile if module.op(inner).parent() == module.region_block(outer, 0) => {
                let message = format!(
                    "random numbers in the condition of `{name}`: a condition gives nothing back but its predicate, so the state of \
                     the generator would be lost; draw them in the body, or before the loop, and carry them"
                );
                return Some(module.error(draw, message));
            }
            Opcode::StablehloWhile | Opcode::StablehloIf | Opcode::StablehloCase => inner = outer,
            _ => {
                let message = format!(
                    "random numbers in the body of `{name}`, which computes on elements and has no place for the state of the \
                     generator; draw them before it, and make them an operand"
                );
                return Some(module.error(draw, message));
            }
        }
    }
    None
}

/// Adds argument and result, and threads the state through the body between them.
fn thread(module: &mut Module, function: OpId, draws: &[OpId], context: &PassContext) -> Result<(), Diagnostic> {
    let block = module.region_block(function, 0).expect("a function that draws should have a body");
    let position = module.location(module.op(draws[0]).loc).position.clone();
    let state = module.add_argument(block, state_type());
    let mut threading = Threading { holders: holders(module, function, draws), replacements: HashMap::new() };
    threading.block(module, block, Cursor { state, drawn: 0 })?;
    module.replace_values(function, &threading.replacements);
    let name = add_to_signature(module, function);
    module.value_mut(state).name = Some(name.clone());

    let (inputs, results) = function_type(module, function);
    let count = draws.len();
    let operations = if count == 1 { "1 random operation draws".to_string() } else { format!("{count} random operations draw") };
    let reason = format!(
        "{operations} from it: it was added as argument {}, the generator's seed and offset, with result {} to replace it, so that \
         every step, a replayed graph's too, draws other numbers",
        inputs.len() - 1,
        results.len() - 1,
    );
    let decision = Decision { kind: DecisionKind::Rescue, op: format!("argument `{name}`"), reason, remedy: None };
    context.remark(Diagnostic::decision(position, decision));
    Ok(())
}

/// The operations with regions that hold one that draws.
fn holders(module: &Module, function: OpId, draws: &[OpId]) -> HashSet<OpId> {
    let mut holders = HashSet::new();
    for draw in draws {
        let mut next = module.parent_op(*draw);
        while let Some(op) = next.filter(|op| *op != function && holders.insert(*op)) {
            next = module.parent_op(op);
        }
    }
    holders
}

/// Two words: seed and offset, which is what PyTorch's generator on CUDA has, in its order.
fn state_type() -> Type {
    tensor_type(&[2], &draw::U64)
}

/// The state at a point of a block: that of a value, its offset advanced by what was drawn since.
struct Cursor {
    state: ValueId,
    drawn: u64,
}

impl Cursor {
    /// The state as a value, computed before an operation.
    fn value(&self, module: &mut Module, anchor: OpId) -> ValueId {
        if self.drawn == 0 {
            return self.state;
        }
        let Type::Tensor(ty) = state_type() else { unreachable!("a tensor type should be a tensor type") };
        let bytes = [0, self.drawn].map(u64::to_le_bytes).concat();
        let advance = constant_before(module, anchor, DenseElements { ty, bytes: bytes.into(), is_splat: false });
        op_before(module, anchor, Opcode::StablehloAdd, &[self.state, advance], state_type(), AttrMap::default())
    }
}

struct Threading {
    holders: HashSet<OpId>,
    /// From random numbers without a state to those with one.
    replacements: HashMap<ValueId, ValueId>,
}

impl Threading {
    /// Gives what draws in a block its part of the stream, and appends the state to what the terminator hands on.
    fn block(&mut self, module: &mut Module, block: BlockId, mut cursor: Cursor) -> Result<(), Diagnostic> {
        for op in module.block_op_ids(block) {
            if is_drawn(module, op) {
                self.draw(module, op, &mut cursor)?;
            } else if self.holders.contains(&op) {
                cursor = self.regions(module, op, &cursor)?;
            } else if Some(op) == module.block(block).last() {
                let state = cursor.value(module, op);
                module.op_mut(op).operands.push(state);
            }
        }
        Ok(())
    }

    fn draw(&mut self, module: &mut Module, op: OpId, cursor: &mut Cursor) -> Result<(), Diagnostic> {
        let drawn = draw::draw(module, op, cursor.state, cursor.drawn);
        let (numbers, advance) = drawn.map_err(|Refusal(message)| module.error(op, message))?;
        cursor.drawn += advance;
        self.replacements.insert(module.op(op).results[0], numbers);
        module.erase(op);
        Ok(())
    }

    /// A loop carries the state; branches begin with it. Either gives it back as one more result.
    fn regions(&mut self, module: &mut Module, op: OpId, before: &Cursor) -> Result<Cursor, Diagnostic> {
        let state = before.value(module, op);
        let is_loop = module.op(op).opcode == Opcode::StablehloWhile;
        if is_loop {
            module.op_mut(op).operands.push(state);
        }
        for region in 0..module.op(op).regions.len() {
            let block =
                module.region_block(op, region).expect("the verifier should reject a loop or branch without a body");
            let state = if is_loop { module.add_argument(block, state_type()) } else { state };
            // The condition of a loop draws nothing, and hands on nothing but its predicate.
            if !(is_loop && region == 0) {
                self.block(module, block, Cursor { state, drawn: 0 })?;
            }
        }
        Ok(Cursor { state: module.add_result(op, state_type()), drawn: 0 })
    }
}

/// Says of the last argument and the last result what they are; returns their name.
fn add_to_signature(module: &mut Module, function: OpId) -> Arc<str> {
    let (mut inputs, mut results) = function_type(module, function);
    let mut arguments = dictionaries(module, function, "arg_attrs", inputs.len());
    let mut given = dictionaries(module, function, "res_attrs", results.len());
    let taken: HashSet<Arc<str>> = arguments.iter().chain(&given).filter_map(|attrs| text(attrs, "pyg.name")).collect();
    let names = std::iter::once(NAME.to_string()).chain((1..).map(|number| format!("{NAME}_{number}")));
    let name: Arc<str> = names.map(Arc::from).find(|name| !taken.contains(name)).expect("one of endless names should be free");
    arguments.push(AttrMap::from_iter([
        ("pyg.bind", Attribute::string(Bind::State.name())),
        (INITIAL, Attribute::string(Initial::RandomState.name())),
        ("pyg.name", Attribute::String(name.clone())),
        ("pyg.updated_by", Attribute::i64(results.len() as i64)),
    ]));
    given.push(AttrMap::from_iter([("pyg.name", Attribute::String(name.clone()))]));
    inputs.push(state_type());
    results.push(state_type());
    let ty = Type::Function(Arc::new(FunctionType { inputs, results }));
    module.op_mut(function).attrs.set("function_type", Attribute::Type(ty));
    set_dictionaries(module, function, "arg_attrs", arguments);
    set_dictionaries(module, function, "res_attrs", given);
    name
}
