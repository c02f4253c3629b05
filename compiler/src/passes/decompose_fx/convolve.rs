//! Convolutions of one to three spatial dimensions.

use super::{call::Call, promote::accumulator, table::Values};
use crate::{
    ir::{
        Attribute, ElementType, Opcode, ValueId,
        attribute::{ConvDimensions, DenseElements},
    },
    passes::emit::{Emit, Out, Refusal, tensor_type},
};

/// What a convolution is told beside its tensors; a number a spatial dimension each.
struct Window {
    stride: Vec<i64>,
    low: Vec<i64>,
    high: Vec<i64>,
    /// Distance of the input's elements: above 1 in transposed convolutions.
    spread: Vec<i64>,
    dilation: Vec<i64>,
}

/// `convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups)`.
pub fn convolution(e: &mut Emit, call: &Call) -> Values {
    let spatial = spatial_rank(e, call)?;
    let padding = call.ints_of(4, "padding", spatial, 0)?;
    let dilation = call.ints_of(5, "dilation", spatial, 1)?;
    let groups = call.int(8, "groups", 1)?;
    if call.flag(6, "transposed", false)? {
        let output_padding = call.ints_of(7, "output_padding", spatial, 0)?;
        return transposed(e, call, &padding, &output_padding, &dilation, groups);
    }
    plain(e, call, padding.clone(), padding, dilation, groups)
}

/// `conv1d`, `conv2d`, `conv3d(x, weight, bias, stride, padding, dilation, groups)`, padding also `same` or `valid`.
pub fn conv(e: &mut Emit, call: &Call) -> Values {
    let spatial = spatial_rank(e, call)?;
    let dilation = call.ints_of(5, "dilation", spatial, 1)?;
    let groups = call.int(6, "groups", 1)?;
    let (low, high) = match call.text(4, "padding") {
        Some("valid") => (vec![0; spatial], vec![0; spatial]),
        Some("same") => {
            let weight = call.tensor(1, "weight")?;
            let kernel = e.shape(weight)?;
            let total: Vec<i64> = (0..spatial).map(|at| dilation[at] * (kernel[at + 2] - 1)).collect();
            (total.iter().map(|all| all / 2).collect(), total.iter().map(|all| all - all / 2).collect())
        }
        _ => {
            let padding = call.ints_of(4, "padding", spatial, 0)?;
            (padding.clone(), padding)
        }
    };
    plain(e, call, low, high, dilation, groups)
}

/// `conv_transpose1d`, … `(x, weight, bias, stride, padding, output_padding, groups, dilation)`.
pub fn conv_transpose(e: &mut Emit, call: &Call) -> Values {
    let spatial = spatial_rank(e, call)?;
    let padding = call.ints_of(4, "padding", spatial, 0)?;
    let output_padding = call.ints_of(5, "output_padding", spatial, 0)?;
    let dilation = call.ints_of(7, "dilation", spatial, 1)?;
    transposed(e, call, &padding, &output_padding, &dilation, call.int(6, "groups", 1)?)
}

fn spatial_rank(e: &Emit, call: &Call) -> Result<usize, Refusal> {
    let weight = call.tensor(1, "weight")?;
    match e.rank(weight)? {
        rank @ 3..=5 => Ok(rank - 2),
        rank => Err(Refusal(format!("a weight of {rank} dimensions is not of 1 to 3 spatial dimensions"))),
    }
}

/// Where 1 is the batch that an input without one lacks.
fn with_batch(e: &mut Emit, x: ValueId, spatial: usize) -> Out {
    let shape = e.shape(x)?;
    if shape.len() == spatial + 1 { e.reshape(x, &[&[1], &shape[..]].concat()) } else { Ok(x) }
}

fn plain(e: &mut Emit, call: &Call, low: Vec<i64>, high: Vec<i64>, dilation: Vec<i64>, groups: i64) -> Values {
    let weight = call.tensor(1, "weight")?;
    let spatial = spatial_rank(e, call)?;
    let stride = call.ints_of(3, "stride", spatial, 1)?;
    let window = Window { stride, low, high, spread: vec![1; spatial], dilation };
    finish(e, call, weight, window, groups)
}

/// A transposed convolution is one of the spread input with the kernel turned round.
fn transposed(
    e: &mut Emit,
    call: &Call,
    padding: &[i64],
    output_padding: &[i64],
    dilation: &[i64],
    groups: i64,
) -> Values {
    let weight = call.tensor(1, "weight")?;
    let spatial = spatial_rank(e, call)?;
    let spread = call.ints_of(3, "stride", spatial, 1)?;
    let shape = e.shape(weight)?;
    let (inputs, outputs, kernel) = (shape[0], shape[1], shape[2..].to_vec());
    if groups < 1 || inputs % groups != 0 {
        return Err(Refusal(format!("{inputs} channels do not divide into {groups} groups")));
    }
    // From [groups * in, out, …] to [groups * out, in, …].
    let split = e.reshape(weight, &[&[groups, inputs / groups, outputs], &kernel[..]].concat())?;
    let order: Vec<i64> = [0, 2, 1].into_iter().chain(3..3 + spatial as i64).collect();
    let swapped = e.transpose(split, &order)?;
    let joined = e.reshape(swapped, &[&[groups * outputs, inputs / groups], &kernel[..]].concat())?;
    let turned = e.reverse(joined, &(2..2 + spatial as i64).collect::<Vec<_>>());
    let low: Vec<i64> = (0..spatial).map(|at| dilation[at] * (kernel[at] - 1) - padding[at]).collect();
    let high = (0..spatial).map(|at| low[at] + output_padding[at]).collect();
    let window = Window { stride: vec![1; spatial], low, high, spread, dilation: dilation.to_vec() };
    finish(e, call, turned, window, groups)
}

/// The convolution, and the bias added in f32.
fn finish(e: &mut Emit, call: &Call, weight: ValueId, window: Window, groups: i64) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "input")?;
    let x = with_batch(e, x, window.stride.len())?;
    let bias = call.optional_tensor(2, "bias")?;
    let wide = if bias.is_some() { accumulator(&element) } else { element.clone() };
    let mut y = convolve(e, x, weight, &window, groups, &wide)?;
    if let Some(bias) = bias {
        let bias = e.convert(bias, &wide)?;
        let shape = e.shape(y)?;
        let bias = e.broadcast_in_dim(bias, &shape, &[1])?;
        y = e.add(y, bias)?;
    }
    let y = e.convert(y, &element)?;
    Ok(vec![e.reshape(y, &call.shape(0)?)?])
}

fn convolve(e: &mut Emit, x: ValueId, weight: ValueId, window: &Window, groups: i64, element: &ElementType) -> Out {
    let (input, kernel) = (e.shape(x)?, e.shape(weight)?);
    let spatial = kernel.len() - 2;
    if input.len() != kernel.len() || groups < 1 || input[1] != kernel[1] * groups || kernel[0] % groups != 0 {
        return Err(Refusal(format!("shapes {input:?} and {kernel:?} in {groups} groups do not convolve")));
    }
    let mut shape = vec![input[0], kernel[0]];
    for at in 0..spatial {
        let spread = (input[at + 2] - 1) * window.spread[at] + 1;
        let reach = window.dilation[at] * (kernel[at + 2] - 1) + 1;
        let room = spread + window.low[at] + window.high[at] - reach;
        if window.stride[at] < 1 || window.dilation[at] < 1 || window.spread[at] < 1 || room < 0 {
            return Err(Refusal(format!("a kernel of {kernel:?} does not fit an input of {input:?}")));
        }
        shape.push(room / window.stride[at] + 1);
    }
    let places: Vec<i64> = (2..2 + spatial as i64).collect();
    let dims = ConvDimensions {
        input_batch: 0,
        input_feature: 1,
        input_spatial: places.clone(),
        kernel_output_feature: 0,
        kernel_input_feature: 1,
        kernel_spatial: places.clone(),
        output_batch: 0,
        output_feature: 1,
        output_spatial: places,
    };
    let attrs = [
        ("window_strides", Attribute::i64_array(window.stride.iter().copied())),
        ("padding", padding_attribute(&window.low, &window.high)),
        ("lhs_dilation", Attribute::i64_array(window.spread.iter().copied())),
        ("rhs_dilation", Attribute::i64_array(window.dilation.iter().copied())),
        ("dimension_numbers", Attribute::ConvDimensions(dims.into())),
        ("feature_group_count", Attribute::i64(groups)),
        ("batch_group_count", Attribute::i64(1)),
    ];
    Ok(e.op(Opcode::StablehloConvolution, &[x, weight], tensor_type(&shape, element), &attrs))
}

/// Amounts before and after each dimension as an N×2 matrix.
pub fn padding_attribute(low: &[i64], high: &[i64]) -> Attribute {
    let bytes: Vec<u8> =
        low.iter().zip(high).flat_map(|(low, high)| [low.to_le_bytes(), high.to_le_bytes()]).flatten().collect();
    match tensor_type(&[low.len() as i64, 2], &ElementType::I64) {
        crate::ir::Type::Tensor(ty) => Attribute::Dense(DenseElements::new(ty, bytes)),
        other => unreachable!("the type of a tensor should be one, not {other}"),
    }
}
