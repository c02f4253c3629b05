//! From the tensor level to the kernel level: each operation becomes launches.
//!
//! The plainest choices: every operation is its own launch, some need two or three. [`lower_op`] puts them before the
//! operation and says which values stand for its results; the pass `lower-to-launches` does it for a module.
//!
//! The kernel level, with tensors as values:
//! - `pyg.nest`: a loop nest; `pyg.kernel`: a named kernel. Both as in [`pygraph_artifact::plan`], with affine maps of
//!   tensor dimensions in place of strides. A nest writes into its inits, and its results are what they hold then.
//! - `pyg.empty`, `pyg.constant`, `pyg.view`: no launch.
//! - `pyg.while`, `pyg.switch`: regions, ended by `pyg.yield`.
//!
//! Constants that are one value everywhere are literals in the bodies of elementwise nests.

mod attributes;
pub mod block;
pub mod body;
mod checks;
mod control;
mod elementwise;
mod kernels;
pub mod literal;
mod movement;
mod packing;
pub mod place;
mod reduction;
mod region;
mod scalar;
pub mod site;
pub mod size;
mod window;

use pygraph_artifact::validate::array_bytes;
use site::{Site, tensor_of};

use crate::{
    diagnostic::{Diagnostic, Diagnostics},
    ir::{
        Attribute, ElementType, Module, OpId, Opcode, Type, ValueId, attribute::DenseElements, ops::view::show_element,
    },
};

/// The values that stand for the results of an operation, or why it does not run.
type Lowered = Result<Vec<ValueId>, Refusal>;

/// Why an operation does not run.
#[derive(Debug)]
enum Refusal {
    /// Said of the operation; it gets the operation's name and location.
    Reason(String),
    /// Said of another operation, or complete.
    Located(Diagnostic),
    /// Complete, to be said at the operation.
    Whole(String),
}

impl Refusal {
    fn custom_call(target: &str) -> Refusal {
        Refusal::Whole(format!("custom call `@{target}` is not known: it needs a kernel of that name"))
    }
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Refusal {
        Refusal::Reason(reason.to_string())
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Refusal {
        Refusal::Reason(reason)
    }
}

impl From<Diagnostic> for Refusal {
    fn from(diagnostic: Diagnostic) -> Refusal {
        Refusal::Located(diagnostic)
    }
}

/// Lowers one operation of the tensor level: puts launches before it, and returns the values that stand for its
/// results. The operation stays where it is, without its regions if it is a loop or a choice; what is in those regions
/// is not lowered.
pub fn lower_op(module: &mut Module, op: OpId) -> Result<Vec<ValueId>, Diagnostics> {
    let opcode = module.op(op).opcode;
    if let Some(reason) = unsupported(opcode) {
        return Err(refusal(module, op, reason.into()).into());
    }
    if !matches!(opcode, Opcode::StablehloTuple | Opcode::StablehloGetTupleElement | Opcode::StablehloCustomCall) {
        check_types(module, op)?;
    }
    let lowered = lower(&mut Site { module, op }, opcode);
    lowered.map_err(|reason| refusal(module, op, reason).into())
}

fn refusal(module: &Module, op: OpId, reason: Refusal) -> Diagnostic {
    match reason {
        Refusal::Reason(reason) => {
            module.error(op, format!("`{}` does not run: {reason}", module.op(op).opcode.name()))
        }
        Refusal::Whole(message) => module.error(op, message),
        Refusal::Located(diagnostic) => diagnostic,
    }
}

fn lower(site: &mut Site, opcode: Opcode) -> Lowered {
    match opcode {
        Opcode::StablehloConstant | Opcode::ArithConstant | Opcode::ChloConstant => constant(site),
        Opcode::ChloConstantLike => constant_like(site),
        Opcode::StablehloIota => elementwise::iota(site),
        Opcode::StablehloMap => elementwise::map(site),
        Opcode::StablehloBroadcastInDim => movement::broadcast_in_dim(site),
        Opcode::StablehloBroadcast => movement::broadcast_prefix(site),
        Opcode::StablehloTranspose => movement::transpose(site),
        Opcode::StablehloSlice => movement::slice(site),
        Opcode::StablehloReverse => movement::reverse(site),
        Opcode::StablehloReshape | Opcode::BuiltinUnrealizedConversionCast | Opcode::TensorCast => movement::view(site),
        Opcode::StablehloBitcastConvert => movement::bitcast(site),
        Opcode::StablehloConcatenate => movement::concatenate(site),
        Opcode::StablehloPad => movement::pad(site),
        Opcode::StablehloReduce => reduction::reduce(site),
        Opcode::StablehloReduceWindow => window::reduce_window(site),
        Opcode::StablehloDotGeneral => kernels::dot_general(site),
        Opcode::StablehloDot => kernels::dot(site),
        Opcode::PygAttention => kernels::attention(site),
        Opcode::StablehloConvolution => kernels::convolution(site),
        Opcode::StablehloGather => kernels::gather(site),
        Opcode::StablehloScatter => kernels::scatter(site),
        Opcode::StablehloSort => kernels::sort(site),
        Opcode::ChloTopK => kernels::top_k(site),
        Opcode::StablehloSelectAndScatter => kernels::select_and_scatter(site),
        Opcode::StablehloDynamicSlice => kernels::dynamic_slice(site),
        Opcode::StablehloDynamicUpdateSlice => kernels::dynamic_update_slice(site),
        Opcode::StablehloRngBitGenerator => kernels::random_bits(site),
        Opcode::StablehloRng => Err("it has no state to draw from: run `thread-random-state` first".into()),
        Opcode::StablehloTriangularSolve => kernels::triangular_solve(site),
        Opcode::StablehloCholesky => kernels::cholesky(site),
        Opcode::StablehloFft => kernels::fft(site),
        Opcode::StablehloWhile => control::while_loop(site),
        Opcode::StablehloIf => control::if_else(site),
        Opcode::StablehloCase => control::case(site),
        Opcode::StablehloReturn => control::region_end(site),
        Opcode::StablehloOptimizationBarrier => Ok(site.operands()),
        // One process runs the program, so it is the first of its group.
        Opcode::StablehloPartitionId | Opcode::StablehloReplicaId => fill_number(site, 0.0),
        Opcode::StablehloGetDimensionSize => {
            let dimension = site.int("dimension") as usize;
            let extent = site.tensor(site.operand(0)).shape[dimension];
            fill_number(site, extent as f64)
        }
        // A tuple has no value of its own: its readers take its elements.
        Opcode::StablehloTuple => Ok(Vec::new()),
        Opcode::StablehloGetTupleElement => tuple_element(site),
        Opcode::StablehloCustomCall => checks::custom_call(site),
        Opcode::CheckExpectEq
        | Opcode::CheckExpectEqConst
        | Opcode::CheckExpectAlmostEq
        | Opcode::CheckExpectAlmostEqConst
        | Opcode::CheckExpectClose => checks::check(site),
        _ => match elementwise::elementwise(site) {
            Some(value) => Ok(vec![value]),
            None => Err(format!("there is no launch for it {}", signature(site.module, site.op)).into()),
        },
    }
}

/// Why no operation of this kind runs yet, where that does not depend on its types.
fn unsupported(opcode: Opcode) -> Option<&'static str> {
    Some(match opcode {
        Opcode::StablehloAllGather
        | Opcode::StablehloAllReduce
        | Opcode::StablehloAllToAll
        | Opcode::StablehloCollectiveBroadcast
        | Opcode::StablehloCollectivePermute
        | Opcode::StablehloReduceScatter => "programs of several processes need a communicator",
        Opcode::StablehloInfeed | Opcode::StablehloOutfeed | Opcode::StablehloSend | Opcode::StablehloRecv => {
            "exchange with the host in the middle of a program needs a host callback"
        }
        Opcode::StablehloAfterAll | Opcode::StablehloCreateToken => "tokens need an order of side effects",
        Opcode::StablehloUniformQuantize | Opcode::StablehloUniformDequantize => {
            "quantized types need kernels of their own"
        }
        Opcode::StablehloDynamicBroadcastInDim
        | Opcode::StablehloDynamicConv
        | Opcode::StablehloDynamicGather
        | Opcode::StablehloDynamicIota
        | Opcode::StablehloDynamicPad
        | Opcode::StablehloDynamicReshape
        | Opcode::StablehloRealDynamicSlice
        | Opcode::StablehloSetDimensionSize => {
            "its shape is known when the model runs, which needs dynamic dimensions: export with fixed shapes"
        }
        Opcode::FuncCall => "the call is not inlined: run `inline-calls` first",
        Opcode::FxCall | Opcode::FxGetAttr => "it has no decomposition",
        _ => return None,
    })
}

/// Finds every operand and result that no device holds yet.
fn check_types(module: &Module, op: OpId) -> Result<(), Diagnostics> {
    let operation = module.op(op);
    let refused = operation.operands.iter().chain(&operation.results).find_map(|value| refused_type(module.ty(*value)));
    match refused {
        Some(reason) => {
            let name = operation.opcode.name();
            Err(module.error(op, format!("`{name}` does not run yet: {reason}")).into())
        }
        None => Ok(()),
    }
}

/// Why values of a type do not run yet, and what they would need.
fn refused_type(ty: &Type) -> Option<String> {
    let Some(tensor) = ty.as_tensor() else {
        return Some(match ty {
            Type::Dialect(name) if name.contains("token") => "tokens need an order of side effects".to_string(),
            Type::Dialect(name) => format!("values of type `!{name}` have no place in memory"),
            Type::Tuple(_) => "a tuple is used as a whole: use its elements".to_string(),
            _ => "values that are no tensors have no place in memory".to_string(),
        });
    };
    let Some(dtype) = tensor.element.dtype() else {
        return Some(match &tensor.element {
            ElementType::Quantized(name) => format!("elements of type `{name}` need quantized kernels"),
            ElementType::Float(kind) => format!("elements of type {} need conversions and kernels", kind.name()),
            ElementType::Integer { width, .. } => format!("integers of {width} bits need kernels"),
            other => format!("elements of type {} need kernels", show_element(other)),
        });
    };
    let Some(shape) = tensor.static_shape() else {
        return Some(
            "a shape known only when the model runs needs dynamic dimensions: export with fixed shapes".into(),
        );
    };
    match array_bytes(dtype, &shape) {
        Some(_) => None,
        None => Some(format!("a tensor of shape {shape:?} and type {dtype} is too large")),
    }
}

/// The launches within an operation, those in loops and choices too, in order of the text. Stages of a launch are none.
pub fn launches(module: &Module, root: OpId) -> Vec<OpId> {
    let (mut found, mut pending) = (Vec::new(), vec![root]);
    while let Some(op) = pending.pop() {
        let operation = module.op(op);
        if operation.opcode.is_launch() {
            found.push(op);
            continue;
        }
        let blocks = operation.regions.iter().flat_map(|region| module.region(*region).blocks.iter());
        let start = pending.len();
        pending.extend(blocks.flat_map(|block| module.block_ops(*block)));
        pending[start..].reverse();
    }
    found
}

/// The types of an operation's operands, for a message.
fn signature(module: &Module, op: OpId) -> String {
    let types = module.op(op).operands.iter().filter_map(|value| tensor_of(module.ty(*value)));
    let names: Vec<String> = types.map(|tensor| tensor.dtype.to_string()).collect();
    format!("on ({})", names.join(", "))
}

/// Above this size a constant that is one value everywhere is filled in when the program runs: the artifact would hold
/// every element.
const SPLAT_BYTES_MAX: usize = 16 << 10;

fn constant(site: &mut Site) -> Lowered {
    let elements = site.dense("value");
    let result = site.result(0);
    let size = array_bytes(result.dtype, &result.shape).unwrap_or(0) as usize;
    if size > SPLAT_BYTES_MAX
        && let Some(bits) = literal::splat_bits(&elements)
    {
        return Ok(vec![site.generate(&result, Vec::new(), body::constant(result.dtype, bits))]);
    }
    Ok(vec![site.constant(elements)])
}

fn constant_like(site: &mut Site) -> Lowered {
    let result = site.result(0);
    let bits = site.attr("value").and_then(|value| literal::attribute_bits(&value, result.dtype));
    let bits = bits.ok_or("`value` is no number of its type")?;
    Ok(vec![site.generate(&result, Vec::new(), body::constant(result.dtype, bits))])
}

fn fill_number(site: &mut Site, number: f64) -> Lowered {
    let result = site.result(0);
    let bytes = literal::encode(result.dtype, number).to_le_bytes()[..result.dtype.size_bytes()].into();
    let Type::Tensor(ty) = site.module.ty(site.module.op(site.op).results[0]).clone() else {
        unreachable!("types should be checked before an operation is lowered");
    };
    Ok(vec![site.constant(DenseElements { ty, bytes, is_splat: true })])
}

fn tuple_element(site: &mut Site) -> Lowered {
    let element = element_of(site.module, site.op, site.operand(0))?;
    Ok(vec![element])
}

/// What element a `get_tuple_element` takes, through tuples in tuples.
fn element_of(module: &Module, op: OpId, tuple: ValueId) -> Result<ValueId, Refusal> {
    let index = module.op(op).attr("index").and_then(Attribute::as_i64);
    let definition = module.defining_op(tuple).ok_or("the tuple is an argument, which does not run yet")?;
    let definition = match module.op(definition).opcode {
        Opcode::StablehloGetTupleElement => {
            let inner = element_of(module, definition, module.op(definition).operands[0])?;
            module.defining_op(inner).ok_or("the tuple is an argument, which does not run yet")?
        }
        _ => definition,
    };
    if module.op(definition).opcode != Opcode::StablehloTuple {
        return Err("the tuple is made by another operation than `stablehlo.tuple`, which does not run yet".into());
    }
    let index = index.and_then(|index| usize::try_from(index).ok());
    Ok(module.op(definition).operands[index.expect("the verifier should have seen an element that the tuple has")])
}
