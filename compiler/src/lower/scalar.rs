//! What an elementwise operation computes on one element: from operations on tensors to the scalar language.
//!
//! The one place that knows it, for the maps of loop nests and for the regions of `reduce`, `sort` and their kin.

use pygraph_artifact::{
    dtype::{DType, Family},
    scalar::ScalarOp,
};

use super::body::{BodyBuilder, Register};
use crate::ir::{
    Attribute, Opcode, Operation,
    enums::{ComparisonDirection, ComparisonType, EnumAttr},
};

/// Appends what `operation` computes from `operands`, with a result of type `dtype`.
///
/// None if the operation does not work on elements alone, or has no meaning for these types.
pub fn append(body: &mut BodyBuilder, operation: &Operation, operands: &[Register], dtype: DType) -> Option<Register> {
    let register = match operation.opcode {
        Opcode::StablehloCompare => {
            let op = comparison(operation)?;
            check(body, op, operands, DType::I1)?;
            body.op(op, DType::I1, operands)
        }
        Opcode::StablehloClamp => {
            let [low, value, high] = operands else { return None };
            let raised = body.binary(ScalarOp::Max, *value, *low);
            body.binary(ScalarOp::Min, raised, *high)
        }
        Opcode::StablehloConvert => body.convert(*operands.first()?, dtype),
        Opcode::StablehloReducePrecision => {
            let immediate = |name| operation.attr(name).and_then(Attribute::as_i64);
            let immediates = vec![immediate("exponent_bits")?, immediate("mantissa_bits")?];
            body.op_with(ScalarOp::ReducePrecision, dtype, operands, immediates)
        }
        Opcode::StablehloReal | Opcode::StablehloImag if !body.dtype(*operands.first()?).is_complex() => {
            if operation.opcode == Opcode::StablehloReal { operands[0] } else { body.number(dtype, 0.0) }
        }
        Opcode::StablehloAbs if body.dtype(*operands.first()?).family() == Family::Unsigned => operands[0],
        Opcode::ChloIsInf | Opcode::ChloIsPosInf | Opcode::ChloIsNegInf => infinity_test(body, operation, operands)?,
        Opcode::ChloSquare => body.binary(ScalarOp::Mul, *operands.first()?, operands[0]),
        Opcode::ChloConj => conjugate(body, *operands.first()?),
        Opcode::ChloMulhi => {
            let [a, b] = operands else { return None };
            high_product(body, *a, *b)?
        }
        opcode => {
            let op = plain(opcode)?;
            check(body, op, operands, dtype)?;
            body.op(op, dtype, operands)
        }
    };
    (body.dtype(register) == dtype).then_some(register)
}

/// Operations that are one operation of the scalar language.
fn plain(opcode: Opcode) -> Option<ScalarOp> {
    Some(match opcode {
        Opcode::StablehloAbs => ScalarOp::Abs,
        Opcode::StablehloAdd => ScalarOp::Add,
        Opcode::StablehloAnd => ScalarOp::And,
        Opcode::StablehloAtan2 => ScalarOp::Atan2,
        Opcode::StablehloBitcastConvert => ScalarOp::Bitcast,
        Opcode::StablehloCbrt => ScalarOp::Cbrt,
        Opcode::StablehloCeil => ScalarOp::Ceil,
        Opcode::StablehloComplex => ScalarOp::Complex,
        Opcode::StablehloCosine => ScalarOp::Cos,
        Opcode::StablehloCountLeadingZeros => ScalarOp::Clz,
        Opcode::StablehloDivide => ScalarOp::Div,
        Opcode::StablehloExponential => ScalarOp::Exp,
        Opcode::StablehloExponentialMinusOne => ScalarOp::Expm1,
        Opcode::StablehloFloor => ScalarOp::Floor,
        Opcode::StablehloImag => ScalarOp::Imag,
        Opcode::StablehloIsFinite => ScalarOp::IsFinite,
        Opcode::StablehloLog => ScalarOp::Log,
        Opcode::StablehloLogPlusOne => ScalarOp::Log1p,
        Opcode::StablehloLogistic => ScalarOp::Logistic,
        Opcode::StablehloMaximum => ScalarOp::Max,
        Opcode::StablehloMinimum => ScalarOp::Min,
        Opcode::StablehloMultiply => ScalarOp::Mul,
        Opcode::StablehloNegate => ScalarOp::Neg,
        Opcode::StablehloNot => ScalarOp::Not,
        Opcode::StablehloOr => ScalarOp::Or,
        Opcode::StablehloPopcnt => ScalarOp::Popcnt,
        Opcode::StablehloPower => ScalarOp::Pow,
        Opcode::StablehloReal => ScalarOp::Real,
        Opcode::StablehloRemainder => ScalarOp::Rem,
        Opcode::StablehloRoundNearestAfz => ScalarOp::RoundAway,
        Opcode::StablehloRoundNearestEven => ScalarOp::RoundEven,
        Opcode::StablehloRsqrt => ScalarOp::Rsqrt,
        Opcode::StablehloSelect => ScalarOp::Select,
        Opcode::StablehloShiftLeft => ScalarOp::Shl,
        Opcode::StablehloShiftRightArithmetic => ScalarOp::ShrArith,
        Opcode::StablehloShiftRightLogical => ScalarOp::ShrLogical,
        Opcode::StablehloSign => ScalarOp::Sign,
        Opcode::StablehloSine => ScalarOp::Sin,
        Opcode::StablehloSqrt => ScalarOp::Sqrt,
        Opcode::StablehloSubtract => ScalarOp::Sub,
        Opcode::StablehloTan | Opcode::ChloTan => ScalarOp::Tan,
        Opcode::StablehloTanh => ScalarOp::Tanh,
        Opcode::StablehloXor => ScalarOp::Xor,
        Opcode::ChloAcos => ScalarOp::Acos,
        Opcode::ChloAcosh => ScalarOp::Acosh,
        Opcode::ChloAsin => ScalarOp::Asin,
        Opcode::ChloAsinh => ScalarOp::Asinh,
        Opcode::ChloAtan => ScalarOp::Atan,
        Opcode::ChloAtanh => ScalarOp::Atanh,
        Opcode::ChloBesselI1e => ScalarOp::BesselI1e,
        Opcode::ChloCosh => ScalarOp::Cosh,
        Opcode::ChloDigamma => ScalarOp::Digamma,
        Opcode::ChloErf => ScalarOp::Erf,
        Opcode::ChloErfInv => ScalarOp::ErfInv,
        Opcode::ChloErfc => ScalarOp::Erfc,
        Opcode::ChloLgamma => ScalarOp::Lgamma,
        Opcode::ChloNextAfter => ScalarOp::NextAfter,
        Opcode::ChloPolygamma => ScalarOp::Polygamma,
        Opcode::ChloSinh => ScalarOp::Sinh,
        Opcode::ChloZeta => ScalarOp::Zeta,
        _ => return None,
    })
}

fn check(body: &BodyBuilder, op: ScalarOp, operands: &[Register], dtype: DType) -> Option<()> {
    let types: Vec<DType> = operands.iter().map(|register| body.dtype(*register)).collect();
    op.accepts(&types, dtype).then_some(())
}

fn comparison(operation: &Operation) -> Option<ScalarOp> {
    let Some(Attribute::Enum(EnumAttr::ComparisonDirection(direction))) = operation.attr("comparison_direction") else {
        return None;
    };
    let total_order = Attribute::Enum(EnumAttr::ComparisonType(ComparisonType::TotalOrder));
    let is_total = operation.attr("compare_type") == Some(&total_order);
    Some(match (direction, is_total) {
        (ComparisonDirection::Eq, false) => ScalarOp::Eq,
        (ComparisonDirection::Ne, false) => ScalarOp::Ne,
        (ComparisonDirection::Ge, false) => ScalarOp::Ge,
        (ComparisonDirection::Gt, false) => ScalarOp::Gt,
        (ComparisonDirection::Le, false) => ScalarOp::Le,
        (ComparisonDirection::Lt, false) => ScalarOp::Lt,
        (ComparisonDirection::Eq, true) => ScalarOp::EqTotal,
        (ComparisonDirection::Ne, true) => ScalarOp::NeTotal,
        (ComparisonDirection::Ge, true) => ScalarOp::GeTotal,
        (ComparisonDirection::Gt, true) => ScalarOp::GtTotal,
        (ComparisonDirection::Le, true) => ScalarOp::LeTotal,
        (ComparisonDirection::Lt, true) => ScalarOp::LtTotal,
    })
}

fn infinity_test(body: &mut BodyBuilder, operation: &Operation, operands: &[Register]) -> Option<Register> {
    let value = *operands.first()?;
    let dtype = body.dtype(value);
    if !dtype.is_float() {
        return None;
    }
    let (tested, limit) = match operation.opcode {
        Opcode::ChloIsInf => (body.op(ScalarOp::Abs, dtype, &[value]), f64::INFINITY),
        Opcode::ChloIsPosInf => (value, f64::INFINITY),
        _ => (value, f64::NEG_INFINITY),
    };
    let limit = body.number(dtype, limit);
    Some(body.op(ScalarOp::Eq, DType::I1, &[tested, limit]))
}

fn conjugate(body: &mut BodyBuilder, value: Register) -> Register {
    let dtype = body.dtype(value);
    let Some(part) = dtype.complex_part() else { return value };
    let real = body.op(ScalarOp::Real, part, &[value]);
    let imaginary = body.op(ScalarOp::Imag, part, &[value]);
    let negated = body.op(ScalarOp::Neg, part, &[imaginary]);
    body.op(ScalarOp::Complex, dtype, &[real, negated])
}

/// The upper half of the double-width product of two integers.
fn high_product(body: &mut BodyBuilder, a: Register, b: Register) -> Option<Register> {
    let dtype = body.dtype(a);
    if !dtype.is_integer() {
        return None;
    }
    if dtype.bits() == 64 {
        return Some(high_product_of_words(body, a, b));
    }
    let (wide, shift) = match dtype.family() {
        Family::Signed => (DType::I64, ScalarOp::ShrArith),
        _ => (DType::U64, ScalarOp::ShrLogical),
    };
    let (a, b) = (body.convert(a, wide), body.convert(b, wide));
    let product = body.binary(ScalarOp::Mul, a, b);
    let width = body.number(wide, f64::from(dtype.bits()));
    let high = body.binary(shift, product, width);
    Some(body.convert(high, dtype))
}

/// The same for 64 bits, from products of halves (Warren, Hacker's Delight, 8-2).
fn high_product_of_words(body: &mut BodyBuilder, a: Register, b: Register) -> Register {
    let dtype = body.dtype(a);
    let unsigned = DType::U64;
    let (ua, ub) = (body.convert(a, unsigned), body.convert(b, unsigned));
    let half = body.number(unsigned, 32.0);
    let mask = body.constant(unsigned, 0xffff_ffff);
    let mut halves = |value| (body.binary(ScalarOp::And, value, mask), body.binary(ScalarOp::ShrLogical, value, half));
    let ((a_low, a_high), (b_low, b_high)) = (halves(ua), halves(ub));
    let mul = |body: &mut BodyBuilder, x, y| body.binary(ScalarOp::Mul, x, y);
    let add = |body: &mut BodyBuilder, x, y| body.binary(ScalarOp::Add, x, y);
    let low = mul(body, a_low, b_low);
    let low_high = body.binary(ScalarOp::ShrLogical, low, half);
    let first = mul(body, a_high, b_low);
    let first = add(body, first, low_high);
    let first_low = body.binary(ScalarOp::And, first, mask);
    let first_high = body.binary(ScalarOp::ShrLogical, first, half);
    let second = mul(body, a_low, b_high);
    let second = add(body, second, first_low);
    let second_high = body.binary(ScalarOp::ShrLogical, second, half);
    let high = mul(body, a_high, b_high);
    let high = add(body, high, first_high);
    let high = add(body, high, second_high);
    let high = body.convert(high, dtype);
    if dtype == unsigned {
        return high;
    }
    // As unsigned numbers, a negative operand is 2^64 too large.
    let zero = body.number(dtype, 0.0);
    let mut excess = |high, sign, other| {
        let is_negative = body.op(ScalarOp::Lt, DType::I1, &[sign, zero]);
        let amount = body.op(ScalarOp::Select, dtype, &[is_negative, other, zero]);
        body.binary(ScalarOp::Sub, high, amount)
    };
    let high = excess(high, a, b);
    excess(high, b, a)
}
