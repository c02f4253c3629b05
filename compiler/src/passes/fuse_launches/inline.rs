//! Producers into consumers.
//!
//! In order of the text: when a nest is looked at, its own producers are in it already, so one round reaches chains of any
//! length. What does not pay because several nests read it is looked at again in the end: they may have become one, as those of
//! an activation do that reads its argument twice. Nests are changed in a table and written back once.

use std::collections::HashMap;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use pygraph_kernels::nest::folds_alike;
use smallvec::{SmallVec, smallvec};

use super::{
    PassContext,
    access::{canonical, compose, is_identity, through_view},
    epilogue::{Products, fits},
};
use crate::{
    emit::launch::walk_of,
    ir::{
        Attribute, BlockId, Module, OpId, Opcode, ValueId,
        attribute::{AffineMap, LinearExpr},
        ops::is_pure_op,
    },
    lower::{
        body::body_of,
        literal::splat_bits,
        site::{NestParts, Site, constant_elements, tensor_of},
    },
};

/// What a launch costs, in bytes that could be moved in the time: a microsecond of an H100.
const LAUNCH_BYTES: u64 = 1 << 20;
/// Bodies do not grow beyond this: registers of a thread are few.
const INSTRUCTIONS_MAX: usize = 256;
/// And not beyond so many accesses.
const INPUTS_MAX: usize = 16;

/// For every value (by index) the operations that read it.
pub type Uses = [SmallVec<[OpId; 2]>];

/// The nests of a function, in order of the text.
struct Nests {
    entries: Vec<Entry>,
    /// By operation: its place in the list; none of an operation that is no such nest.
    places: Vec<u32>,
}

impl Nests {
    fn new(module: &Module) -> Nests {
        Nests { entries: Vec::new(), places: vec![u32::MAX; module.arena_sizes().0] }
    }

    fn insert(&mut self, entry: Entry) {
        self.places[entry.op.index()] = self.entries.len() as u32;
        self.entries.push(entry);
    }

    fn get(&self, op: OpId) -> Option<&Entry> {
        self.entries.get(self.places[op.index()] as usize)
    }

    fn get_mut(&mut self, op: OpId) -> &mut Entry {
        &mut self.entries[self.places[op.index()] as usize]
    }
}

impl std::ops::Index<OpId> for Nests {
    type Output = Entry;

    fn index(&self, op: OpId) -> &Entry {
        self.get(op).expect("a nest should be known")
    }
}

struct Entry {
    op: OpId,
    parts: NestParts,
    /// How many effects come before it in its block: work does not move past one.
    epoch: u32,
    changed: bool,
    /// The nests that it has moved into.
    heirs: SmallVec<[OpId; 2]>,
}

/// What became of a producer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is in its readers.
    Moved,
    /// It does not pay as long as the readers are these.
    Unpaid,
    /// It stays a launch.
    Single,
}

/// True if anything changed.
pub fn inline(module: &mut Module, blocks: &[BlockId], uses: &Uses, context: &PassContext) -> bool {
    let mut nests = Nests::new(module);
    for block in blocks {
        let mut epoch = 0;
        for op in module.block_ops(*block) {
            let opcode = module.op(op).opcode;
            if opcode != Opcode::PygNest {
                epoch += u32::from(!opcode.def().is_terminator() && !is_pure_op(module, op));
            } else if let Some(mut parts) = read(module, op) {
                let changed = simplify(module, &mut parts);
                nests.insert(Entry { op, parts, epoch, changed, heirs: SmallVec::new() });
            }
        }
    }
    let order: Vec<OpId> = nests.entries.iter().map(|entry| entry.op).collect();
    let mut products = Products::of(module, blocks, uses);
    let mut outcome = |op: OpId| inline_producer(module, op, uses, &mut nests, &mut products);
    let outcomes: Vec<(OpId, Outcome)> = order.iter().map(|op| (*op, outcome(*op))).collect();
    let unpaid = outcomes.iter().filter(|(_, first)| *first == Outcome::Unpaid);
    let again: Vec<Outcome> = unpaid.map(|(op, _)| outcome(*op)).collect();
    let moved = outcomes.iter().map(|(_, outcome)| outcome).chain(&again).filter(|outcome| **outcome == Outcome::Moved);
    context.count("producers inlined", moved.count() as u64);
    write_back(module, nests.entries)
}

/// The nest that an operation is; none for one without points.
pub fn read(module: &Module, op: OpId) -> Option<NestParts> {
    let operation = module.op(op);
    let extents: Vec<u64> = operation
        .attr("extents")?
        .as_i64_slice()?
        .iter()
        .map(|extent| u64::try_from(*extent).ok())
        .collect::<Option<_>>()?;
    if extents.contains(&0) {
        return None;
    }
    let reduction_dims = usize::try_from(operation.attr("reduction_dims")?.as_i64()?).ok()?;
    let input_count = usize::try_from(operation.attr("input_count")?.as_i64()?).ok()?;
    let Some(Attribute::Array(maps)) = operation.attr("maps") else { return None };
    let mut inputs: Vec<(ValueId, AffineMap)> = Vec::with_capacity(maps.len());
    for (value, map) in operation.operands.iter().zip(maps.iter()) {
        let Attribute::AffineMap(map) = map else { return None };
        inputs.push((*value, canonical(map, &extents)));
    }
    let outputs = inputs.split_off(input_count);
    let map = body_of(module, op, 0)?;
    let combine = if operation.regions.len() > 1 { Some(body_of(module, op, 1)?) } else { None };
    Some(NestParts { extents, reduction_dims, inputs, outputs, map, combine })
}

/// Reads through views what an affine map can say, and constants of one value not at all.
fn simplify(module: &Module, parts: &mut NestParts) -> bool {
    let mut sources = Vec::with_capacity(parts.inputs.len());
    let mut changed = false;
    for (value, map) in &parts.inputs {
        let (value, map, was_view) = behind_views(module, *value, map.clone(), &parts.extents);
        let literal = constant_elements(module, value).and_then(|elements| splat_bits(&elements));
        changed |= was_view || literal.is_some();
        sources.push(match (literal, tensor_of(module.ty(value))) {
            (Some(bits), Some(tensor)) => Source::Literal { dtype: tensor.dtype, bits },
            _ => Source::Element(value, map),
        });
    }
    if !changed {
        return false;
    }
    match rebuild(module, parts, sources) {
        Some(rebuilt) if folds_the_same(module, parts, &rebuilt) => *parts = rebuilt,
        _ => return false,
    }
    true
}

fn behind_views(module: &Module, value: ValueId, map: AffineMap, extents: &[u64]) -> (ValueId, AffineMap, bool) {
    let (mut value, mut map, mut was_view) = (value, map, false);
    while let Some(op) = module.defining_op(value)
        && module.op(op).opcode == Opcode::PygView
    {
        let source = module.op(op).operands[0];
        let (Some(from), Some(to)) = (tensor_of(module.ty(value)), tensor_of(module.ty(source))) else { break };
        if from.dtype != to.dtype {
            break;
        }
        let Some(through) = through_view(&map, extents, &from.shape, &to.shape) else { break };
        (value, map, was_view) = (source, through, true);
    }
    (value, map, was_view)
}

/// Moves a nest into all its readers, if it can be moved into each and that pays.
fn inline_producer(
    module: &Module,
    op: OpId,
    uses: &Uses,
    nests: &mut Nests,
    products: &mut Products,
) -> Outcome {
    let producer = &nests[op].parts;
    let [result] = module.op(op).results[..] else { return Outcome::Single };
    if !is_inlinable(module, producer) {
        return Outcome::Single;
    }
    let Some(readers) = readers_of(module, op, result, uses, nests) else { return Outcome::Single };
    if readers.is_empty() {
        return Outcome::Single;
    }
    let readers_now = || readers.iter().map(|reader| &nests[*reader].parts);
    let is_behind = |reader: &OpId| !products.claimed(module, *reader, &nests[*reader].parts).is_empty();
    if !is_worth_it(module, producer, result, readers_now(), readers.iter().all(is_behind)) {
        return Outcome::Unpaid;
    }
    let fused: Option<SmallVec<[NestParts; 1]>> =
        readers.iter().map(|reader| fuse(module, &nests[*reader].parts, producer, result)).collect();
    let Some(fused) = fused else { return Outcome::Single };
    let claimed = products.claimed(module, op, producer);
    let stays_epilogue = |parts: &NestParts| claimed.iter().any(|product| fits(module, parts, *product));
    if let Some(product) = claimed.first()
        && !matches!(&fused[..], [reader] if stays_epilogue(reader))
        && is_better_as_epilogue(module, producer, [*product, result], readers_now())
    {
        return Outcome::Unpaid;
    }
    products.moved(module, op, producer, &readers);
    for (reader, parts) in readers.iter().zip(fused) {
        let entry = nests.get_mut(*reader);
        (entry.parts, entry.changed) = (parts, true);
    }
    let entry = nests.get_mut(op);
    // Nobody looks at it any more, and along a chain such bodies would be as many bytes as the square of its length.
    (entry.parts.inputs, entry.parts.map) = (Vec::new(), ScalarBody::default());
    entry.heirs = readers;
    Outcome::Moved
}

/// True if each element is computed by itself and stored where the point is.
fn is_inlinable(module: &Module, producer: &NestParts) -> bool {
    let [(init, map)] = &producer.outputs[..] else { return false };
    let Some(tensor) = tensor_of(module.ty(*init)) else { return false };
    producer.combine.is_none() && is_identity(map, &producer.extents, &tensor.shape)
}

/// The nests that read a value, each once; none if anything else does, or a nest reads it in another way than by element.
fn readers_of(
    module: &Module,
    producer: OpId,
    result: ValueId,
    uses: &Uses,
    nests: &Nests,
) -> Option<SmallVec<[OpId; 2]>> {
    let block = module.op(producer).parent();
    let mut readers: SmallVec<[OpId; 2]> = SmallVec::new();
    let mut pending: SmallVec<[ValueId; 4]> = smallvec![result];
    while let Some(value) = pending.pop() {
        for user in &uses[value.index()] {
            let operation = module.op(*user);
            if operation.opcode == Opcode::PygView {
                pending.push(operation.results[0]);
                continue;
            }
            let mut now: SmallVec<[OpId; 4]> = smallvec![*user];
            while let Some(reader) = now.pop() {
                let Entry { parts, epoch, heirs, .. } = nests.get(reader)?;
                if !heirs.is_empty() {
                    now.extend(heirs.iter().copied());
                    continue;
                }
                let reads_view = value != result && parts.inputs.iter().any(|(input, _)| *input == value);
                let writes = parts.outputs.iter().any(|(init, _)| *init == value);
                let is_near = module.op(reader).parent() == block && *epoch == nests[producer].epoch;
                if !is_near || reads_view || writes {
                    return None;
                }
                if !readers.contains(&reader) {
                    readers.push(reader);
                }
            }
        }
        if readers.len() > INPUTS_MAX {
            return None;
        }
    }
    Some(readers)
}

/// Compares bytes: those of the tensor between and of a launch, against those of what is read and computed again. What a reader reads
/// anyway costs nothing. Nor does what is computed again behind products (the root of a variance, for each element of its feature): their sums
/// take longer.
fn is_worth_it<'p>(
    module: &Module,
    producer: &NestParts,
    result: ValueId,
    readers: impl Iterator<Item = &'p NestParts> + Clone,
    are_behind_products: bool,
) -> bool {
    let (own, evaluations) = (points(producer), evaluations_of(result, readers.clone()));
    let again = evaluations.saturating_sub(own);
    let is_too_dear = |instruction| is_dear(instruction) && !(are_behind_products && is_root(instruction));
    if again > 0 && producer.map.instructions.iter().any(is_too_dear) {
        return false;
    }
    let again = if are_behind_products { 0 } else { again };
    let size = |value| element_bytes(module, value);
    let read: u64 = producer.inputs.iter().map(|(value, _)| size(*value)).sum();
    let inside = readers.fold(0u64, |sum, reader| sum.saturating_add(bytes_read_inside(module, producer, result, reader)));
    let fused = inside.saturating_add(again.saturating_mul(operation_count(&producer.map)));
    let apart = (read + size(result)).saturating_mul(own).saturating_add(size(result).saturating_mul(evaluations));
    fused <= apart.saturating_add(LAUNCH_BYTES)
}

/// What a reader would read for a producer inside of it, beyond what it reads already, in bytes.
fn bytes_read_inside(module: &Module, producer: &NestParts, result: ValueId, reader: &NestParts) -> u64 {
    let is_read = |value: ValueId, own: &AffineMap, map: &AffineMap| {
        let inside = compose(own, map).map(|composed| canonical(&composed, &reader.extents));
        inside.is_some_and(|inside| reader.inputs.iter().any(|(other, map)| *other == value && *map == inside))
    };
    let reads = reader.inputs.iter().filter(|(value, _)| *value == result);
    let of_one = |(_, map): &(ValueId, AffineMap)| {
        let anew = producer.inputs.iter().filter(|(value, own)| !is_read(*value, own, map));
        anew.map(|(value, _)| element_bytes(module, *value)).sum::<u64>()
    };
    reads.map(of_one).sum::<u64>().saturating_mul(points(reader))
}

/// Compares bytes where a launch is saved both ways: with the producer behind its product, its result is stored and read; with
/// it in its readers, the product's is, and each of them reads all that the producer reads.
fn is_better_as_epilogue<'p>(
    module: &Module,
    producer: &NestParts,
    [product, result]: [ValueId; 2],
    readers: impl Iterator<Item = &'p NestParts>,
) -> bool {
    let (own, evaluations) = (points(producer), evaluations_of(result, readers));
    let size = |value| element_bytes(module, value);
    let all: u64 = producer.inputs.iter().map(|(value, _)| size(*value)).sum();
    let product = size(product);
    let behind = all
        .saturating_sub(product)
        .saturating_mul(own)
        .saturating_add(size(result).saturating_mul(own.saturating_add(evaluations)));
    let inside = product.saturating_mul(own).saturating_add(all.saturating_mul(evaluations));
    behind <= inside
}

/// Bytes of an element of a tensor.
pub fn element_bytes(module: &Module, value: ValueId) -> u64 {
    tensor_of(module.ty(value)).map_or(0, |tensor| tensor.dtype.size_bytes() as u64)
}

fn points(parts: &NestParts) -> u64 {
    parts.extents.iter().fold(1, |points, extent| points.saturating_mul(*extent))
}

/// How often readers ask for an element of a result, all points of all of them together.
fn evaluations_of<'p>(result: ValueId, readers: impl Iterator<Item = &'p NestParts>) -> u64 {
    readers.fold(0u64, |sum, reader| {
        let reads = reader.inputs.iter().filter(|(value, _)| *value == result).count() as u64;
        sum.saturating_add(points(reader).saturating_mul(reads))
    })
}

fn operation_count(body: &ScalarBody) -> u64 {
    body.instructions.iter().filter(|instruction| matches!(instruction, ScalarInst::Op { .. })).count() as u64
}

/// True for operations that take as long as some ten additions.
fn is_root(instruction: &ScalarInst) -> bool {
    matches!(instruction, ScalarInst::Op { op: ScalarOp::Rsqrt | ScalarOp::Sqrt, .. })
}

/// True for operations that take longer than a few additions.
pub fn is_dear(instruction: &ScalarInst) -> bool {
    use ScalarOp::{
        Abs, Add, And, Bitcast, Ceil, Clz, Complex, Convert, Eq, EqTotal, Floor, Ge, GeTotal, Gt, GtTotal, Imag,
        IsFinite, Le, LeTotal, Lt, LtTotal, Max, Min, Mul, Ne, NeTotal, Neg, NextAfter, Not, Or, Popcnt, Real,
        ReducePrecision, RoundAway, RoundEven, Select, Shl, ShrArith, ShrLogical, Sign, Sub, Xor,
    };
    let ScalarInst::Op { op, .. } = instruction else { return false };
    !matches!(
        op,
        Abs | Add
            | And
            | Bitcast
            | Ceil
            | Clz
            | Complex
            | Convert
            | Eq
            | EqTotal
            | Floor
            | Ge
            | GeTotal
            | Gt
            | GtTotal
            | Imag
            | IsFinite
            | Le
            | LeTotal
            | Lt
            | LtTotal
            | Max
            | Min
            | Mul
            | Ne
            | NeTotal
            | Neg
            | NextAfter
            | Not
            | Or
            | Popcnt
            | Real
            | ReducePrecision
            | RoundAway
            | RoundEven
            | Select
            | Shl
            | ShrArith
            | ShrLogical
            | Sign
            | Sub
            | Xor
    )
}

/// The reader with the producer in its body; none if that is too large or would fold in another order.
fn fuse(module: &Module, reader: &NestParts, producer: &NestParts, result: ValueId) -> Option<NestParts> {
    let source = |(value, map): &(ValueId, AffineMap)| {
        if *value != result {
            return Some(Source::Element(*value, map.clone()));
        }
        let composed =
            |(value, own): &(ValueId, AffineMap)| Some((*value, canonical(&compose(own, map)?, &reader.extents)));
        let inputs = producer.inputs.iter().map(composed).collect::<Option<_>>()?;
        Some(Source::Computed { body: &producer.map, inputs, point: map.clone() })
    };
    let sources = reader.inputs.iter().map(source).collect::<Option<_>>()?;
    let fused = rebuild(module, reader, sources)?;
    folds_the_same(module, reader, &fused).then_some(fused)
}

/// What an input of a body becomes.
enum Source<'p> {
    /// An element of a tensor.
    Element(ValueId, AffineMap),
    /// A number.
    Literal { dtype: DType, bits: u128 },
    /// What a body computes from elements, at a point of its own space.
    Computed { body: &'p ScalarBody, inputs: Vec<(ValueId, AffineMap)>, point: AffineMap },
}

/// The nest with its inputs replaced; none where it gets too large. Equal accesses and equal operations are one.
fn rebuild(module: &Module, parts: &NestParts, sources: Vec<Source>) -> Option<NestParts> {
    let mut inputs: Vec<(ValueId, AffineMap)> = Vec::new();
    let mut slot = |access: &(ValueId, AffineMap)| {
        let known = inputs.iter().position(|own| own == access);
        known.unwrap_or_else(|| {
            inputs.push(access.clone());
            inputs.len() - 1
        }) as u32
    };
    let slots: Vec<Vec<u32>> = sources
        .iter()
        .map(|source| match source {
            Source::Element(value, map) => vec![slot(&(*value, map.clone()))],
            Source::Literal { .. } => Vec::new(),
            Source::Computed { inputs, .. } => inputs.iter().map(&mut slot).collect(),
        })
        .collect();
    let dtypes: Option<Vec<DType>> =
        inputs.iter().map(|(value, _)| Some(tensor_of(module.ty(*value))?.dtype)).collect();
    let mut body = Numbered::new(dtypes?);
    let identity: Vec<LinearExpr> = crate::lower::site::identity(parts.extents.len()).results;
    let mut registers = Vec::with_capacity(sources.len());
    for (source, slots) in sources.iter().zip(slots) {
        registers.push(match source {
            Source::Element(..) => slots[0],
            Source::Literal { dtype, bits } => body.push(ScalarInst::Constant { dtype: *dtype, bits: *bits }),
            Source::Computed { body: inner, point, .. } => *body.append(inner, &slots, &point.results).first()?,
        });
    }
    let outputs = body.append(&parts.map, &registers, &identity);
    if body.body.instructions.len() > INSTRUCTIONS_MAX.max(parts.map.instructions.len())
        || inputs.len() > INPUTS_MAX.max(parts.inputs.len())
    {
        return None;
    }
    body.body.outputs = outputs;
    Some(NestParts { inputs, map: body.body, ..parts.clone() })
}

/// A body in which no operation stands twice.
struct Numbered {
    body: ScalarBody,
    known: HashMap<ScalarInst, u32>,
}

impl Numbered {
    fn new(inputs: Vec<DType>) -> Numbered {
        Numbered { body: ScalarBody { inputs, ..ScalarBody::default() }, known: HashMap::new() }
    }

    fn push(&mut self, instruction: ScalarInst) -> u32 {
        if let Some(register) = self.known.get(&instruction) {
            return *register;
        }
        let register = (self.body.inputs.len() + self.body.instructions.len()) as u32;
        self.body.instructions.push(instruction.clone());
        self.known.insert(instruction, register);
        register
    }

    /// Appends a body whose dimensions are these expressions of the dimensions here; its results.
    fn append(&mut self, body: &ScalarBody, arguments: &[u32], point: &[LinearExpr]) -> Vec<u32> {
        let mut registers = arguments.to_vec();
        for instruction in &body.instructions {
            registers.push(match instruction {
                ScalarInst::Index { dimension } => self.position(&point[*dimension as usize]),
                ScalarInst::Constant { .. } => self.push(instruction.clone()),
                ScalarInst::Op { op, dtype, operands, immediates } => {
                    let operands = operands.iter().map(|register| registers[*register as usize]).collect();
                    self.push(ScalarInst::Op { op: *op, dtype: *dtype, operands, immediates: immediates.clone() })
                }
            });
        }
        body.outputs.iter().map(|register| registers[*register as usize]).collect()
    }

    fn position(&mut self, expr: &LinearExpr) -> u32 {
        let op = |op, a, b| ScalarInst::Op { op, dtype: DType::I64, operands: vec![a, b], immediates: Vec::new() };
        let number = |number: i64| ScalarInst::Constant { dtype: DType::I64, bits: u128::from(number as u64) };
        let mut sum = None;
        for (dimension, coefficient) in (0u32..).zip(&expr.coefficients) {
            if *coefficient == 0 {
                continue;
            }
            let mut term = self.push(ScalarInst::Index { dimension });
            if *coefficient != 1 {
                let factor = self.push(number(*coefficient));
                term = self.push(op(ScalarOp::Mul, term, factor));
            }
            sum = Some(sum.map_or(term, |sum| self.push(op(ScalarOp::Add, sum, term))));
        }
        match sum {
            Some(sum) if expr.constant == 0 => sum,
            Some(sum) => {
                let constant = self.push(number(expr.constant));
                self.push(op(ScalarOp::Add, sum, constant))
            }
            None => self.push(number(expr.constant)),
        }
    }
}

/// True if two nests that differ only in what they read fold in one order.
fn folds_the_same(module: &Module, before: &NestParts, after: &NestParts) -> bool {
    let Some(combine) = &before.combine else { return true };
    let accesses = |parts: &NestParts| {
        let access = |(value, map): &(ValueId, AffineMap)| {
            let (offset, strides) = walk_of(module, *value, map, parts.extents.len())?;
            Some(Access { buffer: BufferId(0), offset, strides })
        };
        parts.inputs.iter().map(access).collect::<Option<Vec<Access>>>()
    };
    let (Some(old), Some(new)) = (accesses(before), accesses(after)) else { return false };
    folds_alike(&before.extents, before.reduction_dims, combine, &old, &new)
}

/// Rewrites what has changed, and is not in its readers now.
fn write_back(module: &mut Module, nests: Vec<Entry>) -> bool {
    let mut changed = false;
    for Entry { op, parts, .. } in nests.into_iter().filter(|entry| entry.changed && entry.heirs.is_empty()) {
        Site { module, op }.renest(parts);
        changed = true;
    }
    changed
}
