//! A plan as text, for people: what `pygraph-run --describe` prints.

use std::fmt::Write;

use pygraph_artifact::{
    container::Artifact,
    dtype::{DType, Family},
    plan::{
        Access, BufferId, FieldSource, Fused, FusedOperand, Initial, KernelAttr, KernelCall, KvArena, Launch, Nest,
        Node, Place, PositionSource, Program, SlotRows, Step, Work, launches,
    },
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};

use crate::{
    compare::element_text,
    tensor::{TensorView, type_text},
};

/// Expressions longer than this get a name of their own.
const EXPRESSION_CHARS_MAX: usize = 100;

/// Writing to a text cannot fail; this says so in one place.
macro_rules! line {
    ($text:expr, $($argument:tt)*) => { writeln!($text, $($argument)*).expect("writing to a text should not fail") };
}

/// Describes every program of an artifact.
///
/// A launch is one line: its name, what it writes, the loops, the expression at each point, and its location.
/// `b7[2*d0 + d1]` is an element of buffer 7 at a point of the loops `d0`, `d1`, ….
pub fn describe(artifact: &Artifact) -> String {
    let mut text = format!("constants: {} bytes\n", artifact.constants().len());
    if let Some(code) = artifact.host_code() {
        let (functions, bytes) = (code.functions.len(), code.image.len());
        line!(
            text,
            "host code: {functions} functions, {bytes} bytes for {} with {}",
            code.target.triple,
            code.target.cpu
        );
    }
    if let Some(code) = artifact.device_code() {
        let bytes: usize = code.modules.iter().map(Vec::len).sum();
        let kernels = code.kernels.len();
        line!(text, "device code: {kernels} kernels, {bytes} bytes for {}", code.target);
        for (program, device) in artifact.plan().programs.iter().zip(&code.programs) {
            let calls: usize = device.launches.iter().map(|launch| launch.calls.len()).sum();
            let joined = device.launches.iter().filter(|launch| launch.joins.is_some()).count();
            line!(
                text,
                "  `{}`: {calls} calls, {joined} launches done by those of others, scratch {} bytes",
                program.name,
                device.scratch_bytes
            );
        }
    }
    for (number, arena) in artifact.plan().arenas.iter().enumerate() {
        let KvArena { name, slots, tokens_max, token_bytes, handle_bytes } = arena;
        line!(
            text,
            "cache arena {number} `{name}`: {slots} slots of {tokens_max} tokens of {token_bytes} bytes, in handles of {handle_bytes} bytes"
        );
    }
    for program in &artifact.plan().programs {
        text.push('\n');
        describe_program(&mut text, program);
    }
    text
}

fn describe_program(text: &mut String, program: &Program) {
    line!(text, "program `{}`", program.name);
    for (index, param) in program.params.iter().enumerate() {
        let updated = param.updated_by.map_or(String::new(), |result| format!(", updated by out{result}"));
        let ty = type_text(param.dtype, &param.shape);
        let cache = param.cache.as_ref().map_or(String::new(), |cache| {
            format!(", in cache arena {} at {} with strides {:?}", cache.arena, cache.offset, cache.strides)
        });
        let initial = match param.initial {
            Some(Initial::RandomState) => ", seed and offset that random numbers are drawn from; offset 0 if not given",
            None => "",
        };
        line!(text, "  arg{index} `{}`: {ty}, {}{updated}{cache}{initial}", param.name, param.bind.name());
    }
    for (index, result) in program.results.iter().enumerate() {
        let ty = type_text(result.dtype, &result.shape);
        line!(text, "  out{index} `{}`: {ty} = {}", result.name, buffer_text(program, result.buffer));
    }
    let in_arena = program.buffers.iter().filter(|buffer| matches!(buffer.place, Place::Arena { .. })).count();
    line!(text, "  arena: {} bytes on device {}, {in_arena} buffers", program.arena_bytes, program.device);
    for block in &program.blocks {
        line!(text, "  parameter block `{}`: {} bytes", block.name, block.bytes);
        for field in &block.fields {
            let content = match field.source {
                FieldSource::Value { param } => format!("value of arg{param}"),
                FieldSource::ParamAddress { param } => format!("address of arg{param}"),
                FieldSource::ResultAddress { result } => format!("address for out{result}"),
            };
            line!(text, "    {} `{}`: {content}", field.offset, field.name);
        }
    }
    for rows in &program.ensures {
        line!(text, "  {}", ensure_text(program, rows));
    }
    for segment in &program.segments {
        let (name, form, count) = (&segment.name, segment.deploy.name(), launches(&segment.nodes).len());
        line!(text, "  segment `{name}`: {form}, {count} launches, {} edges", edge_count(&segment.nodes));
        describe_nodes(text, program, &segment.nodes, 2);
    }
    for rows in &program.retires {
        line!(text, "  {}", retire_text(program, rows));
    }
}

/// Which rows are mapped.
fn ensure_text(program: &Program, rows: &SlotRows) -> String {
    let window = rows.window.map_or(String::new(), |window| format!(", of which the last {window} are needed"));
    format!("ensure rows of cache arena {} up to {}{window}", rows.arena, positions_text(program, rows))
}

/// Which rows are unmapped.
fn retire_text(program: &Program, rows: &SlotRows) -> String {
    let (arena, window) = (rows.arena, rows.window.unwrap_or(0));
    let positions = positions_text(program, rows);
    format!(
        "retire rows of cache arena {arena} below the last {window} up to {positions}; they are handed back as zeros, those of a cache that was handed in as they are"
    )
}

fn positions_text(program: &Program, rows: &SlotRows) -> String {
    let source = match rows.source {
        None => "known positions".to_string(),
        Some(PositionSource::Param { index }) => format!("positions of arg{index}"),
        Some(PositionSource::Buffer(id)) => format!("positions in {}", buffer_text(program, id)),
    };
    format!("{source} + {:?}", rows.offsets)
}

fn edge_count(nodes: &[Node]) -> usize {
    let count = |node: &Node| node.after.len() + node.step.inside().into_iter().map(edge_count).sum::<usize>();
    nodes.iter().map(count).sum()
}

/// One line a node, with the nodes that it waits for.
fn describe_nodes(text: &mut String, program: &Program, nodes: &[Node], depth: usize) {
    let indent = "  ".repeat(depth);
    for (number, Node { after, step }) in nodes.iter().enumerate() {
        let listed: Vec<String> = after.iter().map(u32::to_string).collect();
        let edges = if listed.is_empty() { String::new() } else { format!(" after {}", listed.join(", ")) };
        match step {
            Step::Launch(launch) => line!(text, "{indent}{number}{edges}: {}", launch_text(program, launch)),
            Step::Ensure(rows) => line!(text, "{indent}{number}{edges}: {}", ensure_text(program, rows)),
            Step::Retire(rows) => line!(text, "{indent}{number}{edges}: {}", retire_text(program, rows)),
            Step::While { condition, predicate, body } => {
                line!(text, "{indent}{number}{edges}: while {{");
                describe_nodes(text, program, condition, depth + 1);
                line!(text, "{indent}}} {} {{", buffer_text(program, *predicate));
                describe_nodes(text, program, body, depth + 1);
                line!(text, "{indent}}}");
            }
            Step::Switch { index, branches } => {
                line!(text, "{indent}{number}{edges}: switch {} {{", buffer_text(program, *index));
                for (number, branch) in branches.iter().enumerate() {
                    line!(text, "{indent}  branch {number}:");
                    describe_nodes(text, program, branch, depth + 2);
                }
                line!(text, "{indent}}}");
            }
        }
    }
}

fn launch_text(program: &Program, launch: &Launch) -> String {
    let work = match &launch.work {
        Work::Nest(nest) => nest_text(program, nest),
        Work::Kernel(call) => call_text(call, &|id| buffer_text(program, id)),
        Work::Fused(fused) => fused_text(program, fused),
    };
    // Which of several nests are native is in the functions' numbers; `-` is one that is interpreted.
    let number = |function: &Option<u32>| function.map_or("-".to_string(), |number| number.to_string());
    let functions: Vec<String> = launch.functions.iter().map(number).collect();
    let native = if functions.is_empty() { String::new() } else { format!("  native {}", functions.join(" ")) };
    format!("{}: {work}{native}  // {}", launch.name, launch.location)
}

/// `b2: 4x8xf32 at 0`.
fn buffer_text(program: &Program, id: BufferId) -> String {
    let Some(buffer) = program.buffers.get(id.0 as usize) else { return format!("b{}", id.0) };
    let place = match buffer.place {
        Place::Arena { offset } => format!("at {offset}"),
        Place::Param { index } => format!("= arg{index}"),
        Place::Constant { offset } => format!("= constant {offset}"),
        Place::Field { block, field } => {
            let found = program.blocks.get(block as usize).and_then(|block| block.fields.get(field as usize));
            found.map_or(format!("= field {field}"), |field| format!("= field `{}`", field.name))
        }
    };
    format!("b{}: {} {place}", id.0, type_text(buffer.dtype, &buffer.shape))
}

fn nest_text(program: &Program, nest: &Nest) -> String {
    let mut named: Vec<BufferId> = nest.inputs.iter().chain(&nest.outputs).map(|access| access.buffer).collect();
    named.sort_unstable();
    named.dedup();
    let buffers: Vec<String> = named.iter().map(|id| buffer_text(program, *id)).collect();
    loops_text(nest, &|id| format!("b{}", id.0)) + &format!("  where {}", buffers.join(", "))
}

/// Each stage as a nest, in the order in which a row goes through them; `t3` is a temporary.
fn fused_text(program: &Program, fused: &Fused) -> String {
    let name = |id: BufferId| match fused.operands.get(id.0 as usize) {
        Some(FusedOperand::Buffer(buffer)) => format!("b{}", buffer.0),
        _ => format!("t{}", id.0),
    };
    let loops = |nests: &[Nest]| nests.iter().map(|nest| loops_text(nest, &name)).collect::<Vec<String>>();
    let kernel = fused.kernel.iter().map(|call| call_text(call, &name)).collect();
    let stages: Vec<String> = [loops(&fused.prologue), kernel, loops(&fused.stages)].concat();
    let operand = |(number, operand): (usize, &FusedOperand)| match operand {
        FusedOperand::Buffer(buffer) => buffer_text(program, *buffer),
        FusedOperand::Temporary { dtype, shape } => format!("t{number}: {}", type_text(*dtype, shape)),
    };
    let operands: Vec<String> = fused.operands.iter().enumerate().map(operand).collect();
    format!("{} rows of {{ {} }}  where {}", fused.rows, stages.join("; "), operands.join(", "))
}

fn loops_text(nest: &Nest, name: &dyn Fn(BufferId) -> String) -> String {
    let kept = nest.extents.len().saturating_sub(nest.reduction_dims as usize);
    let loops = |range: std::ops::Range<usize>| {
        range.map(|d| format!("d{d}<{}", nest.extents[d])).collect::<Vec<_>>().join(" ")
    };
    let mut text = format!("nest [{}", loops(0..kept));
    if nest.reduction_dims > 0 {
        let space = if kept > 0 { " " } else { "" };
        text.push_str(&format!("{space}| {}", loops(kept..nest.extents.len())));
    }
    text.push_str("] ");
    let inputs: Vec<String> = nest.inputs.iter().map(|access| access_text(access, name)).collect();
    let values = body_text(&nest.map, &inputs);
    let outputs: Vec<String> = nest.outputs.iter().map(|access| access_text(access, name)).collect();
    match &nest.combine {
        None => text.push_str(&format!("{} = {}", outputs.join(", "), values)),
        Some(combine) => {
            let count = nest.outputs.len();
            let named: Vec<String> = (0..2 * count)
                .map(|n| if n < count { format!("acc{n}") } else { format!("value{}", n - count) })
                .collect();
            let folded = body_text(combine, &named);
            text.push_str(&format!("{} <- fold({folded}) of {values}", outputs.join(", ")));
        }
    }
    text
}

/// `b7[2*d0 + d1 + 5]`.
fn access_text(access: &Access, name: &dyn Fn(BufferId) -> String) -> String {
    let mut terms: Vec<String> = access
        .strides
        .iter()
        .enumerate()
        .filter(|(_, stride)| **stride != 0)
        .map(|(d, stride)| if *stride == 1 { format!("d{d}") } else { format!("{stride}*d{d}") })
        .collect();
    if access.offset != 0 || terms.is_empty() {
        terms.push(access.offset.to_string());
    }
    format!("{}[{}]", name(access.buffer), terms.join(" + ").replace("+ -", "- "))
}

/// A body's results as expressions of its inputs. A value that is used twice, or is long, gets a name before them.
fn body_text(body: &ScalarBody, inputs: &[String]) -> String {
    let mut uses = vec![0_usize; body.inputs.len() + body.instructions.len()];
    let operands = body.instructions.iter().flat_map(|instruction| match instruction {
        ScalarInst::Op { operands, .. } => operands.as_slice(),
        _ => &[],
    });
    for register in operands.chain(&body.outputs) {
        if let Some(count) = uses.get_mut(*register as usize) {
            *count += 1;
        }
    }
    let mut registers: Vec<String> =
        (0..body.inputs.len()).map(|n| inputs.get(n).cloned().unwrap_or_else(|| format!("in{n}"))).collect();
    let mut named = String::new();
    for instruction in &body.instructions {
        let expression = instruction_text(instruction, &registers);
        let is_op = matches!(instruction, ScalarInst::Op { .. });
        let register = registers.len();
        if is_op && (uses[register] > 1 || expression.len() > EXPRESSION_CHARS_MAX) {
            named.push_str(&format!("t{register} = {expression}; "));
            registers.push(format!("t{register}"));
        } else {
            registers.push(expression);
        }
    }
    let outputs: Vec<String> = body.outputs.iter().map(|register| register_text(&registers, *register)).collect();
    if named.is_empty() { outputs.join(", ") } else { format!("{{ {named}{} }}", outputs.join(", ")) }
}

fn register_text(registers: &[String], register: u32) -> String {
    registers.get(register as usize).cloned().unwrap_or_else(|| format!("?{register}"))
}

fn instruction_text(instruction: &ScalarInst, registers: &[String]) -> String {
    match instruction {
        ScalarInst::Constant { dtype, bits } => constant_text(*dtype, *bits),
        ScalarInst::Index { dimension } => format!("d{dimension}"),
        ScalarInst::Op { op, dtype, operands, immediates } => {
            let operands: Vec<String> = operands.iter().map(|register| register_text(registers, *register)).collect();
            match (infix(*op), operands.as_slice()) {
                (Some(symbol), [a, b]) => format!("({a} {symbol} {b})"),
                _ => {
                    let immediates = immediates.iter().map(i64::to_string);
                    let arguments: Vec<String> = operands.iter().cloned().chain(immediates).collect();
                    let ty = match op {
                        ScalarOp::Convert | ScalarOp::Bitcast => format!("<{dtype}>"),
                        _ => String::new(),
                    };
                    format!("{}{ty}({})", op.name(), arguments.join(", "))
                }
            }
        }
    }
}

fn infix(op: ScalarOp) -> Option<&'static str> {
    Some(match op {
        ScalarOp::Add => "+",
        ScalarOp::Sub => "-",
        ScalarOp::Mul => "*",
        ScalarOp::Div => "/",
        ScalarOp::And => "&",
        ScalarOp::Or => "|",
        ScalarOp::Xor => "^",
        ScalarOp::Eq => "==",
        ScalarOp::Ne => "!=",
        ScalarOp::Lt => "<",
        ScalarOp::Le => "<=",
        ScalarOp::Gt => ">",
        ScalarOp::Ge => ">=",
        _ => return None,
    })
}

fn constant_text(dtype: DType, bits: u128) -> String {
    let bytes = bits.to_le_bytes();
    let text = element_text(TensorView { dtype, shape: &[], bytes: &bytes[..dtype.size_bytes()] }, 0);
    // `1` of a float reads like an integer otherwise.
    let is_whole_float = dtype.family() == Family::Float && text.chars().all(|c| c.is_ascii_digit() || c == '-');
    if is_whole_float { text + ".0" } else { text }
}

fn call_text(call: &KernelCall, name: &dyn Fn(BufferId) -> String) -> String {
    let list = |ids: &[BufferId]| ids.iter().map(|id| name(*id)).collect::<Vec<_>>().join(", ");
    let mut text = format!("kernel {}({}) -> ({})", call.kernel, list(&call.inputs), list(&call.outputs));
    if !call.attributes.is_empty() {
        let attributes: Vec<String> =
            call.attributes.iter().map(|(name, value)| format!("{name} = {}", attribute_text(value))).collect();
        text.push_str(&format!(" {{{}}}", attributes.join(", ")));
    }
    for body in &call.bodies {
        let inputs: Vec<String> = (0..body.inputs.len()).map(|n| format!("in{n}")).collect();
        text.push_str(&format!(" ({}) => {}", inputs.join(", "), body_text(body, &inputs)));
    }
    text
}

fn attribute_text(value: &KernelAttr) -> String {
    match value {
        KernelAttr::Bool(value) => value.to_string(),
        KernelAttr::Int(value) => value.to_string(),
        KernelAttr::Ints(values) => format!("{values:?}"),
        KernelAttr::Float(value) => format!("{value:?}"),
        KernelAttr::Text(value) => format!("{value:?}"),
    }
}
