//! The plan: everything a device executes, in the order it executes it.
//!
//! A plan knows launches, buffers and offsets. It knows nothing of the dialect that a model came from.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{deployment::Deployment, dtype::DType, scalar::ScalarBody};

/// One compiled model: its programs and the names they share.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Entry points; the first is the default.
    pub programs: Vec<Program>,
    /// Memory that grows, for caches; programs whose caches lie in one share it.
    pub arenas: Vec<KvArena>,
}

/// Reserved addresses `[slot][token]…` for the rows of caches, mapped as they grow.
///
/// A token's row holds what all caches of the arena have of that token. From a slot to the next are whole handles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvArena {
    /// Name, unique in the plan.
    pub name: String,
    /// How many requests it holds at once.
    pub slots: u64,
    /// The longest context, in tokens.
    pub tokens_max: u64,
    /// Size of a token's row.
    pub token_bytes: u64,
    /// Size of the pieces of physical memory that it grows by.
    pub handle_bytes: u64,
}

impl KvArena {
    /// Size of the rows of a slot.
    pub fn rows_bytes(&self) -> u64 {
        self.tokens_max * self.token_bytes
    }

    /// From a slot to the next, in bytes.
    pub fn slot_bytes(&self) -> u64 {
        self.rows_bytes().next_multiple_of(self.handle_bytes)
    }
}

/// Where a cache lies in an arena.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheLayout {
    /// Index into [`Plan::arenas`].
    pub arena: u32,
    /// The first element, from the arena's start, in bytes.
    pub offset: u64,
    /// From an element to the next along each dimension of the parameter, in elements.
    pub strides: Vec<u64>,
    /// Which dimension counts slots; none if there is one slot.
    pub slot_dim: Option<u32>,
    /// Which dimension counts tokens.
    pub token_dim: u32,
}

/// Rows of an arena: a range for each slot, by the positions of a step. Those that a step touches ([`Step::Ensure`],
/// [`Program::ensures`]), and those that stay when it is over ([`Step::Retire`], [`Program::retires`]).
///
/// Those of slot `b` are `low..high` with `high = p < 0 ? S : min(p + 1, S)`, `p` the largest of its positions, `S` the most tokens that
/// there are; any negative position counts. `low` is `max(0, q + 1 - window)`, `q` the least of its positions; it is 0 without a window,
/// and where a position is negative or not below `S`. A slot's positions are those of the source, plus the offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotRows {
    /// Index into [`Plan::arenas`].
    pub arena: u32,
    /// Where positions come from; without one they are the offsets.
    pub source: Option<PositionSource>,
    /// How the source's elements are spread over slots and tokens.
    pub spread: Spread,
    /// One for each token of each slot, slots outermost, `i64`.
    pub offsets: Vec<i64>,
    /// How many rows up to each position they are, at least 1; none if they are all.
    pub window: Option<u64>,
}

/// Where positions come from: one integer, or one for each slot or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PositionSource {
    /// The value of an argument that the host has.
    Param {
        /// Index into [`Program::params`].
        index: u32,
    },
    /// What launches before it have computed: in a loop.
    Buffer(BufferId),
}

/// How elements are spread over slots and tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Spread {
    /// One for all.
    One,
    /// One for each slot.
    Slots,
    /// One for each token.
    Tokens,
}

impl Spread {
    /// Every case, by its spelling.
    pub const ALL: &[(&str, Spread)] = &[("one", Spread::One), ("slots", Spread::Slots), ("tokens", Spread::Tokens)];
}

impl SlotRows {
    /// The rows of each slot; `positions` are the source's elements, as many as the spread says, or none without one.
    pub fn ranges(&self, arena: &KvArena, positions: &[i64]) -> Vec<Range<u64>> {
        (0..arena.slots as usize).map(|slot| self.of_slot(arena, positions, slot)).collect()
    }

    /// The same of one slot.
    pub fn of_slot(&self, arena: &KvArena, positions: &[i64], slot: usize) -> Range<u64> {
        let per_slot = self.offsets.len() / (arena.slots as usize).max(1);
        let position = |token: usize| {
            let base = match self.spread {
                Spread::One => positions.first(),
                Spread::Slots => positions.get(slot),
                Spread::Tokens => positions.get(token),
            };
            base.copied().unwrap_or(0).saturating_add(self.offsets[slot * per_slot + token])
        };
        let (least, most) = ((0..per_slot).map(position).min(), (0..per_slot).map(position).max());
        self.range(arena.tokens_max, least.unwrap_or(0), most.unwrap_or(0))
    }

    /// The rows for positions between these two.
    fn range(&self, tokens_max: u64, least: i64, most: i64) -> Range<u64> {
        let (Ok(least), Ok(most)) = (u64::try_from(least), u64::try_from(most)) else { return 0..tokens_max };
        if most >= tokens_max {
            return 0..tokens_max;
        }
        let low = self.window.map_or(0, |window| (least + 1).saturating_sub(window));
        low..most + 1
    }
}

/// One entry point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The entry point's name (`main`).
    pub name: String,
    /// Arguments in signature order.
    pub params: Vec<Param>,
    /// Results in signature order.
    pub results: Vec<ResultSlot>,
    /// Every buffer that a step names; a [`BufferId`] is an index into it.
    pub buffers: Vec<Buffer>,
    /// Size of the arena that [`Place::Arena`] offsets refer to, in bytes.
    pub arena_bytes: u64,
    /// What changes from step to step, as launches read it; a [`Place::Field`] names an index into it.
    pub blocks: Vec<ParamBlock>,
    /// Device number each segment and buffer belongs to; one today.
    pub device: u32,
    /// What the host maps before the first segment.
    pub ensures: Vec<SlotRows>,
    /// What the host leaves mapped after the last segment: rows below are gone. Each has a window.
    pub retires: Vec<SlotRows>,
    /// What to do, in order.
    pub segments: Vec<Segment>,
}

impl Program {
    /// From an element to the next along each dimension of a buffer, in elements; none if it is dense.
    pub fn strides(&self, buffer: &Buffer) -> Option<&[u64]> {
        let Place::Param { index } = buffer.place else { return None };
        self.params.get(index as usize)?.cache.as_ref().map(|cache| cache.strides.as_slice())
    }
}

/// When the bytes of an argument change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Bind {
    /// Fixed at load: weights.
    Once,
    /// New each step, read in place.
    Step,
    /// Owned by the runtime and carried from step to step: caches, mutated buffers.
    State,
    /// A value that the host needs too.
    Host,
}

impl Bind {
    /// Every class, in order of declaration.
    pub const ALL: &[Bind] = &[Bind::Once, Bind::Step, Bind::State, Bind::Host];

    /// The spelling in `pyg.bind` and in `--bind`.
    pub fn name(self) -> &'static str {
        match self {
            Bind::Once => "once",
            Bind::Step => "step",
            Bind::State => "state",
            Bind::Host => "host",
        }
    }

    /// The class of that name.
    pub fn from_name(name: &str) -> Option<Bind> {
        Bind::ALL.iter().copied().find(|b| b.name() == name)
    }
}

/// What an argument begins as if a caller gives no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Initial {
    /// A generator of random numbers that has drawn nothing: two words, its seed and the offset 0.
    RandomState,
}

impl Initial {
    /// Every case, in order of declaration.
    pub const ALL: &[Initial] = &[Initial::RandomState];

    /// The spelling in `pyg.initial`.
    pub fn name(self) -> &'static str {
        match self {
            Initial::RandomState => "random_state",
        }
    }

    /// The case of that spelling.
    pub fn from_name(name: &str) -> Option<Initial> {
        Initial::ALL.iter().copied().find(|initial| initial.name() == name)
    }
}

/// One argument of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// The caller's name for it; also its key in a weights file.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first, row-major.
    pub shape: Vec<u64>,
    /// When its bytes change.
    pub bind: Bind,
    /// The result whose value replaces this argument's in the next step. If that result lies in this argument, launches have
    /// written it there; else the runtime copies it.
    pub updated_by: Option<u32>,
    /// Where its bytes lie if it is a cache that grows; else they are an array of their own.
    pub cache: Option<CacheLayout>,
    /// What it begins as if a caller gives no value; none where a caller has to.
    pub initial: Option<Initial>,
}

/// One result of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultSlot {
    /// The caller's name for it.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first, row-major.
    pub shape: Vec<u64>,
    /// Where it lies when the program has ended.
    pub buffer: BufferId,
}

/// Index into [`Program::buffers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BufferId(pub u32);

/// A dense row-major array in one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Buffer {
    /// Element type.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: Vec<u64>,
    /// Where its bytes are.
    pub place: Place,
}

/// Where the bytes of a buffer are.
///
/// All but [`Place::Field`] are addresses that stay the same as long as a model is loaded and its state is not replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// In the program's arena, at a fixed offset in bytes.
    Arena {
        /// Offset from the arena's start.
        offset: u64,
    },
    /// The bytes of a weight or of state; of a cache, with the strides of its layout. Written only if it is state and the result that updates it lies here too.
    Param {
        /// Index into [`Program::params`].
        index: u32,
    },
    /// The artifact's constants, at an offset in bytes; never written.
    Constant {
        /// Offset from the start of the constants section.
        offset: u64,
    },
    /// What a field of a parameter block says: its value, or what lies at its address.
    Field {
        /// Index into [`Program::blocks`].
        block: u32,
        /// Index into [`ParamBlock::fields`].
        field: u32,
    },
}

/// A struct in the device's memory, written once a step before the launches that read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamBlock {
    /// Name, unique in the program.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// In order of their offsets.
    pub fields: Vec<Field>,
}

/// A field of a parameter block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The argument's or result's name.
    pub name: String,
    /// Where it lies in the block, in bytes; values of up to 8 bytes and addresses at multiples of 8, others of 16.
    pub offset: u64,
    /// What is written there.
    pub source: FieldSource,
}

/// Size of an address in a parameter block, in bytes.
pub const ADDRESS_BYTES: u64 = 8;

/// What the offset of a field of that size is a multiple of, in bytes.
pub fn field_alignment(bytes: u64) -> u64 {
    if bytes > ADDRESS_BYTES { 16 } else { 8 }
}

/// What a field of a parameter block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FieldSource {
    /// The bytes of an argument.
    Value {
        /// Index into [`Program::params`].
        param: u32,
    },
    /// The address of an argument's bytes, which are only read.
    ParamAddress {
        /// Index into [`Program::params`].
        param: u32,
    },
    /// The address of the buffer that a result is written to.
    ResultAddress {
        /// Index into [`Program::results`].
        result: u32,
    },
}

/// Launches between two points where the host takes part. All of a program that can be one is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Name, unique in the program.
    pub name: String,
    /// How its launches are started.
    pub deploy: Deployment,
    /// The parameter block that its launches read; none if nothing changes.
    pub block: Option<u32>,
    /// In an order that their edges allow.
    #[serde(with = "crate::steps")]
    pub nodes: Vec<Node>,
}

/// A step, and which of the steps beside it must have ended before it begins: the edges of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Positions of earlier nodes in the same list, ascending.
    pub after: Vec<u32>,
    /// What it does.
    pub step: Step,
}

/// One thing that a device does. Serialised flat, through [`crate::steps`], because steps nest.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all steps are launches")]
pub enum Step {
    /// Runs one launch.
    Launch(Launch),
    /// Runs `condition`, then `body` and again `condition` for as long as `predicate` is true.
    While {
        /// Computes the predicate.
        condition: Vec<Node>,
        /// An `i1` of one element.
        predicate: BufferId,
        /// One iteration.
        body: Vec<Node>,
    },
    /// Waits until rows are mapped; outside of loops the host does it before the segment.
    Ensure(SlotRows),
    /// Says that no later step touches rows below these; outside of loops the host hears of it after the last segment. They have a window.
    Retire(SlotRows),
    /// Runs one of the branches; an index out of range runs the last.
    Switch {
        /// An `i32` of one element.
        index: BufferId,
        /// At least one.
        branches: Vec<Vec<Node>>,
    },
}

impl Step {
    /// The lists of nodes inside it, in order.
    pub fn inside(&self) -> Vec<&[Node]> {
        match self {
            Step::Launch(_) | Step::Ensure(_) | Step::Retire(_) => Vec::new(),
            Step::While { condition, body, .. } => vec![condition, body],
            Step::Switch { branches, .. } => branches.iter().map(Vec::as_slice).collect(),
        }
    }

    /// The same, to change them.
    pub fn inside_mut(&mut self) -> Vec<&mut [Node]> {
        match self {
            Step::Launch(_) | Step::Ensure(_) | Step::Retire(_) => Vec::new(),
            Step::While { condition, body, .. } => vec![condition, body],
            Step::Switch { branches, .. } => branches.iter_mut().map(Vec::as_mut_slice).collect(),
        }
    }
}

/// All launches among nodes, those inside of others too, in order.
pub fn launches(nodes: &[Node]) -> Vec<&Launch> {
    let mut found = Vec::new();
    for node in nodes {
        if let Step::Launch(launch) = &node.step {
            found.push(launch);
        }
        node.step.inside().into_iter().for_each(|nodes| found.extend(launches(nodes)));
    }
    found
}

/// One unit of work on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// Name for people: what it computes.
    pub name: String,
    /// Where in the user's file it comes from (`model.mlir:7:3`).
    pub location: String,
    /// What it does.
    pub work: Work,
    /// For each of its loop nests the function of the artifact's host code that computes it, if one does
    /// ([`crate::host_code::HostCode::functions`]). Empty where there is none for any.
    pub functions: Vec<Option<u32>>,
}

/// What a launch does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// A generated loop nest.
    Nest(Nest),
    /// A named kernel of the manifest.
    Kernel(KernelCall),
    /// Generated loop nests, row by row, alone or behind a product.
    Fused(Fused),
}

impl Work {
    /// Its loop nests, in the order in which they run.
    pub fn nests(&self) -> Vec<&Nest> {
        match self {
            Work::Nest(nest) => vec![nest],
            Work::Kernel(_) => Vec::new(),
            Work::Fused(fused) => fused.nests().collect(),
        }
    }

    /// The buffers that it may read, in order, with repeats.
    pub fn reads(&self) -> Vec<BufferId> {
        match self {
            Work::Nest(nest) => nest.inputs.iter().map(|access| access.buffer).collect(),
            Work::Kernel(call) => call.inputs.clone(),
            Work::Fused(fused) => fused.buffers_of(|call| &call.inputs, |stage| &stage.inputs),
        }
    }

    /// The buffers that it writes, in order, with repeats.
    pub fn writes(&self) -> Vec<BufferId> {
        match self {
            Work::Nest(nest) => nest.outputs.iter().map(|access| access.buffer).collect(),
            Work::Kernel(call) => call.outputs.clone(),
            Work::Fused(fused) => fused.buffers_of(|call| &call.outputs, |stage| &stage.outputs),
        }
    }
}

/// How a loop nest walks one buffer: element `offset + Σ strides[d] * index[d]`.
///
/// Offset and strides count elements; strides may be zero or negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Which buffer.
    pub buffer: BufferId,
    /// Element at index zero.
    pub offset: i64,
    /// One a dimension of the iteration space.
    pub strides: Vec<i64>,
}

/// A loop nest over a rectangular iteration space.
///
/// At every point the elements of `inputs` go through `map`.
/// Without `combine`, the results are stored through `outputs`; no two points store to one element, and an output
/// overlaps an input only if both walk the same elements in the same way.
/// With `combine`, the last `reduction_dims` dimensions are folded: the values of `map` along them are combined in
/// index order, as any tree, onto the element that the output held before
/// (`combine(acc…, value…) -> acc…`, associative; outputs have stride zero there).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nest {
    /// Extents of the iteration space, outermost first.
    pub extents: Vec<u64>,
    /// How many of the last dimensions are folded; zero without `combine`.
    pub reduction_dims: u32,
    /// What `map` reads, one an input of it.
    pub inputs: Vec<Access>,
    /// What is written, one an output of `map`.
    pub outputs: Vec<Access>,
    /// From input elements to values.
    pub map: ScalarBody,
    /// Folds values along the reduced dimensions.
    pub combine: Option<ScalarBody>,
}

/// Loop nests that run one after another, as one launch, with or without a product among them: those before it are its prologue, those
/// behind it its epilogue.
///
/// Rows are independent. The first parallel dimensions of every stage count the rows; a temporary, and a buffer that a stage
/// writes, has as many equal parts in order of its elements, and every stage touches them in its own row's part alone. So rows may
/// run at the same time or one by one, and a temporary needs room for the rows that run at the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fused {
    /// How many rows; at least 1.
    pub rows: u64,
    /// What the kernel and the stages read and write.
    pub operands: Vec<FusedOperand>,
    /// What makes inputs of the kernel, element by element; none without a kernel. Each has no `combine`, one output, which is a
    /// temporary that it fills and that the kernel alone reads, and reads buffers that this launch does not write. A device may
    /// compute an element where the kernel asks for it, as often as it asks.
    pub prologue: Vec<Nest>,
    /// A product whose result the stages go on with. Its inputs are what the prologue makes, or buffers that no stage writes, and may be read anywhere; its
    /// one output has as many equal parts as there are rows, and a part is whole before a stage touches it. Buffers are operands
    /// here as in `stages`.
    pub kernel: Option<KernelCall>,
    /// In order; some, unless there is a prologue. Their accesses name operands, as those of the prologue do: [`BufferId`] is an index
    /// into `operands` there.
    pub stages: Vec<Nest>,
}

impl Fused {
    /// Its loop nests, in the order in which they run.
    pub fn nests(&self) -> impl Iterator<Item = &Nest> {
        self.prologue.iter().chain(&self.stages)
    }

    /// The operands that the kernel and the loop nests name, with repeats.
    pub fn named(&self) -> impl Iterator<Item = BufferId> {
        let kernel = self.kernel.iter().flat_map(|call| call.inputs.iter().chain(&call.outputs).copied());
        let accesses = self.nests().flat_map(|nest| nest.inputs.iter().chain(&nest.outputs));
        kernel.chain(accesses.map(|access| access.buffer))
    }

    /// The buffers among the operands that the kernel and each loop nest name here; numbers of no operand are left out.
    fn buffers_of(
        &self,
        of_kernel: impl Fn(&KernelCall) -> &Vec<BufferId>,
        of_stage: impl Fn(&Nest) -> &Vec<Access>,
    ) -> Vec<BufferId> {
        let kernel = self.kernel.iter().flat_map(|call| of_kernel(call).iter().copied());
        let stages = self.nests().flat_map(|nest| of_stage(nest).iter().map(|access| access.buffer));
        let buffer = |operand: BufferId| match self.operands.get(operand.0 as usize) {
            Some(FusedOperand::Buffer(buffer)) => Some(*buffer),
            _ => None,
        };
        kernel.chain(stages).filter_map(buffer).collect()
    }
}

/// What stages of a [`Fused`] read and write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FusedOperand {
    /// A buffer of the program.
    Buffer(BufferId),
    /// An array that nobody needs afterwards. Its elements are unspecified until a stage writes them.
    Temporary {
        /// Element type.
        dtype: DType,
        /// Extents, outermost first, of all rows together.
        shape: Vec<u64>,
    },
}

/// A call of a kernel that the manifest names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelCall {
    /// Name in the manifest.
    pub kernel: String,
    /// Buffers read.
    pub inputs: Vec<BufferId>,
    /// Buffers written whole. A kernel never reads what it has not written.
    pub outputs: Vec<BufferId>,
    /// Attributes, sorted by name; the manifest says which a kernel has.
    pub attributes: Vec<(String, KernelAttr)>,
    /// Scalar programs that the kernel applies (a comparator, an update); the manifest says how many.
    pub bodies: Vec<ScalarBody>,
}

/// The value of a kernel's attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum KernelAttr {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A list of integers.
    Ints(Vec<i64>),
    /// A floating-point number.
    Float(f64),
    /// A text.
    Text(String),
}
