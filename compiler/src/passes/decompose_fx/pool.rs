//! Folds over windows.

use super::{
    call::Call,
    convolve::padding_attribute,
    promote::{accumulator, category},
    table::Values,
};
use crate::{
    ir::{Attribute, ElementType, Opcode, ValueId, enums::ComparisonDirection},
    passes::emit::{Body, Emit, Number, Out, Refusal, lowest, tensor_type},
};

/// Windows over the last dimensions of a tensor; a number a spatial dimension each.
struct Windows {
    size: Vec<i64>,
    stride: Vec<i64>,
    low: Vec<i64>,
    high: Vec<i64>,
    dilation: Vec<i64>,
}

impl Windows {
    /// Arguments `kernel`, `stride`, `padding`, and `dilation` where the operator has it; the result's shape says what
    /// `ceil_mode` adds at the end.
    fn read(call: &Call, input: &[i64], dilation: Option<usize>) -> Result<Windows, Refusal> {
        let spatial = spatial_rank(call);
        let size = call.ints_of(1, "kernel_size", spatial, 1)?;
        let stride =
            if call.ints(2, "stride")?.is_empty() { size.clone() } else { call.ints_of(2, "stride", spatial, 1)? };
        let low = call.ints_of(3, "padding", spatial, 0)?;
        let dilation = match dilation {
            Some(position) => call.ints_of(position, "dilation", spatial, 1)?,
            None => vec![1; spatial],
        };
        let output = call.shape(0)?;
        let first =
            input.len().checked_sub(spatial).ok_or_else(|| Refusal::from("its operand has too few dimensions"))?;
        if output.len() != input.len() || [&size, &stride, &dilation].iter().any(|list| list.iter().any(|n| *n < 1)) {
            return Err(Refusal(format!("windows of {size:?} every {stride:?} do not fit shape {input:?}")));
        }
        // As much after the end as the last window needs; less than the padding where it ends before.
        let high = (0..spatial).map(|at| {
            let reach = (output[first + at] - 1) * stride[at] + dilation[at] * (size[at] - 1) + 1;
            reach - input[first + at] - low[at]
        });
        Ok(Windows { high: high.collect(), size, stride, low, dilation })
    }

    /// Folds tensors of one shape over the windows.
    fn fold(&self, e: &mut Emit, inputs: &[ValueId], inits: &[ValueId], body: Body) -> Values {
        let shape = e.shape(inputs[0])?;
        let outer = shape.len() - self.size.len();
        let around = |list: &[i64], number: i64| [&vec![number; outer][..], list].concat();
        let (mut low, mut high) = (around(&self.low, 0), around(&self.high, 0));
        let mut values = inputs.to_vec();
        // A negative amount is a slice: `reduce_window` only adds.
        let cut: Vec<i64> = high.iter().map(|amount| (*amount).min(0)).collect();
        if cut.iter().any(|amount| *amount < 0) {
            for value in &mut values {
                let limits: Vec<i64> = shape.iter().zip(&cut).map(|(extent, cut)| extent + cut).collect();
                *value = e.slice(*value, &vec![0; shape.len()], &limits, &vec![1; shape.len()])?;
            }
        }
        low.iter_mut().chain(&mut high).for_each(|amount| *amount = (*amount).max(0));
        let own = e.shape(values[0])?;
        let (size, stride, dilation) = (around(&self.size, 1), around(&self.stride, 1), around(&self.dilation, 1));
        let mut result = Vec::new();
        for at in 0..own.len() {
            let room = own[at] + low[at] + high[at] - (dilation[at] * (size[at] - 1) + 1);
            result.push(if room < 0 { 0 } else { room / stride[at] + 1 });
        }
        let mut types = Vec::new();
        for value in &values {
            types.push(tensor_type(&result, &e.element(*value)?));
        }
        let scalars: Vec<_> = inits.iter().map(|init| e.module.ty(*init).clone()).collect();
        let region = e.region(&[scalars.clone(), scalars].concat(), body)?;
        let attrs = [
            ("window_dimensions", Attribute::i64_array(size)),
            ("window_strides", Attribute::i64_array(stride)),
            ("window_dilations", Attribute::i64_array(dilation)),
            ("padding", padding_attribute(&low, &high)),
        ];
        let operands = [&values[..], inits].concat();
        Ok(e.op_with_regions(Opcode::StablehloReduceWindow, &operands, types, &attrs, &[region]))
    }
}

/// Spatial dimensions by the operator's name (`max_pool2d`).
fn spatial_rank(call: &Call) -> usize {
    let rank = (1..=3).find(|rank| call.target.contains(&format!("pool{rank}d")));
    rank.expect("the table should name pools by their dimensions alone")
}

/// `max_pool{1,2,3}d` and `…_with_indices(x, kernel, stride, padding, dilation, ceil_mode)`.
pub fn max_pool(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let windows = Windows::read(call, &shape, Some(4))?;
    let init = e.scalar(lowest(&element), &element)?;
    let mut results = windows
        .fold(e, &[x], &[init], &mut |e, args| Ok(vec![e.binary(Opcode::StablehloMaximum, args[0], args[1])?]))?;
    if call.results.len() > 1 {
        results.push(max_places(e, x, &windows, init)?);
    }
    Ok(results)
}

/// Where in the flattened spatial dimensions the maximum of each window is: its first place; NaN is a maximum.
fn max_places(e: &mut Emit, x: ValueId, windows: &Windows, init: ValueId) -> Out {
    let (shape, element) = (e.shape(x)?, e.element(x)?);
    let spatial = &shape[shape.len() - windows.size.len()..];
    let count: i64 = spatial.iter().product();
    let flat = e.iota(&[count], &ElementType::I64, 0);
    let places = e.reshape(flat, spatial)?;
    let places = e.broadcast(places, &shape)?;
    let none = e.scalar(Number::Int(i64::MAX), &ElementType::I64)?;
    let is_float = category(&element) == 2;
    let results = windows.fold(e, &[x, places], &[init, none], &mut |e, args| {
        let [a, at_a, b, at_b] = args else { unreachable!("a fold of two values should have four arguments") };
        let mut a_wins = e.compare(ComparisonDirection::Gt, *a, *b)?;
        let mut tie = e.compare(ComparisonDirection::Eq, *a, *b)?;
        if is_float {
            let (a_is_nan, b_is_nan) = (e.is_nan(*a)?, e.is_nan(*b)?);
            let both = e.binary(Opcode::StablehloAnd, a_is_nan, b_is_nan)?;
            tie = e.binary(Opcode::StablehloOr, tie, both)?;
            a_wins = e.binary(Opcode::StablehloOr, a_wins, a_is_nan)?;
        }
        let earlier = e.compare(ComparisonDirection::Lt, *at_a, *at_b)?;
        let by_place = e.select(earlier, *at_a, *at_b)?;
        let by_value = e.select(a_wins, *at_a, *at_b)?;
        Ok(vec![e.select(a_wins, *a, *b)?, e.select(tie, by_place, by_value)?])
    })?;
    Ok(results[1])
}

/// `avg_pool{1,2,3}d(x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)`.
pub fn avg_pool(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let windows = Windows::read(call, &shape, None)?;
    let wide = accumulator(&element);
    let x = e.convert(x, &wide)?;
    let sum = window_sum(e, &windows, x)?;
    let y = match call.optional_number(6, "divisor_override")? {
        Some(divisor) => e.binary_number(Opcode::StablehloDivide, sum, divisor)?,
        None => {
            let counts = window_counts(e, &windows, &shape, call.flag(5, "count_include_pad", true)?, &wide)?;
            let counts = e.broadcast(counts, &call.shape(0)?)?;
            e.div(sum, counts)?
        }
    };
    Ok(vec![e.convert(y, &element)?])
}

fn window_sum(e: &mut Emit, windows: &Windows, x: ValueId) -> Out {
    let element = e.element(x)?;
    let zero = e.scalar(Number::Int(0), &element)?;
    Ok(windows.fold(e, &[x], &[zero], &mut |e, args| Ok(vec![e.add(args[0], args[1])?]))?[0])
}

/// How many elements each window has: product of a count a dimension.
fn window_counts(e: &mut Emit, windows: &Windows, shape: &[i64], with_padding: bool, element: &ElementType) -> Out {
    let spatial = windows.size.len();
    let extents = &shape[shape.len() - spatial..];
    let mut counts: Vec<f64> = vec![1.0];
    let mut result = Vec::new();
    for (at, extent) in extents.iter().copied().enumerate() {
        let low = windows.low[at];
        let room = extent + low + windows.high[at] - windows.size[at];
        let outputs = if room < 0 { 0 } else { room / windows.stride[at] + 1 };
        let own = (0..outputs).map(|output| {
            let start = output * windows.stride[at] - low;
            let (first, last) = if with_padding { (-low, extent + low) } else { (0, extent) };
            ((start + windows.size[at]).min(last) - start.max(first)).max(0) as f64
        });
        let own: Vec<f64> = own.collect();
        counts = counts.iter().flat_map(|count| own.iter().map(move |more| count * more)).collect();
        result.push(outputs);
    }
    let numbers: Vec<Number> = counts.into_iter().map(Number::Float).collect();
    e.numbers(&numbers, element, &result)
}

/// `adaptive_avg_pool{1,2,3}d(x, size)`: each output is the mean of the inputs that it overlaps, by a matrix a dimension.
pub fn adaptive_avg_pool(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let (x, output) = (call.tensor(0, "self")?, call.shape(0)?);
    let spatial = spatial_rank(call);
    let mut x = e.convert(x, &accumulator(&element))?;
    let rank = e.rank(x)?;
    if output.len() != rank {
        return Err(Refusal::from("its result has another number of dimensions than its operand"));
    }
    for (dim, outputs) in output.iter().copied().enumerate().skip(rank.saturating_sub(spatial)) {
        let inputs = e.shape(x)?[dim];
        let weight = |at: i64, from: i64| {
            let (start, end) = (at * inputs / outputs, ((at + 1) * inputs + outputs - 1) / outputs);
            if (start..end).contains(&from) { 1.0 / (end - start) as f64 } else { 0.0 }
        };
        x = super::resize::mix(e, x, dim, outputs, &weight)?;
    }
    Ok(vec![e.convert(x, &element)?])
}

/// `adaptive_max_pool{1,2,3}d(x, size)` where the windows are all of one size.
pub fn adaptive_max_pool(e: &mut Emit, call: &Call) -> Values {
    let (x, output) = (call.tensor(0, "self")?, call.shape(0)?);
    let shape = e.shape(x)?;
    let first = shape.len().saturating_sub(spatial_rank(call));
    if shape[first..].iter().zip(&output[first..]).any(|(from, to)| *to < 1 || from % to != 0) {
        return Err(Refusal(format!("windows from {shape:?} to {output:?} have different sizes")));
    }
    let size: Vec<i64> = (first..shape.len()).map(|at| shape[at] / output[at]).collect();
    let none = vec![0; size.len()];
    let windows = Windows { stride: size.clone(), low: none.clone(), high: none, dilation: vec![1; size.len()], size };
    let element = e.element(x)?;
    let init = e.scalar(lowest(&element), &element)?;
    let mut results = windows
        .fold(e, &[x], &[init], &mut |e, args| Ok(vec![e.binary(Opcode::StablehloMaximum, args[0], args[1])?]))?;
    if call.results.len() > 1 {
        results.push(max_places(e, x, &windows, init)?);
    }
    Ok(results)
}
