//! Rows in registers: a group of threads loads a row once, in vectors, and goes through all stages with what it holds. What a stage makes of a
//! row is computed by every thread; folds are the only place where threads wait for each other.
//!
//! This is for stages that go through rows, or parts of them of one length, or make one value a row: norms, softmax, rotations of halves. Others
//! take the general way ([`crate::fused`]), with temporaries in shared memory.

use std::fmt::Write as _;

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, Nest},
    scalar::ScalarInst,
};

use super::{NestText, Reach, Source, Vector, index_type, is_commutative, line};

/// Registers of a thread for what it holds of a row, at most.
const REGISTERS_MAX: u64 = 64;
/// Threads of a group, at most, where each row can have a multiprocessor, and where there are more.
const LANES_FEW_ROWS: u64 = 512;
const LANES_MANY_ROWS: u64 = 256;
/// Rows for which warps are enough of them: each has one, and no barriers.
const ROWS_OF_WARPS: u64 = 2048;
/// Vectors of a row that a warp goes through, at most, if there is a choice.
const WARP_VECTORS: u64 = 128;

/// Parts that a stage is cut into, at most.
const PARTS_MAX: u64 = 4;

/// Where an operand of the stages lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldPlace {
    /// In memory, as a parameter.
    Memory(Source),
    /// Nowhere else: a temporary of so many elements a row.
    Registers {
        /// How many.
        row_elements: u64,
    },
}

/// What a thread holds of an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One element for all of a row.
    One,
    /// Its part of the row.
    Part,
}

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Something of each of the row's elements.
    Each,
    /// One value of all of them.
    Fold,
    /// One value of others.
    Once,
}

/// An operand as some accesses reach it.
#[derive(Debug)]
struct Value<'a> {
    operand: usize,
    kind: Kind,
    dtype: DType,
    /// The first access, and its stage.
    access: &'a Access,
    stage: usize,
    /// True if it is there before the first stage, in memory.
    is_loaded: bool,
}

/// Stages over rows that can be held.
#[derive(Debug)]
pub struct Held<'a> {
    stages: &'a [Nest],
    /// How many dimensions of each stage count rows.
    row_dims: Vec<usize>,
    work: Vec<Work>,
    places: Vec<Option<HeldPlace>>,
    values: Vec<Value<'a>>,
    rows: u64,
    length: u64,
    width: u64,
    /// Threads of a group.
    pub lanes: u32,
    /// Groups of a block.
    pub groups: u32,
}

impl<'a> Held<'a> {
    /// The stages, if they can be held. `places` are those of the operands, none for those that no stage names; no array that is written lies
    /// where another does. `multiprocessors` are to have work.
    pub fn of(
        stages: &'a [Nest],
        row_dims: Vec<usize>,
        rows: u64,
        places: Vec<Option<HeldPlace>>,
        multiprocessors: u64,
    ) -> Option<Held<'a>> {
        let work: Vec<(Work, u64)> =
            stages.iter().zip(&row_dims).map(|(stage, dims)| work_of(stage, *dims)).collect::<Option<_>>()?;
        let mut lengths = work.iter().filter(|(work, _)| *work != Work::Once).map(|(_, length)| *length);
        let length = lengths.next()?;
        if lengths.any(|other| other != length) {
            return None;
        }
        let work = work.into_iter().map(|(work, _)| work).collect();
        let mut held =
            Held { stages, row_dims, work, places, values: Vec::new(), rows, length, width: 1, lanes: 32, groups: 1 };
        for (number, stage) in stages.iter().enumerate() {
            let map = &stage.map;
            let types = map.register_types().expect("a valid nest should have valid bodies");
            let is_fold = stage.combine.is_some();
            for (access, dtype) in stage.inputs.iter().zip(&map.inputs) {
                held.add(number, access, *dtype, true)?;
            }
            for (access, register) in stage.outputs.iter().zip(&map.outputs) {
                held.add(number, access, types[*register as usize], is_fold)?;
            }
        }
        held.width = [16, 8, 4, 2].into_iter().find(|width| held.takes(*width)).unwrap_or(1);
        let vectors = length / held.width;
        held.lanes = match vectors {
            // Without folds, threads of a group have nothing to do with each other.
            0..=16 if !held.work.contains(&Work::Fold) => vectors.next_power_of_two() as u32,
            0..=32 => 32,
            33..=WARP_VECTORS if rows >= ROWS_OF_WARPS => 32,
            _ => {
                let most = if rows <= multiprocessors { LANES_FEW_ROWS } else { LANES_MANY_ROWS };
                vectors.div_ceil(vectors.div_ceil(most)).next_multiple_of(32) as u32
            }
        };
        if held.lanes <= 32 {
            let mut groups = [256, 128, 64].into_iter().map(|threads| threads / held.lanes);
            let spread = groups.find(|groups| rows / u64::from(*groups) >= multiprocessors);
            held.groups = spread.unwrap_or(32 / held.lanes);
        }
        let parts = held.values.iter().filter(|value| value.kind == Kind::Part);
        let bytes: u64 = parts.map(|value| held.each() * held.width * value.dtype.size_bytes() as u64).sum();
        (bytes / 4 <= REGISTERS_MAX).then_some(held)
    }

    /// Vectors of a row that a thread holds, at most.
    fn each(&self) -> u64 {
        (self.length / self.width).div_ceil(u64::from(self.lanes))
    }

    /// Notes an access; none if what it reaches is neither one element of a row nor a part of the common length, or is not there, or partly
    /// what another access reaches.
    fn add(&mut self, number: usize, access: &'a Access, dtype: DType, is_read: bool) -> Option<()> {
        let operand = access.buffer.0 as usize;
        let kind = kind_of(&self.stages[number], self.row_dims[number], access, self.length)?;
        let place = self.places[operand].as_ref().expect("every operand that a stage names should have a place");
        if let HeldPlace::Registers { row_elements: 2.. } = place
            && kind == Kind::One
        {
            return None;
        }
        if self.find(number, access).is_some() {
            return Some(());
        }
        let is_memory = matches!(place, HeldPlace::Memory(_));
        // A temporary's first access writes it, or a fold begins with what is not there.
        if !is_memory && is_read {
            return None;
        }
        let mut outputs = self.stages.iter().flat_map(|stage| &stage.outputs);
        let is_written = outputs.any(|output| output.buffer == access.buffer);
        let is_apart = |value: &Value<'_>| {
            let distance = value.access.offset.abs_diff(access.offset);
            [value.kind, kind] == [Kind::Part; 2]
                && distance >= self.length
                && self.rows_of(value.stage, value.access) == self.rows_of(number, access)
        };
        if is_written && self.values.iter().any(|value| value.operand == operand && !is_apart(value)) {
            return None;
        }
        self.values.push(Value { operand, kind, dtype, access, stage: number, is_loaded: is_memory && is_read });
        Some(())
    }

    /// How an access of a stage goes from row to row.
    fn rows_of(&self, stage: usize, access: &Access) -> Vec<(u64, i64)> {
        let dims = self.stages[stage].extents.iter().copied().zip(access.strides.iter().copied());
        dims.take(self.row_dims[stage]).filter(|(extent, _)| *extent > 1).collect()
    }

    /// The number of the value that an access of a stage reaches.
    fn find(&self, number: usize, access: &Access) -> Option<usize> {
        let operand = access.buffer.0 as usize;
        let kind = kind_of(&self.stages[number], self.row_dims[number], access, self.length)?;
        // All accesses of a temporary go from row to row in the same way, however they count those.
        let is_register = matches!(self.places[operand], Some(HeldPlace::Registers { .. }));
        self.values.iter().position(|value| {
            (value.operand, value.kind, value.access.offset) == (operand, kind, access.offset)
                && (is_register || self.rows_of(value.stage, value.access) == self.rows_of(number, access))
        })
    }

    /// True if rows can be taken in vectors of this width, of which arrays that lie at multiples of 16 bytes are moved in words. Others are
    /// moved one by one.
    fn takes(&self, width: u64) -> bool {
        let parts = self.values.iter().filter(|value| value.kind == Kind::Part);
        let aligned = |value: &&Value<'_>| matches!(self.source(value.access), Source::Array { is_aligned: true, .. });
        let mut aligned = parts.filter(aligned).peekable();
        self.length.is_multiple_of(width) && aligned.peek().is_some() && aligned.all(|value| self.is_word(value, width))
    }

    /// True if vectors of this width are words in memory.
    fn is_word(&self, value: &Value<'_>, width: u64) -> bool {
        let stage = &self.stages[value.stage];
        let inner = (self.row_dims[value.stage]..stage.extents.len()).rev().find(|dim| stage.extents[*dim] > 1);
        let dim = inner.expect("a part of a row should have several elements");
        let arrays = |access: &Access| self.source(access);
        let reach = NestText::new(stage, "", &arrays).reach(value.access, Vector { dim, width });
        width * value.dtype.size_bytes() as u64 <= super::WORD_BYTES && reach == Reach::Together
    }

    fn source(&self, access: &Access) -> Source {
        match &self.places[access.buffer.0 as usize] {
            Some(HeldPlace::Memory(source)) => source.clone(),
            _ => Source::Value("held".to_string()),
        }
    }

    /// The kernel's body, which waits for earlier kernels itself: before that it loads what rows share and nobody writes.
    pub fn body(&self, blocks: u64) -> String {
        let (lanes, groups) = (self.lanes, u64::from(self.groups));
        let arrays = |access: &Access| self.source(access);
        let texts: Vec<NestText<'_>> = (0..)
            .zip(self.stages)
            .map(|(number, stage)| NestText::new(stage, &format!("s{number}_"), &arrays))
            .collect();
        let mut body = format!("typedef {} index;\n", index_type(self.stages));
        line!(body, "const int lane = group_lane<{lanes}>();");
        for number in (0..self.values.len()).filter(|number| self.is_shared_by_rows(*number)) {
            body.push_str(&(self.room(number) + &self.load(&texts, number)));
        }
        body.push_str("wait_for_earlier();\n");
        let is_once = blocks * groups == self.rows;
        let first = format!("u64(blockIdx.x) * {groups} + threadIdx.x / {lanes}");
        match is_once {
            true => line!(body, "{{\nconst u64 row = {first};"),
            false => {
                line!(body, "for (u64 row = {first}; row < {}ull; row += u64(gridDim.x) * {groups}) {{", self.rows)
            }
        }
        for number in (0..self.values.len()).filter(|number| !self.is_shared_by_rows(*number)) {
            body.push_str(&self.room(number));
        }
        let of_rows = |number: &usize| self.values[*number].is_loaded && !self.is_shared_by_rows(*number);
        for number in (0..self.values.len()).filter(of_rows) {
            let stage = self.values[number].stage;
            let split = texts[stage].split("row", 0..self.row_dims[stage]);
            line!(body, "{{\n{split}{}}}", self.load(&texts, number));
        }
        for (number, text) in texts.iter().enumerate() {
            line!(body, "{{\n{}{}}}", text.split("row", 0..self.row_dims[number]), self.stage(number, text));
        }
        if !is_once && self.work.contains(&Work::Fold) {
            line!(body, "group_sync<{lanes}>();");
        }
        body.push_str("}\n");
        body
    }

    /// True if a value is the same for all rows, and nobody writes it.
    fn is_shared_by_rows(&self, number: usize) -> bool {
        let Value { operand, access, stage, is_loaded, .. } = &self.values[number];
        let is_fixed = matches!(self.places[*operand], Some(HeldPlace::Memory(Source::Array { is_fixed: true, .. })));
        let dims = self.stages[*stage].extents.iter().zip(&access.strides).take(self.row_dims[*stage]);
        *is_loaded && is_fixed && dims.into_iter().all(|(extent, stride)| *extent == 1 || *stride == 0)
    }

    /// A definition of what holds a value.
    fn room(&self, number: usize) -> String {
        let Value { kind, dtype, .. } = self.values[number];
        let room = match kind {
            Kind::One => String::new(),
            Kind::Part => format!("[{}][{}]", self.each(), self.width),
        };
        format!("{} v{number}{room};\n", crate::types::name(dtype))
    }

    /// Statements for each vector that a thread holds: number `q` of the row, and `u` of the thread.
    fn each_vector(&self, body: &str) -> String {
        let (vectors, lanes, each) = (self.length / self.width, self.lanes, self.each());
        let is_there = match vectors == each * u64::from(lanes) {
            true => String::new(),
            false => format!("if (q < {vectors}) "),
        };
        format!(
            "#pragma unroll\nfor (int u = 0; u < {each}; ++u) {{\nconst index q = lane + u * {lanes};\n{is_there}{{\n{body}}}\n}}\n"
        )
    }

    fn each_element(&self, body: &str) -> String {
        format!("#pragma unroll\nfor (int at = 0; at < {}; ++at) {{\n{body}}}\n", self.width)
    }

    /// Statements that load a value, where the indices of the row are there.
    fn load(&self, texts: &[NestText<'_>], number: usize) -> String {
        let Value { kind, access, stage, .. } = self.values[number];
        let element = texts[stage].element(access, self.row_dims[stage]);
        match kind {
            Kind::One => format!("v{number} = {element};\n"),
            Kind::Part => {
                let (width, is_word) = (self.width, self.is_word(&self.values[number], self.width));
                self.each_vector(&format!("read_run<{is_word}>(&{element} + q * {width}, v{number}[u]);\n"))
            }
        }
    }

    /// The value that an access reaches, as an expression that can be assigned to.
    fn held(&self, number: usize, access: &Access) -> String {
        let value = self.find(number, access).expect("every access should have been added");
        match self.values[value].kind {
            Kind::One => format!("v{value}"),
            Kind::Part => format!("v{value}[u][at]"),
        }
    }

    /// Statements of a stage, where the indices of the row are there.
    fn stage(&self, number: usize, text: &NestText<'_>) -> String {
        let (stage, lanes) = (&self.stages[number], self.lanes);
        let inputs: Vec<String> = stage.inputs.iter().map(|access| self.held(number, access)).collect();
        let outputs: Vec<String> = stage.outputs.iter().map(|access| self.held(number, access)).collect();
        let (mut values, results) = text.values(&inputs);
        let assigned = |results: &[String]| -> String {
            outputs.iter().zip(results).map(|(output, result)| format!("{output} = {result};\n")).collect()
        };
        match self.work[number] {
            Work::Once => values + &assigned(&results) + &self.stored_once(number, text),
            Work::Each => {
                let width = self.width;
                let mut each = self.each_element(&(values + &assigned(&results)));
                for access in stage.outputs.iter().filter(|access| self.is_memory(access)) {
                    let value = self.find(number, access).expect("every access should have been added");
                    let element = text.element(access, self.row_dims[number]);
                    let is_word = self.is_word(&self.values[value], width);
                    line!(each, "write_run<{is_word}>(&{element} + q * {width}, v{value}[u]);");
                }
                self.each_vector(&each)
            }
            Work::Fold => {
                let combine = stage.combine.as_ref().expect("a fold should have a combine");
                let prefix = &text.prefix;
                let vectors = self.length / self.width;
                line!(
                    values,
                    "const Maybe<{prefix}Value> {prefix}next = {{{prefix}Value{{{}}}, true}};",
                    results.join(", ")
                );
                line!(values, "{prefix}own = combined({prefix}own, {prefix}next, {prefix}combine);");
                let mut fold = text.fold_definitions(combine) + &text.nothing_yet();
                fold.push_str(&self.each_vector(&self.each_element(&values)));
                line!(
                    fold,
                    "__shared__ __align__(16) u8 {prefix}room[{} * sizeof({prefix}Value)];",
                    lanes.div_ceil(32)
                );
                line!(
                    fold,
                    "const {prefix}Value {prefix}all = group_fold_all<{lanes}, {}>({prefix}own.value, {prefix}combine, ({prefix}Value*){prefix}room);",
                    vectors.min(u64::from(lanes))
                );
                let all = (0..outputs.len()).map(|output| format!("{prefix}all.v{output}"));
                let (body, results) =
                    text.combined(combine, &outputs.iter().cloned().chain(all).collect::<Vec<_>>(), "s");
                fold + &body + &assigned(&results) + &self.stored_once(number, text)
            }
        }
    }

    fn is_memory(&self, access: &Access) -> bool {
        matches!(self.places[access.buffer.0 as usize], Some(HeldPlace::Memory(_)))
    }

    /// Statements with which the first lane stores what a stage has made of the row, if that goes to memory.
    fn stored_once(&self, number: usize, text: &NestText<'_>) -> String {
        let mut stores = String::new();
        for access in self.stages[number].outputs.iter().filter(|access| self.is_memory(access)) {
            let element = text.element(access, self.row_dims[number]);
            line!(stores, "if (lane == 0) {element} = {};", self.held(number, access));
        }
        stores
    }
}

/// The stages with those cut that go through more of a row than another does, if that is a few times as much: the parts are stages of their own.
pub fn cut(stages: &[Nest], row_dims: &[usize]) -> Vec<Nest> {
    let length_of = |(stage, dims): (&Nest, &usize)| work_of(stage, *dims).filter(|(work, _)| *work != Work::Once);
    let lengths = stages.iter().zip(row_dims).filter_map(length_of).map(|(_, length)| length);
    let Some(shortest) = lengths.min() else { return stages.to_vec() };
    let cut = |(stage, dims): (&Nest, &usize)| -> Vec<Nest> {
        let Some((Work::Each, length)) = work_of(stage, *dims) else { return vec![stage.clone()] };
        let inner = (*dims..stage.extents.len()).rev().find(|dim| stage.extents[*dim] > 1);
        let dim = inner.expect("a stage of each element should have several");
        let parts = length / shortest;
        if parts > PARTS_MAX || !length.is_multiple_of(shortest) || !stage.extents[dim].is_multiple_of(parts) {
            return vec![stage.clone()];
        }
        let extent = stage.extents[dim] / parts;
        let part = |number: u64| {
            let mut part = stage.clone();
            part.extents[dim] = extent;
            for access in part.inputs.iter_mut().chain(&mut part.outputs) {
                access.offset += access.strides[dim] * (number * extent) as i64;
            }
            part
        };
        (0..parts).map(part).collect()
    };
    stages.iter().zip(row_dims).flat_map(cut).collect()
}

/// What a stage does, and of how many elements of a row; none if that is nothing that can be held.
fn work_of(stage: &Nest, row_dims: usize) -> Option<(Work, u64)> {
    let parallel = stage.extents.len() - stage.reduction_dims as usize;
    let points: u64 = stage.extents[row_dims..parallel].iter().product();
    let count: u64 = stage.extents[parallel..].iter().product();
    if stage.map.instructions.iter().any(|instruction| matches!(instruction, ScalarInst::Index { .. })) {
        return None;
    }
    match (&stage.combine, points) {
        (None, 1) => Some((Work::Once, 1)),
        (None, 2..) => Some((Work::Each, points)),
        (Some(_), 1) if count > 1 && is_commutative(stage) => Some((Work::Fold, count)),
        _ => None,
    }
}

/// What an access reaches of a row of `length` elements.
fn kind_of(stage: &Nest, row_dims: usize, access: &Access, length: u64) -> Option<Kind> {
    let inner = stage.extents.iter().zip(&access.strides).skip(row_dims).filter(|(extent, _)| **extent > 1);
    let inner: Vec<(u64, i64)> = inner.map(|(extent, stride)| (*extent, *stride)).collect();
    if inner.iter().all(|(_, stride)| *stride == 0) {
        return Some(Kind::One);
    }
    let mut count = 1;
    for (extent, stride) in inner.iter().rev() {
        if u64::try_from(*stride) != Ok(count) {
            return None;
        }
        count *= extent;
    }
    (count == length).then_some(Kind::Part)
}
