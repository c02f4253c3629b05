//! Loop nests as loops of threads.

mod fold;
mod held;

use std::fmt::Write as _;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, Nest},
    scalar::{ScalarBody, ScalarInst},
};

pub use self::{
    fold::{Folded, is_commutative},
    held::{Held, HeldPlace, cut},
};
use crate::scalar::statements;

/// Writing to a text cannot fail; this says so in one place.
macro_rules! line {
    ($text:expr, $($argument:tt)*) => { writeln!($text, $($argument)*).expect("writing to a text should not fail") };
}
pub(crate) use line;

/// Where an access of a nest finds its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Behind a pointer.
    Array {
        /// Its name.
        name: String,
        /// True if it is known to be a multiple of 16 bytes.
        is_aligned: bool,
        /// True if no kernel of the program writes the array.
        is_fixed: bool,
    },
    /// Behind a pointer to a part of the array, which is a multiple of 16 bytes.
    Part {
        /// Its name.
        name: String,
        /// The number of the part's first element, which is taken off.
        first: String,
        /// Elements of a part: a multiple of these is taken off.
        elements: u64,
    },
    /// The element is this value, wherever the access points: it is the only one that this point reads.
    Value(String),
}

/// Finds the source of an access.
pub type Arrays<'a> = &'a dyn Fn(&Access) -> Source;

/// A nest that is being written.
pub struct NestText<'a> {
    nest: &'a Nest,
    map_types: Vec<DType>,
    combine_types: Vec<DType>,
    arrays: Arrays<'a>,
    /// What the names of this nest begin with.
    prefix: String,
    /// Inputs that were loaded before the loop over points, as bits: they do not change in it.
    loaded: Vec<bool>,
}

/// Points that a thread goes through: those numbered `first`, `first + step` and so on, below `end`, as indices along `dims`.
#[derive(Debug, Clone)]
pub struct Points {
    /// The name of the number.
    pub counter: String,
    /// The first.
    pub first: String,
    /// Behind the last.
    pub end: String,
    /// From one to the next.
    pub step: String,
    /// How many a thread has, at most.
    pub iterations: u64,
    /// The dimensions that they count.
    pub dims: std::ops::Range<usize>,
    /// What a number counts.
    pub vector: Vector,
    /// True if all threads have the same number of points, which is `iterations`.
    pub is_even: bool,
    /// True if threads wait for earlier kernels here: where each has points once, it has found and loaded what those do not write.
    pub waits: bool,
}

/// Neighbouring points that a thread takes at once: `width` along dimension `dim`, from a multiple of that on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector {
    /// The dimension.
    pub dim: usize,
    /// How many they are; with one of them there is nothing special about the dimension.
    pub width: u64,
}

/// Points one by one.
pub const POINT: Vector = Vector { dim: 0, width: 1 };

/// How a vector's elements of an array are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All are one element.
    One,
    /// They lie together, at a multiple of all their bytes or of 16.
    Together,
    /// One by one.
    Apart,
}

/// Bytes that a thread loads or stores at once, at most.
const WORD_BYTES: u64 = 16;
/// Elements that a thread loads before it uses the first, at most, and points that they are of.
const LOADS_AHEAD: u64 = 16;
const POINTS_AHEAD: u64 = 8;
/// Words that a thread loads before it uses the first, at most, where points are taken in vectors.
const WORDS_AHEAD: u64 = 4;

/// Statements for points whose inputs are there.
struct PerPoint<'b> {
    /// Before those of a vector's points.
    before: String,
    /// For one point, of its inputs.
    each: &'b dyn Fn(&[String]) -> String,
    /// Behind those of a vector's points.
    after: String,
}

/// Who computes a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// One thread a parallel point, which folds alone.
    Threads,
    /// A group of threads, one parallel point after another.
    Group(u32),
}

impl<'a> NestText<'a> {
    /// A valid nest; names that it defines begin with `prefix`.
    pub fn new(nest: &'a Nest, prefix: &str, arrays: Arrays<'a>) -> NestText<'a> {
        let types = |body: &ScalarBody| body.register_types().expect("a valid nest should have valid bodies");
        let combine_types = nest.combine.as_ref().map(types).unwrap_or_default();
        NestText {
            nest,
            map_types: types(&nest.map),
            combine_types,
            arrays,
            prefix: prefix.to_string(),
            loaded: vec![false; nest.inputs.len()],
        }
    }

    /// Types of the values that are folded or stored.
    pub fn value_types(&self) -> Vec<DType> {
        self.nest.map.outputs.iter().map(|register| self.map_types[*register as usize]).collect()
    }

    fn parallel_rank(&self) -> usize {
        self.nest.extents.len() - self.nest.reduction_dims as usize
    }

    /// The name of the index along a dimension.
    pub fn index(&self, dim: usize) -> String {
        format!("{}d{dim}", self.prefix)
    }

    /// Statements that split a number into indices along dimensions.
    pub fn split(&self, number: &str, dims: std::ops::Range<usize>) -> String {
        self.split_vectors(number, dims, POINT)
    }

    /// Statements that split a vector's number into the indices of its first point.
    fn split_vectors(&self, number: &str, dims: std::ops::Range<usize>, vector: Vector) -> String {
        let mut text = String::new();
        let rest = format!("{}rest{}", self.prefix, dims.start);
        line!(text, "index {rest} = index({number});");
        for dim in dims.clone().rev() {
            let (name, width) = (self.index(dim), if dim == vector.dim { vector.width } else { 1 });
            let (extent, times) =
                (self.nest.extents[dim] / width, if width > 1 { format!(" * {width}") } else { String::new() });
            if extent == 1 {
                line!(text, "const index {name} = 0;");
            } else if dim == dims.start {
                line!(text, "const index {name} = {rest}{times};");
            } else {
                line!(text, "const index {name} = {rest} % {extent}{times};");
                line!(text, "{rest} /= {extent};");
            }
        }
        line!(text, "(void){rest};");
        text
    }

    /// The element that an access touches, as an expression that can be assigned to.
    pub fn element(&self, access: &Access, rank: usize) -> String {
        let mut sum = access.offset.to_string();
        for (dim, stride) in access.strides.iter().enumerate().take(rank) {
            if *stride != 0 && self.nest.extents[dim] > 1 {
                write!(sum, " + index({stride}) * {}", self.index(dim)).expect("writing to a text should not fail");
            }
        }
        match (self.arrays)(access) {
            Source::Array { name, .. } => format!("{name}[{sum}]"),
            Source::Part { name, first, .. } => format!("{name}[({sum}) - ({first})]"),
            Source::Value(value) => value,
        }
    }

    /// How an access reaches the elements of a vector.
    pub fn reach(&self, access: &Access, Vector { dim, width }: Vector) -> Reach {
        let is_multiple = |number: i64| number % width as i64 == 0;
        let others = || access.strides.iter().zip(&self.nest.extents).enumerate().filter(|(other, _)| *other != dim);
        let from_multiples =
            || is_multiple(access.offset) && others().all(|(_, (stride, extent))| *extent == 1 || is_multiple(*stride));
        let begins_at_a_word = || match (self.arrays)(access) {
            Source::Array { is_aligned, .. } => is_aligned,
            Source::Part { elements, .. } => elements.is_multiple_of(width),
            Source::Value(_) => false,
        };
        match access.strides.get(dim) {
            None | Some(0) => Reach::One,
            Some(1) if begins_at_a_word() && from_multiples() => Reach::Together,
            Some(_) => Reach::Apart,
        }
    }

    /// The largest vector of `width_max` points at most along the innermost of these dimensions whose elements all lie together, or are one, in
    /// each array; of words that one instruction moves.
    pub fn vector(&self, dims: std::ops::Range<usize>, width_max: u64) -> Vector {
        let Some(dim) = dims.rev().find(|dim| self.nest.extents[*dim] > 1) else { return POINT };
        let loaded = self.nest.inputs.iter().zip(self.nest.map.inputs.iter().copied());
        let stored = self.nest.outputs.iter().zip(self.value_types()).filter(|_| dim < self.parallel_rank());
        let accesses: Vec<(&Access, DType)> = loaded.chain(stored).collect();
        let fits = |width: &u64| {
            let vector = Vector { dim, width: *width };
            let fits = |(access, dtype): &(&Access, DType)| match self.reach(access, vector) {
                Reach::One => true,
                Reach::Together => width * dtype.size_bytes() as u64 <= WORD_BYTES,
                Reach::Apart => false,
            };
            self.nest.extents[dim].is_multiple_of(*width) && accesses.iter().all(fits)
        };
        let width = [16, 8, 4, 2].into_iter().filter(|width| *width <= width_max).find(fits);
        width.map_or(POINT, |width| Vector { dim, width })
    }

    /// What each input of a point is, whose indices are there: its type and an expression.
    pub fn inputs(&self) -> Vec<(&'static str, String)> {
        let rank = self.nest.extents.len();
        let elements = self.nest.inputs.iter().map(|access| self.element(access, rank));
        self.nest.map.inputs.iter().map(|dtype| crate::types::name(*dtype)).zip(elements).collect()
    }

    /// Statements that load the inputs that are the same whatever the indices along `dims`, whose others are there: from then on, points
    /// take those.
    fn load_before(&mut self, dims: std::ops::Range<usize>) -> String {
        let moves = |access: &Access| dims.clone().any(|dim| access.strides[dim] != 0 && self.nest.extents[dim] > 1);
        let loaded: Vec<bool> = self.nest.inputs.iter().map(|access| !moves(access)).collect();
        let mut text = String::new();
        for (number, (dtype, element)) in self.inputs().into_iter().enumerate().filter(|(number, _)| loaded[*number]) {
            line!(text, "const {dtype} {}x{number} = {element};", self.prefix);
        }
        self.loaded = loaded;
        text
    }

    /// Statements that compute the values of a point of inputs that are there; and the names of those.
    pub fn values(&self, inputs: &[String]) -> (String, Vec<String>) {
        self.values_at(inputs, POINT)
    }

    /// The same of point number `at` of a vector, where the indices of its first point are there.
    fn values_at(&self, inputs: &[String], vector: Vector) -> (String, Vec<String>) {
        let index = |dim: u32| match vector {
            Vector { dim: along, width } if width > 1 && along == dim as usize => {
                format!("({} + at)", self.index(along))
            }
            _ => self.index(dim as usize),
        };
        statements(&self.nest.map, &self.map_types, &format!("{}r", self.prefix), inputs, &index)
    }

    /// A loop over points. Some are loaded before the first of them is used: as far as a compiler knows, a store could change what is
    /// loaded behind it, and one load after the other leaves the memory idle.
    fn over_points(&self, points: &Points, per_point: &PerPoint<'_>) -> String {
        let Points { counter, first, end, step, dims, vector, .. } = points;
        let (prefix, width) = (&self.prefix, vector.width);
        let reach =
            |number: usize| if width == 1 { Reach::One } else { self.reach(&self.nest.inputs[number], *vector) };
        let still = |(number, _): &(usize, _)| !self.loaded[*number];
        let inputs: Vec<(usize, (&str, String))> = self.inputs().into_iter().enumerate().filter(still).collect();
        let words = inputs.iter().filter(|(number, _)| reach(*number) == Reach::Together).count() as u64;
        let ahead = match width {
            1 => points.iterations.min(LOADS_AHEAD / inputs.len().max(1) as u64).min(POINTS_AHEAD),
            _ => points.iterations.min(WORDS_AHEAD / words.max(1)),
        };
        let ahead = ahead.max(1);
        // What each point has of its own: one of those ahead, and one of those of a vector.
        let (of_ahead, room) =
            if ahead > 1 { (format!("[{prefix}u]"), format!("[{ahead}]")) } else { (String::new(), String::new()) };
        let is_once = points.is_even && points.iterations == ahead;
        let (mut early, mut loads, mut rooms) = (String::new(), String::new(), String::new());
        for (number, (dtype, element)) in &inputs {
            let is_fixed = matches!((self.arrays)(&self.nest.inputs[*number]), Source::Array { is_fixed: true, .. });
            let loads = if points.waits && is_once && ahead == 1 && is_fixed { &mut early } else { &mut loads };
            match reach(*number) {
                Reach::Together => {
                    line!(rooms, "{dtype} {prefix}x{number}{room}[{width}];");
                    line!(loads, "read_run<true>(&{element}, {prefix}x{number}{of_ahead});");
                }
                Reach::One | Reach::Apart => {
                    line!(rooms, "{dtype} {prefix}x{number}{room};");
                    line!(loads, "{prefix}x{number}{of_ahead} = {element};");
                }
            }
        }
        let value = |number: usize| match (self.loaded[number], reach(number)) {
            (true, _) => format!("{prefix}x{number}"),
            (false, Reach::Together) => format!("{prefix}x{number}{of_ahead}[at]"),
            (false, _) => format!("{prefix}x{number}{of_ahead}"),
        };
        let values: Vec<String> = (0..self.loaded.len()).map(value).collect();
        let PerPoint { before, each, after } = per_point;
        let body = match width {
            1 => format!("{before}{}{after}", each(&values)),
            _ => {
                format!("{before}#pragma unroll\nfor (int at = 0; at < {width}; ++at) {{\n{}}}\n{after}", each(&values))
            }
        };
        let split = self.split_vectors(counter, dims.clone(), *vector);
        let looped = |name: &str| match is_once {
            true => format!("{{\nconst index {name} = {first};"),
            false => format!("for (index {name} = {first}; {name} < {end}; {name} += {step} * {ahead}) {{"),
        };
        let wait = if points.waits { "wait_for_earlier();\n" } else { "" };
        if ahead == 1 {
            let head = looped(counter);
            return match is_once {
                true => format!("{head}\n{split}{rooms}{early}{wait}{loads}{body}}}\n"),
                false => format!("{wait}{head}\n{split}{rooms}{loads}{body}}}\n"),
            };
        }
        let mut text = wait.to_string();
        let is_there = match points.is_even && points.iterations.is_multiple_of(ahead) {
            true => "{".to_string(),
            false => format!("if ({counter} < {end}) {{"),
        };
        let each = format!(
            "#pragma unroll\nfor (int {prefix}u = 0; {prefix}u < {ahead}; ++{prefix}u) {{\n\
             const index {counter} = {prefix}first + {prefix}u * {step};\n{is_there}\n{split}"
        );
        line!(text, "{}\n{rooms}{each}{loads}}}\n}}\n{each}{body}}}\n}}\n}}", looped(&format!("{prefix}first")));
        text
    }

    /// Statements that store values at a point whose parallel indices are there, combined with what is there if they were folded.
    fn store(&self, values: &[String]) -> String {
        let rank = self.parallel_rank();
        let outputs: Vec<String> = self.nest.outputs.iter().map(|access| self.element(access, rank)).collect();
        let mut text = String::new();
        let stored = match &self.nest.combine {
            None => values.to_vec(),
            Some(combine) => {
                let inputs: Vec<String> = outputs.iter().chain(values).cloned().collect();
                let (body, results) = self.combined(combine, &inputs, "s");
                text.push_str(&body);
                results
            }
        };
        outputs.iter().zip(&stored).for_each(|(output, value)| line!(text, "{output} = {value};"));
        text
    }

    fn combined(&self, combine: &ScalarBody, inputs: &[String], prefix: &str) -> (String, Vec<String>) {
        let no_index = |_: u32| "0".to_string();
        statements(combine, &self.combine_types, &format!("{}{prefix}", self.prefix), inputs, &no_index)
    }

    /// Statements for the parallel points of a row whose indices along the first `row_dims` dimensions are there.
    pub fn row(&self, row_dims: usize, split: Split, lane: &str, lanes: u32) -> String {
        let dims = row_dims..self.parallel_rank();
        let count: u64 = self.nest.extents[dims.clone()].iter().product();
        let (first, step) = match split {
            Split::Threads => (lane.to_string(), lanes),
            Split::Group(_) => ("0".to_string(), 1),
        };
        let vector = match &self.nest.combine {
            None => self.vector(dims.clone(), width_of(count, step)),
            Some(_) => POINT,
        };
        let count = count / vector.width;
        let points = Points {
            counter: format!("{}p", self.prefix),
            first,
            end: count.to_string(),
            step: step.to_string(),
            iterations: count.div_ceil(u64::from(step)),
            dims,
            vector,
            is_even: count.is_multiple_of(u64::from(step)),
            waits: false,
        };
        let Some(combine) = &self.nest.combine else { return format!("{{\n{}}}\n", self.store_points(&points)) };
        let Points { counter, first, end, step, dims, .. } = points;
        let mut text = format!("{{\n{}", self.fold_definitions(combine));
        line!(text, "for (index {counter} = {first}; {counter} < {end}; {counter} += {step}) {{");
        text.push_str(&self.split(&counter, dims));
        text.push_str(&self.fold(split, lane));
        line!(text, "}}\n}}");
        text
    }

    /// Statements for the parallel points with these numbers, each by the thread that comes to it.
    pub fn points(&self, points: &Points) -> String {
        let Some(combine) = &self.nest.combine else { return self.store_points(points) };
        let Points { counter, first, end, step, dims, .. } = points;
        let mut text = self.fold_definitions(combine);
        line!(text, "for (index {counter} = {first}; {counter} < {end}; {counter} += {step}) {{");
        text.push_str(&self.split(counter, dims.clone()));
        text.push_str(&self.fold(Split::Threads, "0"));
        line!(text, "}}");
        text
    }

    fn store_points(&self, points: &Points) -> String {
        let (prefix, vector) = (&self.prefix, points.vector);
        if vector.width == 1 {
            let each = |inputs: &[String]| self.stored(inputs);
            return self.over_points(points, &PerPoint { before: String::new(), each: &each, after: String::new() });
        }
        let (mut before, mut after) = (String::new(), String::new());
        for (number, (access, dtype)) in self.nest.outputs.iter().zip(self.value_types()).enumerate() {
            line!(before, "{} {prefix}y{number}[{}];", crate::types::name(dtype), vector.width);
            line!(after, "write_run<true>(&{}, {prefix}y{number});", self.element(access, self.parallel_rank()));
        }
        let each = |inputs: &[String]| {
            let (mut text, values) = self.values_at(inputs, vector);
            values.iter().enumerate().for_each(|(number, value)| line!(text, "{prefix}y{number}[at] = {value};"));
            text
        };
        self.over_points(points, &PerPoint { before, each: &each, after })
    }

    /// Statements that store what is computed of a point's inputs; without a fold.
    fn stored(&self, inputs: &[String]) -> String {
        let (values, names) = self.values(inputs);
        values + &self.store(&names)
    }

    /// Statements for one point whose indices are there; without a fold.
    pub fn one_point(&self) -> String {
        let inputs: Vec<String> = self.inputs().into_iter().map(|(_, element)| element).collect();
        self.stored(&inputs)
    }
}

/// The nest with its dimensions in this order, without those of extent 1, and with neighbours as one where all accesses go through them as
/// through one; and the new order. A body that asks for indices needs its dimensions as they are.
pub fn merged(stage: &Nest, order: Vec<usize>) -> (Nest, Vec<usize>) {
    if stage.map.instructions.iter().any(|instruction| matches!(instruction, ScalarInst::Index { .. })) {
        return (stage.clone(), order);
    }
    let accesses = || stage.inputs.iter().chain(&stage.outputs);
    // Each group of dimensions that become one: its extent and its innermost dimension.
    let mut groups: Vec<(u64, usize)> = Vec::new();
    for dim in order {
        let extent = stage.extents[dim];
        match groups.last_mut() {
            Some((count, inner))
                if accesses().all(|access| access.strides[*inner] == access.strides[dim] * extent as i64) =>
            {
                (*count, *inner) = (*count * extent, dim);
            }
            _ => groups.push((extent, dim)),
        }
    }
    let strides = |access: &Access| groups.iter().map(|(_, dim)| access.strides[*dim]).collect();
    let moved = |access: &Access| Access { strides: strides(access), ..access.clone() };
    let nest = Nest {
        extents: groups.iter().map(|(extent, _)| *extent).collect(),
        inputs: stage.inputs.iter().map(moved).collect(),
        outputs: stage.outputs.iter().map(moved).collect(),
        ..stage.clone()
    };
    (nest, (0..groups.len()).collect())
}

/// Points of a vector, at most, where `threads` threads share `points` points: all have something to do, if there is enough.
fn width_of(points: u64, threads: u32) -> u64 {
    points.div_ceil(u64::from(threads)).next_power_of_two()
}

/// The integer type that numbers points and elements of these nests and arrays.
pub fn index_type(nests: &[Nest]) -> &'static str {
    let reach = |access: &Access, extents: &[u64]| {
        let steps = access
            .strides
            .iter()
            .zip(extents)
            .map(|(stride, extent)| i128::from(stride.unsigned_abs()) * i128::from(extent.saturating_sub(1)));
        steps.sum::<i128>() + i128::from(access.offset.unsigned_abs())
    };
    let fits = |nest: &Nest| {
        let points: i128 = nest.extents.iter().map(|extent| i128::from(*extent)).product();
        let accesses = nest.inputs.iter().chain(&nest.outputs);
        points < 1 << 30 && accesses.into_iter().all(|access| reach(access, &nest.extents) < 1 << 30)
    };
    if nests.iter().all(fits) { "i32" } else { "i64" }
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::plan::BufferId;

    use super::*;

    #[test]
    fn dimensions_that_all_accesses_go_through_as_one_are_one() {
        let access = |strides: [i64; 4]| Access { buffer: BufferId(0), offset: 0, strides: strides.to_vec() };
        let nest = |second: [i64; 4], instructions: Vec<ScalarInst>| Nest {
            extents: vec![1, 2, 3, 4],
            reduction_dims: 0,
            inputs: vec![access([24, 12, 4, 1]), access(second)],
            outputs: vec![],
            map: ScalarBody { inputs: vec![], instructions, outputs: vec![] },
            combine: None,
        };
        let extents = |nest: Nest| merged(&nest, vec![1, 2, 3]).0.extents;
        assert_eq!(extents(nest([0, 1, 0, 0], vec![])), [2, 12]);
        assert_eq!(extents(nest([0, 12, 4, 1], vec![])), [24]);
        assert_eq!(extents(nest([0, 1, 2, 6], vec![])), [2, 3, 4]);
        assert_eq!(extents(nest([0, 12, 4, 1], vec![ScalarInst::Index { dimension: 2 }])), [1, 2, 3, 4]);
    }
}
