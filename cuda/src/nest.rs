//! Loop nests as loops of threads.

mod fold;

use std::fmt::Write as _;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, Nest},
    scalar::ScalarBody,
};

pub use self::fold::{Folded, is_commutative};
use crate::scalar::statements;

/// Writing to a text cannot fail; this says so in one place.
macro_rules! line {
    ($text:expr, $($argument:tt)*) => { writeln!($text, $($argument)*).expect("writing to a text should not fail") };
}
pub(crate) use line;

/// Where an access of a nest finds its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Behind a pointer of this name.
    Array(String),
    /// Behind a pointer of this name to a part of the array: its first element's number is taken off.
    Part(String, String),
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
}

/// Elements that a thread loads before it uses the first, at most, and points that they are of.
const LOADS_AHEAD: u64 = 16;
const POINTS_AHEAD: u64 = 8;

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
        let mut text = String::new();
        let rest = format!("{}rest{}", self.prefix, dims.start);
        line!(text, "index {rest} = index({number});");
        for dim in dims.clone().rev() {
            let (name, extent) = (self.index(dim), self.nest.extents[dim]);
            if extent == 1 {
                line!(text, "const index {name} = 0;");
            } else if dim == dims.start {
                line!(text, "const index {name} = {rest};");
            } else {
                line!(text, "const index {name} = {rest} % {extent};");
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
            Source::Array(array) => format!("{array}[{sum}]"),
            Source::Part(array, base) => format!("{array}[({sum}) - ({base})]"),
            Source::Value(value) => value,
        }
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
        let index = |dim: u32| self.index(dim as usize);
        statements(&self.nest.map, &self.map_types, &format!("{}r", self.prefix), inputs, &index)
    }

    /// A loop over points. Some are loaded before the first of them is used: as far as a compiler knows, a store could change what is
    /// loaded behind it, and one load after the other leaves the memory idle. `body` makes statements of a point's inputs.
    fn over_points(&self, points: &Points, body: &dyn Fn(&[String]) -> String) -> String {
        let Points { counter, first, end, step, dims, .. } = points;
        let prefix = &self.prefix;
        let all: Vec<String> = (0..self.loaded.len()).map(|number| format!("{prefix}x{number}")).collect();
        let still = |number: &usize| !self.loaded[*number];
        let inputs: Vec<_> =
            self.inputs().into_iter().enumerate().filter(|(number, _)| still(number)).map(|(_, input)| input).collect();
        let names: Vec<String> = (0..all.len()).filter(still).map(|number| all[number].clone()).collect();
        let ahead = points.iterations.min(LOADS_AHEAD / inputs.len().max(1) as u64).min(POINTS_AHEAD);
        let split = self.split(counter, dims.clone());
        let mut text = String::new();
        if ahead <= 1 {
            line!(text, "for (index {counter} = {first}; {counter} < {end}; {counter} += {step}) {{\n{split}");
            for ((dtype, element), name) in inputs.iter().zip(&names) {
                line!(text, "const {dtype} {name} = {element};");
            }
            line!(text, "{}}}", body(&all));
            return text;
        }
        let point = format!("const index {counter} = {prefix}first + {prefix}u * {step};\nif ({counter} < {end}) {{");
        let each = format!("#pragma unroll\nfor (int {prefix}u = 0; {prefix}u < {ahead}; ++{prefix}u) {{");
        line!(text, "for (index {prefix}first = {first}; {prefix}first < {end}; {prefix}first += {step} * {ahead}) {{");
        for ((dtype, _), name) in inputs.iter().zip(&names) {
            line!(text, "{dtype} {name}[{ahead}];");
        }
        line!(text, "{each}\n{point}\n{split}");
        for ((_, element), name) in inputs.iter().zip(&names) {
            line!(text, "{name}[{prefix}u] = {element};");
        }
        let of_point = |(number, name): (usize, &String)| {
            if self.loaded[number] { name.clone() } else { format!("{name}[{prefix}u]") }
        };
        let loaded: Vec<String> = all.iter().enumerate().map(of_point).collect();
        line!(text, "}}\n}}\n{each}\n{point}\n{split}{}}}\n}}\n}}", body(&loaded));
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
        let (counter, iterations) = (format!("{}p", self.prefix), count.div_ceil(u64::from(step)));
        let points = Points { counter, first, end: count.to_string(), step: step.to_string(), iterations, dims };
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
        self.over_points(points, &|inputs| self.stored(inputs))
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
