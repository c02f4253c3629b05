//! Loop nests alone and in rows, as kernels.

use pygraph_artifact::{
    dtype::DType,
    plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest, Program},
};
use pygraph_kernels::{
    cuda::{BLOCKS_MAX, THREADS},
    nest::row_dims,
};

use crate::{
    address::is_indirect,
    call,
    epilogue::Epilogue,
    kernel::{CallCode, LaunchCode, LaunchLibrary, Operand, Parameter, Start, global},
    library,
    nest::{NestText, Points, Source, Split, index_type, line},
};
use std::fmt::Write as _;

/// Shared memory of a block for temporaries, at most, in bytes.
const SHARED_MAX: u64 = 40 << 10;
/// Folded points above which one thread a parallel point is too few.
const ALONE_MAX: u64 = 64;
/// Rows of which each can have a large part of a multiprocessor.
const FEW_ROWS: u64 = 132;
/// Parallel points that keep a card busy with a thread each.
const BUSY_POINTS: u64 = 132 * 1024;

/// A loop nest alone.
pub fn lower_nest(program: &Program, nest: &Nest) -> LaunchCode {
    let reduced = nest.reduction_dims as usize;
    let (parallel, folded) = nest.extents.split_at(nest.extents.len() - reduced);
    let (points, count): (u64, u64) = (parallel.iter().product(), folded.iter().product());
    if points == 0 || (nest.combine.is_some() && count == 0) {
        return LaunchCode::default();
    }
    if nest.combine.is_none() || count <= ALONE_MAX || points >= BUSY_POINTS {
        let place = |id: BufferId| buffer_place(program, id);
        let (parameters, operands) = parameters_of(&place, nest);
        return LaunchCode { calls: vec![points_call(nest, points, &parameters, operands)], ..LaunchCode::default() };
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

/// A thread a parallel point. There is a parameter for each access, inputs first.
pub fn points_call(nest: &Nest, points: u64, parameters: &[Parameter], operands: Vec<Operand>) -> CallCode {
    let name = |access: &Access| {
        let accesses = nest.inputs.iter().chain(&nest.outputs);
        let number = accesses.into_iter().position(|other| std::ptr::eq(other, access));
        Source::Array(format!("p{}", number.expect("an access should be one of its nest")))
    };
    let text = NestText::new(nest, "n", &name);
    let rank = nest.extents.len() - nest.reduction_dims as usize;
    let blocks = points.div_ceil(u64::from(THREADS)).min(BLOCKS_MAX) as u32;
    let threads = u64::from(blocks) * u64::from(THREADS);
    let points = Points {
        counter: "point".to_string(),
        first: format!("index(blockIdx.x) * {THREADS} + index(threadIdx.x)"),
        end: format!("index({points}ull)"),
        step: format!("index({threads})"),
        iterations: points.div_ceil(threads),
        dims: 0..rank,
    };
    let body = format!("typedef {} index;\n{}", index_type(std::slice::from_ref(nest)), text.points(&points));
    CallCode {
        text: global(parameters, THREADS, Start::Late, &body),
        grid: [blocks, 1, 1],
        block: [THREADS, 1, 1],
        shared_bytes: 0,
        operands,
    }
}

/// Element type of an array, what is given for it, and whether that is where its address is read from.
type GivenArray = (DType, Operand, bool);

fn buffer_place(program: &Program, id: BufferId) -> GivenArray {
    (program.buffers[id.0 as usize].dtype, Operand::Buffer(id), is_indirect(program, id))
}

fn parameters_of(place: &dyn Fn(BufferId) -> GivenArray, nest: &Nest) -> (Vec<Parameter>, Vec<Operand>) {
    let accesses = nest.inputs.iter().chain(&nest.outputs).enumerate();
    accesses
        .map(|(number, access)| {
            let (dtype, operand, is_indirect) = place(access.buffer);
            (Parameter::new(format!("p{number}"), dtype, is_indirect), operand)
        })
        .unzip()
}

/// Loop nests in rows, around a product if there is one.
pub fn lower_fused(program: &Program, fused: &Fused) -> Result<LaunchCode, String> {
    let mut launch = LaunchCode::default();
    let mut in_scratch: Vec<(usize, Operand)> = Vec::new();
    lower_prologue(program, fused, &mut launch, &mut in_scratch);
    if let Some(kernel) = &fused.kernel {
        if let Some(epilogue) = Epilogue::of(program, fused, kernel) {
            let array = |id: BufferId| product_array(program, fused, id, given_for(&in_scratch, id));
            call::lower_call(kernel, &array, Some(&epilogue), &mut launch)?;
            library::add_epilogue(program, fused, kernel, &mut launch);
            return Ok(launch);
        }
        lower_product(program, fused, kernel, &mut launch, &mut in_scratch)?;
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

/// What is before the product, as a kernel each; what it makes lies in scratch memory.
fn lower_prologue(program: &Program, fused: &Fused, launch: &mut LaunchCode, in_scratch: &mut Vec<(usize, Operand)>) {
    for nest in &fused.prologue {
        let made = nest.outputs[0].buffer;
        if let FusedOperand::Temporary { dtype, shape } = &fused.operands[made.0 as usize] {
            let bytes = shape.iter().product::<u64>() * dtype.size_bytes() as u64;
            in_scratch.push((made.0 as usize, launch.add_scratch(bytes)));
        }
        let place = |id: BufferId| match &fused.operands[id.0 as usize] {
            FusedOperand::Buffer(buffer) => buffer_place(program, *buffer),
            FusedOperand::Temporary { dtype, .. } => {
                let given = given_for(in_scratch, id);
                (*dtype, given.expect("a prologue should name no temporary but its own"), false)
            }
        };
        let points: u64 = nest.extents.iter().product();
        if points > 0 {
            let (parameters, operands) = parameters_of(&place, nest);
            launch.calls.push(points_call(nest, points, &parameters, operands));
        }
    }
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
    call::lower_call(kernel, &array, None, launch)
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
    /// In memory that all threads see: a parameter of this name.
    Global(String),
    /// In shared memory: one part a group, of so many elements a row.
    Shared { name: String, row_elements: u64 },
}

impl Rows<'_> {
    fn lower(&self, in_scratch: &[(usize, Operand)], launch: &mut LaunchCode) {
        let group = self.group();
        let threads = group.max(THREADS);
        let groups = u64::from(threads / group);
        let mut parameters = Vec::new();
        let mut operands = Vec::new();
        let mut shared = String::new();
        let mut shared_bytes = 0;
        let places: Vec<Place> = self
            .operands
            .iter()
            .enumerate()
            .map(|(number, operand)| {
                let (dtype, operand, is_indirect) = match operand {
                    FusedOperand::Buffer(id) => {
                        let dtype = self.program.buffers[id.0 as usize].dtype;
                        (dtype, Operand::Buffer(*id), is_indirect(self.program, *id))
                    }
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
                        (*dtype, given.map_or_else(|| launch.add_scratch(bytes), |(_, operand)| *operand), false)
                    }
                };
                let name = format!("p{number}");
                parameters.push(Parameter::new(name.clone(), dtype, is_indirect));
                operands.push(operand);
                Place::Global(name)
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
        });
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
            Place::Global(name) => Source::Array(name.clone()),
            Place::Shared { name, row_elements } => Source::Part(name.clone(), format!("index(row) * {row_elements}")),
        };
        for (number, stage) in self.stages.iter().enumerate() {
            let text = NestText::new(stage, &format!("s{number}_"), &array);
            let parallel = stage.extents.len() - stage.reduction_dims as usize;
            let dims = if self.alone {
                parallel
            } else {
                let dims = row_dims(&stage.extents, stage.reduction_dims as usize, self.rows);
                dims.expect("a valid stage should count the rows")
            };
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
