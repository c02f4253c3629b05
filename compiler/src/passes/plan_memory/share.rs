//! Which values are one buffer, and the copies without which they could not be.
//!
//! Walks the function once, in order of the text. A class is a set of values with one place; at any position at most
//! one of them (with its views) is still needed. Classes of constants and arguments have their places from the beginning, and
//! nothing is written there, with one exception: state that a result replaces is written where it lies, once every reader
//! of the old value is behind.

use std::collections::{HashMap, HashSet};

use pygraph_artifact::plan::Bind;
use pygraph_kernels::manifest::{self, InPlace};

use super::{
    super::signature::{Binding, argument_index, bindings},
    lifetimes::{Order, Visit, visits},
};
use crate::{
    diagnostic::{Decision, DecisionKind, Diagnostic, Diagnostics},
    emit::launch::nest_input_count,
    ir::{Attribute, Module, OpId, Opcode, ValueId},
    lower::{
        body,
        site::{Site, Tensor, identity, size_bytes, tensor_of},
    },
};

/// A place that a class has for another reason than that it was packed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Where an argument lies.
    Argument(u32),
    /// The artifact's constants.
    Constant,
    /// The buffer of a result of the function.
    Result(u32),
}

/// Sets of values that share a place.
#[derive(Debug, Default)]
pub struct Classes {
    facts: Vec<Facts>,
}

/// What is known of a value, and of its class where it stands for it.
#[derive(Debug, Clone, Copy)]
struct Facts {
    parent: u32,
    /// The value that it is a view of; none if it is no view.
    source: Option<ValueId>,
    /// Where the value or a view of it is read last; of a root.
    last_use: u32,
    /// True if the root's bytes may change once nobody reads them any more.
    is_writable: bool,
    /// Of a class: its place, if that is not in the arena.
    home: Option<Home>,
    /// Of a class: where it begins.
    start: u32,
    /// Of a class: where it is read last.
    end: u32,
}

impl Classes {
    /// The index of the value that stands for the class.
    pub fn find(&mut self, value: ValueId) -> usize {
        let mut class = value.index();
        while self.facts[class].parent as usize != class {
            let parent = self.facts[class].parent;
            self.facts[class].parent = self.facts[parent as usize].parent;
            class = parent as usize;
        }
        class
    }

    /// Where the value lies, if not in the arena.
    pub fn home(&mut self, value: ValueId) -> Option<Home> {
        self.of_class(value).home
    }

    fn set_home(&mut self, value: ValueId, home: Home) {
        let class = self.find(value);
        self.facts[class].home = Some(home);
    }

    fn unite(&mut self, a: ValueId, b: ValueId) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (from, into) = (self.facts[b], &mut self.facts[a]);
        into.start = into.start.min(from.start);
        into.end = into.end.max(from.end);
        assert!(into.home.is_none() || from.home.is_none(), "no two places should become one");
        into.home = into.home.or(from.home);
        self.facts[b].parent = a as u32;
    }

    fn of(&self, value: ValueId) -> &Facts {
        &self.facts[value.index()]
    }

    fn of_class(&mut self, value: ValueId) -> Facts {
        let class = self.find(value);
        self.facts[class]
    }

    /// What a value is a view of, or itself.
    fn root(&self, value: ValueId) -> ValueId {
        self.of(value).source.unwrap_or(value)
    }

    /// Adds what is missing for values made since the last call. Each is a class of its own.
    fn grow(&mut self, module: &Module, start: u32) {
        for index in self.facts.len()..module.arena_sizes().1 {
            self.facts.push(Facts {
                parent: index as u32,
                source: None,
                last_use: 0,
                is_writable: true,
                home: None,
                start,
                end: start,
            });
        }
    }
}

/// Decides for a function, and puts copies into it.
pub fn share(module: &mut Module, function: OpId) -> Result<Shared, Diagnostics> {
    let order = Order::of(module, function);
    let steps = visits(module, function);
    let state = State::of(module, function);
    let classes = classes_of(module, function, &state, &order, &steps);
    let mut sharing = Sharing { classes, module, function, order, state, copied: Vec::new() };
    for visit in steps {
        let done = match visit {
            Visit::Enter(op) => match sharing.module.op(op).opcode {
                Opcode::PygNest => sharing.enter_nest(op),
                Opcode::PygKernel => sharing.enter_kernel(op),
                Opcode::PygWhile => sharing.enter_while(op),
                _ => Ok(()),
            },
            Visit::Leave(op) => match sharing.module.op(op).opcode {
                Opcode::PygWhile => sharing.leave_while(op),
                Opcode::PygSwitch => sharing.leave_switch(op),
                Opcode::PygSegment => sharing.leave_segment(op),
                _ => Ok(()),
            },
        };
        done?;
    }
    Ok(Shared { classes: sharing.classes, copied: sharing.copied })
}

/// What was decided.
#[derive(Debug)]
pub struct Shared {
    /// Which values are one buffer.
    pub classes: Classes,
    /// State that is not written where it lies, and why.
    pub copied: Vec<Diagnostic>,
}

/// State that results replace.
#[derive(Debug, Default)]
struct State {
    /// The argument that a result replaces where it lies, by the result's number.
    updated: HashMap<u32, (u32, ValueId)>,
    /// For values that the function returns, the first number that they are returned as.
    returned: HashMap<ValueId, u32>,
}

impl State {
    fn of(module: &Module, function: OpId) -> State {
        let mut state = State::default();
        let Some(block) = module.region_block(function, 0) else { return state };
        let Some(end) = module.block(block).last() else { return state };
        for (index, value) in (0u32..).zip(&module.op(end).operands) {
            state.returned.entry(*value).or_insert(index);
        }
        let arguments = &module.block(block).arguments;
        for ((index, value), Binding { bind, updated_by }) in (0u32..).zip(arguments).zip(bindings(module, function)) {
            let Some(result) = updated_by.filter(|_| bind == Bind::State) else { continue };
            let is_alike = module.op(end).operands.get(result as usize).is_some_and(|new| module.ty(*new) == module.ty(*value));
            if is_alike {
                state.updated.entry(result).or_insert((index, *value));
            }
        }
        state
    }

    fn is_updated(&self, argument: ValueId) -> bool {
        self.updated.values().any(|(_, value)| *value == argument)
    }
}

/// Every value alone with its views, and where it is read last.
fn classes_of(module: &Module, function: OpId, state: &State, order: &Order, steps: &[Visit]) -> Classes {
    let mut classes = Classes::default();
    classes.grow(module, 0);
    let arguments = module.region_block(function, 0).map(|block| &module.block(block).arguments);
    for (index, argument) in (0u32..).zip(arguments.into_iter().flatten()) {
        let facts = &mut classes.facts[argument.index()];
        (facts.home, facts.is_writable) = (Some(Home::Argument(index)), state.is_updated(*argument));
    }
    let ops = steps.iter().filter_map(|visit| if let Visit::Enter(op) = visit { Some(*op) } else { None });
    for op in ops.clone() {
        let operation = module.op(op);
        for result in &operation.results {
            let facts = &mut classes.facts[result.index()];
            (facts.start, facts.end) = (order.leave(op), order.leave(op));
        }
        match operation.opcode {
            Opcode::PygConstant => {
                let facts = &mut classes.facts[operation.results[0].index()];
                (facts.home, facts.is_writable) = (Some(Home::Constant), false);
            }
            Opcode::PygView => {
                let (view, source) = (operation.results[0], operation.operands[0]);
                classes.facts[view.index()].source = Some(classes.root(source));
                classes.unite(source, view);
            }
            Opcode::PygWhile => {
                for (region, is_writable) in [(0, false), (1, true)] {
                    let block = module.region_block(op, region);
                    for argument in block.into_iter().flat_map(|block| &module.block(block).arguments) {
                        let facts = &mut classes.facts[argument.index()];
                        facts.is_writable = is_writable;
                        (facts.start, facts.end) = (order.enter(op), order.enter(op));
                    }
                }
            }
            _ => {}
        }
    }
    for op in ops {
        for operand in &module.op(op).operands {
            let position = order.use_position(module, op, *operand);
            let root = classes.root(*operand);
            // A view may be defined in a loop that its source is outside of.
            let position = position.max(order.use_position(module, op, root));
            let facts = &mut classes.facts[root.index()];
            facts.last_use = facts.last_use.max(position);
            let class = classes.find(root);
            let facts = &mut classes.facts[class];
            facts.end = facts.end.max(position);
        }
    }
    classes
}

struct Sharing<'m> {
    classes: Classes,
    module: &'m mut Module,
    function: OpId,
    order: Order,
    state: State,
    copied: Vec<Diagnostic>,
}

impl Sharing<'_> {
    /// Each init is written in place where it is not needed afterwards; else a copy of it is.
    fn enter_nest(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let input_count = nest_input_count(self.module, op);
        let results = self.module.op(op).results.clone();
        for (index, result) in results.into_iter().enumerate() {
            let slot = input_count + index;
            let init = self.module.op(op).operands[slot];
            let is_new = self.module.defining_op(init).is_some_and(|op| self.module.op(op).opcode == Opcode::PygEmpty);
            if is_new {
                // An empty tensor that several nests start from is one for each.
                if let Some(input) = self.input_in_place(op, input_count, slot) {
                    self.module.op_mut(op).operands[slot] = input;
                } else if self.classes.of(init).last_use != self.order.enter(op) || self.is_read_twice(op, init) {
                    let tensor = self.tensor(op, init)?;
                    let fresh = Site { module: self.module, op }.empty(&tensor);
                    self.classes.grow(self.module, self.order.enter(op));
                    self.module.op_mut(op).operands[slot] = fresh;
                }
            } else if !self.ends_at(init, op) || self.is_read_twice(op, init) {
                self.module.op_mut(op).operands[slot] = self.copy_before(op, init)?;
            }
            let init = self.module.op(op).operands[slot];
            self.classes.unite(init, result);
        }
        Ok(())
    }

    /// An input that ends here and is walked as the result is: the result can have its place.
    fn input_in_place(&mut self, op: OpId, input_count: usize, slot: usize) -> Option<ValueId> {
        let operation = self.module.op(op);
        let Some(Attribute::Array(maps)) = operation.attr("maps") else { return None };
        if operation.attr("reduction_dims").and_then(Attribute::as_i64) != Some(0) {
            return None;
        }
        let ty = self.module.ty(operation.operands[slot]);
        let inputs: Vec<ValueId> = operation.operands[..input_count].to_vec();
        let fitting = (0..input_count)
            .filter(|input| maps.get(*input) == maps.get(slot) && self.module.ty(inputs[*input]) == ty)
            .map(|input| inputs[input]);
        let fitting: Vec<ValueId> = fitting.collect();
        fitting.into_iter().find(|input| self.ends_at(*input, op) && !self.is_read_twice(op, *input))
    }

    /// True if nobody reads the value after the operation, and its bytes may change then.
    fn ends_at(&mut self, value: ValueId, op: OpId) -> bool {
        let root = self.classes.root(value);
        let facts = *self.classes.of(root);
        facts.is_writable && facts.last_use == self.order.enter(op)
    }

    /// True if the operation has two operands in the value's place, or a result of it has that place already.
    fn is_read_twice(&mut self, op: OpId, value: ValueId) -> bool {
        let class = self.classes.find(value);
        let operation = self.module.op(op);
        let taken: Vec<ValueId> = operation.operands.iter().chain(&operation.results).copied().collect();
        taken.into_iter().filter(|other| self.classes.find(*other) == class).count() > 1
    }

    /// A result has the place of the input that the kernel may write over, where that ends here.
    fn enter_kernel(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let operation = self.module.op(op);
        let kernel = operation.attr("kernel").and_then(Attribute::as_str).and_then(manifest::find);
        let count = match kernel.map(|kernel| kernel.in_place) {
            Some(InPlace::First) => 1,
            Some(InPlace::Each) => operation.results.len(),
            Some(InPlace::Never) | None => 0,
        };
        let pairs: Vec<(ValueId, ValueId)> =
            operation.operands.iter().copied().zip(operation.results.iter().copied()).take(count).collect();
        for (input, result) in pairs {
            let is_alike = self.module.ty(input) == self.module.ty(result);
            if is_alike && self.ends_at(input, op) && !self.is_read_twice(op, input) {
                self.classes.unite(input, result);
            }
        }
        Ok(())
    }

    /// What a loop carries lies where its operand does, if that ends there; else in a copy.
    fn enter_while(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let [condition, body] = [0, 1].map(|region| {
            self.module.region_block(op, region).expect("the verifier should have seen a loop's condition and body")
        });
        for slot in 0..self.module.op(op).operands.len() {
            let operand = self.module.op(op).operands[slot];
            if !self.ends_at(operand, op) || self.is_read_twice(op, operand) {
                let copy = self.copy_before(op, operand)?;
                self.module.op_mut(op).operands[slot] = copy;
            }
            let carried = self.module.op(op).operands[slot];
            for block in [condition, body] {
                let argument = self.module.block(block).arguments[slot];
                self.classes.unite(carried, argument);
            }
        }
        Ok(())
    }

    /// What the body yields goes to the places of what is carried, all at once: a value that lies in another carried
    /// place is put aside before anything is written.
    fn leave_while(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let end = self.region_end(op, 1);
        let carried = self.module.op(op).operands.clone();
        let body_start = self.region_start(op, 1);
        let mut moves = Vec::new();
        for (slot, place) in carried.iter().enumerate() {
            let value = self.module.op(end).operands[slot];
            if self.is_born_in_place(value, *place, body_start) {
                self.classes.unite(*place, value);
            }
            if self.classes.find(value) != self.classes.find(*place) {
                moves.push((slot, value));
            }
        }
        let places: HashSet<usize> = carried.iter().map(|value| self.classes.find(*value)).collect();
        for (_, value) in &mut moves {
            if places.contains(&self.classes.find(*value)) {
                *value = self.copy_before(end, *value)?;
            }
        }
        for (slot, value) in moves {
            let copy = self.copy_before(end, value)?;
            self.module.op_mut(end).operands[slot] = copy;
            self.classes.unite(carried[slot], copy);
        }
        let results = self.module.op(op).results.clone();
        for (value, result) in carried.iter().zip(results) {
            self.classes.unite(*value, result);
        }
        Ok(())
    }

    /// True if a value that a body makes can be made in a carried place: its buffer begins in the body, after the last
    /// reader of what is carried in.
    fn is_born_in_place(&mut self, value: ValueId, place: ValueId, body_start: u32) -> bool {
        let made = self.classes.of_class(value);
        made.home.is_none() && made.start >= body_start && self.classes.of_class(place).end < made.start
    }

    /// Every branch leaves its values in the places of the results.
    fn leave_switch(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let results = self.module.op(op).results.clone();
        for region in 0..self.module.op(op).regions.len() {
            let end = self.region_end(op, region);
            let start = self.region_start(op, region);
            let mut taken: HashSet<usize> = HashSet::new();
            for (slot, result) in results.iter().enumerate() {
                let value = self.module.op(end).operands[slot];
                let made = self.classes.of_class(value);
                let class = self.classes.find(value);
                let is_own = made.home.is_none() && made.start >= start && taken.insert(class);
                let value = if is_own { value } else { self.copy_before(end, value)? };
                self.module.op_mut(end).operands[slot] = value;
                self.classes.unite(*result, value);
                taken.insert(self.classes.find(value));
            }
        }
        Ok(())
    }

    /// What a segment hands out lies in a place of its own. What the function returns of it lies in the buffer of that result;
    /// or in the argument that it replaces, where the segment could write over that, and else is copied there in the end.
    fn leave_segment(&mut self, op: OpId) -> Result<(), Diagnostic> {
        let end = self.region_end(op, 0);
        let results = self.module.op(op).results.clone();
        let numbers: Vec<Option<u32>> = results.iter().map(|result| self.state.returned.get(result).copied()).collect();
        let updated = |number: Option<u32>| number.and_then(|number| self.state.updated.get(&number).copied());
        let targets: Vec<Option<(u32, ValueId)>> = numbers.iter().map(|number| updated(*number)).collect();
        // First everything that lies where it must not stay, since the copies after these write over arguments.
        let mut taken = HashSet::new();
        let mut moves = Vec::new();
        for (slot, target) in targets.iter().enumerate() {
            let value = self.module.op(end).operands[slot];
            let home = self.classes.home(value);
            let is_new = taken.insert(self.classes.find(value));
            let stays = match target {
                Some((argument, _)) if home == Some(Home::Argument(*argument)) => is_new,
                Some((_, place)) => is_new && home.is_none() && self.is_born_after(value, *place),
                None => is_new && home.is_none(),
            };
            if !stays {
                let copy = self.copy_before(end, value)?;
                self.module.op_mut(end).operands[slot] = copy;
                taken.insert(self.classes.find(copy));
                if let Some(target) = target {
                    moves.push((slot, *target));
                    self.explain_copy(value, *target);
                }
            } else if let Some((argument, place)) = target
                && home != Some(Home::Argument(*argument))
            {
                self.classes.unite(*place, value);
            }
        }
        for (slot, (_, place)) in moves {
            let value = self.module.op(end).operands[slot];
            let copy = self.copy_onto(end, value, place)?;
            self.module.op_mut(end).operands[slot] = copy;
        }
        for (slot, result) in results.into_iter().enumerate() {
            let value = self.module.op(end).operands[slot];
            if let (Some(number), None) = (numbers[slot], self.classes.home(value)) {
                self.classes.set_home(value, Home::Result(number));
            }
            self.classes.unite(value, result);
        }
        Ok(())
    }

    /// True if the value's buffer begins after the last reader of what lies at the place.
    fn is_born_after(&mut self, value: ValueId, place: ValueId) -> bool {
        self.classes.of_class(value).start > self.classes.of_class(place).end
    }

    fn explain_copy(&mut self, value: ValueId, (argument, place): (u32, ValueId)) {
        let home = self.classes.home(value);
        let made = self.module.defining_op(value).unwrap_or(self.function);
        let bytes = size_bytes(self.module.ty(place)).unwrap_or(0);
        let (why, remedy) = match home {
            Some(Home::Constant) => ("its new value is a constant", "leave it out of the results"),
            Some(Home::Argument(_)) if argument_index(self.module, self.function, value) != Some(argument as usize) => {
                ("its new value is what another argument was, or is returned twice", "return each value once, in its own place")
            }
            _ => (
                "its new value is made while the old one is still needed",
                "read the old value before it is updated, or update it at a position",
            ),
        };
        let decision = Decision {
            kind: DecisionKind::Choice,
            op: format!("argument {argument}"),
            reason: format!("{bytes} bytes of state are copied each step: {why}"),
            remedy: Some(remedy.to_string()),
        };
        self.copied.push(self.module.decision(made, decision));
    }

    fn region_end(&self, op: OpId, region: usize) -> OpId {
        let end = self.module.region_block(op, region).and_then(|block| self.module.block(block).last());
        end.expect("the verifier should have seen the ends of regions")
    }

    /// The position of a region's first operation as the order was taken: copies put in since have none.
    fn region_start(&self, op: OpId, region: usize) -> u32 {
        let block = self.module.region_block(op, region);
        let ops = block.into_iter().flat_map(|block| self.module.block_ops(block));
        ops.filter_map(|op| self.order.known(op)).next().unwrap_or(0)
    }

    fn tensor(&self, op: OpId, value: ValueId) -> Result<Tensor, Diagnostic> {
        tensor_of(self.module.ty(value)).ok_or_else(|| self.module.error(op, "a launch works on tensors that run"))
    }

    fn copy_before(&mut self, op: OpId, value: ValueId) -> Result<ValueId, Diagnostic> {
        let tensor = self.tensor(op, value)?;
        let start = self.order.enter(op);
        let inputs = vec![(value, identity(tensor.rank()))];
        let copy = Site { module: self.module, op }.generate(&tensor, inputs, body::identity(tensor.dtype));
        let init = self.module.defining_op(copy).and_then(|nest| self.module.op(nest).operands.last().copied());
        self.classes.grow(self.module, start);
        if let Some(init) = init {
            self.classes.unite(init, copy);
        }
        Ok(copy)
    }

    /// A copy that is written over what lies at `place`.
    fn copy_onto(&mut self, op: OpId, value: ValueId, place: ValueId) -> Result<ValueId, Diagnostic> {
        let copy = self.copy_before(op, value)?;
        let Some(nest) = self.module.defining_op(copy) else { return Ok(copy) };
        if let Some(init) = self.module.op_mut(nest).operands.last_mut() {
            *init = place;
        }
        self.classes.unite(place, copy);
        Ok(copy)
    }
}
