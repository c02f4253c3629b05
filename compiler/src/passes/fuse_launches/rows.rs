//! Nests into launches of several stages.
//!
//! In order of the text, a nest joins the groups of those that made what it reads, where all agree on what a row is. A group
//! becomes one launch at the place of its last nest. So a group must not be read by anything in between that is no part of
//! it: then nothing that the launch needs comes after it, and nothing that needs the launch before.

use std::collections::{BTreeMap, HashMap, HashSet};

use pygraph_artifact::plan::{Access, BufferId};
use pygraph_kernels::nest::{TEMPORARY_BYTES_MAX, row_dims, walks_its_row};

use smallvec::{SmallVec, smallvec};

use super::{
    PassContext,
    inline::{Uses, read},
    name::{Computed, name_of},
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
pub fn group(module: &mut Module, blocks: &[BlockId], uses: &Uses, context: &PassContext) -> bool {
    let mut plans = Vec::new();
    let mut positions = Positions::of(module);
    for block in blocks {
        plans.extend(Grouping::of_block(module, *block, uses, &mut positions));
    }
    context.count("row launches", plans.len() as u64);
    build_all(module, &plans, uses);
    !plans.is_empty()
}

/// Numbers of rows: one, and one more for each dimension.
type RowCounts = SmallVec<[u64; 4]>;

/// Stages that become one launch.
pub struct Plan {
    /// How many rows.
    pub rows: u64,
    /// What people call it.
    pub name: String,
    /// In order of the text.
    pub members: Vec<OpId>,
}

/// Makes the launches, in the place of what they consist of. `uses` are those before.
pub fn build_all(module: &mut Module, plans: &[Plan], uses: &Uses) {
    let mut shared: Vec<OpId> = plans.iter().flat_map(|plan| build(module, plan, uses)).collect();
    if shared.is_empty() {
        return;
    }
    // Empty tensors that only stages began from have no reader now.
    let members: HashSet<OpId> = plans.iter().flat_map(|plan| plan.members.iter().copied()).collect();
    shared.sort_unstable();
    shared.dedup();
    for empty in shared {
        let result = module.op(empty).results[0];
        if uses[result.index()].iter().all(|reader| members.contains(reader)) {
            module.erase(empty);
        }
    }
}

/// Nests that may become one launch, while more may join.
#[derive(Default)]
struct Group {
    /// Places in the block, ascending.
    members: Vec<usize>,
    /// The numbers of rows that all of them agree on, ascending: what one member reads of another is accounted for.
    rows: RowCounts,
    /// Points of all stages.
    points: u64,
    /// Bytes of all that they make.
    bytes: u64,
}

/// A nest that is in a group, with what joining asks about it: found out once.
struct Member {
    computes: Computed,
    group: usize,
    /// What it reads of other members of groups.
    reads: SmallVec<[Read; 2]>,
    /// Places in the block of all that read what it makes, themselves or through views, ascending.
    readers: SmallVec<[usize; 2]>,
}

struct Read {
    /// Place of the member that made it.
    maker: usize,
    /// The numbers of rows that keep it in its row, ascending.
    rows: RowCounts,
}

struct Grouping<'m> {
    module: &'m Module,
    uses: &'m Uses,
    positions: &'m mut Positions,
    ops: Vec<OpId>,
    /// By place in the block: the nests that are in groups.
    members: Vec<Option<Box<Member>>>,
    groups: Vec<Group>,
}

/// By operation: its place in the block that is looked at, or that of the operation of the block which it stands in.
struct Positions(Vec<u32>);

impl Positions {
    fn of(module: &Module) -> Positions {
        Positions(vec![u32::MAX; module.arena_sizes().0])
    }

    fn set(&mut self, op: OpId, position: usize) {
        self.0[op.index()] = position as u32;
    }

    /// The place; what an operation of no block that was looked at has is beyond all.
    fn get(&self, op: OpId) -> usize {
        self.0[op.index()] as usize
    }
}

impl Grouping<'_> {
    fn of_block(module: &Module, block: BlockId, uses: &Uses, positions: &mut Positions) -> Vec<Plan> {
        let ops = module.block_op_ids(block);
        for (position, op) in ops.iter().enumerate() {
            positions.set(*op, position);
            // The bodies of launches read nothing from outside.
            if !module.op(*op).opcode.is_launch() && !module.op(*op).regions.is_empty() {
                module.walk(*op).into_iter().for_each(|op| positions.set(op, position));
            }
        }
        let members = ops.iter().map(|_| None).collect();
        let mut grouping = Grouping { module, uses, positions, ops, members, groups: Vec::new() };
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
        let Some(own) = self.alone(position, &parts) else { return };
        // What it writes into must be made in its group; what it reads may.
        let mut needed: SmallVec<[usize; 1]> = SmallVec::new();
        for (init, _) in &parts.outputs {
            match self.module.defining_op(*init) {
                Some(maker) if self.module.op(maker).opcode == Opcode::PygEmpty => {}
                Some(maker) if self.uses[init.index()].len() == 1 => match self.member_at(maker) {
                    Some(maker) => needed.push(self.group_of(maker)),
                    None => return,
                },
                _ => return,
            }
        }
        let reads = self.reads_of(&parts, &own.rows);
        let mut wanted: SmallVec<[usize; 4]> = reads.iter().map(|read| self.group_of(read.maker)).collect();
        // The nearest first.
        wanted.sort_by_key(|group| std::cmp::Reverse(self.groups[*group].members.last().copied()));
        wanted.dedup();
        let readers = self.readers_of(op);
        let computes = Computed::of(&parts);
        self.members[position] = Some(Box::new(Member { computes, group: self.groups.len(), reads, readers }));
        self.groups.push(own);
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
        if let Some(member) = self.members[position].take() {
            self.groups[member.group].members.retain(|member| *member != position);
        }
    }

    /// The group of a nest alone; none where it is not fit for one.
    fn alone(&self, position: usize, parts: &NestParts) -> Option<Group> {
        let rows = row_counts(parts)?;
        let points = parts.extents.iter().try_fold(1u64, |points, extent| points.checked_mul(*extent))?;
        let results = self.module.op(self.ops[position]).results.iter();
        let bytes = results.map(|result| size_bytes(self.module.ty(*result)).unwrap_or(0)).sum();
        let mut group = Group { members: vec![position], rows, points, bytes };
        for (init, map) in &parts.outputs {
            keep_in_row(self.module, parts, *init, map, &mut group.rows);
        }
        Some(group)
    }

    fn reads_of(&self, parts: &NestParts, rows: &RowCounts) -> SmallVec<[Read; 2]> {
        let mut reads = SmallVec::new();
        for (value, map) in &parts.inputs {
            if let Some(maker) = self.maker(*value).and_then(|op| self.member_at(op)) {
                let mut rows = rows.clone();
                keep_in_row(self.module, parts, *value, map, &mut rows);
                reads.push(Read { maker, rows });
            }
        }
        reads
    }

    fn readers_of(&self, op: OpId) -> SmallVec<[usize; 2]> {
        let (mut pending, mut readers) = (self.module.op(op).results.clone(), SmallVec::new());
        while let Some(value) = pending.pop() {
            for user in &self.uses[value.index()] {
                let at = self.positions.get(*user);
                if self.module.op(*user).opcode == Opcode::PygView && self.ops.get(at) == Some(user) {
                    pending.push(self.module.op(*user).results[0]);
                } else {
                    readers.push(at);
                }
            }
        }
        readers.sort_unstable();
        readers.dedup();
        readers
    }

    /// The nest that made a value, through views of the same elements.
    fn maker(&self, value: ValueId) -> Option<OpId> {
        let mut op = self.module.defining_op(value)?;
        while self.module.op(op).opcode == Opcode::PygView {
            let (source, view) = (self.module.op(op).operands[0], self.module.op(op).results[0]);
            let element = |value| self.module.ty(value).as_tensor().map(|tensor| &tensor.element);
            if element(source) != element(view) {
                return None;
            }
            op = self.module.defining_op(source)?;
        }
        Some(op)
    }

    /// The place of an operation that is in a group.
    fn member_at(&self, op: OpId) -> Option<usize> {
        let position = self.positions.get(op);
        (self.ops.get(position) == Some(&op) && self.members[position].is_some()).then_some(position)
    }

    fn member(&self, position: usize) -> &Member {
        self.members[position].as_ref().expect("a nest of a group should be known")
    }

    fn group_of(&self, position: usize) -> usize {
        self.member(position).group
    }

    /// Joins a group with that of the nest at this position, the last so far. False if they must stay apart.
    fn join(&mut self, group: usize, position: usize, barrier: usize) -> bool {
        let own = self.group_of(position);
        if self.groups[group].members.is_empty() {
            return true; // it has joined already
        }
        let [first, second] = [&self.groups[group], &self.groups[own]];
        let last = first.members.last().copied().unwrap_or(0);
        if first.members.len() + second.members.len() > STAGES_MAX || (barrier > 0 && last < barrier) {
            return false;
        }
        let (points, bytes) = (first.points.saturating_add(second.points), first.bytes.saturating_add(second.bytes));
        let mut rows: RowCounts = first.rows.iter().copied().filter(|rows| second.rows.contains(rows)).collect();
        rows.retain(|rows| points / *rows <= ROW_POINTS_MAX && bytes / *rows <= TEMPORARY_BYTES_MAX);
        // What members of one group read of each other was looked at when they joined.
        for (members, other) in [(&first.members, own), (&second.members, group)] {
            for read in members.iter().flat_map(|member| &self.member(*member).reads) {
                if self.members[read.maker].as_ref().is_some_and(|maker| maker.group == other) {
                    rows.retain(|rows| read.rows.contains(rows));
                }
            }
        }
        if rows.is_empty() || self.is_read_before(group, position) {
            return false;
        }
        let mut members = std::mem::take(&mut self.groups[group].members);
        for member in &members {
            self.members[*member].as_mut().expect("a nest of a group should be known").group = own;
        }
        // The longer list grows, so that a chain does not copy it at every step.
        members.append(&mut self.groups[own].members);
        members.sort_unstable();
        self.groups[own] = Group { members, rows, points, bytes };
        true
    }

    /// True if something before a position, and neither in this group nor in that of the position, reads what the group makes.
    fn is_read_before(&self, group: usize, position: usize) -> bool {
        let own = self.group_of(position);
        let is_outside = |reader: &usize| {
            !self.members[*reader].as_ref().is_some_and(|member| member.group == group || member.group == own)
        };
        self.groups[group].members.iter().any(|member| {
            let before = self.member(*member).readers.iter().take_while(|reader| **reader < position);
            before.into_iter().any(is_outside)
        })
    }

    fn plans(self) -> Vec<Plan> {
        let mut plans: BTreeMap<usize, Plan> = BTreeMap::new();
        for group in self.groups.iter().filter(|group| group.members.len() > 1) {
            let stages: Vec<Computed> = group.members.iter().map(|member| self.member(*member).computes).collect();
            let members: Vec<OpId> = group.members.iter().map(|member| self.ops[*member]).collect();
            let rows = *group.rows.last().expect("a group should agree on rows");
            plans.insert(group.members[0], Plan { rows, name: name_of(&stages), members });
        }
        plans.into_values().collect()
    }
}

/// The numbers of rows that a nest's first dimensions count, ascending; none where they are too many.
pub fn row_counts(parts: &NestParts) -> Option<RowCounts> {
    let mut rows: RowCounts = smallvec![1];
    for extent in &parts.extents[..parts.extents.len() - parts.reduction_dims] {
        let next = rows[rows.len() - 1].checked_mul(*extent)?;
        if *extent > 1 {
            rows.push(next);
        }
    }
    Some(rows)
}

/// Keeps the numbers of rows in which an access of a nest touches, in each, the row's part of the tensor alone.
pub fn keep_in_row(module: &Module, parts: &NestParts, value: ValueId, map: &AffineMap, rows: &mut RowCounts) {
    let walk = walk_of(module, value, map, parts.extents.len());
    let (Some((offset, strides)), Some(tensor)) = (walk, tensor_of(module.ty(value))) else { return rows.clear() };
    let (access, elements) = (Access { buffer: BufferId(0), offset, strides }, tensor.shape.iter().product());
    rows.retain(|rows| {
        let dims = row_dims(&parts.extents, parts.reduction_dims, *rows);
        dims.is_some_and(|dims| walks_its_row(&access, &parts.extents, dims, *rows, elements))
    });
}

/// Makes the launch in the place of its last stage. The stages move into it, and what others read of them is its result.
/// Returns the empty tensors that a stage had in common with other readers: each has its own now.
fn build(module: &mut Module, plan: &Plan, uses: &Uses) -> Vec<OpId> {
    let inside: HashSet<OpId> = plan.members.iter().copied().collect();
    let anchor = *plan.members.last().expect("a launch should have stages");
    let next = module.op(anchor).next().expect("a launch should not be the end of its block");
    let region = module.create_region();
    let block = module.create_block(region);
    let mut stages = Stages { module, block, uses, inputs: Vec::new(), known: HashMap::new(), shared: Vec::new() };
    let mut made: Vec<ValueId> = Vec::new();
    for member in &plan.members {
        made.extend(stages.add(*member, &inside));
    }
    let Stages { module, inputs, known, shared, .. } = stages;
    // What is read from outside, itself or through a view, is a result.
    let mut views = Vec::new();
    made.retain(|result| is_read_outside(module, *result, uses, &inside, &mut views));
    let loc = module.op(anchor).loc;
    let operands = made.iter().map(|result| known[result]).collect();
    let end = module.create_op(Opcode::PygYield, OpParts { operands, ..OpParts::default() }, loc);
    module.append(block, end);
    let parts = OpParts {
        operands: inputs.into_iter().collect(),
        result_types: Vec::new(),
        attrs: AttrMap::from_iter([
            ("name", Attribute::string(plan.name.as_str())),
            ("rows", Attribute::i64(plan.rows as i64)),
        ]),
        regions: [region].into_iter().collect(),
    };
    let fused = module.create_op(Opcode::PygFused, parts, loc);
    module.insert_before(next, fused);
    made.into_iter().for_each(|result| module.adopt_result(fused, result));
    // Views of results follow the launch; those that only stages read went into it.
    let mut place = fused;
    let mut finished = Vec::new();
    for (view, is_read) in views {
        if is_read && module.op(view).parent() == module.op(fused).parent() {
            module.detach(view);
            module.insert_after(place, view);
            place = view;
        } else if !is_read {
            finished.push(view);
        }
    }
    for view in finished.into_iter().rev() {
        module.erase(view);
    }
    shared
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
    uses: &'m Uses,
    /// Values from outside, one an argument.
    inputs: Vec<ValueId>,
    /// From values outside to those of the region.
    known: HashMap<ValueId, ValueId>,
    /// Empty tensors outside that others read too.
    shared: Vec<OpId>,
}

impl Stages<'_> {
    /// Moves a stage into the region, where it makes new values; those that it made before.
    fn add(&mut self, member: OpId, inside: &HashSet<OpId>) -> SmallVec<[ValueId; 1]> {
        let mut operands = self.module.op(member).operands.clone();
        for operand in &mut operands {
            *operand = self.value(*operand, inside);
        }
        self.module.detach(member);
        self.module.append(self.block, member);
        self.module.op_mut(member).operands = operands;
        let made = self.module.renew_results(member);
        self.known.extend(made.iter().copied().zip(self.module.op(member).results.iter().copied()));
        made
    }

    /// The value of the region that stands for one outside. Each reader of an empty tensor has its own.
    fn value(&mut self, value: ValueId, inside: &HashSet<OpId>) -> ValueId {
        if let Some(own) = self.known.get(&value) {
            return *own;
        }
        let maker = self.module.defining_op(value);
        match maker.map(|op| self.module.op(op).opcode) {
            Some(Opcode::PygEmpty) => {
                let empty = maker.expect("an empty tensor has a maker");
                let own = match &self.uses[value.index()][..] {
                    [_] => empty,
                    _ => {
                        self.shared.push(empty);
                        self.module.clone_op(empty, &mut HashMap::new())
                    }
                };
                self.module.detach(own);
                self.module.append(self.block, own);
                self.module.op(own).results[0]
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
