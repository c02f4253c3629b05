//! The table of decompositions: an operator's name, and the function that writes it in StableHLO.
//!
//! To add an operator: one line in [`TABLE`]; one in [`VIEWS`] if its result shares memory with its first operand.
//! An in-place operator (`aten.add_.Tensor`) needs no line: it is the functional one and a store into its operand.

use super::{
    activation,
    alias::stride_list,
    attention,
    call::{Arg, Call},
    convolve, create, index, linear, loss, normalize, pointwise, pool, python, random, recurrent, reduce, resize, scan,
    shape, sort,
};
use crate::{
    ir::{
        Module, Opcode, ValueId,
        enums::ComparisonDirection::{Eq, Ge, Gt, Le, Lt, Ne},
    },
    passes::emit::{Emit, Number, Out, Refusal},
};

/// What a call gives, one value a result.
pub type Values = Result<Vec<ValueId>, Refusal>;

/// Writes what a call computes.
pub type Decompose = fn(&mut Emit, &Call) -> Values;

/// The contents of a whole tensor after new contents of result `index` of a view of it.
pub type ReplacePart = fn(&mut Emit, &Call, ValueId, usize, ValueId) -> Out;

/// When a result of a view operator shares memory with the operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shares {
    /// Always.
    Always,
    /// If nothing had to be converted or moved to another device.
    IfSameType,
    /// If the operand is row-major (else it is a copy, as far as is known).
    IfRowMajor,
}

/// A decomposition that was found, and whether its first operand is stored into.
pub struct Found {
    decompose: Decompose,
    is_in_place: bool,
}

/// The decomposition of an operator.
pub fn find(target: &str) -> Option<Found> {
    if let Some(decompose) = lookup(target) {
        return Some(Found { decompose, is_in_place: false });
    }
    let decompose = lookup(&functional(target)?)?;
    Some(Found { decompose, is_in_place: true })
}

fn lookup(target: &str) -> Option<Decompose> {
    TABLE.binary_search_by(|(name, _)| (*name).cmp(target)).ok().map(|at| TABLE[at].1)
}

/// `aten.add.Tensor` for `aten.add_.Tensor`; none for what is not an in-place operator, or changes shape in place.
fn functional(target: &str) -> Option<String> {
    let mut parts = target.splitn(3, '.');
    let (space, name, overload) = (parts.next()?, parts.next()?, parts.next()?);
    let base = name.strip_suffix('_').filter(|base| !base.is_empty() && !base.ends_with('_'))?;
    let base = match (base, overload) {
        ("normal", "default") => return Some("aten.normal_functional.default".to_string()),
        ("bernoulli", "float") => return Some("aten.bernoulli.p".to_string()),
        other => other.0,
    };
    let changes_shape =
        matches!(base, "squeeze" | "unsqueeze" | "t" | "transpose" | "resize" | "set" | "swapaxes" | "as_strided");
    (!changes_shape).then(|| format!("{space}.{base}.{overload}"))
}

/// True if an operator stores into its first operand and returns it.
pub fn is_in_place(target: &str) -> bool {
    find(target).is_some_and(|found| found.is_in_place)
}

/// Why there is no decomposition of an operator; none if there is one.
pub fn unsupported(target: &str) -> Option<String> {
    if matches!(target, "cond" | "while_loop") || find(target).is_some() {
        return None;
    }
    Some(format!("no decomposition for {target}"))
}

/// Writes a call, and notes the store of an in-place operator.
pub fn apply(found: &Found, emit: &mut Emit, call: &Call) -> Values {
    let results = (found.decompose)(emit, call)?;
    if found.is_in_place {
        let (Arg::Tensor(_, operand), Some(value)) = (call.arg(0, "self"), results.first()) else {
            return Err(Refusal::from("its first argument should be a tensor"));
        };
        call.writes.borrow_mut().push((*operand, *value));
    }
    Ok(results)
}

fn view(target: &str) -> Option<(Shares, ReplacePart)> {
    VIEWS.binary_search_by(|entry| entry.0.cmp(target)).ok().map(|at| (VIEWS[at].1, VIEWS[at].2))
}

/// True if the results of a call share memory with its first operand.
pub fn is_view(module: &Module, call: &Call) -> bool {
    let Some((shares, _)) = view(&call.target) else { return false };
    let operation = module.op(call.op);
    let Some(operand) = operation.operands.first() else { return false };
    let source = module.defining_op(*operand).map(|op| module.op(op));
    match shares {
        Shares::Always => true,
        Shares::IfSameType => {
            let result = operation.results.first().map(|result| module.ty(*result));
            let copies = call.flag(usize::MAX, "copy", false).unwrap_or(true);
            let device = source.and_then(|op| op.attr("device"));
            let moves = device.is_some() && device != operation.attr("device");
            result == Some(module.ty(*operand)) && !copies && !moves
        }
        Shares::IfRowMajor => {
            let stride = source.and_then(|op| op.attr("stride"));
            let shape =
                module.ty(*operand).as_tensor().and_then(|tensor| crate::passes::emit::static_shape(tensor).ok());
            match (stride, shape) {
                (Some(stride), Some(shape)) => is_row_major(&shape, &stride_list(stride)),
                _ => true,
            }
        }
    }
}

/// True if elements lie one after the other in row-major order.
pub fn is_row_major(shape: &[i64], stride: &[i64]) -> bool {
    let mut expected = 1i64;
    shape.len() != stride.len()
        || shape.contains(&0)
        || shape.iter().zip(stride).rev().all(|(extent, stride)| {
            let fits = *extent == 1 || *stride == expected;
            expected = expected.saturating_mul(*extent);
            fits
        })
}

/// The contents of a whole tensor after a store into result `index` of a view of it.
pub fn replace_part(emit: &mut Emit, call: &Call, whole: ValueId, index: usize, part: ValueId) -> Out {
    match view(&call.target) {
        Some((_, replace)) => replace(emit, call, whole, index, part),
        None => Err(Refusal(format!("{} is no view", call.target))),
    }
}

/// Operators whose results share memory with their first operand, in order of name.
static VIEWS: &[(&str, Shares, ReplacePart)] = &[
    ("aten._reshape_alias.default", Shares::Always, shape::replace_reshaped),
    ("aten.alias.default", Shares::Always, shape::replace_same),
    ("aten.alpha_dropout.default", Shares::IfSameType, shape::replace_same),
    ("aten.broadcast_to.default", Shares::Always, shape::replace_expanded),
    ("aten.chunk.default", Shares::Always, shape::replace_part),
    ("aten.conj.default", Shares::Always, shape::replace_same),
    ("aten.contiguous.default", Shares::IfRowMajor, shape::replace_same),
    ("aten.detach.default", Shares::Always, shape::replace_same),
    ("aten.detach_.default", Shares::Always, shape::replace_same),
    ("aten.diagonal.default", Shares::Always, shape::replace_unknown),
    ("aten.dropout.default", Shares::IfSameType, shape::replace_same),
    ("aten.expand.default", Shares::Always, shape::replace_expanded),
    ("aten.expand_as.default", Shares::Always, shape::replace_expanded),
    ("aten.feature_dropout.default", Shares::IfSameType, shape::replace_same),
    ("aten.flatten.using_ints", Shares::IfRowMajor, shape::replace_reshaped),
    ("aten.lift_fresh.default", Shares::Always, shape::replace_same),
    ("aten.mT.default", Shares::Always, shape::replace_permuted),
    ("aten.moveaxis.int", Shares::Always, shape::replace_permuted),
    ("aten.moveaxis.intlist", Shares::Always, shape::replace_permuted),
    ("aten.movedim.int", Shares::Always, shape::replace_permuted),
    ("aten.movedim.intlist", Shares::Always, shape::replace_permuted),
    ("aten.narrow.Tensor", Shares::Always, shape::replace_unknown),
    ("aten.narrow.default", Shares::Always, shape::replace_slice),
    ("aten.numpy_T.default", Shares::Always, shape::replace_permuted),
    ("aten.permute.default", Shares::Always, shape::replace_permuted),
    ("aten.positive.default", Shares::Always, shape::replace_same),
    ("aten.ravel.default", Shares::IfRowMajor, shape::replace_reshaped),
    ("aten.reshape.default", Shares::IfRowMajor, shape::replace_reshaped),
    ("aten.reshape_as.default", Shares::IfRowMajor, shape::replace_reshaped),
    ("aten.resolve_conj.default", Shares::Always, shape::replace_same),
    ("aten.resolve_neg.default", Shares::Always, shape::replace_same),
    ("aten.select.int", Shares::Always, shape::replace_selected),
    ("aten.slice.Tensor", Shares::Always, shape::replace_slice),
    ("aten.split.Tensor", Shares::Always, shape::replace_part),
    ("aten.split.sizes", Shares::Always, shape::replace_part),
    ("aten.split_with_sizes.default", Shares::Always, shape::replace_part),
    ("aten.squeeze.default", Shares::Always, shape::replace_reshaped),
    ("aten.squeeze.dim", Shares::Always, shape::replace_reshaped),
    ("aten.squeeze.dims", Shares::Always, shape::replace_reshaped),
    ("aten.swapaxes.default", Shares::Always, shape::replace_permuted),
    ("aten.swapdims.default", Shares::Always, shape::replace_permuted),
    ("aten.t.default", Shares::Always, shape::replace_permuted),
    ("aten.tensor_split.indices", Shares::Always, shape::replace_part),
    ("aten.tensor_split.sections", Shares::Always, shape::replace_part),
    ("aten.to.device", Shares::IfSameType, shape::replace_same),
    ("aten.to.dtype", Shares::IfSameType, shape::replace_same),
    ("aten.to.dtype_layout", Shares::IfSameType, shape::replace_same),
    ("aten.to.other", Shares::IfSameType, shape::replace_same),
    ("aten.to.prim_Device", Shares::IfSameType, shape::replace_same),
    ("aten.transpose.int", Shares::Always, shape::replace_permuted),
    ("aten.type_as.default", Shares::IfSameType, shape::replace_same),
    ("aten.unbind.int", Shares::Always, shape::replace_part),
    ("aten.unflatten.int", Shares::Always, shape::replace_reshaped),
    ("aten.unfold.default", Shares::Always, shape::replace_unknown),
    ("aten.unsqueeze.default", Shares::Always, shape::replace_reshaped),
    ("aten.view.default", Shares::Always, shape::replace_reshaped),
    ("aten.view.dtype", Shares::Always, shape::replace_unknown),
    ("aten.view_as.default", Shares::Always, shape::replace_reshaped),
];

/// Every operator, in order of name.
#[rustfmt::skip]
static TABLE: &[(&str, Decompose)] = &[
    ("add", |e, c| python::sizes(e, c, i64::checked_add, |e, a, b| e.add(a, b))),
    ("and_", |e, c| python::python(e, c, |e, a, b| e.binary(Opcode::StablehloAnd, a, b))),
    ("aten.__and__.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloAnd)),
    ("aten.__and__.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloAnd)),
    ("aten.__lshift__.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloShiftLeft)),
    ("aten.__lshift__.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloShiftLeft)),
    ("aten.__or__.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloOr)),
    ("aten.__or__.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloOr)),
    ("aten.__rshift__.Scalar", pointwise::shift_right),
    ("aten.__rshift__.Tensor", pointwise::shift_right),
    ("aten.__xor__.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloXor)),
    ("aten.__xor__.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloXor)),
    ("aten._adaptive_avg_pool2d.default", pool::adaptive_avg_pool),
    ("aten._adaptive_avg_pool3d.default", pool::adaptive_avg_pool),
    ("aten._assert_async.default", create::nothing),
    ("aten._assert_async.msg", create::nothing),
    ("aten._assert_scalar.default", create::nothing),
    ("aten._assert_tensor_metadata.default", create::nothing),
    ("aten._batch_norm_no_update.default", normalize::batch_norm),
    ("aten._batch_norm_with_update.default", normalize::batch_norm),
    ("aten._convolution.default", convolve::convolution),
    ("aten._fused_rms_norm.default", normalize::rms_norm),
    ("aten._local_scalar_dense.default", create::item),
    ("aten._log_softmax.default", |e, c| reduce::softmax(e, c, true)),
    ("aten._native_batch_norm_legit.default", normalize::batch_norm),
    ("aten._native_batch_norm_legit.no_stats", normalize::batch_norm_no_stats),
    ("aten._native_batch_norm_legit_functional.default", normalize::batch_norm_functional),
    ("aten._native_batch_norm_legit_no_training.default", normalize::batch_norm),
    ("aten._prelu_kernel.default", activation::prelu),
    ("aten._reshape_alias.default", shape::reshape),
    ("aten._safe_softmax.default", reduce::safe_softmax),
    ("aten._scaled_dot_product_attention_math.default", attention::math),
    ("aten._scaled_dot_product_cudnn_attention.default", attention::efficient),
    ("aten._scaled_dot_product_efficient_attention.default", attention::efficient),
    ("aten._scaled_dot_product_flash_attention.default", attention::flash),
    ("aten._scaled_dot_product_flash_attention_for_cpu.default", attention::flash_for_cpu),
    ("aten._scaled_dot_product_fused_attention_overrideable.default", attention::efficient),
    ("aten._softmax.default", |e, c| reduce::softmax(e, c, false)),
    ("aten._to_copy.default", shape::same),
    ("aten._unsafe_index.Tensor", index::index),
    ("aten._unsafe_index_put.default", index::index_put),
    ("aten._unsafe_view.default", shape::reshape),
    ("aten._upsample_nearest_exact1d.default", resize::upsample_nearest),
    ("aten._upsample_nearest_exact1d.vec", resize::upsample_nearest),
    ("aten._upsample_nearest_exact2d.default", resize::upsample_nearest),
    ("aten._upsample_nearest_exact2d.vec", resize::upsample_nearest),
    ("aten._upsample_nearest_exact3d.default", resize::upsample_nearest),
    ("aten._upsample_nearest_exact3d.vec", resize::upsample_nearest),
    ("aten.abs.default", pointwise::abs),
    ("aten.acos.default", |e, c| pointwise::unary(e, c, Opcode::ChloAcos)),
    ("aten.acosh.default", |e, c| pointwise::unary(e, c, Opcode::ChloAcosh)),
    ("aten.adaptive_avg_pool1d.default", pool::adaptive_avg_pool),
    ("aten.adaptive_avg_pool2d.default", pool::adaptive_avg_pool),
    ("aten.adaptive_avg_pool3d.default", pool::adaptive_avg_pool),
    ("aten.adaptive_max_pool1d.default", pool::adaptive_max_pool),
    ("aten.adaptive_max_pool2d.default", pool::adaptive_max_pool),
    ("aten.adaptive_max_pool3d.default", pool::adaptive_max_pool),
    ("aten.add.Scalar", |e, c| pointwise::add_scaled(e, c, Opcode::StablehloAdd, false)),
    ("aten.add.Tensor", |e, c| pointwise::add_scaled(e, c, Opcode::StablehloAdd, false)),
    ("aten.addcdiv.default", |e, c| pointwise::add_combined(e, c, Opcode::StablehloDivide)),
    ("aten.addcmul.default", |e, c| pointwise::add_combined(e, c, Opcode::StablehloMultiply)),
    ("aten.addmm.default", linear::add_matmul),
    ("aten.addmv.default", linear::add_matmul),
    ("aten.alias.default", shape::same),
    ("aten.alias_copy.default", shape::same),
    ("aten.all.default", |e, c| reduce::truth(e, c, Opcode::StablehloAnd)),
    ("aten.all.dim", |e, c| reduce::truth(e, c, Opcode::StablehloAnd)),
    ("aten.all.dims", |e, c| reduce::truth(e, c, Opcode::StablehloAnd)),
    ("aten.alpha_dropout.default", shape::dropout),
    ("aten.amax.default", |e, c| reduce::extremum(e, c, Opcode::StablehloMaximum)),
    ("aten.amin.default", |e, c| reduce::extremum(e, c, Opcode::StablehloMinimum)),
    ("aten.any.default", |e, c| reduce::truth(e, c, Opcode::StablehloOr)),
    ("aten.any.dim", |e, c| reduce::truth(e, c, Opcode::StablehloOr)),
    ("aten.any.dims", |e, c| reduce::truth(e, c, Opcode::StablehloOr)),
    ("aten.arange.default", create::arange),
    ("aten.arange.start", create::arange),
    ("aten.arange.start_step", create::arange),
    ("aten.argmax.default", |e, c| reduce::arg_extremum(e, c, Gt)),
    ("aten.argmin.default", |e, c| reduce::arg_extremum(e, c, Lt)),
    ("aten.argsort.default", sort::argsort),
    ("aten.argsort.stable", sort::argsort),
    ("aten.asin.default", |e, c| pointwise::unary(e, c, Opcode::ChloAsin)),
    ("aten.asinh.default", |e, c| pointwise::unary(e, c, Opcode::ChloAsinh)),
    ("aten.atan.default", |e, c| pointwise::unary(e, c, Opcode::ChloAtan)),
    ("aten.atan2.default", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloAtan2, a, b))),
    ("aten.atanh.default", |e, c| pointwise::unary(e, c, Opcode::ChloAtanh)),
    ("aten.avg_pool1d.default", pool::avg_pool),
    ("aten.avg_pool2d.default", pool::avg_pool),
    ("aten.avg_pool3d.default", pool::avg_pool),
    ("aten.baddbmm.default", linear::add_matmul),
    ("aten.batch_norm.default", normalize::batch_norm),
    ("aten.bernoulli.default", random::bernoulli),
    ("aten.bernoulli.p", random::bernoulli),
    ("aten.bitwise_and.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloAnd)),
    ("aten.bitwise_and.Scalar_Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloAnd)),
    ("aten.bitwise_and.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloAnd)),
    ("aten.bitwise_left_shift.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloShiftLeft)),
    ("aten.bitwise_left_shift.Tensor_Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloShiftLeft)),
    ("aten.bitwise_not.default", |e, c| pointwise::unary(e, c, Opcode::StablehloNot)),
    ("aten.bitwise_or.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloOr)),
    ("aten.bitwise_or.Scalar_Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloOr)),
    ("aten.bitwise_or.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloOr)),
    ("aten.bitwise_right_shift.Tensor", pointwise::shift_right),
    ("aten.bitwise_right_shift.Tensor_Scalar", pointwise::shift_right),
    ("aten.bitwise_xor.Scalar", |e, c| pointwise::bitwise(e, c, Opcode::StablehloXor)),
    ("aten.bitwise_xor.Scalar_Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloXor)),
    ("aten.bitwise_xor.Tensor", |e, c| pointwise::bitwise(e, c, Opcode::StablehloXor)),
    ("aten.bmm.default", linear::matmul),
    ("aten.broadcast_tensors.default", shape::broadcast_tensors),
    ("aten.broadcast_to.default", shape::expand),
    ("aten.bucketize.Scalar", index::bucketize),
    ("aten.bucketize.Tensor", index::bucketize),
    ("aten.cat.default", shape::cat),
    ("aten.ceil.default", |e, c| pointwise::rounding(e, c, Opcode::StablehloCeil)),
    ("aten.celu.default", activation::celu),
    ("aten.chunk.default", shape::split),
    ("aten.clamp.Tensor", |e, c| pointwise::clamp(e, c, (1, "min"), (2, "max"))),
    ("aten.clamp.default", |e, c| pointwise::clamp(e, c, (1, "min"), (2, "max"))),
    ("aten.clamp_max.Tensor", |e, c| pointwise::clamp(e, c, (usize::MAX, "min"), (1, "max"))),
    ("aten.clamp_max.default", |e, c| pointwise::clamp(e, c, (usize::MAX, "min"), (1, "max"))),
    ("aten.clamp_min.Tensor", |e, c| pointwise::clamp(e, c, (1, "min"), (usize::MAX, "max"))),
    ("aten.clamp_min.default", |e, c| pointwise::clamp(e, c, (1, "min"), (usize::MAX, "max"))),
    ("aten.clip.Tensor", |e, c| pointwise::clamp(e, c, (1, "min"), (2, "max"))),
    ("aten.clip.default", |e, c| pointwise::clamp(e, c, (1, "min"), (2, "max"))),
    ("aten.clone.default", shape::same),
    ("aten.concat.default", shape::cat),
    ("aten.conj.default", shape::same),
    ("aten.constant_pad_nd.default", shape::pad),
    ("aten.contiguous.default", shape::same),
    ("aten.conv1d.default", convolve::conv),
    ("aten.conv1d.padding", convolve::conv),
    ("aten.conv2d.default", convolve::conv),
    ("aten.conv2d.padding", convolve::conv),
    ("aten.conv3d.default", convolve::conv),
    ("aten.conv3d.padding", convolve::conv),
    ("aten.conv_transpose1d.default", convolve::conv_transpose),
    ("aten.conv_transpose2d.input", convolve::conv_transpose),
    ("aten.conv_transpose3d.input", convolve::conv_transpose),
    ("aten.convolution.default", convolve::convolution),
    ("aten.copy.default", shape::copy),
    ("aten.copysign.Scalar", |e, c| pointwise::arithmetic(e, c, pointwise::copysign_of)),
    ("aten.copysign.Tensor", |e, c| pointwise::arithmetic(e, c, pointwise::copysign_of)),
    ("aten.cos.default", |e, c| pointwise::unary(e, c, Opcode::StablehloCosine)),
    ("aten.cosh.default", |e, c| pointwise::unary(e, c, Opcode::ChloCosh)),
    ("aten.cosine_similarity.default", normalize::cosine_similarity),
    ("aten.count_nonzero.default", reduce::count_nonzero),
    ("aten.count_nonzero.dim_IntList", reduce::count_nonzero),
    ("aten.cummax.default", |e, c| scan::running_extremum(e, c, Ge)),
    ("aten.cummin.default", |e, c| scan::running_extremum(e, c, Le)),
    ("aten.cumprod.default", |e, c| scan::cumulate(e, c, Opcode::StablehloMultiply, 1)),
    ("aten.cumsum.default", |e, c| scan::cumulate(e, c, Opcode::StablehloAdd, 0)),
    ("aten.deg2rad.default", |e, c| pointwise::composite(e, c, |e, x| e.binary_number(Opcode::StablehloMultiply, x, Number::Float(std::f64::consts::PI / 180.0)))),
    ("aten.detach.default", shape::same),
    ("aten.detach_.default", shape::same),
    ("aten.detach_copy.default", shape::same),
    ("aten.diagonal.default", shape::diagonal),
    ("aten.diagonal_copy.default", shape::diagonal),
    ("aten.diff.default", shape::diff),
    ("aten.digamma.default", |e, c| pointwise::unary(e, c, Opcode::ChloDigamma)),
    ("aten.div.Scalar", pointwise::div),
    ("aten.div.Scalar_mode", pointwise::div),
    ("aten.div.Tensor", pointwise::div),
    ("aten.div.Tensor_mode", pointwise::div),
    ("aten.dot.default", linear::matmul),
    ("aten.dropout.default", shape::dropout),
    ("aten.einsum.default", linear::einsum),
    ("aten.elu.default", activation::elu),
    ("aten.embedding.default", index::embedding),
    ("aten.empty.memory_format", |e, c| create::constant(e, c, 0)),
    ("aten.empty_like.default", |e, c| create::constant(e, c, 0)),
    ("aten.empty_permuted.default", |e, c| create::constant(e, c, 0)),
    ("aten.empty_strided.default", |e, c| create::constant(e, c, 0)),
    ("aten.eq.Scalar", |e, c| pointwise::compare(e, c, Eq)),
    ("aten.eq.Tensor", |e, c| pointwise::compare(e, c, Eq)),
    ("aten.erf.default", |e, c| pointwise::unary(e, c, Opcode::ChloErf)),
    ("aten.erfc.default", |e, c| pointwise::unary(e, c, Opcode::ChloErfc)),
    ("aten.erfinv.default", |e, c| pointwise::unary(e, c, Opcode::ChloErfInv)),
    ("aten.exp.default", |e, c| pointwise::unary(e, c, Opcode::StablehloExponential)),
    ("aten.exp2.default", |e, c| pointwise::composite(e, c, pointwise::exp2_of)),
    ("aten.expand.default", shape::expand),
    ("aten.expand_as.default", shape::expand),
    ("aten.expand_copy.default", shape::expand),
    ("aten.expm1.default", |e, c| pointwise::unary(e, c, Opcode::StablehloExponentialMinusOne)),
    ("aten.eye.default", create::eye),
    ("aten.eye.m", create::eye),
    ("aten.feature_dropout.default", shape::dropout),
    ("aten.fill.Scalar", |e, c| create::full(e, c, 1)),
    ("aten.fill.Tensor", |e, c| create::full(e, c, 1)),
    ("aten.fix.default", pointwise::trunc),
    ("aten.flatten.using_ints", shape::reshape),
    ("aten.flip.default", shape::flip),
    ("aten.floor.default", |e, c| pointwise::rounding(e, c, Opcode::StablehloFloor)),
    ("aten.floor_divide.Scalar", |e, c| pointwise::arithmetic(e, c, pointwise::floor_divide_of)),
    ("aten.floor_divide.default", |e, c| pointwise::arithmetic(e, c, pointwise::floor_divide_of)),
    ("aten.fmax.default", |e, c| pointwise::extremum_ignoring_nan(e, c, Opcode::StablehloMaximum)),
    ("aten.fmin.default", |e, c| pointwise::extremum_ignoring_nan(e, c, Opcode::StablehloMinimum)),
    ("aten.fmod.Scalar", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloRemainder, a, b))),
    ("aten.fmod.Tensor", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloRemainder, a, b))),
    ("aten.frac.default", |e, c| pointwise::composite(e, c, pointwise::frac_of)),
    ("aten.full.default", |e, c| create::full(e, c, 1)),
    ("aten.full_like.default", |e, c| create::full(e, c, 1)),
    ("aten.gather.default", index::gather),
    ("aten.ge.Scalar", |e, c| pointwise::compare(e, c, Ge)),
    ("aten.ge.Tensor", |e, c| pointwise::compare(e, c, Ge)),
    ("aten.gelu.default", activation::gelu),
    ("aten.ger.default", linear::outer),
    ("aten.glu.default", activation::glu),
    ("aten.group_norm.default", normalize::group_norm),
    ("aten.gru.input", recurrent::gru),
    ("aten.gt.Scalar", |e, c| pointwise::compare(e, c, Gt)),
    ("aten.gt.Tensor", |e, c| pointwise::compare(e, c, Gt)),
    ("aten.hardshrink.default", |e, c| activation::shrink(e, c, 0.0)),
    ("aten.hardsigmoid.default", |e, c| pointwise::composite(e, c, activation::hardsigmoid_of)),
    ("aten.hardswish.default", |e, c| pointwise::composite(e, c, activation::hardswish_of)),
    ("aten.hardtanh.default", activation::hardtanh),
    ("aten.heaviside.default", |e, c| pointwise::arithmetic(e, c, pointwise::heaviside_of)),
    ("aten.hypot.default", |e, c| pointwise::arithmetic(e, c, pointwise::hypot_of)),
    ("aten.index.Tensor", index::index),
    ("aten.index_add.default", |e, c| index::index_rows(e, c, true)),
    ("aten.index_copy.default", |e, c| index::index_rows(e, c, false)),
    ("aten.index_fill.int_Scalar", index::index_fill),
    ("aten.index_fill.int_Tensor", index::index_fill),
    ("aten.index_put.default", index::index_put),
    ("aten.index_select.default", index::index_select),
    ("aten.instance_norm.default", normalize::instance_norm),
    ("aten.isclose.default", pointwise::isclose),
    ("aten.isfinite.default", |e, c| pointwise::classify(e, c, pointwise::is_finite_of, true)),
    ("aten.isinf.default", |e, c| pointwise::classify(e, c, pointwise::is_inf_of, false)),
    ("aten.isnan.default", |e, c| pointwise::classify(e, c, |e, x| e.is_nan(x), false)),
    ("aten.isneginf.default", |e, c| pointwise::classify(e, c, pointwise::is_neg_inf_of, false)),
    ("aten.isposinf.default", |e, c| pointwise::classify(e, c, pointwise::is_pos_inf_of, false)),
    ("aten.item.default", create::item),
    ("aten.kthvalue.default", sort::kth_value),
    ("aten.l1_loss.default", loss::l1),
    ("aten.layer_norm.default", normalize::layer_norm),
    ("aten.le.Scalar", |e, c| pointwise::compare(e, c, Le)),
    ("aten.le.Tensor", |e, c| pointwise::compare(e, c, Le)),
    ("aten.leaky_relu.default", activation::leaky_relu),
    ("aten.lerp.Scalar", pointwise::lerp),
    ("aten.lerp.Tensor", pointwise::lerp),
    ("aten.lgamma.default", |e, c| pointwise::unary(e, c, Opcode::ChloLgamma)),
    ("aten.lift.default", shape::same),
    ("aten.lift_fresh.default", shape::same),
    ("aten.lift_fresh_copy.default", shape::same),
    ("aten.linalg_vector_norm.default", reduce::norm),
    ("aten.linear.default", linear::linear),
    ("aten.linspace.default", create::linspace),
    ("aten.log.default", |e, c| pointwise::unary(e, c, Opcode::StablehloLog)),
    ("aten.log10.default", |e, c| pointwise::composite(e, c, pointwise::log10_of)),
    ("aten.log1p.default", |e, c| pointwise::unary(e, c, Opcode::StablehloLogPlusOne)),
    ("aten.log2.default", |e, c| pointwise::composite(e, c, pointwise::log2_of)),
    ("aten.log_sigmoid.default", |e, c| pointwise::composite(e, c, activation::log_sigmoid_of)),
    ("aten.log_sigmoid_forward.default", activation::log_sigmoid_forward),
    ("aten.log_softmax.int", |e, c| reduce::softmax(e, c, true)),
    ("aten.logaddexp.default", |e, c| pointwise::arithmetic(e, c, pointwise::logaddexp_of)),
    ("aten.logcumsumexp.default", scan::logcumsumexp),
    ("aten.logical_and.default", |e, c| pointwise::logical(e, c, Opcode::StablehloAnd)),
    ("aten.logical_not.default", pointwise::logical_not),
    ("aten.logical_or.default", |e, c| pointwise::logical(e, c, Opcode::StablehloOr)),
    ("aten.logical_xor.default", |e, c| pointwise::logical(e, c, Opcode::StablehloXor)),
    ("aten.logit.default", activation::logit),
    ("aten.logsumexp.default", reduce::logsumexp),
    ("aten.lstm.input", recurrent::lstm),
    ("aten.lt.Scalar", |e, c| pointwise::compare(e, c, Lt)),
    ("aten.lt.Tensor", |e, c| pointwise::compare(e, c, Lt)),
    ("aten.mT.default", shape::permute),
    ("aten.masked_fill.Scalar", pointwise::masked_fill),
    ("aten.masked_fill.Tensor", pointwise::masked_fill),
    ("aten.matmul.default", linear::matmul),
    ("aten.max.default", |e, c| reduce::extremum(e, c, Opcode::StablehloMaximum)),
    ("aten.max.dim", |e, c| reduce::extremum_dim(e, c, Gt)),
    ("aten.max.other", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloMaximum, a, b))),
    ("aten.max_pool1d.default", pool::max_pool),
    ("aten.max_pool1d_with_indices.default", pool::max_pool),
    ("aten.max_pool2d.default", pool::max_pool),
    ("aten.max_pool2d_with_indices.default", pool::max_pool),
    ("aten.max_pool3d.default", pool::max_pool),
    ("aten.max_pool3d_with_indices.default", pool::max_pool),
    ("aten.maximum.default", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloMaximum, a, b))),
    ("aten.mean.default", reduce::mean),
    ("aten.mean.dim", reduce::mean),
    ("aten.median.default", sort::kth_value),
    ("aten.median.dim", sort::kth_value),
    ("aten.meshgrid.default", shape::meshgrid),
    ("aten.meshgrid.indexing", shape::meshgrid),
    ("aten.min.default", |e, c| reduce::extremum(e, c, Opcode::StablehloMinimum)),
    ("aten.min.dim", |e, c| reduce::extremum_dim(e, c, Lt)),
    ("aten.min.other", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloMinimum, a, b))),
    ("aten.minimum.default", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::StablehloMinimum, a, b))),
    ("aten.mish.default", |e, c| pointwise::composite(e, c, activation::mish_of)),
    ("aten.mm.default", linear::matmul),
    ("aten.moveaxis.int", shape::permute),
    ("aten.moveaxis.intlist", shape::permute),
    ("aten.movedim.int", shape::permute),
    ("aten.movedim.intlist", shape::permute),
    ("aten.mse_loss.default", loss::mse),
    ("aten.mul.Scalar", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.mul(a, b))),
    ("aten.mul.Tensor", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.mul(a, b))),
    ("aten.multinomial.default", random::multinomial),
    ("aten.multiply.Tensor", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.mul(a, b))),
    ("aten.mv.default", linear::matmul),
    ("aten.nan_to_num.default", pointwise::nan_to_num),
    ("aten.narrow.Tensor", shape::narrow),
    ("aten.narrow.default", shape::narrow),
    ("aten.native_batch_norm.default", normalize::batch_norm),
    ("aten.native_dropout.default", random::native_dropout),
    ("aten.native_group_norm.default", normalize::native_group_norm),
    ("aten.native_layer_norm.default", normalize::layer_norm),
    ("aten.ne.Scalar", |e, c| pointwise::compare(e, c, Ne)),
    ("aten.ne.Tensor", |e, c| pointwise::compare(e, c, Ne)),
    ("aten.neg.default", |e, c| pointwise::unary(e, c, Opcode::StablehloNegate)),
    ("aten.new_empty.default", |e, c| create::constant(e, c, 0)),
    ("aten.new_empty_strided.default", |e, c| create::constant(e, c, 0)),
    ("aten.new_full.default", |e, c| create::full(e, c, 2)),
    ("aten.new_ones.default", |e, c| create::constant(e, c, 1)),
    ("aten.new_zeros.default", |e, c| create::constant(e, c, 0)),
    ("aten.nextafter.default", |e, c| pointwise::arithmetic(e, c, |e, a, b| e.binary(Opcode::ChloNextAfter, a, b))),
    ("aten.nll_loss_forward.default", loss::nll_loss),
    ("aten.norm.Scalar", reduce::norm),
    ("aten.norm.ScalarOpt_dim", reduce::norm),
    ("aten.normal_functional.default", random::normal_of),
    ("aten.numpy_T.default", shape::permute),
    ("aten.one_hot.default", index::one_hot),
    ("aten.ones.default", |e, c| create::constant(e, c, 1)),
    ("aten.ones_like.default", |e, c| create::constant(e, c, 1)),
    ("aten.outer.default", linear::outer),
    ("aten.pad.default", shape::pad),
    ("aten.permute.default", shape::permute),
    ("aten.permute_copy.default", shape::permute),
    ("aten.pixel_shuffle.default", shape::pixel_shuffle),
    ("aten.positive.default", shape::same),
    ("aten.pow.Scalar", pointwise::pow),
    ("aten.pow.Tensor_Scalar", pointwise::pow),
    ("aten.pow.Tensor_Tensor", pointwise::pow),
    ("aten.prelu.default", activation::prelu),
    ("aten.prod.default", |e, c| reduce::accumulate(e, c, Opcode::StablehloMultiply, 1)),
    ("aten.prod.dim_int", |e, c| reduce::accumulate(e, c, Opcode::StablehloMultiply, 1)),
    ("aten.rad2deg.default", |e, c| pointwise::composite(e, c, |e, x| e.binary_number(Opcode::StablehloMultiply, x, Number::Float(180.0 / std::f64::consts::PI)))),
    ("aten.rand.default", random::uniform),
    ("aten.rand_like.default", random::uniform),
    ("aten.randint.default", random::integers),
    ("aten.randint.low", random::integers),
    ("aten.randint_like.default", random::integers),
    ("aten.randint_like.low_dtype", random::integers),
    ("aten.randn.default", random::normal),
    ("aten.randn_like.default", random::normal),
    ("aten.randperm.default", random::permutation),
    ("aten.ravel.default", shape::reshape),
    ("aten.reciprocal.default", |e, c| pointwise::composite(e, c, pointwise::reciprocal_of)),
    ("aten.reflection_pad1d.default", resize::pad_by_index),
    ("aten.reflection_pad2d.default", resize::pad_by_index),
    ("aten.reflection_pad3d.default", resize::pad_by_index),
    ("aten.relu.default", activation::relu),
    ("aten.relu6.default", |e, c| pointwise::composite(e, c, activation::relu6_of)),
    ("aten.remainder.Scalar", |e, c| pointwise::arithmetic(e, c, pointwise::remainder_of)),
    ("aten.remainder.Scalar_Tensor", |e, c| pointwise::arithmetic(e, c, pointwise::remainder_of)),
    ("aten.remainder.Tensor", |e, c| pointwise::arithmetic(e, c, pointwise::remainder_of)),
    ("aten.repeat.default", shape::repeat),
    ("aten.repeat_interleave.self_int", shape::repeat_interleave),
    ("aten.replication_pad1d.default", resize::pad_by_index),
    ("aten.replication_pad2d.default", resize::pad_by_index),
    ("aten.replication_pad3d.default", resize::pad_by_index),
    ("aten.reshape.default", shape::reshape),
    ("aten.reshape_as.default", shape::reshape),
    ("aten.resolve_conj.default", shape::same),
    ("aten.resolve_neg.default", shape::same),
    ("aten.rms_norm.default", normalize::rms_norm),
    ("aten.rnn_relu.input", recurrent::rnn_relu),
    ("aten.rnn_tanh.input", recurrent::rnn_tanh),
    ("aten.roll.default", shape::roll),
    ("aten.round.decimals", pointwise::round_decimals),
    ("aten.round.default", |e, c| pointwise::rounding(e, c, Opcode::StablehloRoundNearestEven)),
    ("aten.rsqrt.default", |e, c| pointwise::unary(e, c, Opcode::StablehloRsqrt)),
    ("aten.rsub.Scalar", |e, c| pointwise::add_scaled(e, c, Opcode::StablehloSubtract, true)),
    ("aten.rsub.Tensor", |e, c| pointwise::add_scaled(e, c, Opcode::StablehloSubtract, true)),
    ("aten.scalar_tensor.default", create::scalar_tensor),
    ("aten.scaled_dot_product_attention.default", attention::scaled_dot_product),
    ("aten.scatter.reduce", index::scatter),
    ("aten.scatter.src", index::scatter),
    ("aten.scatter.value", index::scatter),
    ("aten.scatter.value_reduce", index::scatter),
    ("aten.scatter_add.default", index::scatter),
    ("aten.scatter_reduce.two", index::scatter),
    ("aten.searchsorted.Scalar", index::bucketize),
    ("aten.searchsorted.Tensor", index::bucketize),
    ("aten.select.int", shape::select),
    ("aten.select_copy.int", shape::select),
    ("aten.select_scatter.default", shape::select_scatter),
    ("aten.selu.default", activation::selu),
    ("aten.sgn.default", |e, c| pointwise::unary(e, c, Opcode::StablehloSign)),
    ("aten.sigmoid.default", |e, c| pointwise::unary(e, c, Opcode::StablehloLogistic)),
    ("aten.sign.default", |e, c| pointwise::unary(e, c, Opcode::StablehloSign)),
    ("aten.signbit.default", pointwise::signbit),
    ("aten.silu.default", |e, c| pointwise::composite(e, c, activation::silu_of)),
    ("aten.sin.default", |e, c| pointwise::unary(e, c, Opcode::StablehloSine)),
    ("aten.sinh.default", |e, c| pointwise::unary(e, c, Opcode::ChloSinh)),
    ("aten.slice.Tensor", shape::slice),
    ("aten.slice_copy.Tensor", shape::slice),
    ("aten.slice_scatter.default", shape::slice_scatter),
    ("aten.softmax.int", |e, c| reduce::softmax(e, c, false)),
    ("aten.softplus.default", activation::softplus),
    ("aten.softshrink.default", |e, c| activation::shrink(e, c, 1.0)),
    ("aten.softsign.default", |e, c| pointwise::composite(e, c, activation::softsign_of)),
    ("aten.sort.default", sort::sort),
    ("aten.sort.stable", sort::sort),
    ("aten.special_digamma.default", |e, c| pointwise::unary(e, c, Opcode::ChloDigamma)),
    ("aten.special_erf.default", |e, c| pointwise::unary(e, c, Opcode::ChloErf)),
    ("aten.special_expit.default", |e, c| pointwise::unary(e, c, Opcode::StablehloLogistic)),
    ("aten.special_expm1.default", |e, c| pointwise::unary(e, c, Opcode::StablehloExponentialMinusOne)),
    ("aten.special_log1p.default", |e, c| pointwise::unary(e, c, Opcode::StablehloLogPlusOne)),
    ("aten.special_log_softmax.default", |e, c| reduce::softmax(e, c, true)),
    ("aten.special_logit.default", activation::logit),
    ("aten.special_logsumexp.default", reduce::logsumexp),
    ("aten.special_softmax.default", |e, c| reduce::softmax(e, c, false)),
    ("aten.split.Tensor", shape::split),
    ("aten.split.sizes", shape::split),
    ("aten.split_copy.Tensor", shape::split),
    ("aten.split_with_sizes.default", shape::split),
    ("aten.split_with_sizes_copy.default", shape::split),
    ("aten.sqrt.default", |e, c| pointwise::unary(e, c, Opcode::StablehloSqrt)),
    ("aten.square.default", |e, c| pointwise::composite(e, c, |e, x| e.mul(x, x))),
    ("aten.squeeze.default", shape::reshape),
    ("aten.squeeze.dim", shape::reshape),
    ("aten.squeeze.dims", shape::reshape),
    ("aten.squeeze_copy.default", shape::reshape),
    ("aten.squeeze_copy.dims", shape::reshape),
    ("aten.stack.default", shape::stack),
    ("aten.std.correction", reduce::variance),
    ("aten.std.default", reduce::variance),
    ("aten.std.dim", reduce::variance),
    ("aten.std_mean.correction", reduce::variance),
    ("aten.std_mean.default", reduce::variance),
    ("aten.std_mean.dim", reduce::variance),
    ("aten.sub.Scalar", |e, c| pointwise::add_scaled(e, c, Opcode::StablehloSubtract, false)),
    ("aten.sub.Tensor", |e, c| pointwise::add_scaled(e, c, Opcode::StablehloSubtract, false)),
    ("aten.sum.default", |e, c| reduce::accumulate(e, c, Opcode::StablehloAdd, 0)),
    ("aten.sum.dim_IntList", |e, c| reduce::accumulate(e, c, Opcode::StablehloAdd, 0)),
    ("aten.swapaxes.default", shape::permute),
    ("aten.swapdims.default", shape::permute),
    ("aten.sym_constrain_range.default", create::nothing),
    ("aten.sym_constrain_range_for_size.default", create::nothing),
    ("aten.sym_numel.default", create::sym_numel),
    ("aten.sym_size.int", create::sym_size),
    ("aten.t.default", shape::permute),
    ("aten.t_copy.default", shape::permute),
    ("aten.take_along_dim.default", index::take_along_dim),
    ("aten.tan.default", |e, c| pointwise::unary(e, c, Opcode::StablehloTan)),
    ("aten.tanh.default", |e, c| pointwise::unary(e, c, Opcode::StablehloTanh)),
    ("aten.tensor_split.indices", shape::split),
    ("aten.tensor_split.sections", shape::split),
    ("aten.threshold.default", activation::threshold),
    ("aten.tile.default", shape::repeat),
    ("aten.to.device", shape::same),
    ("aten.to.dtype", shape::same),
    ("aten.to.dtype_layout", shape::same),
    ("aten.to.other", shape::same),
    ("aten.to.prim_Device", shape::same),
    ("aten.topk.default", sort::topk),
    ("aten.transpose.int", shape::permute),
    ("aten.transpose_copy.int", shape::permute),
    ("aten.tril.default", |e, c| shape::triangle(e, c, Le)),
    ("aten.triu.default", |e, c| shape::triangle(e, c, Ge)),
    ("aten.true_divide.Tensor", pointwise::div),
    ("aten.trunc.default", pointwise::trunc),
    ("aten.type_as.default", shape::same),
    ("aten.unbind.int", shape::split),
    ("aten.unbind_copy.int", shape::split),
    ("aten.unflatten.int", shape::reshape),
    ("aten.unfold.default", shape::unfold),
    ("aten.unfold_copy.default", shape::unfold),
    ("aten.uniform.default", random::uniform_between),
    ("aten.unsafe_chunk.default", shape::split),
    ("aten.unsafe_split.Tensor", shape::split),
    ("aten.unsafe_split_with_sizes.default", shape::split),
    ("aten.unsqueeze.default", shape::reshape),
    ("aten.unsqueeze_copy.default", shape::reshape),
    ("aten.upsample_bicubic2d.default", resize::upsample_mixing),
    ("aten.upsample_bicubic2d.vec", resize::upsample_mixing),
    ("aten.upsample_bilinear2d.default", resize::upsample_mixing),
    ("aten.upsample_bilinear2d.vec", resize::upsample_mixing),
    ("aten.upsample_linear1d.default", resize::upsample_mixing),
    ("aten.upsample_linear1d.vec", resize::upsample_mixing),
    ("aten.upsample_nearest1d.default", resize::upsample_nearest),
    ("aten.upsample_nearest1d.vec", resize::upsample_nearest),
    ("aten.upsample_nearest2d.default", resize::upsample_nearest),
    ("aten.upsample_nearest2d.vec", resize::upsample_nearest),
    ("aten.upsample_nearest3d.default", resize::upsample_nearest),
    ("aten.upsample_nearest3d.vec", resize::upsample_nearest),
    ("aten.upsample_trilinear3d.default", resize::upsample_mixing),
    ("aten.upsample_trilinear3d.vec", resize::upsample_mixing),
    ("aten.var.correction", reduce::variance),
    ("aten.var.default", reduce::variance),
    ("aten.var.dim", reduce::variance),
    ("aten.var_mean.correction", reduce::variance),
    ("aten.var_mean.default", reduce::variance),
    ("aten.var_mean.dim", reduce::variance),
    ("aten.view.default", shape::reshape),
    ("aten.view.dtype", shape::view_dtype),
    ("aten.view_as.default", shape::reshape),
    ("aten.view_copy.default", shape::reshape),
    ("aten.where.Scalar", pointwise::where_self),
    ("aten.where.ScalarOther", pointwise::where_self),
    ("aten.where.ScalarSelf", pointwise::where_self),
    ("aten.where.self", pointwise::where_self),
    ("aten.xlogy.Scalar_Other", |e, c| pointwise::arithmetic(e, c, pointwise::xlogy_of)),
    ("aten.xlogy.Scalar_Self", |e, c| pointwise::arithmetic(e, c, pointwise::xlogy_of)),
    ("aten.xlogy.Tensor", |e, c| pointwise::arithmetic(e, c, pointwise::xlogy_of)),
    ("aten.zero.default", |e, c| create::constant(e, c, 0)),
    ("aten.zeros.default", |e, c| create::constant(e, c, 0)),
    ("aten.zeros_like.default", |e, c| create::constant(e, c, 0)),
    ("eq", |e, c| python::python_compare(e, c, Eq)),
    ("floordiv", |e, c| python::sizes(e, c, python::floor_divide, pointwise::floor_divide_of)),
    ("ge", |e, c| python::python_compare(e, c, Ge)),
    ("gt", |e, c| python::python_compare(e, c, Gt)),
    ("le", |e, c| python::python_compare(e, c, Le)),
    ("lt", |e, c| python::python_compare(e, c, Lt)),
    ("mod", |e, c| python::sizes(e, c, python::floor_modulo, pointwise::remainder_of)),
    ("mul", |e, c| python::sizes(e, c, i64::checked_mul, |e, a, b| e.mul(a, b))),
    ("ne", |e, c| python::python_compare(e, c, Ne)),
    ("neg", |e, c| python::python_unary(e, c, |e, x| Ok(e.unary(Opcode::StablehloNegate, x)))),
    ("not_", |e, c| python::python_unary(e, c, |e, x| Ok(e.unary(Opcode::StablehloNot, x)))),
    ("or_", |e, c| python::python(e, c, |e, a, b| e.binary(Opcode::StablehloOr, a, b))),
    ("pow", |e, c| python::python(e, c, |e, a, b| e.binary(Opcode::StablehloPower, a, b))),
    ("prims.convert_element_type.default", shape::same),
    ("prims.device_put.default", shape::same),
    ("sub", |e, c| python::sizes(e, c, i64::checked_sub, |e, a, b| e.sub(a, b))),
    ("sym_float", |e, c| python::python_unary(e, c, |_, x| Ok(x))),
    ("sym_int", |e, c| python::python_unary(e, c, |_, x| Ok(x))),
    ("sym_max", |e, c| python::python(e, c, |e, a, b| e.binary(Opcode::StablehloMaximum, a, b))),
    ("sym_min", |e, c| python::python(e, c, |e, a, b| e.binary(Opcode::StablehloMinimum, a, b))),
    ("sym_not", |e, c| python::python_unary(e, c, |e, x| Ok(e.unary(Opcode::StablehloNot, x)))),
    ("truediv", |e, c| python::python(e, c, |e, a, b| e.div(a, b))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_name_each_operator_once() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(VIEWS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(VIEWS.iter().all(|(name, ..)| lookup(name).is_some()), "every view should have a decomposition");
    }

    #[test]
    fn in_place_operators_are_found_by_their_functional_form_and_dunder_ones_are_not() {
        assert!(is_in_place("aten.add_.Tensor"));
        assert!(!is_in_place("aten.add.Tensor"));
        assert!(!is_in_place("aten.__and__.Tensor"));
        assert!(find("aten.squeeze_.dim").is_none());
    }
}
