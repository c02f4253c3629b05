//! From the plan level of the IR to what an artifact holds.
//!
//! One to one: every public function is a program, every segment a segment, every launch a launch; only affine maps
//! become strides. What is emitted is checked as a loader and a device would check it, so that a launch which no device
//! runs is refused here, at its location.

mod buffers;
pub(crate) mod launch;
mod program;

use pygraph_artifact::{
    plan::{KvArena, Plan, Program, Work, launches},
    validate::validate,
};
use pygraph_kernels::{tensor::buffer_types, work};

pub use self::launch::work_of;
use self::{buffers::Constants, program::emit_program};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Position},
    ir::{Attribute, Module, OpId, Opcode},
};

/// A plan and the bytes of its constants: what [`pygraph_artifact::container`] writes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Emitted {
    /// What a device executes.
    pub plan: Plan,
    /// The constants that the plan refers to.
    pub constants: Vec<u8>,
}

/// Emits a module whose memory is planned. `main` becomes the first program.
pub fn emit(module: &Module) -> Result<Emitted, Diagnostics> {
    let mut functions: Vec<OpId> = module.functions().filter(|op| !is_private(module, *op)).collect();
    if functions.is_empty() {
        let position = module.location(module.op(module.root()).loc).position.clone();
        return Err(Diagnostic::error(position, "there is no public function to compile").into());
    }
    functions.sort_by_key(|op| name_of(module, *op) != "main");
    let boundaries = boundaries(module);
    if !boundaries.is_empty() {
        return Err(Diagnostics(boundaries));
    }
    let mut constants = Constants::default();
    let mut emitted = Emitted::default();
    emitted.plan.arenas = arenas(module);
    let mut errors = Vec::new();
    for function in functions {
        match emit_program(module, function, &mut constants, &emitted.plan.arenas) {
            Ok((program, launch_ops)) => {
                errors.extend(refused_launches(module, &program, &launch_ops));
                emitted.plan.programs.push(program);
            }
            Err(error) => errors.extend(error.0),
        }
    }
    if !errors.is_empty() {
        return Err(Diagnostics(errors));
    }
    emitted.constants = constants.into_bytes();
    validate(&emitted.plan, emitted.constants.len() as u64)
        .map_err(|error| Diagnostic::error(whole_file(module), format!("the plan is not valid: {error}")))?;
    Ok(emitted)
}

/// The arenas that caches lie in.
fn arenas(module: &Module) -> Vec<KvArena> {
    let ops = module.block_ops(module.body()).filter(|op| module.op(*op).opcode == Opcode::PygKvArena);
    let arena = |op: OpId| {
        let number = |name: &str| module.op(op).attr(name).and_then(Attribute::as_i64).unwrap_or(0).unsigned_abs();
        KvArena {
            name: name_of(module, op).to_string(),
            slots: number("slots"),
            tokens_max: number("tokens_max"),
            token_bytes: number("token_bytes"),
            handle_bytes: number("handle_bytes"),
        }
    };
    ops.map(arena).collect()
}

/// An error for every operation that no device runs: the reason that was found when it was kept.
fn boundaries(module: &Module) -> Vec<Diagnostic> {
    let kept = module.walk(module.root()).into_iter().filter(|op| module.op(*op).opcode == Opcode::PygBoundary);
    let reason = |op: OpId| module.op(op).attr("reason").and_then(Attribute::as_str).unwrap_or_default().to_string();
    kept.map(|op| module.error(op, reason(op))).collect()
}

fn name_of(module: &Module, function: OpId) -> &str {
    module.op(function).attr("sym_name").and_then(Attribute::as_str).unwrap_or_default()
}

fn is_private(module: &Module, function: OpId) -> bool {
    module.op(function).attr("sym_visibility").and_then(Attribute::as_str) == Some("private")
}

fn whole_file(module: &Module) -> Position {
    let file = module.location(module.op(module.root()).loc).position.file.clone();
    Position { file, line: 0, column: 0 }
}

/// Asks the kernels about every launch; `launch_ops` are the operations they come from, in order of the text.
fn refused_launches(module: &Module, program: &Program, launch_ops: &[OpId]) -> Vec<Diagnostic> {
    let types = buffer_types(program);
    let launches = program.segments.iter().flat_map(|segment| launches(&segment.nodes));
    let refused = launches.zip(launch_ops).filter_map(|(launch, op)| {
        let reason = work::prepare(&launch.work, &types).err()?;
        let what = match &launch.work {
            Work::Nest(_) => "a loop nest".to_string(),
            Work::Kernel(call) => format!("kernel `{}`", call.kernel),
            Work::Fused(_) => "a fused launch".to_string(),
        };
        Some(module.error(*op, format!("{what} does not run: {reason}")))
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::steps::DEPTH_MAX;

    use super::emit;
    use crate::{
        diagnostic::Diagnostics,
        driver::{Settings, Source, compile_chunk, with_deep_stack},
        passes::{Phase, pipeline},
    };

    /// A choice in a choice, and so on.
    fn nested(levels: usize) -> String {
        let opened: String = (0..levels).map(|level| format!("%r{level} = \"stablehlo.if\"(%p) ({{\n")).collect();
        let closed: String = (0..levels).rev().map(|level| {
            format!("stablehlo.return %y{} : tensor<4xf32>\n}}, {{\nstablehlo.return %x : tensor<4xf32>\n}}) : (tensor<i1>) -> tensor<4xf32>\n%y{level} = stablehlo.negate %r{level} : tensor<4xf32>\n", level + 1)
        }).collect();
        format!(
            "func.func @main(%p: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {{\n{opened}%y{levels} = stablehlo.negate %x : tensor<4xf32>\n{closed}return %y0 : tensor<4xf32>\n}}\n"
        )
    }

    fn emitted(levels: usize) -> Result<(), Diagnostics> {
        let source = Source { name: "nested.mlir".into(), text: nested(levels) };
        let settings = Settings { passes: pipeline::default_passes(Phase::Plan), ..Settings::default() };
        let compiled = compile_chunk(&source, source.whole()[0], &settings, &mut std::io::sink()).expect("it compiles");
        emit(&compiled.module).map(|_| ())
    }

    #[test]
    fn choices_nest_as_deep_as_an_artifact_may_have_them() {
        with_deep_stack(|| {
            assert_eq!(emitted(DEPTH_MAX - 1), Ok(()));
            let errors = emitted(DEPTH_MAX).expect_err("it is one level too deep");
            assert_eq!(errors.0[0].message, format!("loops and choices nest deeper than {DEPTH_MAX} levels"));
        });
    }
}
