//! Loop nests alone and in rows, as kernels.

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest, Program},
};
use pygraph_kernels::{
    cuda::{BLOCKS_MAX, MULTIPROCESSORS, THREADS},
    manifest,
    nest::row_dims,
};

use crate::{
    address,
    call::{self, Around},
    epilogue::Epilogue,
    kernel::{CallCode, LaunchCode, LaunchLibrary, Operand, Parameter, Start, global},
    library,
    nest::{Held, HeldPlace, NestText, POINT, Points, Source, Split, cut, index_type, line, merged},
    prologue::Prologue,
    remake::Makers,
    split_fold,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// Shared memory of a block for temporaries, at most, in bytes.
const SHARED_MAX: u64 = 40 << 10;
/// The same of a block that is light.
const LIGHT_BYTES: u64 = 4 << 10;
/// Folded points above which one thread a parallel point is too few.
const ALONE_MAX: u64 = 64;
/// Rows of which each can have a large part of a multiprocessor.
const FEW_ROWS: u64 = MULTIPROCESSORS;
/// Threads that a nest is spread over before one takes more than a point. With few points time is what one thread takes, and a vector's points are
/// computed one after another; with many it is what instructions for addresses and memory take.
const SPREAD_THREADS: u64 = MULTIPROCESSORS * 128;
/// Parallel points that keep a card busy with a thread each.
const BUSY_POINTS: u64 = MULTIPROCESSORS * 1024;

/// A loop nest alone.
pub fn lower_nest(program: &Program, nest: &Nest) -> LaunchCode {
    let reduced = nest.reduction_dims as usize;
    let (parallel, folded) = nest.extents.split_at(nest.extents.len() - reduced);
    let (points, count): (u64, u64) = (parallel.iter().product(), folded.iter().product());
    if points == 0 || (nest.combine.is_some() && count == 0) {
        return LaunchCode::default();
    }
    if nest.combine.is_none() || count <= ALONE_MAX || points >= BUSY_POINTS {
        let (parameters, operands) = parameters_of(program, nest);
        return LaunchCode { calls: vec![points_call(nest, &parameters, operands)], ..LaunchCode::default() };
    }
    if let Some(launch) = split_fold::lower(program, nest, points) {
        return launch;
    }
    // Every parallel point is a row of its own.
    let buffers: Vec<BufferId> = nest.inputs.iter().chain(&nest.outputs).map(|access| access.buffer).collect();
    let mut stage = nest.clone();
    let accesses = stage.inputs.iter_mut().chain(&mut stage.outputs);
    accesses.enumerate().for_each(|(number, access)| access.buffer = BufferId(number as u32));
    let operands: Vec<FusedOperand> = buffers.into_iter().map(FusedOperand::Buffer).collect();
    let mut launch = LaunchCode::default();
    let rows = Rows { program, rows: points, operands: &operands, stages: &[stage], alone: true };
    rows.lower(&[], &mut launch);
    launch
}

/// A thread a parallel point, or a vector of them. There is a parameter for each access, inputs first.
pub fn points_call(nest: &Nest, parameters: &[Parameter], operands: Vec<Operand>) -> CallCode {
    let rank = nest.extents.len() - nest.reduction_dims as usize;
    let nest = &match &nest.combine {
        None => merged(nest, (0..rank).filter(|dim| nest.extents[*dim] > 1).collect()).0,
        Some(_) => nest.clone(),
    };
    let rank = nest.extents.len() - nest.reduction_dims as usize;
    let points: u64 = nest.extents[..rank].iter().product();
    let source = |access: &Access| source_of(nest, parameters, access);
    let text = NestText::new(nest, "n", &source);
    let vector = match &nest.combine {
        None => text.vector(0..rank, points / SPREAD_THREADS),
        Some(_) => POINT,
    };
    let vectors = points / vector.width;
    let threads = [THREADS, THREADS / 2].into_iter().find(|threads| vectors >= u64::from(*threads) * MULTIPROCESSORS);
    let threads = threads.unwrap_or(THREADS / 4);
    // As many for each thread, but for the last threads.
    let iterations = vectors.div_ceil(BLOCKS_MAX * u64::from(threads)).max(1);
    let blocks = vectors.div_ceil(iterations * u64::from(threads)) as u32;
    let all = u64::from(blocks) * u64::from(threads);
    let points = Points {
        counter: "point".to_string(),
        first: format!("index(blockIdx.x) * {threads} + index(threadIdx.x)"),
        end: format!("index({vectors}ull)"),
        step: format!("index({all})"),
        iterations,
        dims: 0..rank,
        vector,
        is_even: vectors == iterations * all,
        waits: nest.combine.is_none(),
    };
    let start = if points.waits { Start::OfItsOwn } else { Start::Late };
    let body = format!("typedef {} index;\n{}", index_type(std::slice::from_ref(nest)), text.points(&points));
    CallCode {
        text: global(parameters, threads, start, &body),
        grid: [blocks, 1, 1],
        block: [threads, 1, 1],
        shared_bytes: 0,
        operands,
        is_light: true,
        is_free: nest.combine.is_none(),
    }
}

/// The array of an access of a nest, which has a parameter of its own.
pub fn source_of(nest: &Nest, parameters: &[Parameter], access: &Access) -> Source {
    let accesses = nest.inputs.iter().chain(&nest.outputs);
    let number = accesses.into_iter().position(|other| std::ptr::eq(other, access));
    parameters[number.expect("an access should be one of its nest")].source()
}

/// A parameter for each access of a nest.
pub fn parameters_of(program: &Program, nest: &Nest) -> (Vec<Parameter>, Vec<Operand>) {
    let accesses = nest.inputs.iter().chain(&nest.outputs).enumerate();
    accesses
        .map(|(number, access)| {
            let parameter = Parameter::of_buffer(format!("p{number}"), program, access.buffer);
            (parameter, Operand::Buffer(access.buffer))
        })
        .unzip()
}

/// Loop nests in rows, around a product if there is one.
pub fn lower_fused(program: &Program, fused: &Fused, makers: Option<&Makers<'_>>) -> Result<LaunchCode, String> {
    let mut launch = LaunchCode::default();
    let mut in_scratch: Vec<(usize, Operand)> = Vec::new();
    if let Some(kernel) = &fused.kernel {
        let takes_prologues = manifest::find(&kernel.kernel).is_some_and(|kernel| kernel.cuda.has_prologue);
        if !fused.prologue.is_empty() && !takes_prologues {
            return Err(format!("kernel `{}` takes no prologue on this device", kernel.kernel));
        }
        let made = kernel.inputs.iter().enumerate();
        let prologues = made.filter_map(|(number, made)| Prologue::of(program, fused, number, *made));
        let epilogue = Epilogue::of(program, fused, kernel);
        let (around, is_whole) = (Around { prologues: prologues.collect(), epilogue }, fused.stages.is_empty());
        if around.epilogue.is_some() || is_whole {
            let array = |id: BufferId| product_array(program, fused, id, None);
            let remade = remade(program, fused, kernel, makers);
            call::lower_call(kernel, &array, around, &remade, &mut launch)?;
            library::add_epilogue(program, fused, kernel, &mut launch);
            return Ok(launch);
        }
        lower_product(program, fused, kernel, makers, around, &mut launch, &mut in_scratch)?;
    }
    let own = launch.calls.len();
    if !fused.stages.is_empty() {
        let rows = Rows { program, rows: fused.rows, operands: &fused.operands, stages: &fused.stages, alone: false };
        rows.lower(&in_scratch, &mut launch);
    }
    if let LaunchLibrary::Product { after, .. } = &mut launch.library {
        after.extend_from_slice(&launch.calls[own..]);
    }
    Ok(launch)
}

/// Where a temporary lies, if in scratch memory.
fn given_for(in_scratch: &[(usize, Operand)], id: BufferId) -> Option<Operand> {
    in_scratch.iter().find(|(other, _)| *other == id.0 as usize).map(|(_, operand)| *operand)
}

/// The product before stages that are no elementwise work on its result, as kernels of its own; a result that is a temporary lies in
/// scratch memory.
fn lower_product(
    program: &Program,
    fused: &Fused,
    kernel: &KernelCall,
    makers: Option<&Makers<'_>>,
    around: Around,
    launch: &mut LaunchCode,
    in_scratch: &mut Vec<(usize, Operand)>,
) -> Result<(), String> {
    for output in &kernel.outputs {
        if let FusedOperand::Temporary { dtype, shape } = &fused.operands[output.0 as usize] {
            let bytes = shape.iter().product::<u64>() * dtype.size_bytes() as u64;
            in_scratch.push((output.0 as usize, launch.add_scratch(bytes)));
        }
    }
    let array = |id: BufferId| product_array(program, fused, id, given_for(in_scratch, id));
    call::lower_call(kernel, &array, around, &remade(program, fused, kernel, makers), launch)
}

/// What can make an input of the launch's kernel once more.
fn remade(
    program: &Program,
    fused: &Fused,
    kernel: &KernelCall,
    makers: Option<&Makers<'_>>,
) -> impl Fn(usize) -> Option<Prologue> {
    move |input| match fused.operands[kernel.inputs[input].0 as usize] {
        FusedOperand::Buffer(buffer) => Some(Prologue::remade(program, makers?.get(buffer)?, input)),
        FusedOperand::Temporary { .. } => None,
    }
}

/// What a product reads or writes; `operand` is where it lies if it is a temporary that lies anywhere.
fn product_array(program: &Program, fused: &Fused, id: BufferId, operand: Option<Operand>) -> call::Array {
    match &fused.operands[id.0 as usize] {
        FusedOperand::Buffer(buffer) => call::Array::of_buffer(program, *buffer),
        FusedOperand::Temporary { dtype, shape } => call::Array::temporary(*dtype, shape.clone(), operand),
    }
}

/// Stages over rows.
struct Rows<'a> {
    program: &'a Program,
    rows: u64,
    operands: &'a [FusedOperand],
    stages: &'a [Nest],
    /// True if rows are all parallel points of the one stage.
    alone: bool,
}

/// Where an operand of the stages lies.
enum Place {
    /// In memory that all threads see: a parameter.
    Global(Source),
    /// Nowhere: no stage names it.
    Absent,
    /// In shared memory: one part a group, of so many elements a row.
    Shared { name: String, row_elements: u64 },
}

impl Rows<'_> {
    fn lower(&self, in_scratch: &[(usize, Operand)], launch: &mut LaunchCode) {
        if let Some(call) = self.lower_held(in_scratch) {
            launch.calls.push(call);
            return;
        }
        let group = self.group();
        let threads = group.max(THREADS);
        let groups = u64::from(threads / group);
        let mut parameters = Vec::new();
        let mut operands = Vec::new();
        let mut shared = String::new();
        let mut shared_bytes = 0;
        let named = self.named();
        let places: Vec<Place> = self
            .operands
            .iter()
            .enumerate()
            .map(|(number, operand)| {
                if !named.contains(&(number as u32)) {
                    return Place::Absent;
                }
                let name = format!("p{number}");
                let (parameter, operand) = match operand {
                    FusedOperand::Buffer(id) => (Parameter::of_buffer(name, self.program, *id), Operand::Buffer(*id)),
                    FusedOperand::Temporary { dtype, shape } => {
                        let elements: u64 = shape.iter().product();
                        let row_elements = elements / self.rows;
                        let bytes = (row_elements * dtype.size_bytes() as u64).next_multiple_of(16) * groups;
                        let given = in_scratch.iter().find(|(other, _)| *other == number);
                        if given.is_none() && shared_bytes + bytes <= SHARED_MAX {
                            shared_bytes += bytes;
                            return self.shared_place(number, *dtype, row_elements, groups, &mut shared);
                        }
                        let bytes = elements * dtype.size_bytes() as u64;
                        let operand = given.map_or_else(|| launch.add_scratch(bytes), |(_, operand)| *operand);
                        (Parameter::new(name, *dtype, false, true), operand)
                    }
                };
                let source = parameter.source();
                parameters.push(parameter);
                operands.push(operand);
                Place::Global(source)
            })
            .collect();
        let body = self.body(group, &places, &shared);
        let blocks = self.rows.div_ceil(groups).min(BLOCKS_MAX) as u32;
        launch.calls.push(CallCode {
            text: global(&parameters, threads, Start::Late, &body),
            grid: [blocks, 1, 1],
            block: [threads, 1, 1],
            shared_bytes: 0,
            operands,
            is_light: shared_bytes <= LIGHT_BYTES,
            is_free: false,
        });
    }

    /// The kernel that holds rows in registers, if the stages are of that sort.
    fn lower_held(&self, in_scratch: &[(usize, Operand)]) -> Option<CallCode> {
        if self.alone {
            return None;
        }
        let (mut parameters, mut operands) = (Vec::new(), Vec::new());
        let named = self.named();
        let places = self.operands.iter().enumerate().map(|(number, operand)| {
            if !named.contains(&(number as u32)) {
                return None;
            }
            let name = format!("p{number}");
            let (parameter, operand) = match (operand, given_for(in_scratch, BufferId(number as u32))) {
                (FusedOperand::Buffer(id), _) => (Parameter::of_buffer(name, self.program, *id), Operand::Buffer(*id)),
                (FusedOperand::Temporary { dtype, .. }, Some(operand)) => {
                    (Parameter::new(name, *dtype, false, true), operand)
                }
                (FusedOperand::Temporary { shape, .. }, None) => {
                    let row_elements = shape.iter().product::<u64>() / self.rows;
                    return Some(HeldPlace::Registers { row_elements });
                }
            };
            let source = parameter.source();
            parameters.push(parameter);
            operands.push(operand);
            Some(HeldPlace::Memory(source))
        });
        let places = places.collect();
        if self.writes_what_is_read() {
            return None;
        }
        let row_dims = |stages: &[Nest]| stages.iter().map(|stage| self.row_dims(stage)).collect::<Vec<_>>();
        let stages = cut(self.stages, &row_dims(self.stages));
        let held = Held::of(&stages, row_dims(&stages), self.rows, places, MULTIPROCESSORS)?;
        let (groups, threads) = (u64::from(held.groups), held.groups * held.lanes);
        let blocks = self.rows.div_ceil(groups).min(BLOCKS_MAX);
        Some(CallCode {
            text: global(&parameters, threads, Start::OfItsOwn, &held.body(blocks)),
            grid: [blocks as u32, 1, 1],
            block: [threads, 1, 1],
            shared_bytes: 0,
            operands,
            is_light: true,
            is_free: held.lanes <= 32,
        })
    }

    /// The operands that stages name.
    fn named(&self) -> BTreeSet<u32> {
        let accesses = self.stages.iter().flat_map(|stage| stage.inputs.iter().chain(&stage.outputs));
        accesses.map(|access| access.buffer.0).collect()
    }

    /// True if a stage may write where another operand lies.
    fn writes_what_is_read(&self) -> bool {
        let buffer = |number: u32| match self.operands[number as usize] {
            FusedOperand::Buffer(id) => Some(id),
            FusedOperand::Temporary { .. } => None,
        };
        let written = self.stages.iter().flat_map(|stage| &stage.outputs).map(|access| access.buffer.0);
        let named = self.named();
        written.into_iter().any(|written| {
            let overlaps = |other: &u32| match (buffer(written), buffer(*other)) {
                (Some(written), Some(other)) => {
                    !address::is_fixed(self.program, other) && address::may_overlap(self.program, written, other)
                }
                _ => false,
            };
            named.iter().filter(|other| **other != written).any(overlaps)
        })
    }

    /// How many dimensions of a stage count rows.
    fn row_dims(&self, stage: &Nest) -> usize {
        let reduced = stage.reduction_dims as usize;
        match self.alone {
            true => stage.extents.len() - reduced,
            false => row_dims(&stage.extents, reduced, self.rows).expect("a valid stage should count the rows"),
        }
    }

    fn shared_place(&self, number: usize, dtype: DType, row_elements: u64, groups: u64, text: &mut String) -> Place {
        let (element, size) = (crate::types::name(dtype), dtype.size_bytes() as u64);
        let padded = (row_elements * size).next_multiple_of(16) / size;
        line!(text, "__shared__ __align__(16) u8 t{number}_bytes[{}];", padded * size * groups);
        line!(text, "{element}* const t{number} = ({element}*)t{number}_bytes + {padded} * group_number;");
        Place::Shared { name: format!("t{number}"), row_elements }
    }

    /// Threads that work on a row: a warp if there is little to do, many if there are few rows.
    fn group(&self) -> u32 {
        let work = |nest: &Nest| nest.extents.iter().product::<u64>() / self.rows.max(1);
        let most = self.stages.iter().map(work).max().unwrap_or(0);
        match most {
            0..=256 => 32,
            257..=1024 if self.rows >= 2048 => 32,
            2048..=4095 if self.rows <= FEW_ROWS => 512,
            4096.. if self.rows <= FEW_ROWS => 1024,
            _ => THREADS,
        }
    }

    fn body(&self, group: u32, places: &[Place], shared: &str) -> String {
        let groups = group.max(THREADS) / group;
        let mut body = format!("typedef {} index;\n", index_type(self.stages));
        line!(body, "const int group_number = threadIdx.x / {group};");
        line!(body, "const int lane = group_lane<{group}>();");
        body.push_str(shared);
        line!(
            body,
            "for (u64 row = blockIdx.x * u64({groups}) + group_number; row < {}ull; row += u64(gridDim.x) * {groups}) {{",
            self.rows
        );
        let array = |access: &Access| match &places[access.buffer.0 as usize] {
            Place::Global(source) => source.clone(),
            Place::Absent => unreachable!("every operand that a stage names should have a place"),
            Place::Shared { name, row_elements } => Source::Part {
                name: name.clone(),
                first: format!("index(row) * {row_elements}"),
                elements: *row_elements,
            },
        };
        for (number, stage) in self.stages.iter().enumerate() {
            let text = NestText::new(stage, &format!("s{number}_"), &array);
            let dims = self.row_dims(stage);
            body.push_str("{\n");
            body.push_str(&text.split("row", 0..dims));
            body.push_str(&text.row(dims, self.stage_split(stage, dims, group), "lane", group));
            body.push_str("}\n");
            line!(body, "group_sync<{group}>();");
        }
        body.push_str("}\n");
        body
    }

    fn stage_split(&self, stage: &Nest, dims: usize, group: u32) -> Split {
        let parallel = stage.extents.len() - stage.reduction_dims as usize;
        let points: u64 = stage.extents[dims..parallel].iter().product();
        let count: u64 = stage.extents[parallel..].iter().product();
        if stage.combine.is_none() || points >= u64::from(group) || count <= 8 {
            Split::Threads
        } else {
            Split::Group(group)
        }
    }
}
