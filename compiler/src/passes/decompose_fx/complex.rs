//! Complex numbers and Fourier transforms.

use super::{call::Call, table::Values};
use crate::{
    ir::{
        Attribute, ElementType, Opcode, ValueId,
        enums::{EnumAttr, FftType},
        types::FloatKind,
    },
    passes::emit::{Emit, Number, Out, Refusal, tensor_type},
};

/// The float type of the parts of a complex type.
fn part_of(element: &ElementType) -> Result<ElementType, Refusal> {
    match element {
        ElementType::Complex(part) => Ok(ElementType::Float(*part)),
        _ => Err(Refusal::from("its operand is not complex")),
    }
}

fn part(e: &mut Emit, x: ValueId, opcode: Opcode) -> Out {
    let ty = tensor_type(&e.shape(x)?, &part_of(&e.element(x)?)?);
    Ok(e.op(opcode, &[x], ty, &[]))
}

fn join(e: &mut Emit, real: ValueId, imaginary: ValueId) -> Out {
    let ElementType::Float(kind @ (FloatKind::F32 | FloatKind::F64)) = e.element(real)? else {
        return Err(Refusal::from("parts of a complex number are f32 or f64"));
    };
    let ty = tensor_type(&e.shape(real)?, &ElementType::Complex(kind));
    Ok(e.op(Opcode::StablehloComplex, &[real, imaginary], ty, &[]))
}

/// `real`.
pub fn real(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let is_complex = matches!(e.element(x)?, ElementType::Complex(_));
    Ok(vec![if is_complex { part(e, x, Opcode::StablehloReal)? } else { x }])
}

/// `imag`.
pub fn imaginary(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    Ok(vec![part(e, x, Opcode::StablehloImag)?])
}

/// `complex(real, imag)`.
pub fn complex(e: &mut Emit, call: &Call) -> Values {
    let (real, imaginary) = (call.tensor(0, "real")?, call.tensor(1, "imag")?);
    let shape = call.shape(0)?;
    let (real, imaginary) = (e.broadcast(real, &shape)?, e.broadcast(imaginary, &shape)?);
    Ok(vec![join(e, real, imaginary)?])
}

/// `polar(magnitude, angle)`.
pub fn polar(e: &mut Emit, call: &Call) -> Values {
    let (magnitude, angle) = (call.tensor(0, "abs")?, call.tensor(1, "angle")?);
    let shape = call.shape(0)?;
    let (magnitude, angle) = (e.broadcast(magnitude, &shape)?, e.broadcast(angle, &shape)?);
    let cosine = e.unary(Opcode::StablehloCosine, angle);
    let sine = e.unary(Opcode::StablehloSine, angle);
    let (real, imaginary) = (e.mul(magnitude, cosine)?, e.mul(magnitude, sine)?);
    Ok(vec![join(e, real, imaginary)?])
}

/// `angle` of a complex number.
pub fn angle(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let (real, imaginary) = (part(e, x, Opcode::StablehloReal)?, part(e, x, Opcode::StablehloImag)?);
    Ok(vec![e.binary(Opcode::StablehloAtan2, imaginary, real)?])
}

/// `view_as_real`: both parts in a new last dimension.
pub fn view_as_real(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = [&e.shape(x)?[..], &[1]].concat();
    let (real, imaginary) = (part(e, x, Opcode::StablehloReal)?, part(e, x, Opcode::StablehloImag)?);
    let (real, imaginary) = (e.reshape(real, &shape)?, e.reshape(imaginary, &shape)?);
    Ok(vec![e.concatenate(&[real, imaginary], shape.len() - 1)?])
}

/// `view_as_complex`: the last dimension holds both parts.
pub fn view_as_complex(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = call.shape(0)?;
    let last = shape.len();
    let (real, imaginary) = (e.slice_dim(x, last, 0, 1, 1)?, e.slice_dim(x, last, 1, 2, 1)?);
    let (real, imaginary) = (e.reshape(real, &shape)?, e.reshape(imaginary, &shape)?);
    Ok(vec![join(e, real, imaginary)?])
}

/// A transform of the last dimension.
fn transform(e: &mut Emit, x: ValueId, kind: FftType, length: i64) -> Out {
    let mut shape = e.shape(x)?;
    let element = e.element(x)?;
    let last = shape.len().checked_sub(1).ok_or_else(|| Refusal::from("its operand has no dimension"))?;
    let element = match (kind, element) {
        (FftType::Rfft, ElementType::Float(kind)) => {
            shape[last] = length / 2 + 1;
            ElementType::Complex(kind)
        }
        (FftType::Irfft, element) => {
            shape[last] = length;
            part_of(&element)?
        }
        (_, element) => element,
    };
    let attrs = [
        ("fft_type", Attribute::Enum(EnumAttr::FftType(kind))),
        ("fft_length", Attribute::i64_array([length])),
    ];
    Ok(e.op(Opcode::StablehloFft, &[x], tensor_type(&shape, &element), &attrs))
}

/// A transform of one dimension, put last for it.
fn transform_dim(e: &mut Emit, x: ValueId, dim: i64, kind: FftType, length: i64) -> Out {
    let last = e.rank(x)? as i64 - 1;
    if !(0..=last).contains(&dim) {
        return Err(Refusal(format!("there is no dimension {dim}")));
    }
    let mut order: Vec<i64> = (0..=last).collect();
    order.swap(dim as usize, last as usize);
    let moved = e.transpose(x, &order)?;
    let y = transform(e, moved, kind, length)?;
    e.transpose(y, &order)
}

/// Numbers divided as normalisation 1 (square root of the count) or 2 (the count) says; 0 leaves them.
fn normalized(e: &mut Emit, x: ValueId, normalization: i64, count: i64) -> Out {
    let factor = match normalization {
        0 => return Ok(x),
        1 => 1.0 / (count as f64).sqrt(),
        _ => 1.0 / count as f64,
    };
    e.binary_number(Opcode::StablehloMultiply, x, Number::Float(factor))
}

/// `_fft_r2c(x, dims, normalization, onesided)`.
pub fn fft_r2c(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dims = call.dims(1, "dim", shape.len())?;
    if !call.flag(3, "onesided", true)? {
        return Err(Refusal::from("only the one-sided transform is supported"));
    }
    let given = call.ints(1, "dim")?;
    if shape.is_empty() {
        return Err(Refusal::from("its operand has no dimension"));
    }
    let half = super::call::wrap_dim(*given.last().unwrap_or(&-1), shape.len())? as i64;
    let mut y = transform_dim(e, x, half, FftType::Rfft, shape[half as usize])?;
    for dim in dims.iter().filter(|dim| **dim != half) {
        y = transform_dim(e, y, *dim, FftType::Fft, shape[*dim as usize])?;
    }
    let count = dims.iter().map(|dim| shape[*dim as usize]).product();
    Ok(vec![normalized(e, y, call.int(2, "normalization", 0)?, count)?])
}

/// `_fft_c2c(x, dims, normalization, forward)`.
pub fn fft_c2c(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let shape = e.shape(x)?;
    let dims = call.dims(1, "dim", shape.len())?;
    let forward = call.flag(3, "forward", true)?;
    let count: i64 = dims.iter().map(|dim| shape[*dim as usize]).product();
    let mut y = x;
    for dim in dims {
        y = transform_dim(e, y, dim, if forward { FftType::Fft } else { FftType::Ifft }, shape[dim as usize])?;
    }
    if !forward {
        // StableHLO divides an inverse transform by the count.
        y = e.binary_number(Opcode::StablehloMultiply, y, Number::Int(count))?;
    }
    Ok(vec![normalized(e, y, call.int(2, "normalization", 0)?, count)?])
}

/// `_fft_c2r(x, dims, normalization, last_size)` of one dimension.
pub fn fft_c2r(e: &mut Emit, call: &Call) -> Values {
    let x = call.tensor(0, "self")?;
    let length = call.int(3, "last_dim_size", 1)?;
    let [dim] = call.dims(1, "dim", e.rank(x)?)?[..] else {
        return Err(Refusal::from("only a transform of one dimension is supported"));
    };
    let y = transform_dim(e, x, dim, FftType::Irfft, length)?;
    let y = e.binary_number(Opcode::StablehloMultiply, y, Number::Int(length))?;
    Ok(vec![normalized(e, y, call.int(2, "normalization", 0)?, length)?])
}
