//! Nests into launches of several stages.
//!
//! In order of the text, a nest joins the groups of those that made what it reads, where all agree on what a row is. A group
//! becomes one launch at the place of its last nest. So a group must not be read by anything in between that is no part of
//! it: then nothing that the launch needs comes after it, and nothing that needs the launch before.

use std::collections::{BTreeMap, HashMap, HashSet};

use pygraph_artifact::plan::{Access, BufferId};
use pygraph_kernels::nest::{TEMPORARY_BYTES_MAX, row_dims, walks_its_row};

use super::{
    PassContext,
    inline::{Uses, read},
    name::name_of,
    step_blocks,
};
use crate::{
    emit::launch::walk_of,
    ir::{
        AttrMap, Attribute, BlockId, Module, OpId, Opcode, ValueId, attribute::AffineMap, module::OpParts,
        ops::is_pure_op,
    },
    lower::site::{NestParts, size_bytes, tensor_of},
};

/// The most points that the stages of one row may have together: a row is work for one thread, or one block of them.
const ROW_POINTS_MAX: u64 = 1 << 16;
/// The most stages of a launch.
const STAGES_MAX: usize = 32;

/// True if anything changed.
pub fn group(module: &mut Module, function: OpId, uses: &Uses, context: &PassContext) -> bool {
    let mut plans = Vec::new();
    for block in step_blocks(module, function) {
        plans.extend(Grouping::of_block(module, block, uses));
    }
    context.count("row launches", plans.len() as u64);
    build_all(module, function, &plans, uses);
    !plans.is_empty()
}

/// Stages that become one launch.
pub struct Plan {
    /// How many rows.
    pub rows: u64,
    /// What people call it.
    pub name: String,
    /// In order of the text.
    pub members: Vec<OpId>,
}

/// Makes the launches, in the place of what they consist of.
pub fn build_all(module: &mut Module, function: OpId, plans: &[Plan], uses: &Uses) {
    let mut replacements = HashMap::new();
    let mut finished = Vec::new();
    for plan in plans {
        finished.extend(build(module, plan, uses, &mut replacements));
    }
    module.replace_values(function, &replacements);
    for op in finished.into_iter().rev() {
        module.erase(op);
    }
}

/// Nests that may become one launch, while more may join.
#[derive(Default)]
struct Group {
    members: Vec<usize>,
    /// The numbers of rows that all of them agree on, ascending.
    rows: Vec<u64>,
    /// Points of all stages.
    points: u64,
    /// Bytes of all that they make.
    bytes: u64,
}

struct Grouping<'m> {
    module: &'m Module,
    uses: &'m Uses,
    /// Of each operation of the block and all within it, the place in the block.
    positions: HashMap<OpId, usize>,
    ops: Vec<OpId>,
    nests: HashMap<usize, NestParts>,
    /// By place in the block: the group of a nest that is in one.
    group_of: HashMap<usize, usize>,
    groups: Vec<Group>,
}

impl Grouping<'_> {
    fn of_block(module: &Module, block: BlockId, uses: &Uses) -> Vec<Plan> {
        let ops = module.block_op_ids(block);
        let mut positions = HashMap::new();
        for (position, op) in ops.iter().enumerate() {
            // The bodies of launches read nothing from outside.
            let within = if module.op(*op).opcode.is_launch() { vec![*op] } else { module.walk(*op) };
            positions.extend(within.into_iter().map(|op| (op, position)));
        }
        let mut grouping = Grouping {
            module,
            uses,
            positions,
            ops,
            nests: HashMap::new(),
            group_of: HashMap::new(),
            groups: Vec::new(),
        };
        let mut barrier = 0;
        for position in 0..grouping.ops.len() {
            let op = grouping.ops[position];
            if module.op(op).opcode == Opcode::PygNest {
                grouping.add(position, barrier);
            } else if !module.op(op).opcode.def().is_terminator() && !is_pure_op(module, op) {
                barrier = position;
            }
        }
        grouping.plans()
    }

    /// Gives a nest a group, its own or that of nests before it.
    fn add(&mut self, position: usize, barrier: usize) {
        let op = self.ops[position];
        let Some(parts) = read(self.module, op) else { return };
        let Some(own) = self.alone(op, &parts) else { return };
        // What it writes into must be made in its group; what it reads may.
        let mut needed = Vec::new();
        for (init, _) in &parts.outputs {
            match self.module.defining_op(*init) {
                Some(maker) if self.module.op(maker).opcode == Opcode::PygEmpty => {}
                Some(maker) if self.uses[init.index()].len() == 1 => match self.group_at(maker) {
                    Some(group) => needed.push(group),
                    None => return,
                },
                _ => return,
            }
        }
        let mut wanted: Vec<usize> =
            parts.inputs.iter().filter_map(|(value, _)| self.group_at(self.maker(*value)?)).collect();
        // The nearest first.
        wanted.sort_by_key(|group| std::cmp::Reverse(self.groups[*group].members.last().copied()));
        wanted.dedup();
        self.nests.insert(position, parts);
        let number = self.groups.len();
        self.groups.push(own);
        self.group_of.insert(position, number);
        for group in &needed {
            if !self.join(*group, position, barrier) {
                // Nobody can write into what another launch has made.
                self.leave(position);
                return;
            }
        }
        for group in wanted {
            self.join(group, position, barrier);
        }
    }

    /// Takes a nest out of its group again.
    fn leave(&mut self, position: usize) {
        self.nests.remove(&position);
        if let Some(number) = self.group_of.remove(&position) {
            self.groups[number].members.retain(|member| *member != position);
        }
    }

    /// The group of a nest alone; none where it is not fit for one.
    fn alone(&self, op: OpId, parts: &NestParts) -> Option<Group> {
        let rows = row_counts(parts)?;
        let points = parts.extents.iter().try_fold(1u64, |points, extent| points.checked_mul(*extent))?;
        let results = self.module.op(op).results.iter().map(|result| size_bytes(self.module.ty(*result)).unwrap_or(0));
        let mut group = Group { members: vec![self.positions[&op]], rows, points, bytes: results.sum() };
        for (init, map) in &parts.outputs {
            group.rows.retain(|rows| stays_in_row(self.module, parts, *init, map, *rows));
        }
        Some(group)
    }

    /// The nest that made a value, through views of the same elements.
    fn maker(&self, value: ValueId) -> Option<OpId> {
        let mut op = self.module.defining_op(value)?;
        while self.module.op(op).opcode == Opcode::PygView {
            let (source, view) = (self.module.op(op).operands[0], self.module.op(op).results[0]);
            let [from, to] = [source, view].map(|value| tensor_of(self.module.ty(value)).map(|tensor| tensor.dtype));
            if from != to {
                return None;
            }
            op = self.module.defining_op(source)?;
        }
        Some(op)
    }

    fn group_at(&self, op: OpId) -> Option<usize> {
        self.group_of.get(self.positions.get(&op).filter(|position| self.ops[**position] == op)?).copied()
    }

    /// Joins a group with that of the nest at this position, the last so far. False if they must stay apart.
    fn join(&mut self, group: usize, position: usize, barrier: usize) -> bool {
        let own = self.group_of[&position];
        if self.groups[group].members.is_empty() {
            return true; // it has joined already
        }
        let [first, second] = [&self.groups[group], &self.groups[own]];
        let last = first.members.last().copied().unwrap_or(0);
        if first.members.len() + second.members.len() > STAGES_MAX || (barrier > 0 && last < barrier) {
            return false;
        }
        let mut members: Vec<usize> = first.members.iter().chain(&second.members).copied().collect();
        members.sort_unstable();
        let (points, bytes) = (first.points.saturating_add(second.points), first.bytes.saturating_add(second.bytes));
        let mut rows: Vec<u64> = first.rows.iter().copied().filter(|rows| second.rows.contains(rows)).collect();
        rows.retain(|rows| points / rows <= ROW_POINTS_MAX && bytes / rows <= TEMPORARY_BYTES_MAX);
        let inside: HashSet<usize> = members.iter().copied().collect();
        for member in &members {
            let parts = &self.nests[member];
            for (value, map) in &parts.inputs {
                let is_inside = self.maker(*value).is_some_and(|op| self.positions.get(&op).is_some_and(|p| inside.contains(p)));
                if is_inside {
                    rows.retain(|rows| stays_in_row(self.module, parts, *value, map, *rows));
                }
            }
        }
        if rows.is_empty() || first.members.iter().any(|member| self.is_read_before(*member, position, &inside)) {
            return false;
        }
        for member in &self.groups[group].members {
            self.group_of.insert(*member, own);
        }
        self.groups[group].members.clear();
        self.groups[own] = Group { members, rows, points, bytes };
        true
    }

    /// True if something outside of the group, and before a position, reads what a nest of it makes.
    fn is_read_before(&self, member: usize, position: usize, inside: &HashSet<usize>) -> bool {
        let mut pending: Vec<ValueId> = self.module.op(self.ops[member]).results.to_vec();
        while let Some(value) = pending.pop() {
            // In order of the text: what comes after the position need not be looked at.
            for user in &self.uses[value.index()] {
                let Some(at) = self.positions.get(user) else { return true };
                if *at >= position {
                    break;
                }
                if self.module.op(*user).opcode == Opcode::PygView && self.ops[*at] == *user {
                    pending.push(self.module.op(*user).results[0]);
                } else if !inside.contains(at) {
                    return true;
                }
            }
        }
        false
    }

    fn plans(self) -> Vec<Plan> {
        let mut plans: BTreeMap<usize, Plan> = BTreeMap::new();
        for group in self.groups.iter().filter(|group| group.members.len() > 1) {
            let stages: Vec<&NestParts> = group.members.iter().map(|member| &self.nests[member]).collect();
            let members: Vec<OpId> = group.members.iter().map(|member| self.ops[*member]).collect();
            let rows = *group.rows.last().expect("a group should agree on rows");
            plans.insert(group.members[0], Plan { rows, name: name_of(&stages), members });
        }
        plans.into_values().collect()
    }
}

/// The numbers of rows that a nest's first dimensions count, ascending; none where they are too many.
pub fn row_counts(parts: &NestParts) -> Option<Vec<u64>> {
    let mut rows = vec![1u64];
    for extent in &parts.extents[..parts.extents.len() - parts.reduction_dims] {
        let next = rows[rows.len() - 1].checked_mul(*extent)?;
        if *extent > 1 {
            rows.push(next);
        }
    }
    Some(rows)
}

/// True if an access of a nest touches, in each of so many rows, the row's part of the tensor alone.
pub fn stays_in_row(module: &Module, parts: &NestParts, value: ValueId, map: &AffineMap, rows: u64) -> bool {
    let Some(dims) = row_dims(&parts.extents, parts.reduction_dims, rows) else { return false };
    let Some((offset, strides)) = walk_of(module, value, map, parts.extents.len()) else { return false };
    let elements = tensor_of(module.ty(value)).map_or(0, |tensor| tensor.shape.iter().product());
    walks_its_row(&Access { buffer: BufferId(0), offset, strides }, &parts.extents, dims, rows, elements)
}

/// Makes the launch, behind its last nest. The operations that it replaces are returned, and still there.
fn build(module: &mut Module, plan: &Plan, uses: &Uses, replacements: &mut HashMap<ValueId, ValueId>) -> Vec<OpId> {
    let inside: HashSet<OpId> = plan.members.iter().copied().collect();
    let anchor = *plan.members.last().expect("a launch should have stages");
    let region = module.create_region();
    let block = module.create_block(region);
    let mut stages = Stages { module, block, inputs: Vec::new(), known: HashMap::new() };
    let mut views = Vec::new();
    for member in &plan.members {
        stages.add(*member, &inside);
    }
    let Stages { module, inputs, known, .. } = stages;
    // What is read from outside, itself or through a view, is a result.
    let mut results = Vec::new();
    for member in &plan.members {
        for result in module.op(*member).results.clone() {
            if is_read_outside(module, result, uses, &inside, &mut views) {
                results.push(result);
            }
        }
    }
    let loc = module.op(anchor).loc;
    let operands = results.iter().map(|result| known[result]).collect();
    let end = module.create_op(Opcode::PygYield, OpParts { operands, ..OpParts::default() }, loc);
    module.append(block, end);
    let parts = OpParts {
        operands: inputs.into_iter().collect(),
        result_types: results.iter().map(|result| module.ty(*result).clone()).collect(),
        attrs: AttrMap::from_iter([
            ("name", Attribute::string(plan.name.as_str())),
            ("rows", Attribute::i64(plan.rows as i64)),
        ]),
        regions: [region].into_iter().collect(),
    };
    let fused = module.create_op(Opcode::PygFused, parts, loc);
    module.insert_after(anchor, fused);
    replacements.extend(results.into_iter().zip(module.op(fused).results.clone()));
    // Views of results follow the launch; those that only stages read went into it.
    let mut finished: Vec<OpId> = plan.members.clone();
    let mut place = fused;
    for (view, is_read) in views {
        if is_read && module.op(view).parent() == module.op(fused).parent() {
            module.detach(view);
            module.insert_after(place, view);
            place = view;
        } else if !is_read {
            finished.push(view);
        }
    }
    finished
}

/// True if anything but the stages reads a value. Adds the views of it, sources first, and whether anything reads them.
fn is_read_outside(
    module: &Module,
    value: ValueId,
    uses: &Uses,
    inside: &HashSet<OpId>,
    views: &mut Vec<(OpId, bool)>,
) -> bool {
    let mut is_read = false;
    for user in &uses[value.index()] {
        if module.op(*user).opcode == Opcode::PygView {
            let at = views.len();
            views.push((*user, false));
            let read = is_read_outside(module, module.op(*user).results[0], uses, inside, views);
            views[at].1 = read;
            is_read |= read;
        } else {
            is_read |= !inside.contains(user);
        }
    }
    is_read
}

/// The region of a launch in the making.
struct Stages<'m> {
    module: &'m mut Module,
    block: BlockId,
    /// Values from outside, one an argument.
    inputs: Vec<ValueId>,
    /// From values outside to those of the region.
    known: HashMap<ValueId, ValueId>,
}

impl Stages<'_> {
    fn add(&mut self, member: OpId, inside: &HashSet<OpId>) {
        let operands = self.module.op(member).operands.clone();
        let mut own = Vec::with_capacity(operands.len());
        for operand in operands {
            own.push(self.value(operand, inside));
        }
        let copy = self.module.clone_op(member, &mut self.known);
        self.module.op_mut(copy).operands = own.into_iter().collect();
        self.module.append(self.block, copy);
    }

    /// The value of the region that stands for one outside. Each reader of an empty tensor has its own.
    fn value(&mut self, value: ValueId, inside: &HashSet<OpId>) -> ValueId {
        if let Some(own) = self.known.get(&value) {
            return *own;
        }
        let maker = self.module.defining_op(value);
        match maker.map(|op| self.module.op(op).opcode) {
            Some(Opcode::PygEmpty) => {
                let copy = self.module.clone_op(maker.expect("an empty tensor has a maker"), &mut HashMap::new());
                self.module.append(self.block, copy);
                self.module.op(copy).results[0]
            }
            Some(Opcode::PygView) if self.is_view_of_a_stage(value, inside) => {
                let view = maker.expect("a view has a maker");
                let source = self.module.op(view).operands[0];
                let source = self.value(source, inside);
                let copy = self.module.clone_op(view, &mut self.known);
                self.module.op_mut(copy).operands = [source].into_iter().collect();
                self.module.append(self.block, copy);
                self.module.op(copy).results[0]
            }
            _ => {
                let ty = self.module.ty(value).clone();
                let argument = self.module.add_argument(self.block, ty);
                self.inputs.push(value);
                self.known.insert(value, argument);
                argument
            }
        }
    }

    fn is_view_of_a_stage(&self, value: ValueId, inside: &HashSet<OpId>) -> bool {
        let mut maker = self.module.defining_op(value);
        while let Some(op) = maker {
            if self.module.op(op).opcode != Opcode::PygView {
                return inside.contains(&op);
            }
            maker = self.module.defining_op(self.module.op(op).operands[0]);
        }
        false
    }
}
