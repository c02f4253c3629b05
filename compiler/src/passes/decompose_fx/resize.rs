//! Tensors made larger or smaller: by repeating elements, by mixing neighbours, by reflecting at the border.

use super::{
    call::{Arg, Call},
    index::take,
    promote::accumulator,
    rearrange::pad_amounts,
    table::Values,
};
use crate::{
    ir::{ElementType, Opcode, ValueId, attribute::DotDimensions, enums::ComparisonDirection},
    passes::emit::{Emit, Number, Out, Refusal},
};

/// The value with one dimension replaced by sums of it: output `at` takes `weight(at, from)` of input `from`.
pub fn mix(e: &mut Emit, x: ValueId, dim: usize, outputs: i64, weight: &dyn Fn(i64, i64) -> f64) -> Out {
    const WEIGHTS_MAX: i64 = 1 << 24;
    let shape = e.shape(x)?;
    let inputs = shape[dim];
    if outputs < 1 || inputs < 1 || inputs.saturating_mul(outputs) > WEIGHTS_MAX {
        return Err(Refusal(format!("{inputs} elements do not become {outputs}")));
    }
    let numbers: Vec<Number> = (0..outputs)
        .flat_map(|at| (0..inputs).map(move |from| (at, from)))
        .map(|(at, from)| Number::Float(weight(at, from)))
        .collect();
    let element = e.element(x)?;
    let matrix = e.numbers(&numbers, &element, &[outputs, inputs])?;
    let dims =
        DotDimensions { lhs_contracting: vec![dim as i64], rhs_contracting: vec![1], ..DotDimensions::default() };
    let mixed = e.dot(x, matrix, dims, &element)?;
    // The new dimension is last; put it where the old one was.
    let last = shape.len() as i64 - 1;
    let mut order: Vec<i64> = (0..last).collect();
    order.insert(dim, last);
    e.transpose(mixed, &order)
}

fn check_rank(e: &Emit, x: ValueId, output: &[i64]) -> Result<(), Refusal> {
    if e.rank(x)? == output.len() && !e.shape(x)?.contains(&0) {
        return Ok(());
    }
    Err(Refusal(format!("shape {:?} does not become {output:?}", e.shape(x)?)))
}

/// The scale of a dimension: the caller's factor, else the ratio of the extents.
fn scale(factors: &[f64], at: usize, input: i64, output: i64) -> f64 {
    match factors.get(at) {
        Some(factor) if *factor > 0.0 => 1.0 / factor,
        _ => input as f64 / output as f64,
    }
}

/// The factors of an overload: `vec` has a list, the default one number a dimension.
fn factors(call: &Call, first: usize) -> Result<Vec<f64>, Refusal> {
    if !call.target.ends_with(".vec") {
        return (first..call.args.len()).map(|at| call.float(at, "scales", 0.0)).collect();
    }
    match call.arg(first, "scale_factors") {
        Arg::List(list) => list
            .iter()
            .map(|arg| match arg {
                Arg::Number(number) => Ok(number.as_f64()),
                _ => Err(Refusal::from("the factors should be numbers")),
            })
            .collect(),
        _ => Ok(Vec::new()),
    }
}

/// `upsample_nearest{1,2,3}d(x, size, scales…)` and `_upsample_nearest_exact{1,2,3}d`.
pub fn upsample_nearest(e: &mut Emit, call: &Call) -> Values {
    let mut x = call.tensor(0, "input")?;
    let output = call.shape(0)?;
    let factors = factors(call, 2)?;
    check_rank(e, x, &output)?;
    let offset = if call.target.contains("exact") { 0.5 } else { 0.0 };
    for (at, dim) in (2..output.len()).enumerate() {
        let input = e.shape(x)?[dim];
        // In f32, as PyTorch computes it.
        let scale = scale(&factors, at, input, output[dim]) as f32;
        let positions: Vec<i64> =
            (0..output[dim]).map(|to| ((((to as f32) + offset) * scale).floor() as i64).clamp(0, input - 1)).collect();
        x = take(e, x, dim, &positions)?;
    }
    Ok(vec![x])
}

/// `upsample_linear1d`, `upsample_bilinear2d`, `upsample_trilinear3d`, `upsample_bicubic2d`
/// `(x, size, align_corners, scales…)`: a matrix a dimension.
pub fn upsample_mixing(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let (x, output) = (call.tensor(0, "input")?, call.shape(0)?);
    let aligned = call.flag(2, "align_corners", false)?;
    let factors = factors(call, 3)?;
    check_rank(e, x, &output)?;
    let cubic = call.target.contains("bicubic");
    let mut x = e.convert(x, &accumulator(&element))?;
    for (at, dim) in (2..output.len()).enumerate() {
        let (inputs, outputs) = (e.shape(x)?[dim], output[dim]);
        if inputs == outputs && factors.get(at).is_none_or(|factor| *factor == 1.0 || *factor == 0.0) {
            continue;
        }
        let step = match aligned {
            true if outputs > 1 => (inputs - 1) as f64 / (outputs - 1) as f64,
            true => 0.0,
            false => scale(&factors, at, inputs, outputs),
        };
        let place = move |to: i64| if aligned { step * to as f64 } else { step * (to as f64 + 0.5) - 0.5 };
        x = if cubic {
            mix(e, x, dim, outputs, &|to, from| cubic_weight(place(to), from, inputs))?
        } else {
            mix(e, x, dim, outputs, &|to, from| linear_weight(place(to).max(0.0), from, inputs))?
        };
    }
    Ok(vec![e.convert(x, &element)?])
}

fn linear_weight(place: f64, from: i64, inputs: i64) -> f64 {
    let low = (place.floor() as i64).min(inputs - 1);
    let high = (low + 1).min(inputs - 1);
    let part = (place - low as f64).clamp(0.0, 1.0);
    let share = |at: i64, weight: f64| if at == from { weight } else { 0.0 };
    share(low, 1.0 - part) + share(high, part)
}

/// Keys' cubic convolution with A = -0.75; places beyond the border count as the border.
fn cubic_weight(place: f64, from: i64, inputs: i64) -> f64 {
    const A: f64 = -0.75;
    let low = place.floor();
    let near = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let part = place - low;
    let weights = [far(part + 1.0), near(part), near(1.0 - part), far(2.0 - part)];
    (0..4).filter(|at| (low as i64 - 1 + at).clamp(0, inputs - 1) == from).map(|at| weights[at as usize]).sum()
}

/// `reflection_pad{1,2,3}d`, `replication_pad{1,2,3}d`, `pad` of mode `reflect`, `replicate` or `circular`.
pub fn pad_by_index(e: &mut Emit, call: &Call) -> Values {
    let mut x = call.tensor(0, "self")?;
    let mode = match call.text(2, "mode") {
        Some(mode) => mode,
        None if call.target.contains("reflection") => "reflect",
        None => "replicate",
    };
    let (low, high) = pad_amounts(call, e.rank(x)?)?;
    for dim in 0..low.len() {
        if low[dim] == 0 && high[dim] == 0 {
            continue;
        }
        let extent = e.shape(x)?[dim];
        let fits = match mode {
            "reflect" => low[dim].max(high[dim]) < extent,
            "circular" => low[dim].max(high[dim]) <= extent,
            _ => extent > 0,
        };
        if !fits {
            return Err(Refusal(format!(
                "padding of {} and {} is too large for {extent} elements",
                low[dim], high[dim]
            )));
        }
        let source = |at: i64| match mode {
            "reflect" if at < 0 => -at,
            "reflect" if at >= extent => 2 * (extent - 1) - at,
            "circular" => at.rem_euclid(extent),
            _ => at.clamp(0, extent - 1),
        };
        let positions: Vec<i64> = (-low[dim]..extent.saturating_add(high[dim])).map(source).collect();
        x = take(e, x, dim, &positions)?;
    }
    Ok(vec![x])
}

/// `grid_sampler_2d(x, grid, interpolation, padding, align_corners)`: each output is read at a place of the image that
/// the grid gives, from -1 to 1; interpolation 0 bilinear, 1 nearest; padding 0 zeros, 1 border.
pub fn grid_sampler(e: &mut Emit, call: &Call) -> Values {
    let element = call.element(0)?;
    let (x, grid) = (call.tensor(0, "input")?, call.tensor(1, "grid")?);
    let (mode, padding) = (call.int(2, "interpolation_mode", 0)?, call.int(3, "padding_mode", 0)?);
    let aligned = call.flag(4, "align_corners", false)?;
    let (image, places) = (e.shape(x)?, e.shape(grid)?);
    let ([batch, channels, height, width], [_, rows, columns, 2]) = (&image[..], &places[..]) else {
        return Err(Refusal::from("only images of two dimensions are supported"));
    };
    if !(0..=1).contains(&mode) || !(0..=1).contains(&padding) {
        return Err(Refusal::from("only bilinear and nearest interpolation with zeros or the border around are supported"));
    }
    let wide = accumulator(&element);
    let (x, grid) = (e.convert(x, &wide)?, e.convert(grid, &wide)?);
    let own = [*batch, *rows, *columns];
    let mut axes = Vec::new();
    for (at, extent) in [(1, *height), (0, *width)] {
        let part = e.slice_dim(grid, 3, at, at + 1, 1)?;
        let part = e.reshape(part, &own)?;
        let moved = e.binary_number(Opcode::StablehloAdd, part, Number::Int(1))?;
        let scale = if aligned { (extent - 1) as f64 / 2.0 } else { extent as f64 / 2.0 };
        let scaled = e.binary_number(Opcode::StablehloMultiply, moved, Number::Float(scale))?;
        let mut place = e.binary_number(Opcode::StablehloAdd, scaled, Number::Float(if aligned { 0.0 } else { -0.5 }))?;
        if padding == 1 {
            place = e.binary_number(Opcode::StablehloMaximum, place, Number::Int(0))?;
            place = e.binary_number(Opcode::StablehloMinimum, place, Number::Int(extent - 1))?;
        }
        axes.push(corners(e, place, extent, mode == 1)?);
    }
    let mut sum = e.splat(Number::Int(0), &wide, &[*batch, *rows, *columns, *channels])?;
    let batches = e.iota(&own, &ElementType::I64, 0);
    let last = e.transpose(x, &[0, 2, 3, 1])?;
    for (row, row_weight) in &axes[0] {
        for (column, column_weight) in &axes[1] {
            let read = super::index::at_positions(e, last, &[batches, *row, *column])?;
            let weight = e.mul(*row_weight, *column_weight)?;
            let shape = e.shape(read)?;
            let weight = e.broadcast_in_dim(weight, &shape, &[0, 1, 2])?;
            let term = e.mul(read, weight)?;
            sum = e.add(sum, term)?;
        }
    }
    let y = e.transpose(sum, &[0, 3, 1, 2])?;
    Ok(vec![e.convert(y, &element)?])
}

/// The whole positions next to a place (one if the nearest is asked for), and their weights: 0 outside of the image.
fn corners(e: &mut Emit, place: ValueId, extent: i64, nearest: bool) -> Result<Vec<(ValueId, ValueId)>, Refusal> {
    let element = e.element(place)?;
    let mut found = Vec::new();
    let low = e.unary(if nearest { Opcode::StablehloRoundNearestEven } else { Opcode::StablehloFloor }, place);
    let part = e.sub(place, low)?;
    for at in 0..if nearest { 1 } else { 2 } {
        let position = e.binary_number(Opcode::StablehloAdd, low, Number::Int(at))?;
        let shape = e.shape(place)?;
        let one = e.splat(Number::Int(1), &element, &shape)?;
        let weight = match (nearest, at) {
            (true, _) => one,
            (false, 0) => e.sub(one, part)?,
            _ => part,
        };
        let above = e.compare_number(ComparisonDirection::Ge, position, Number::Int(0))?;
        let below = e.compare_number(ComparisonDirection::Lt, position, Number::Int(extent))?;
        let inside = e.binary(Opcode::StablehloAnd, above, below)?;
        let zero = e.splat(Number::Int(0), &element, &shape)?;
        let weight = e.select(inside, weight, zero)?;
        let position = e.select(inside, position, zero)?;
        found.push((e.convert(position, &ElementType::I64)?, weight));
    }
    Ok(found)
}
