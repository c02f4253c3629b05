//! One function a loop nest.
//!
//! A function computes a range of parallel points. Neighbouring dimensions that every access treats as one are merged; the
//! innermost is stepped through in vectors of [`LANES`] points, and what is left of it one by one. Folds keep the order that
//! [`fold_order`] gives, which is the interpreter's.

use std::collections::HashMap;

use melior::{
    Context,
    ir::{BlockRef, Type},
};
use pygraph_artifact::{
    dtype::DType,
    plan::{Access, Nest},
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use pygraph_kernels::nest::{CHAINS, FoldOrder, fold_order};

use crate::{
    builder::{Builder, Kind, V},
    scalar::{self, Scalar, kind_of, wide_kind},
};

/// Points of a vector: as many as a row is folded in chains.
const LANES: u64 = CHAINS;

/// Says why no code is generated for a nest, if none is.
pub fn refuse(nest: &Nest) -> Option<String> {
    if nest.extents.contains(&0) {
        return Some("it has no points".to_string());
    }
    if fold_order(nest) == FoldOrder::Tree {
        return Some("it folds few rows with a body that is no plain fold".to_string());
    }
    scalar::refuse(&nest.map).or_else(|| nest.combine.as_ref().and_then(scalar::refuse))
}

/// The functions on `f64` that a nest calls, in order, with repeats.
pub fn imports(nest: &Nest) -> Vec<ScalarOp> {
    let mut found = scalar::imports(&nest.map);
    found.extend(nest.combine.iter().flat_map(scalar::imports));
    found
}

/// Adds the function of a nest that was not refused. `imports` are the places in the table of what it calls.
pub fn emit<'c>(
    context: &'c Context,
    module: BlockRef<'c, '_>,
    name: &str,
    nest: &Nest,
    imports: &HashMap<ScalarOp, usize>,
) {
    let pointer = melior::dialect::llvm::r#type::pointer(context, 0);
    let number: Type<'c> = melior::ir::r#type::IntegerType::new(context, 64).into();
    Builder::function(context, module, name, &[pointer, pointer, number, number], |b, arguments| {
        let load = |table: V<'c>, idx: usize| b.load(b.element(table, Kind::I64, b.number(idx as i64)), b.pointer());
        let arrays = (0..nest.inputs.len() + nest.outputs.len()).map(|idx| load(arguments[0], idx)).collect();
        let called = self::imports(nest).into_iter().map(|op| (op, load(arguments[1], imports[&op]))).collect();
        Emitter::new(b, nest, arrays, called).points(arguments[2], arguments[3]);
    });
}

/// A dimension of merged ones: its extent, and the stride of each walk along it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dimension {
    extent: u64,
    strides: Vec<i64>,
}

/// Where a walk is: the element of lane zero, and how far it is from a lane to the next.
#[derive(Clone)]
enum At<'c> {
    Strided(V<'c>, i64),
    /// One element a lane.
    Each(Vec<V<'c>>),
}

struct Emitter<'b, 'c> {
    b: &'b Builder<'c>,
    nest: &'b Nest,
    /// One an access, inputs first.
    arrays: Vec<V<'c>>,
    imports: HashMap<ScalarOp, V<'c>>,
    /// Dimensions whose position the map reads, one a use.
    positions: Vec<u32>,
    parallel: Vec<Dimension>,
    reduced: Vec<Dimension>,
    order: FoldOrder,
    /// For each output of a nest that folds rows, room for a vector of accumulators.
    rooms: Vec<V<'c>>,
}

impl<'b, 'c> Emitter<'b, 'c> {
    fn new(
        b: &'b Builder<'c>,
        nest: &'b Nest,
        arrays: Vec<V<'c>>,
        imports: HashMap<ScalarOp, V<'c>>,
    ) -> Emitter<'b, 'c> {
        let positions = positions_of(&nest.map);
        let split = nest.extents.len() - nest.reduction_dims as usize;
        let order = fold_order(nest);
        let rooms = match &order {
            FoldOrder::Rows { folds, .. } => {
                folds.iter().map(|(op, dtype)| b.room(wide_kind(*op, *dtype), LANES)).collect()
            }
            _ => Vec::new(),
        };
        let (parallel, reduced) =
            (merge(nest, &positions, 0..split), merge(nest, &positions, split..nest.extents.len()));
        Emitter { b, nest, arrays, imports, positions, parallel, reduced, order, rooms }
    }

    fn scalar(&self, lanes: u64) -> Scalar<'_, 'c> {
        Scalar { b: self.b, lanes, imports: &self.imports }
    }

    // --- parallel points ---

    /// The parallel points `from .. to`: row by row of the innermost dimension.
    fn points(&self, from: V<'c>, to: V<'c>) {
        let b = self.b;
        let (inner, outer) = self.parallel.split_last().expect("there should be a dimension");
        if outer.is_empty() {
            let zero = b.number(0);
            return self.row(&vec![zero; inner.strides.len()], from, to);
        }
        let extent = b.number(inner.extent as i64);
        let first = b.same("arith.divui", &[from, extent]);
        let last = b.same("arith.divui", &[b.add(to, b.number(inner.extent as i64 - 1)), extent]);
        b.for_loop(first, last, 1, &[], |row, _| {
            let start = b.same("arith.muli", &[row, extent]);
            let low = b.same("arith.subi", &[b.same("arith.maxui", &[from, start]), start]);
            let high = b.same("arith.minui", &[to, b.add(start, extent)]);
            let high = b.same("arith.subi", &[high, start]);
            self.row(&self.elements(outer, row), low, high);
            Vec::new()
        });
    }

    /// The element of each walk at a point of these dimensions, by the point's number.
    fn elements(&self, dimensions: &[Dimension], point: V<'c>) -> Vec<V<'c>> {
        let b = self.b;
        let mut elements = vec![b.number(0); self.walk_count()];
        let mut rest = point;
        for (idx, dimension) in dimensions.iter().enumerate().rev() {
            let extent = b.number(dimension.extent as i64);
            let index = if idx == 0 { rest } else { b.same("arith.remui", &[rest, extent]) };
            rest = b.same("arith.divui", &[rest, extent]);
            for (element, stride) in elements.iter_mut().zip(&dimension.strides) {
                if *stride != 0 {
                    *element = b.add(*element, b.times(index, *stride));
                }
            }
        }
        elements
    }

    fn walk_count(&self) -> usize {
        self.nest.inputs.len() + self.positions.len() + self.nest.outputs.len()
    }

    /// Points of the innermost dimension, from elements `bases` on.
    fn row(&self, bases: &[V<'c>], low: V<'c>, high: V<'c>) {
        let b = self.b;
        let inner = self.parallel.last().expect("there should be a dimension");
        let at = |index: V<'c>, lanes: u64| -> Vec<At<'c>> {
            let walk = |(base, stride): (&V<'c>, &i64)| {
                let step = if *stride == 0 { *base } else { b.add(*base, b.times(index, *stride)) };
                At::Strided(step, if lanes == 1 { 0 } else { *stride })
            };
            bases.iter().zip(&inner.strides).map(walk).collect()
        };
        let emit = |index: V<'c>, lanes: u64| {
            let at = at(index, lanes);
            match &self.order {
                FoldOrder::Rows { folds, chunk, part } => self.fold_row(&at, folds, *chunk, *part),
                order => self.point(&at, lanes, order),
            }
            Vec::new()
        };
        let is_vector = inner.extent >= LANES && !matches!(self.order, FoldOrder::Rows { .. });
        let whole = if is_vector {
            let count = b.same("arith.subi", &[high, low]);
            let vectors = b.same("arith.andi", &[count, b.number(-(LANES as i64))]);
            let whole = b.add(low, vectors);
            b.for_loop(low, whole, LANES, &[], |index, _| emit(index, LANES));
            whole
        } else {
            low
        };
        b.for_loop(whole, high, 1, &[], |index, _| emit(index, 1));
    }

    // --- one point or a vector of them ---

    /// Computes parallel points side by side.
    fn point(&self, at: &[At<'c>], lanes: u64, order: &FoldOrder) {
        match order {
            FoldOrder::Lanes { folds, part } => {
                let result = self.fold_lanes(at, lanes, folds, *part);
                self.finish(at, lanes, folds, &result);
            }
            FoldOrder::Bodies { part } => {
                let values = self.combine_lanes(at, lanes, *part);
                let elements = self.load_outputs(at, lanes);
                let combined = self.combine(lanes, &elements, &values);
                self.store(at, lanes, &combined);
            }
            _ => {
                let values = self.evaluate(at, lanes);
                self.store(at, lanes, &values);
            }
        }
    }

    /// The results of the map.
    fn evaluate(&self, at: &[At<'c>], lanes: u64) -> Vec<V<'c>> {
        let inputs: Vec<V<'c>> = (0..self.nest.inputs.len()).map(|idx| self.load(idx, &at[idx], lanes)).collect();
        let mut uses = 0;
        self.scalar(lanes).body(&self.nest.map, &inputs, |_| {
            uses += 1;
            self.position(&at[self.nest.inputs.len() + uses - 1], lanes)
        })
    }

    /// Element numbers themselves.
    fn position(&self, at: &At<'c>, lanes: u64) -> V<'c> {
        let b = self.b;
        match at {
            At::Each(elements) => b.vector(Kind::I64, elements),
            At::Strided(element, _) if lanes == 1 => *element,
            At::Strided(element, stride) => {
                let steps: Vec<i64> = (0..lanes as i64).map(|lane| lane * stride).collect();
                b.add(b.splat(*element, Kind::I64, lanes), b.constants(Kind::I64, &steps))
            }
        }
    }

    fn dtype(&self, array: usize) -> DType {
        let inputs = self.nest.inputs.len();
        if array < inputs {
            return self.nest.map.inputs[array];
        }
        self.nest.map.output_types().expect("a map should be well typed")[array - inputs]
    }

    /// Elements of an array: input `array`, or output `array - inputs`.
    fn load(&self, array: usize, at: &At<'c>, lanes: u64) -> V<'c> {
        let b = self.b;
        let dtype = self.dtype(array);
        let kind = memory_kind(dtype);
        let one = |element| b.load(b.element(self.arrays[array], kind, element), b.ty(kind, 1));
        let value = match at {
            At::Strided(element, _) if lanes == 1 => one(*element),
            At::Strided(element, 0) => b.splat(one(*element), kind, lanes),
            At::Strided(element, 1) => b.load(b.element(self.arrays[array], kind, *element), b.ty(kind, lanes)),
            at => b.vector(kind, &self.lane_elements(at, lanes).into_iter().map(one).collect::<Vec<_>>()),
        };
        if dtype != DType::I1 {
            return value;
        }
        let zero = b.constant(Kind::I8, lanes, b.integer(Kind::I8, 0));
        b.op1("arith.cmpi", &[value, zero], b.ty(Kind::I1, lanes), &[("predicate", b.integer(Kind::I64, 1))])
    }

    fn lane_elements(&self, at: &At<'c>, lanes: u64) -> Vec<V<'c>> {
        match at {
            At::Each(elements) => elements.clone(),
            At::Strided(element, stride) => {
                (0..lanes as i64).map(|lane| self.b.add(*element, self.b.number(lane * stride))).collect()
            }
        }
    }

    /// Where the outputs are.
    fn output_walks<'a>(&self, at: &'a [At<'c>]) -> &'a [At<'c>] {
        &at[self.nest.inputs.len() + self.positions.len()..]
    }

    fn load_outputs(&self, at: &[At<'c>], lanes: u64) -> Vec<V<'c>> {
        let walks = self.output_walks(at).iter().enumerate();
        walks.map(|(idx, walk)| self.load(self.nest.inputs.len() + idx, walk, lanes)).collect()
    }

    fn store(&self, at: &[At<'c>], lanes: u64, values: &[V<'c>]) {
        let b = self.b;
        for (idx, (walk, value)) in self.output_walks(at).iter().zip(values).enumerate() {
            let array = self.nest.inputs.len() + idx;
            let kind = memory_kind(self.dtype(array));
            let is_truth = self.dtype(array) == DType::I1;
            let value = if is_truth { b.op1("arith.extui", &[*value], b.ty(kind, lanes), &[]) } else { *value };
            let address = |element| b.element(self.arrays[array], kind, element);
            match walk {
                At::Strided(element, _) if lanes == 1 => b.store(address(*element), value),
                At::Strided(element, 1) => b.store(address(*element), value),
                walk => {
                    for (lane, element) in self.lane_elements(walk, lanes).into_iter().enumerate() {
                        b.store(address(element), b.lane(value, lane as u64, kind));
                    }
                }
            }
        }
    }

    /// Folds what was found onto the elements that the outputs hold.
    fn finish(&self, at: &[At<'c>], lanes: u64, folds: &[(ScalarOp, DType)], result: &[V<'c>]) {
        let s = self.scalar(lanes);
        let elements = self.load_outputs(at, lanes);
        let fold = |((op, dtype), (element, result)): (&(ScalarOp, DType), (&V<'c>, &V<'c>))| {
            s.lower(*op, *dtype, s.fold(*op, *dtype, s.lift(*op, *dtype, *element), *result))
        };
        let values: Vec<V<'c>> = folds.iter().zip(elements.iter().zip(result)).map(fold).collect();
        self.store(at, lanes, &values);
    }

    // --- reduced points ---

    /// `total` points in parts: calls `part` with the first point of each and how many it has, and passes on what it leaves.
    fn in_parts(
        &self,
        first: V<'c>,
        total: u64,
        size: u64,
        initial: Vec<V<'c>>,
        part: impl Fn(V<'c>, u64, &[V<'c>]) -> Vec<V<'c>>,
    ) -> Vec<V<'c>> {
        let b = self.b;
        let (whole, rest) = (total / size, total % size);
        let mut result = initial;
        if whole == 1 {
            result = part(first, size, &result);
        } else if whole > 1 {
            result = b.for_loop(b.number(0), b.number(whole as i64), 1, &result, |number, carried| {
                part(b.add(first, b.times(number, size as i64)), size, carried)
            });
        }
        if rest > 0 {
            result = part(b.add(first, b.number((whole * size) as i64)), rest, &result);
        }
        result
    }

    fn reduction_points(&self) -> u64 {
        self.reduced.iter().map(|dimension| dimension.extent).product()
    }

    /// The walks moved on to a reduced point, for the same lanes.
    fn moved(&self, at: &[At<'c>], point: V<'c>) -> Vec<At<'c>> {
        let elements = self.elements(&self.reduced, point);
        at.iter()
            .zip(&elements)
            .map(|(at, element)| match at {
                At::Strided(base, stride) => At::Strided(self.b.add(*base, *element), *stride),
                At::Each(_) => unreachable!("parallel points should be walked in strides"),
            })
            .collect()
    }

    /// The walks of one parallel point at `LANES` reduced points from a multiple of `LANES` on.
    fn reduced_lanes(&self, at: &[At<'c>], point: V<'c>) -> Vec<At<'c>> {
        let inner = self.reduced.last().expect("there should be a dimension");
        let is_one_run = self.reduced.len() == 1 || inner.extent.is_multiple_of(LANES);
        if is_one_run {
            let with_stride = |(at, stride): (At<'c>, &i64)| match at {
                At::Strided(element, _) => At::Strided(element, *stride),
                at => at,
            };
            return self.moved(at, point).into_iter().zip(&inner.strides).map(with_stride).collect();
        }
        let mut each: Vec<Vec<V<'c>>> = vec![Vec::new(); at.len()];
        for lane in 0..LANES {
            let moved = self.moved(at, self.b.add(point, self.b.number(lane as i64)));
            for (elements, at) in each.iter_mut().zip(moved) {
                let At::Strided(element, _) = at else { unreachable!("one lane should be walked in strides") };
                elements.push(element);
            }
        }
        each.into_iter().map(At::Each).collect()
    }

    fn folded(&self, lanes: u64, folds: &[(ScalarOp, DType)], a: &[V<'c>], b: &[V<'c>]) -> Vec<V<'c>> {
        let s = self.scalar(lanes);
        let values = folds.iter().zip(a.iter().zip(b));
        values.map(|((op, dtype), (a, b))| s.fold(*op, *dtype, *a, *b)).collect()
    }

    fn lifted(&self, lanes: u64, folds: &[(ScalarOp, DType)], values: &[V<'c>]) -> Vec<V<'c>> {
        let s = self.scalar(lanes);
        folds.iter().zip(values).map(|((op, dtype), value)| s.lift(*op, *dtype, *value)).collect()
    }

    fn identities(&self, lanes: u64, folds: &[(ScalarOp, DType)]) -> Vec<V<'c>> {
        folds.iter().map(|(op, dtype)| self.scalar(lanes).identity(*op, *dtype)).collect()
    }

    /// One parallel point of [`FoldOrder::Rows`].
    fn fold_row(&self, at: &[At<'c>], folds: &[(ScalarOp, DType)], chunk: u64, part: u64) {
        let result = self.in_parts(
            self.b.number(0),
            self.reduction_points(),
            part,
            self.identities(1, folds),
            |first, count, result| {
                let found =
                    self.in_parts(first, count, chunk, self.identities(1, folds), |first, count, accumulated| {
                        self.folded(1, folds, accumulated, &self.fold_chunk(at, folds, first, count))
                    });
                self.folded(1, folds, result, &found)
            },
        );
        self.finish(at, 1, folds, &result);
    }

    /// Folds so many points of a row in chains, and the chains as a tree.
    fn fold_chunk(&self, at: &[At<'c>], folds: &[(ScalarOp, DType)], first: V<'c>, count: u64) -> Vec<V<'c>> {
        let b = self.b;
        let whole = count - count % LANES;
        let mut chains = self.identities(LANES, folds);
        if whole > 0 {
            chains = b.for_loop(b.number(0), b.number(whole as i64), LANES, &chains, |point, chains| {
                let values = self.evaluate(&self.reduced_lanes(at, b.add(first, point)), LANES);
                self.folded(LANES, folds, chains, &self.lifted(LANES, folds, &values))
            });
        }
        if whole < count {
            chains = self.fold_rest(at, folds, b.add(first, b.number(whole as i64)), count - whole, &chains);
        }
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            let half = |from: u64| -> Vec<V<'c>> {
                let part = |((op, dtype), chains): (&(ScalarOp, DType), &V<'c>)| {
                    let kind = wide_kind(*op, *dtype);
                    if width == 1 { b.lane(*chains, from, kind) } else { b.part(*chains, kind, from, width) }
                };
                folds.iter().zip(&chains).map(part).collect()
            };
            let (low, high) = (half(0), half(width));
            chains = self.folded(width, folds, &low, &high);
        }
        chains
    }

    /// Folds fewer points than there are chains, each onto its own.
    fn fold_rest(
        &self,
        at: &[At<'c>],
        folds: &[(ScalarOp, DType)],
        first: V<'c>,
        count: u64,
        chains: &[V<'c>],
    ) -> Vec<V<'c>> {
        let b = self.b;
        let kind = |idx: usize| wide_kind(folds[idx].0, folds[idx].1);
        let memory = |kind: Kind| if kind == Kind::I1 { Kind::I8 } else { kind };
        for (idx, room) in self.rooms.iter().enumerate() {
            let zeros = b.constant(memory(kind(idx)), LANES, b.integer(memory(kind(idx)), 0));
            b.store(*room, zeros);
        }
        b.for_loop(b.number(0), b.number(count as i64), 1, &[], |lane, _| {
            let values = self.evaluate(&self.moved(at, b.add(first, lane)), 1);
            for (idx, value) in self.lifted(1, folds, &values).into_iter().enumerate() {
                let kind = kind(idx);
                let value =
                    if kind == Kind::I1 { b.op1("arith.extui", &[value], b.ty(Kind::I8, 1), &[]) } else { value };
                b.store(b.element(self.rooms[idx], memory(kind), lane), value);
            }
            Vec::new()
        });
        let is_used: Vec<i64> = (0..LANES).map(|lane| i64::from(lane < count)).collect();
        let is_used = b.constants(Kind::I1, &is_used);
        let values: Vec<V<'c>> = self
            .rooms
            .iter()
            .enumerate()
            .map(|(idx, room)| {
                let value = b.load(*room, b.ty(memory(kind(idx)), LANES));
                if kind(idx) == Kind::I1 { b.op1("arith.trunci", &[value], b.ty(Kind::I1, LANES), &[]) } else { value }
            })
            .collect();
        let folded = self.folded(LANES, folds, chains, &values);
        let chosen = folded.iter().zip(chains);
        chosen
            .map(|(new, old)| b.op1("arith.select", &[is_used, *new, *old], melior::ir::ValueLike::r#type(new), &[]))
            .collect()
    }

    /// Parallel points of [`FoldOrder::Lanes`].
    fn fold_lanes(&self, at: &[At<'c>], lanes: u64, folds: &[(ScalarOp, DType)], part: u64) -> Vec<V<'c>> {
        let identities = || self.identities(lanes, folds);
        self.in_parts(self.b.number(0), self.reduction_points(), part, identities(), |first, count, result| {
            let last = self.b.add(first, self.b.number(count as i64));
            let found = self.b.for_loop(first, last, 1, &identities(), |point, accumulated| {
                let values = self.evaluate(&self.moved(at, point), lanes);
                self.folded(lanes, folds, accumulated, &self.lifted(lanes, folds, &values))
            });
            self.folded(lanes, folds, result, &found)
        })
    }

    /// Parallel points of [`FoldOrder::Bodies`].
    fn combine_lanes(&self, at: &[At<'c>], lanes: u64, part: u64) -> Vec<V<'c>> {
        let b = self.b;
        let one_part = |first: V<'c>, count: u64| {
            let values = self.evaluate(&self.moved(at, first), lanes);
            let (second, last) = (b.add(first, b.number(1)), b.add(first, b.number(count as i64)));
            b.for_loop(second, last, 1, &values, |point, accumulated| {
                self.combine(lanes, accumulated, &self.evaluate(&self.moved(at, point), lanes))
            })
        };
        let total = self.reduction_points();
        let first = one_part(b.number(0), part.min(total));
        if total <= part {
            return first;
        }
        self.in_parts(b.number(part as i64), total - part, part, first, |first, count, result| {
            self.combine(lanes, result, &one_part(first, count))
        })
    }

    /// The combine's body on two sets of values.
    fn combine(&self, lanes: u64, a: &[V<'c>], b: &[V<'c>]) -> Vec<V<'c>> {
        let body = self.nest.combine.as_ref().expect("a nest that folds should have a combine");
        self.scalar(lanes).body(body, &[a, b].concat(), |_| unreachable!("a combine should not read a position"))
    }
}

/// How an element lies in memory.
fn memory_kind(dtype: DType) -> Kind {
    match kind_of(dtype).expect("a type should be supported") {
        Kind::I1 => Kind::I8,
        kind => kind,
    }
}

/// The dimensions whose position a body reads, one a use.
fn positions_of(body: &ScalarBody) -> Vec<u32> {
    let position = |instruction: &ScalarInst| match instruction {
        ScalarInst::Index { dimension } => Some(*dimension),
        _ => None,
    };
    body.instructions.iter().filter_map(position).collect()
}

/// Merges dimensions that every walk treats as one: inputs, positions, outputs. At least one is left.
fn merge(nest: &Nest, positions: &[u32], range: std::ops::Range<usize>) -> Vec<Dimension> {
    let strides = |dimension: usize| -> Vec<i64> {
        let access = |access: &Access| access.strides[dimension];
        let position = |of: &u32| i64::from(*of as usize == dimension);
        let inputs = nest.inputs.iter().map(access);
        inputs.chain(positions.iter().map(position)).chain(nest.outputs.iter().map(access)).collect()
    };
    let walk_count = nest.inputs.len() + positions.len() + nest.outputs.len();
    let mut merged: Vec<Dimension> = Vec::new();
    for (dimension, extent) in range.clone().zip(&nest.extents[range]).filter(|(_, extent)| **extent != 1) {
        let strides = strides(dimension);
        match merged.last_mut() {
            Some(outer) if continues(&outer.strides, &strides, *extent) => {
                *outer = Dimension { extent: outer.extent * extent, strides };
            }
            _ => merged.push(Dimension { extent: *extent, strides }),
        }
    }
    if merged.is_empty() {
        merged.push(Dimension { extent: 1, strides: vec![0; walk_count] });
    }
    merged
}

/// True if a step along the outer dimension is `extent` steps along the inner one, for every walk.
fn continues(outer: &[i64], inner: &[i64], extent: u64) -> bool {
    outer.iter().zip(inner).all(|(outer, inner)| i128::from(*outer) == i128::from(*inner) * i128::from(extent))
}
