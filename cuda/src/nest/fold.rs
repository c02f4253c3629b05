//! Folds of a nest: by a thread, by a group of threads, and in parts by many blocks.

use std::fmt::Write as _;

use pygraph_artifact::{plan::Nest, scalar::ScalarBody};
use pygraph_kernels::nest::{FoldOrder, fold_order};

use super::{NestText, POINT, PerPoint, Points, Split, Vector, line, width_of};

/// Folded points that a thread or group folds together: those numbered from `first`, below `end`.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The first.
    pub first: String,
    /// Behind the last.
    pub end: String,
    /// How many they are, at most.
    pub count: u64,
    /// The dimensions that they count.
    pub dims: std::ops::Range<usize>,
    /// What a number counts.
    pub vector: Vector,
}

impl NestText<'_> {
    /// Definitions that folding needs, before any function: a struct of the values and a function that combines two.
    pub(super) fn fold_definitions(&self, combine: &ScalarBody) -> String {
        let (types, prefix) = (self.value_types(), &self.prefix);
        let mut text = format!("struct {prefix}Value {{ ");
        for (number, dtype) in types.iter().enumerate() {
            write!(text, "{} v{number}; ", crate::types::name(*dtype)).expect("writing to a text should not fail");
        }
        line!(text, "}};");
        line!(text, "const auto {prefix}combine = [](const {prefix}Value& a, const {prefix}Value& b) {{");
        let fields = |of: &str| (0..types.len()).map(|number| format!("{of}.v{number}")).collect::<Vec<_>>();
        let (body, results) = self.combined(combine, &[fields("a"), fields("b")].concat(), "c");
        text.push_str(&body);
        line!(text, "return {prefix}Value{{{}}};\n}};", results.join(", "));
        text
    }

    /// Statements that fold one parallel point, whose indices are there.
    pub(super) fn fold(&self, split: Split, lane: &str) -> String {
        let dims = self.parallel_rank()..self.nest.extents.len();
        let count: u64 = self.nest.extents[dims.clone()].iter().product();
        let vector = self.fold_vector(split, dims.clone());
        let count = count / vector.width;
        let all = Folded { first: "0".to_string(), end: count.to_string(), count, dims, vector };
        let mut text = self.nothing_yet() + &self.fold_own(split, lane, &all);
        match split {
            Split::Group(lanes) => {
                text.push_str(&(self.fold_lanes(lanes) + &self.store_own(&format!("{lane} == 0 && "))))
            }
            Split::Threads => text.push_str(&self.store_own("")),
        }
        text
    }

    /// In what vectors a thread or group folds all points along these dimensions.
    pub fn fold_vector(&self, split: Split, dims: std::ops::Range<usize>) -> Vector {
        let count: u64 = self.nest.extents[dims.clone()].iter().product();
        match split {
            Split::Threads => self.vector(dims, count),
            Split::Group(lanes) if is_commutative(self.nest) => self.vector(dims, width_of(count, lanes)),
            Split::Group(_) => POINT,
        }
    }

    /// A definition of what a thread has folded so far.
    pub(super) fn nothing_yet(&self) -> String {
        format!("Maybe<{0}Value> {0}own;\n{0}own.has = false;\n", self.prefix)
    }

    /// Statements with which a thread folds its part of these points onto what it has.
    fn fold_own(&self, split: Split, lane: &str, folded: &Folded) -> String {
        let (prefix, Folded { first, end, count, dims, vector }) = (&self.prefix, folded.clone());
        // Order matters to some combines: threads fold neighbouring points, and then each other's results in order.
        let (first, end, step, iterations) = match split {
            Split::Threads => (first, end, 1, count),
            Split::Group(lanes) if is_commutative(self.nest) => {
                (format!("{first} + {lane}"), end, lanes, count.div_ceil(u64::from(lanes)))
            }
            Split::Group(lanes) => {
                let part = count.div_ceil(u64::from(lanes));
                let first = format!("{first} + index({lane}) * {part}");
                (first.clone(), format!("({first} + {part} < {end} ? {first} + {part} : {end})"), 1, part)
            }
        };
        let (counter, step) = (format!("{prefix}q"), step.to_string());
        let points = Points { counter, first, end, step, iterations, dims, vector, is_even: false, waits: false };
        let each = |inputs: &[String]| {
            let (mut body, names) = self.values_at(inputs, vector);
            line!(body, "const Maybe<{prefix}Value> {prefix}next = {{{prefix}Value{{{}}}, true}};", names.join(", "));
            line!(body, "{prefix}own = combined({prefix}own, {prefix}next, {prefix}combine);");
            body
        };
        self.over_points(&points, &PerPoint { before: String::new(), each: &each, after: String::new() })
    }

    /// Statements with which the first lane folds what those of its group have.
    fn fold_lanes(&self, lanes: u32) -> String {
        let (prefix, mut text) = (&self.prefix, String::new());
        let room = if lanes > 32 { lanes / 32 } else { 1 };
        line!(text, "__shared__ __align__(16) u8 {prefix}room[{room} * sizeof(Maybe<{prefix}Value>)];");
        line!(
            text,
            "{prefix}own = group_fold<{lanes}>({prefix}own, {prefix}combine, (Maybe<{prefix}Value>*){prefix}room);"
        );
        text
    }

    /// Statements that store what was folded, if there is anything and `condition` (with `&&` behind it) holds.
    fn store_own(&self, condition: &str) -> String {
        let results = (0..self.nest.map.outputs.len()).map(|number| format!("{}own.value.v{number}", self.prefix));
        format!("if ({condition}{}own.has) {{\n{}}}\n", self.prefix, self.store(&results.collect::<Vec<_>>()))
    }

    /// Statements with which a block folds one part of a parallel point, whose indices are there, into element `number` of an array. The part
    /// is the points `inner` for each of those of `outer`.
    pub fn fold_part(&mut self, lanes: u32, outer: &Folded, inner: &Folded, array: &str, number: &str) -> String {
        let combine = self.nest.combine.as_ref().expect("what is folded should have a combine");
        let mut text = self.fold_definitions(combine) + &self.nothing_yet();
        let (counter, Folded { first, end, dims, .. }) = (format!("{}o", self.prefix), outer.clone());
        line!(
            text,
            "for (index {counter} = {first}; {counter} < {end}; ++{counter}) {{\n{}",
            self.split(&counter, dims)
        );
        text.push_str(&self.load_before(inner.dims.clone()));
        text.push_str(&self.fold_own(Split::Group(lanes), "lane", inner));
        text.push_str("}\n");
        text.push_str(&self.fold_lanes(lanes));
        line!(text, "if (lane == 0) ((Maybe<{0}Value>*){array})[{number}] = {0}own;", self.prefix);
        text
    }

    /// Statements with which a block folds the parts of a parallel point, whose indices are there, and stores the result.
    pub fn fold_parts(&self, lanes: u32, parts: u64, array: &str, first: &str) -> String {
        let combine = self.nest.combine.as_ref().expect("what is folded should have a combine");
        let (prefix, mut text) = (&self.prefix, self.fold_definitions(combine) + &self.nothing_yet());
        let each = parts.div_ceil(u64::from(lanes));
        line!(text, "#pragma unroll\nfor (int {prefix}u = 0; {prefix}u < {each}; ++{prefix}u) {{");
        line!(text, "const int {prefix}q = lane * {each} + {prefix}u;");
        line!(
            text,
            "if ({prefix}q < {parts}) {prefix}own = combined({prefix}own, ((const Maybe<{prefix}Value>*){array})[{first} + {prefix}q], {prefix}combine);\n}}"
        );
        text + &self.fold_lanes(lanes) + &self.store_own("lane == 0 && ")
    }

    /// Bytes of a folded value in scratch memory, or more.
    pub fn value_bytes_max(&self) -> u64 {
        16 * (self.nest.map.outputs.len() as u64 + 1)
    }
}

/// True if values may be folded in any order: each output by one operation that does not mind.
pub fn is_commutative(nest: &Nest) -> bool {
    matches!(fold_order(nest), FoldOrder::Rows { .. } | FoldOrder::Lanes { .. })
}
