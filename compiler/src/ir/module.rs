//! The arenas: operations, values, blocks and regions, and how they change.
//!
//! Ids stay valid until their operation is erased. Nothing here checks meaning: that is the verifier's.

use std::{collections::HashMap, sync::Arc};

use smallvec::SmallVec;

use super::{
    attribute::{AttrMap, Attribute},
    ops::Opcode,
    types::Type,
};
use crate::diagnostic::{Decision, Diagnostic, Position};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// Position in its arena: dense, from 0, for side tables.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            fn from_index(index: usize) -> $name {
                $name(u32::try_from(index).expect("an arena should hold fewer than 2^32 items"))
            }
        }
    )*};
}

ids! {
    /// An operation.
    OpId
    /// A value: a result or a block argument.
    ValueId
    /// A block.
    BlockId
    /// A region.
    RegionId
    /// A source location.
    Loc
}

impl Loc {
    /// Nothing is known.
    pub const UNKNOWN: Loc = Loc(0);
}

/// Where an operation comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// Where it stands in the input file.
    pub position: Position,
    /// What `loc(…)` says there, if it stands there.
    pub user: Option<Arc<UserLocation>>,
}

/// What a `loc(…)` says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UserLocation {
    /// `loc(unknown)`.
    Unknown,
    /// `loc("model.py":3:4)`, perhaps with an end (`to 5:6`).
    File {
        /// The file.
        file: Arc<str>,
        /// Line and column where it starts.
        start: (u32, u32),
        /// Line and column where it ends.
        end: Option<(u32, u32)>,
    },
    /// `loc("layer0"(child))`.
    Name {
        /// The name.
        name: Arc<str>,
        /// What it names.
        child: Option<Arc<UserLocation>>,
    },
    /// `loc(callsite(callee at caller))`.
    CallSite {
        /// Inner.
        callee: Arc<UserLocation>,
        /// Outer.
        caller: Arc<UserLocation>,
    },
    /// `loc(fused<metadata>[…])`.
    Fused {
        /// Between `<` and `>`.
        metadata: Option<Attribute>,
        /// Parts.
        parts: Vec<UserLocation>,
    },
}

/// How a value comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Definition {
    /// The result of an operation.
    Result {
        /// Which operation.
        op: OpId,
        /// Which of its results.
        index: u32,
    },
    /// The argument of a block.
    Argument {
        /// Which block.
        block: BlockId,
        /// Which of its arguments.
        index: u32,
    },
}

/// What is known of a value.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its type.
    pub ty: Type,
    /// How it comes to be.
    pub definition: Definition,
    /// The user's name for it, without `%`.
    pub name: Option<Arc<str>>,
}

/// An operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Which.
    pub opcode: Opcode,
    /// Values read.
    pub operands: SmallVec<[ValueId; 3]>,
    /// Values defined.
    pub results: SmallVec<[ValueId; 1]>,
    /// Attributes.
    pub attrs: AttrMap,
    /// Nested regions.
    pub regions: SmallVec<[RegionId; 1]>,
    /// Where it comes from.
    pub loc: Loc,
    parent: Option<BlockId>,
    previous: Option<OpId>,
    next: Option<OpId>,
}

impl Operation {
    /// The block it is in; none while it is detached.
    pub fn parent(&self) -> Option<BlockId> {
        self.parent
    }

    /// The operation after it in its block.
    pub fn next(&self) -> Option<OpId> {
        self.next
    }

    /// The operation before it in its block.
    pub fn previous(&self) -> Option<OpId> {
        self.previous
    }

    /// The attribute of that name.
    pub fn attr(&self, name: &str) -> Option<&Attribute> {
        self.attrs.get(name)
    }
}

/// A list of operations with arguments.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Its arguments.
    pub arguments: Vec<ValueId>,
    first: Option<OpId>,
    last: Option<OpId>,
    parent: Option<RegionId>,
}

impl Block {
    /// Its first operation.
    pub fn first(&self) -> Option<OpId> {
        self.first
    }

    /// Its last operation: the terminator, where it has one.
    pub fn last(&self) -> Option<OpId> {
        self.last
    }

    /// The region it is in.
    pub fn parent(&self) -> Option<RegionId> {
        self.parent
    }
}

/// A list of blocks. Nothing that pygraph reads has more than one.
#[derive(Debug, Clone, Default)]
pub struct Region {
    /// Its blocks.
    pub blocks: SmallVec<[BlockId; 1]>,
    parent: Option<OpId>,
}

impl Region {
    /// The operation it belongs to.
    pub fn parent(&self) -> Option<OpId> {
        self.parent
    }
}

/// A whole input: one `builtin.module` and everything in it.
#[derive(Debug, Clone)]
pub struct Module {
    ops: Vec<Option<Operation>>,
    values: Vec<Value>,
    blocks: Vec<Block>,
    regions: Vec<Region>,
    locations: Vec<Location>,
    location_ids: HashMap<Location, Loc>,
    root: OpId,
}

/// Everything that a new operation has.
#[derive(Debug, Clone, Default)]
pub struct OpParts {
    /// Values read.
    pub operands: SmallVec<[ValueId; 3]>,
    /// Types of the values defined.
    pub result_types: Vec<Type>,
    /// Attributes.
    pub attrs: AttrMap,
    /// Regions, made before with [`Module::create_region`].
    pub regions: SmallVec<[RegionId; 1]>,
}

impl Module {
    /// An empty module that stands for the file of that name.
    pub fn new(file: &str) -> Module {
        let unknown = Location { position: Position { file: Arc::from(file), line: 0, column: 0 }, user: None };
        let mut module = Module {
            ops: Vec::new(),
            values: Vec::new(),
            blocks: Vec::new(),
            regions: Vec::new(),
            location_ids: HashMap::from([(unknown.clone(), Loc::UNKNOWN)]),
            locations: vec![unknown],
            root: OpId(0),
        };
        let region = module.create_region();
        module.create_block(region);
        let parts = OpParts { regions: SmallVec::from_slice(&[region]), ..OpParts::default() };
        module.root = module.create_op(Opcode::BuiltinModule, parts, Loc::UNKNOWN);
        module
    }

    /// The `builtin.module`.
    pub fn root(&self) -> OpId {
        self.root
    }

    /// The block that holds the functions.
    pub fn body(&self) -> BlockId {
        self.regions[self.op(self.root).regions[0].index()].blocks[0]
    }

    /// The functions, in order.
    pub fn functions(&self) -> impl Iterator<Item = OpId> + '_ {
        self.block_ops(self.body()).filter(|op| self.op(*op).opcode == Opcode::FuncFunc)
    }

    /// `name`, `name_1`, …: the first that no symbol at the top level has.
    pub fn free_symbol(&self, name: &str) -> String {
        let names = (0u64..).map(|number| if number == 0 { name.to_string() } else { format!("{name}_{number}") });
        let mut free = names.filter(|name| self.symbol(name).is_none());
        free.next().expect("some name should be free")
    }

    /// The function or other symbol of that name at the top level.
    pub fn symbol(&self, name: &str) -> Option<OpId> {
        self.block_ops(self.body()).find(|op| self.op(*op).attr("sym_name").and_then(Attribute::as_str) == Some(name))
    }

    /// The operation.
    pub fn op(&self, id: OpId) -> &Operation {
        self.ops[id.index()].as_ref().expect("an erased operation should not be read")
    }

    /// The operation, to change it.
    pub fn op_mut(&mut self, id: OpId) -> &mut Operation {
        self.ops[id.index()].as_mut().expect("an erased operation should not be changed")
    }

    /// True if the operation was erased.
    pub fn is_erased(&self, id: OpId) -> bool {
        self.ops[id.index()].is_none()
    }

    /// The value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// The value, to change its type or name.
    pub fn value_mut(&mut self, id: ValueId) -> &mut Value {
        &mut self.values[id.index()]
    }

    /// The type of a value.
    pub fn ty(&self, id: ValueId) -> &Type {
        &self.values[id.index()].ty
    }

    /// Every value, those of erased operations too.
    pub fn value_ids(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.values.len()).map(ValueId::from_index)
    }

    /// The operation that defines a value; none for a block argument.
    pub fn defining_op(&self, id: ValueId) -> Option<OpId> {
        if let Definition::Result { op, .. } = self.value(id).definition { Some(op) } else { None }
    }

    /// The block.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.index()]
    }

    /// The region.
    pub fn region(&self, id: RegionId) -> &Region {
        &self.regions[id.index()]
    }

    /// The only block of one of an operation's regions; none where the region is empty.
    pub fn region_block(&self, op: OpId, region: usize) -> Option<BlockId> {
        let region = *self.op(op).regions.get(region)?;
        self.region(region).blocks.first().copied()
    }

    /// The operation whose region holds this operation.
    pub fn parent_op(&self, op: OpId) -> Option<OpId> {
        self.region(self.block(self.op(op).parent?).parent?).parent
    }

    /// Sizes of the arenas, erased items included: one more than the largest index of an operation and of a value.
    pub fn arena_sizes(&self) -> (usize, usize) {
        (self.ops.len(), self.values.len())
    }

    /// The operations of a block, in order. The current one may be erased or moved while iterating by
    /// [`Module::block_op_ids`] instead.
    pub fn block_ops(&self, block: BlockId) -> impl Iterator<Item = OpId> + '_ {
        std::iter::successors(self.block(block).first, |op| self.op(*op).next)
    }

    /// The operations of a block as they are now.
    pub fn block_op_ids(&self, block: BlockId) -> Vec<OpId> {
        self.block_ops(block).collect()
    }

    /// Every operation under `op`, itself first, in textual order.
    pub fn walk(&self, op: OpId) -> Vec<OpId> {
        let mut found = Vec::new();
        let mut pending = vec![op];
        while let Some(op) = pending.pop() {
            found.push(op);
            let start = pending.len();
            for region in &self.op(op).regions {
                for block in &self.region(*region).blocks {
                    pending.extend(self.block_ops(*block));
                }
            }
            pending[start..].reverse();
        }
        found
    }

    /// The location's id; equal locations have one.
    pub fn add_location(&mut self, location: Location) -> Loc {
        if let Some(loc) = self.location_ids.get(&location) {
            return *loc;
        }
        let loc = Loc::from_index(self.locations.len());
        self.locations.push(location.clone());
        self.location_ids.insert(location, loc);
        loc
    }

    /// The location.
    pub fn location(&self, loc: Loc) -> &Location {
        &self.locations[loc.index()]
    }

    /// An error at an operation.
    pub fn error(&self, op: OpId, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.location(self.op(op).loc).position.clone(), message)
    }

    /// A remark at an operation.
    pub fn remark(&self, op: OpId, message: impl Into<String>) -> Diagnostic {
        Diagnostic::remark(self.location(self.op(op).loc).position.clone(), message)
    }

    /// A remark at an operation that says a decision.
    pub fn decision(&self, op: OpId, decision: Decision) -> Diagnostic {
        Diagnostic::decision(self.location(self.op(op).loc).position.clone(), decision)
    }

    /// A new region without blocks, not yet of any operation.
    pub fn create_region(&mut self) -> RegionId {
        self.regions.push(Region::default());
        RegionId::from_index(self.regions.len() - 1)
    }

    /// A new block at the end of a region.
    pub fn create_block(&mut self, region: RegionId) -> BlockId {
        let block = BlockId::from_index(self.blocks.len());
        self.blocks.push(Block { parent: Some(region), ..Block::default() });
        self.regions[region.index()].blocks.push(block);
        block
    }

    /// A new argument at the end of a block's.
    pub fn add_argument(&mut self, block: BlockId, ty: Type) -> ValueId {
        let index = self.block(block).arguments.len() as u32;
        let value = self.create_value(ty, Definition::Argument { block, index });
        self.blocks[block.index()].arguments.push(value);
        value
    }

    fn create_value(&mut self, ty: Type, definition: Definition) -> ValueId {
        self.values.push(Value { ty, definition, name: None });
        ValueId::from_index(self.values.len() - 1)
    }

    /// A new result at the end of an operation's.
    pub fn add_result(&mut self, op: OpId, ty: Type) -> ValueId {
        let index = self.op(op).results.len() as u32;
        let value = self.create_value(ty, Definition::Result { op, index });
        self.op_mut(op).results.push(value);
        value
    }

    /// Makes a value the next result of an operation; who defined it before does not any more.
    pub fn adopt_result(&mut self, op: OpId, value: ValueId) {
        let index = self.op(op).results.len() as u32;
        self.value_mut(value).definition = Definition::Result { op, index };
        self.op_mut(op).results.push(value);
    }

    /// Takes the results away from an operation, which gets new ones of the same types.
    pub fn renew_results(&mut self, op: OpId) -> SmallVec<[ValueId; 1]> {
        let old = std::mem::take(&mut self.op_mut(op).results);
        for value in &old {
            let ty = self.ty(*value).clone();
            self.add_result(op, ty);
        }
        old
    }

    /// Gives an operation other operands, attributes and regions. Its results stay; what was in its regions is erased.
    pub fn rebuild(&mut self, op: OpId, parts: OpParts) {
        for nested in self.walk(op).into_iter().skip(1) {
            self.ops[nested.index()] = None;
        }
        for region in &parts.regions {
            self.regions[region.index()].parent = Some(op);
        }
        let operation = self.op_mut(op);
        (operation.operands, operation.attrs, operation.regions) = (parts.operands, parts.attrs, parts.regions);
    }

    /// A new operation, in no block yet.
    pub fn create_op(&mut self, opcode: Opcode, parts: OpParts, loc: Loc) -> OpId {
        let op = OpId::from_index(self.ops.len());
        for region in &parts.regions {
            self.regions[region.index()].parent = Some(op);
        }
        let results = (0u32..)
            .zip(parts.result_types)
            .map(|(index, ty)| self.create_value(ty, Definition::Result { op, index }))
            .collect();
        let OpParts { operands, attrs, regions, .. } = parts;
        let (parent, previous, next) = (None, None, None);
        self.ops.push(Some(Operation { opcode, operands, results, attrs, regions, loc, parent, previous, next }));
        op
    }

    /// Puts a detached operation at the end of a block.
    pub fn append(&mut self, block: BlockId, op: OpId) {
        let last = self.block(block).last;
        self.link(block, last, op, None);
    }

    /// Puts a detached operation before another.
    pub fn insert_before(&mut self, anchor: OpId, op: OpId) {
        let block = self.op(anchor).parent.expect("the anchor should be in a block");
        let previous = self.op(anchor).previous;
        self.link(block, previous, op, Some(anchor));
    }

    /// Puts a detached operation after another.
    pub fn insert_after(&mut self, anchor: OpId, op: OpId) {
        let block = self.op(anchor).parent.expect("the anchor should be in a block");
        let next = self.op(anchor).next;
        self.link(block, Some(anchor), op, next);
    }

    fn link(&mut self, block: BlockId, previous: Option<OpId>, op: OpId, next: Option<OpId>) {
        assert!(self.op(op).parent.is_none(), "an operation should be detached before it is put elsewhere");
        match previous {
            Some(previous) => self.op_mut(previous).next = Some(op),
            None => self.blocks[block.index()].first = Some(op),
        }
        match next {
            Some(next) => self.op_mut(next).previous = Some(op),
            None => self.blocks[block.index()].last = Some(op),
        }
        let linked = self.op_mut(op);
        (linked.parent, linked.previous, linked.next) = (Some(block), previous, next);
    }

    /// Takes an operation out of its block; it can be put elsewhere.
    pub fn detach(&mut self, op: OpId) {
        let (block, previous, next) = {
            let unlinked = self.op_mut(op);
            (unlinked.parent.take(), unlinked.previous.take(), unlinked.next.take())
        };
        let Some(block) = block else { return };
        match previous {
            Some(previous) => self.op_mut(previous).next = next,
            None => self.blocks[block.index()].first = next,
        }
        match next {
            Some(next) => self.op_mut(next).previous = previous,
            None => self.blocks[block.index()].last = previous,
        }
    }

    /// Erases an operation with everything in it. Nobody may read its results any more.
    pub fn erase(&mut self, op: OpId) {
        self.detach(op);
        for nested in self.walk(op) {
            self.ops[nested.index()] = None;
        }
    }

    /// Removes the results whose position `keep` refuses. Nobody may read them any more.
    pub fn retain_results(&mut self, op: OpId, keep: impl Fn(usize) -> bool) {
        let results: SmallVec<[ValueId; 1]> = kept(&self.op(op).results, keep).collect();
        for (index, value) in (0u32..).zip(&results) {
            self.value_mut(*value).definition = Definition::Result { op, index };
        }
        self.op_mut(op).results = results;
    }

    /// Removes the arguments whose position `keep` refuses. Nobody may read them any more.
    pub fn retain_arguments(&mut self, block: BlockId, keep: impl Fn(usize) -> bool) {
        let arguments: Vec<ValueId> = kept(&self.block(block).arguments, keep).collect();
        for (index, value) in (0u32..).zip(&arguments) {
            self.value_mut(*value).definition = Definition::Argument { block, index };
        }
        self.blocks[block.index()].arguments = arguments;
    }

    /// Moves all operations of `from` to the end of `to`.
    pub fn splice(&mut self, from: BlockId, to: BlockId) {
        for op in self.block_op_ids(from) {
            self.detach(op);
            self.append(to, op);
        }
    }

    /// Copies an operation with its regions. Operands are looked up in `mapping` (left as they are where it has no
    /// entry), results and block arguments are added to it. The copy is detached.
    pub fn clone_op(&mut self, op: OpId, mapping: &mut HashMap<ValueId, ValueId>) -> OpId {
        let source = self.op(op).clone();
        let regions = source.regions.iter().map(|region| self.clone_region(*region, mapping)).collect();
        let operands = source.operands.iter().map(|value| mapping.get(value).copied().unwrap_or(*value)).collect();
        let result_types = source.results.iter().map(|value| self.ty(*value).clone()).collect();
        let copy =
            self.create_op(source.opcode, OpParts { operands, result_types, attrs: source.attrs, regions }, source.loc);
        let copies = self.op(copy).results.clone();
        for (old, new) in source.results.iter().zip(copies) {
            self.value_mut(new).name = self.value(*old).name.clone();
            mapping.insert(*old, new);
        }
        copy
    }

    fn clone_region(&mut self, region: RegionId, mapping: &mut HashMap<ValueId, ValueId>) -> RegionId {
        let copy = self.create_region();
        for block in self.region(region).blocks.clone() {
            let new_block = self.create_block(copy);
            for argument in self.block(block).arguments.clone() {
                let ty = self.ty(argument).clone();
                let new_argument = self.add_argument(new_block, ty);
                self.value_mut(new_argument).name = self.value(argument).name.clone();
                mapping.insert(argument, new_argument);
            }
            for op in self.block_op_ids(block) {
                let new_op = self.clone_op(op, mapping);
                self.append(new_block, new_op);
            }
        }
        copy
    }

    /// Replaces values everywhere under `op`, following chains (`a → b`, `b → c` gives `c` for `a`).
    pub fn replace_values(&mut self, op: OpId, replacements: &HashMap<ValueId, ValueId>) {
        if replacements.is_empty() {
            return;
        }
        for op in self.walk(op) {
            for operand in &mut self.op_mut(op).operands {
                while let Some(replacement) = replacements.get(operand) {
                    *operand = *replacement;
                }
            }
        }
    }

    /// For every value (by index) the operations that read it, each once a use, in textual order.
    pub fn uses(&self) -> Vec<SmallVec<[OpId; 2]>> {
        let mut uses = vec![SmallVec::new(); self.values.len()];
        for op in self.walk(self.root) {
            for operand in &self.op(op).operands {
                uses[operand.index()].push(op);
            }
        }
        uses
    }
}

fn kept(values: &[ValueId], keep: impl Fn(usize) -> bool) -> impl Iterator<Item = ValueId> {
    values.iter().enumerate().filter(move |(at, _)| keep(*at)).map(|(_, value)| *value)
}
