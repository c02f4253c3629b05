//! The scalar language as operations of MLIR, on one lane or many.
//!
//! Each operation computes what the interpreter's function of the same name computes, bit for bit; only which NaN comes out
//! is nobody's promise. Half floats are held as their bits and computed in `f32`, as there.

use std::collections::HashMap;

use melior::ir::{Attribute, ValueLike};
use pygraph_artifact::{
    dtype::{DType, Family},
    scalar::{ScalarBody, ScalarInst, ScalarOp, Signature},
};
use pygraph_kernels::scalar::is_f64_function;

use crate::builder::{Builder, Kind, V};

/// The most instructions of a body for which code is generated: more take long to compile and gain nothing.
const INSTRUCTIONS_MAX: usize = 4096;

/// How a register of that type is held; none if code for it is not generated.
pub fn kind_of(dtype: DType) -> Option<Kind> {
    Some(match dtype {
        DType::I1 => Kind::I1,
        DType::I2 | DType::I4 | DType::I8 | DType::U2 | DType::U4 | DType::U8 => Kind::I8,
        DType::I16 | DType::U16 | DType::Bf16 | DType::F16 => Kind::I16,
        DType::I32 | DType::U32 => Kind::I32,
        DType::I64 | DType::U64 => Kind::I64,
        DType::F32 => Kind::F32,
        DType::F64 => Kind::F64,
        DType::C64 | DType::C128 => return None,
        _ => return None,
    })
}

/// Says why no code is generated for a body, if none is.
pub fn refuse(body: &ScalarBody) -> Option<String> {
    if body.instructions.len() > INSTRUCTIONS_MAX {
        return Some(format!("its body has {} operations, more than {INSTRUCTIONS_MAX}", body.instructions.len()));
    }
    let types = body.register_types().expect("a body should be well typed");
    if let Some(dtype) = types.iter().find(|dtype| kind_of(**dtype).is_none()) {
        return Some(format!("it computes with {dtype}"));
    }
    body.instructions.iter().find_map(|instruction| {
        let ScalarInst::Op { op, operands, .. } = instruction else { return None };
        let value = types[*operands.last()? as usize];
        let is_unsupported = match op {
            ScalarOp::NextAfter => true,
            ScalarOp::Pow => value.is_integer(),
            _ => false,
        };
        is_unsupported.then(|| format!("it computes `{}` on {value}", op.name()))
    })
}

/// The functions on `f64` that a body calls.
pub fn imports(body: &ScalarBody) -> Vec<ScalarOp> {
    let types = body.register_types().expect("a body should be well typed");
    let import = |instruction: &ScalarInst| match instruction {
        ScalarInst::Op { op: ScalarOp::Logistic, .. } => Some(ScalarOp::Exp),
        ScalarInst::Op { op: ScalarOp::Rsqrt, .. } => None,
        ScalarInst::Op { op, operands, .. } => {
            let value = types[*operands.last()? as usize];
            (value.is_float() && is_f64_function(*op)).then_some(*op)
        }
        _ => None,
    };
    body.instructions.iter().filter_map(import).collect()
}

/// Emits operations on so many lanes.
#[derive(Clone, Copy)]
pub struct Scalar<'b, 'c> {
    pub b: &'b Builder<'c>,
    pub lanes: u64,
    /// Addresses of the functions that bodies call.
    pub imports: &'b HashMap<ScalarOp, V<'c>>,
}

impl<'c> Scalar<'_, 'c> {
    /// The results of a body. `inputs` are its inputs; `position` gives the position along a dimension.
    pub fn body(&self, body: &ScalarBody, inputs: &[V<'c>], mut position: impl FnMut(u32) -> V<'c>) -> Vec<V<'c>> {
        let types = body.register_types().expect("a body should be well typed");
        let mut registers = inputs.to_vec();
        for instruction in &body.instructions {
            let dtype = types[registers.len()];
            let value = match instruction {
                ScalarInst::Constant { bits, .. } => self.literal(dtype, *bits),
                ScalarInst::Index { dimension } => position(*dimension),
                ScalarInst::Op { op, operands, immediates, .. } => {
                    let values: Vec<V<'c>> = operands.iter().map(|register| registers[*register as usize]).collect();
                    let operand = types[*operands.last().expect("an operation should have operands") as usize];
                    self.op(*op, operand, dtype, &values, immediates)
                }
            };
            registers.push(value);
        }
        body.outputs.iter().map(|register| registers[*register as usize]).collect()
    }

    fn literal(&self, dtype: DType, bits: u128) -> V<'c> {
        let kind = kind_of(dtype).expect("a type should be supported");
        match kind {
            Kind::F32 => self.cast("arith.bitcast", self.int(Kind::I32, i64::from(bits as u32 as i32)), kind),
            Kind::F64 => self.cast("arith.bitcast", self.int(Kind::I64, bits as u64 as i64), kind),
            Kind::I1 => self.int(kind, i64::from(bits as u8 != 0)),
            Kind::I8 => self.int(kind, i64::from(bits as u8 as i8)),
            Kind::I16 => self.int(kind, i64::from(bits as u16 as i16)),
            Kind::I32 => self.int(kind, i64::from(bits as u32 as i32)),
            Kind::I64 => self.int(kind, bits as u64 as i64),
        }
    }

    /// One operation; `dtype` is the type of its last operand.
    fn op(&self, op: ScalarOp, dtype: DType, result: DType, operands: &[V<'c>], immediates: &[i64]) -> V<'c> {
        let a = operands[0];
        match op {
            ScalarOp::Convert => return self.convert(dtype, result, a),
            ScalarOp::Bitcast => {
                let (from, to) = (kind_of(dtype), kind_of(result).expect("a type should be supported"));
                let value = if from == Some(to) { a } else { self.cast("arith.bitcast", a, to) };
                return self.wrap(result, value);
            }
            ScalarOp::Select => return self.b.op1("arith.select", operands, operands[1].r#type(), &[]),
            ScalarOp::Abs if dtype.family() == Family::Unsigned => return a,
            _ => {}
        }
        if op.signature() == Signature::Predicate {
            return self.compare(op, dtype, operands);
        }
        match dtype.family() {
            Family::Bool => self.boolean(op, operands),
            Family::Signed | Family::Unsigned => self.wrap(result, self.integer(op, dtype, operands)),
            _ => self.float(op, dtype, operands, immediates),
        }
    }

    // --- small operations ---

    fn int(&self, kind: Kind, value: i64) -> V<'c> {
        self.b.constant(kind, self.lanes, self.b.integer(kind, value))
    }

    /// A float constant.
    pub fn real(&self, kind: Kind, value: f64) -> V<'c> {
        self.b.constant(kind, self.lanes, self.b.float(kind, value))
    }

    fn cast(&self, name: &str, value: V<'c>, to: Kind) -> V<'c> {
        self.b.op1(name, &[value], self.b.ty(to, self.lanes), &[])
    }

    fn two(&self, name: &str, a: V<'c>, b: V<'c>) -> V<'c> {
        self.b.same(name, &[a, b])
    }

    fn select(&self, condition: V<'c>, yes: V<'c>, no: V<'c>) -> V<'c> {
        self.b.op1("arith.select", &[condition, yes, no], yes.r#type(), &[])
    }

    fn predicate(&self, name: &str, number: i64, a: V<'c>, b: V<'c>) -> V<'c> {
        let attribute: Attribute<'c> = self.b.integer(Kind::I64, number);
        self.b.op1(name, &[a, b], self.b.ty(Kind::I1, self.lanes), &[("predicate", attribute)])
    }

    fn icmp(&self, predicate: Icmp, a: V<'c>, b: V<'c>) -> V<'c> {
        self.predicate("arith.cmpi", predicate as i64, a, b)
    }

    fn fcmp(&self, predicate: Fcmp, a: V<'c>, b: V<'c>) -> V<'c> {
        self.predicate("arith.cmpf", predicate as i64, a, b)
    }

    // --- truth values and integers ---

    fn boolean(&self, op: ScalarOp, operands: &[V<'c>]) -> V<'c> {
        match op {
            ScalarOp::Add | ScalarOp::Or | ScalarOp::Max => self.b.same("arith.ori", operands),
            ScalarOp::Mul | ScalarOp::And | ScalarOp::Min => self.b.same("arith.andi", operands),
            ScalarOp::Xor => self.b.same("arith.xori", operands),
            ScalarOp::Not => self.two("arith.xori", operands[0], self.int(Kind::I1, 1)),
            other => unreachable!("`{}` should not be accepted on truth values", other.name()),
        }
    }

    /// Keeps the bits of a two- or four-bit integer, extended as its type says.
    fn wrap(&self, dtype: DType, value: V<'c>) -> V<'c> {
        if !dtype.is_integer() || dtype.bits() == 8 * dtype.size_bytes() as u32 {
            return value;
        }
        let unused = i64::from(8 - dtype.bits());
        if dtype.family() == Family::Signed {
            let high = self.two("arith.shli", value, self.int(Kind::I8, unused));
            self.two("arith.shrsi", high, self.int(Kind::I8, unused))
        } else {
            self.two("arith.andi", value, self.int(Kind::I8, 0xff >> unused))
        }
    }

    fn integer(&self, op: ScalarOp, dtype: DType, operands: &[V<'c>]) -> V<'c> {
        let kind = kind_of(dtype).expect("a type should be supported");
        let is_signed = dtype.family() == Family::Signed;
        let (a, bits) = (operands[0], i64::from(kind.bits()));
        let int = |value| self.int(kind, value);
        let by_sign = |signed, unsigned| self.b.same(if is_signed { signed } else { unsigned }, operands);
        let of_width = || {
            let unused = bits - i64::from(dtype.bits());
            if unused == 0 { a } else { self.two("arith.andi", a, int(0xff >> unused)) }
        };
        let shift = |name: &str, value: V<'c>| {
            let count = operands[1];
            let shifted = self.two(name, value, self.two("arith.minui", count, int(bits - 1)));
            self.select(self.icmp(Icmp::Uge, count, int(bits)), int(0), shifted)
        };
        match op {
            ScalarOp::Add => self.b.same("arith.addi", operands),
            ScalarOp::Sub => self.b.same("arith.subi", operands),
            ScalarOp::Mul => self.b.same("arith.muli", operands),
            ScalarOp::Div | ScalarOp::Rem => self.divide(op, kind, is_signed, a, operands[1]),
            ScalarOp::Max => by_sign("arith.maxsi", "arith.maxui"),
            ScalarOp::Min => by_sign("arith.minsi", "arith.minui"),
            ScalarOp::Neg => self.two("arith.subi", int(0), a),
            ScalarOp::Abs => self.select(self.icmp(Icmp::Slt, a, int(0)), self.two("arith.subi", int(0), a), a),
            ScalarOp::Sign => {
                let positive = self.cast_if(self.icmp(Icmp::Sgt, a, int(0)), kind);
                self.select(self.icmp(Icmp::Slt, a, int(0)), int(-1), positive)
            }
            ScalarOp::And => self.b.same("arith.andi", operands),
            ScalarOp::Or => self.b.same("arith.ori", operands),
            ScalarOp::Xor => self.b.same("arith.xori", operands),
            ScalarOp::Not => self.two("arith.xori", a, int(-1)),
            ScalarOp::Shl => shift("arith.shli", a),
            ScalarOp::ShrLogical => shift("arith.shrui", of_width()),
            ScalarOp::ShrArith => self.two("arith.shrsi", a, self.two("arith.minui", operands[1], int(bits - 1))),
            ScalarOp::Popcnt => self.b.same("math.ctpop", &[of_width()]),
            ScalarOp::Clz => {
                self.two("arith.subi", self.b.same("math.ctlz", &[of_width()]), int(bits - i64::from(dtype.bits())))
            }
            other => unreachable!("`{}` should have been refused on integers", other.name()),
        }
    }

    /// A truth value as 0 or 1.
    fn cast_if(&self, value: V<'c>, kind: Kind) -> V<'c> {
        if kind == Kind::I1 { value } else { self.cast("arith.extui", value, kind) }
    }

    fn divide(&self, op: ScalarOp, kind: Kind, is_signed: bool, a: V<'c>, b: V<'c>) -> V<'c> {
        let int = |value| self.int(kind, value);
        let is_zero = self.icmp(Icmp::Eq, b, int(0));
        let is_minus_one = self.icmp(Icmp::Eq, b, int(-1));
        let unsafe_divisor = if is_signed { self.two("arith.ori", is_zero, is_minus_one) } else { is_zero };
        let divisor = self.select(unsafe_divisor, int(1), b);
        let (name, by_minus_one, by_zero) = match (op, is_signed) {
            (ScalarOp::Div, true) => ("arith.divsi", self.two("arith.subi", int(0), a), int(-1)),
            (ScalarOp::Div, false) => ("arith.divui", a, int(-1)),
            (_, true) => ("arith.remsi", int(0), a),
            (_, false) => ("arith.remui", a, a),
        };
        let result = self.two(name, a, divisor);
        let result = if is_signed { self.select(is_minus_one, by_minus_one, result) } else { result };
        self.select(is_zero, by_zero, result)
    }

    fn compare(&self, op: ScalarOp, dtype: DType, operands: &[V<'c>]) -> V<'c> {
        let is_signed = dtype.family() == Family::Signed;
        if !dtype.is_float() {
            return self.icmp(Icmp::of(op, is_signed), operands[0], operands[1]);
        }
        if op == ScalarOp::IsFinite {
            let (value, kind) = (self.up(dtype, operands[0]), arith_kind(dtype));
            return self.fcmp(Fcmp::Olt, self.b.same("math.absf", &[value]), self.real(kind, f64::INFINITY));
        }
        match Fcmp::of(op) {
            Some(predicate) => self.fcmp(predicate, self.up(dtype, operands[0]), self.up(dtype, operands[1])),
            None => {
                let keys: Vec<V<'c>> = operands.iter().map(|value| self.total_key(dtype, *value)).collect();
                self.icmp(Icmp::of(op, true), keys[0], keys[1])
            }
        }
    }

    /// Larger is larger in the total order.
    fn total_key(&self, dtype: DType, value: V<'c>) -> V<'c> {
        let kind = bits_kind(dtype);
        let bits = self.bits(dtype, value);
        let sign = self.two("arith.shrsi", bits, self.int(kind, i64::from(kind.bits()) - 1));
        self.two("arith.xori", bits, self.two("arith.shrui", sign, self.int(kind, 1)))
    }

    // --- floats ---

    /// The element's bits.
    fn bits(&self, dtype: DType, value: V<'c>) -> V<'c> {
        match dtype {
            DType::F32 | DType::F64 => self.cast("arith.bitcast", value, bits_kind(dtype)),
            _ => value,
        }
    }

    /// The value in what its type is computed in.
    pub fn up(&self, dtype: DType, value: V<'c>) -> V<'c> {
        match dtype {
            DType::Bf16 => {
                let bits = self.two("arith.shli", self.cast("arith.extui", value, Kind::I32), self.int(Kind::I32, 16));
                self.cast("arith.bitcast", bits, Kind::F32)
            }
            DType::F16 => self.f16_up(value),
            _ => value,
        }
    }

    /// The element nearest to a value of what its type is computed in.
    pub fn down(&self, dtype: DType, value: V<'c>) -> V<'c> {
        match dtype {
            DType::Bf16 => self.bf16_down(value),
            DType::F16 => self.f16_down(value),
            _ => value,
        }
    }

    pub fn wide(&self, dtype: DType, value: V<'c>) -> V<'c> {
        let value = self.up(dtype, value);
        if dtype == DType::F64 { value } else { self.cast("arith.extf", value, Kind::F64) }
    }

    pub fn narrow(&self, dtype: DType, value: V<'c>) -> V<'c> {
        match dtype {
            DType::F64 => value,
            DType::F32 => self.cast("arith.truncf", value, Kind::F32),
            _ => self.down(dtype, self.round_to_odd(value)),
        }
    }

    fn f16_up(&self, value: V<'c>) -> V<'c> {
        let (int, two) = (|value| self.int(Kind::I32, value), |name, a, b| self.two(name, a, b));
        let bits = self.cast("arith.extui", value, Kind::I32);
        let magnitude = two("arith.shli", two("arith.andi", bits, int(0x7fff)), int(13));
        let scale = self.cast("arith.bitcast", int(0x7780_0000), Kind::F32);
        let rebased = two("arith.mulf", self.cast("arith.bitcast", magnitude, Kind::F32), scale);
        let rebased = self.cast("arith.bitcast", rebased, Kind::I32);
        let special = two("arith.ori", magnitude, int(0x7f80_0000));
        let is_special = self.icmp(Icmp::Eq, two("arith.andi", bits, int(0x7c00)), int(0x7c00));
        let magnitude = self.select(is_special, special, rebased);
        let sign = two("arith.shli", two("arith.andi", bits, int(0x8000)), int(16));
        self.cast("arith.bitcast", two("arith.ori", magnitude, sign), Kind::F32)
    }

    fn f16_down(&self, value: V<'c>) -> V<'c> {
        let (int, two) = (|value| self.int(Kind::I32, value), |name, a, b| self.two(name, a, b));
        let bits = self.cast("arith.bitcast", value, Kind::I32);
        let sign = two("arith.andi", two("arith.shrui", bits, int(16)), int(0x8000));
        let magnitude = two("arith.andi", bits, int(0x7fff_ffff));
        let is_nan = self.icmp(Icmp::Ugt, magnitude, int(0x7f80_0000));
        let special = self.select(is_nan, int(0x7e00), int(0x7c00));
        let shifted = two("arith.addf", self.cast("arith.bitcast", magnitude, Kind::F32), self.real(Kind::F32, 0.5));
        let subnormal = two("arith.subi", self.cast("arith.bitcast", shifted, Kind::I32), int(0x3f00_0000));
        let odd = two("arith.andi", two("arith.shrui", magnitude, int(13)), int(1));
        let normal = two("arith.subi", magnitude, int(112 << 23));
        let normal = two("arith.addi", normal, two("arith.addi", odd, int(0xfff)));
        let normal = two("arith.shrui", normal, int(13));
        let rounded = self.select(self.icmp(Icmp::Ult, magnitude, int(113 << 23)), subnormal, normal);
        let result = self.select(self.icmp(Icmp::Uge, magnitude, int(143 << 23)), special, rounded);
        self.cast("arith.trunci", two("arith.ori", result, sign), Kind::I16)
    }

    fn bf16_down(&self, value: V<'c>) -> V<'c> {
        let (int, two) = (|value| self.int(Kind::I32, value), |name, a, b| self.two(name, a, b));
        let bits = self.cast("arith.bitcast", value, Kind::I32);
        let high = two("arith.shrui", bits, int(16));
        let odd = two("arith.andi", high, int(1));
        let rounded = two("arith.addi", bits, two("arith.addi", odd, int(0x7fff)));
        let rounded = two("arith.shrui", rounded, int(16));
        let is_nan = self.fcmp(Fcmp::Uno, value, value);
        let result = self.select(is_nan, two("arith.ori", high, int(0x40)), rounded);
        self.cast("arith.trunci", result, Kind::I16)
    }

    /// From `f64` to an `f32` that rounds on as the operand would.
    fn round_to_odd(&self, value: V<'c>) -> V<'c> {
        let nearest = self.cast("arith.truncf", value, Kind::F32);
        let back = self.cast("arith.extf", nearest, Kind::F64);
        let magnitude = |value| self.b.same("math.absf", &[value]);
        let is_above = self.fcmp(Fcmp::Ogt, magnitude(back), magnitude(value));
        let bits = self.cast("arith.bitcast", nearest, Kind::I32);
        let towards_zero = self.two("arith.subi", bits, self.cast("arith.extui", is_above, Kind::I32));
        let odd = self.two("arith.ori", towards_zero, self.int(Kind::I32, 1));
        let is_exact = self.fcmp(Fcmp::Ueq, back, value);
        self.select(is_exact, nearest, self.cast("arith.bitcast", odd, Kind::F32))
    }

    fn float(&self, op: ScalarOp, dtype: DType, operands: &[V<'c>], immediates: &[i64]) -> V<'c> {
        if op == ScalarOp::ReducePrecision {
            return self.reduce_precision(dtype, operands[0], immediates);
        }
        if matches!(op, ScalarOp::Rsqrt | ScalarOp::Logistic) || is_f64_function(op) {
            let wide: Vec<V<'c>> = operands.iter().map(|value| self.wide(dtype, *value)).collect();
            return self.narrow(dtype, self.in_f64(op, &wide));
        }
        let kind = arith_kind(dtype);
        let values: Vec<V<'c>> = operands.iter().map(|value| self.up(dtype, *value)).collect();
        let result = match op {
            ScalarOp::Add => self.b.same("arith.addf", &values),
            ScalarOp::Sub => self.b.same("arith.subf", &values),
            ScalarOp::Mul => self.b.same("arith.mulf", &values),
            ScalarOp::Div => self.b.same("arith.divf", &values),
            ScalarOp::Max => self.b.same("arith.maximumf", &values),
            ScalarOp::Min => self.b.same("arith.minimumf", &values),
            ScalarOp::Neg => self.b.same("arith.negf", &values),
            ScalarOp::Abs => self.b.same("math.absf", &values),
            ScalarOp::Sign => {
                let is_zero_or_nan = self.fcmp(Fcmp::Ueq, values[0], self.real(kind, 0.0));
                let one = self.two("math.copysign", self.real(kind, 1.0), values[0]);
                self.select(is_zero_or_nan, values[0], one)
            }
            ScalarOp::Floor => self.b.same("math.floor", &values),
            ScalarOp::Ceil => self.b.same("math.ceil", &values),
            ScalarOp::RoundAway => {
                // The largest float below a half does not carry what lies below it over to the next integer.
                let below_half = if kind == Kind::F32 { f64::from(0.5f32.next_down()) } else { 0.5f64.next_down() };
                let towards = self.two("math.copysign", self.real(kind, below_half), values[0]);
                self.b.same("math.trunc", &[self.two("arith.addf", values[0], towards)])
            }
            ScalarOp::RoundEven => self.b.same("math.roundeven", &values),
            ScalarOp::Sqrt => self.b.same("math.sqrt", &values),
            other => unreachable!("`{}` should have been refused on floats", other.name()),
        };
        self.down(dtype, result)
    }

    /// An operation that is computed in `f64`.
    fn in_f64(&self, op: ScalarOp, operands: &[V<'c>]) -> V<'c> {
        let one = self.real(Kind::F64, 1.0);
        match op {
            ScalarOp::Rsqrt => self.two("arith.divf", one, self.b.same("math.sqrt", operands)),
            ScalarOp::Logistic => {
                let exp = self.call(ScalarOp::Exp, &[self.b.same("arith.negf", operands)]);
                self.two("arith.divf", one, self.two("arith.addf", one, exp))
            }
            _ => self.call(op, operands),
        }
    }

    /// Calls a function for each lane.
    fn call(&self, op: ScalarOp, operands: &[V<'c>]) -> V<'c> {
        let function = self.imports[&op];
        if self.lanes == 1 {
            return self.b.call(function, operands);
        }
        let lane = |idx| {
            let values: Vec<V<'c>> = operands.iter().map(|value| self.b.lane(*value, idx, Kind::F64)).collect();
            self.b.call(function, &values)
        };
        self.b.vector(Kind::F64, &(0..self.lanes).map(lane).collect::<Vec<_>>())
    }

    fn reduce_precision(&self, dtype: DType, value: V<'c>, immediates: &[i64]) -> V<'c> {
        let kind = bits_kind(dtype);
        let (exponent_bits, mantissa_bits) = match dtype {
            DType::Bf16 => (8, 7),
            DType::F16 => (5, 10),
            DType::F32 => (8, 23),
            _ => (11, 52),
        };
        let kept_exponent = immediates[0].clamp(1, exponent_bits);
        let kept_mantissa = immediates[1].clamp(0, mantissa_bits);
        let (int, two) = (|value| self.int(kind, value), |name, a, b| self.two(name, a, b));
        let exponent_mask = ((1i64 << exponent_bits) - 1) << mantissa_bits;
        let sign_mask = 1i64 << (exponent_bits + mantissa_bits);
        let bias = (1i64 << (exponent_bits - 1)) - 1;
        let kept_bias = (1i64 << (kept_exponent - 1)) - 1;
        let original = self.bits(dtype, value);
        let infinity = |bits| two("arith.ori", two("arith.andi", bits, int(sign_mask)), int(exponent_mask));
        let mut bits = original;
        if kept_mantissa < mantissa_bits {
            let last_bit = 1i64 << (mantissa_bits - kept_mantissa);
            let is_odd = self.icmp(Icmp::Ne, two("arith.andi", bits, int(last_bit)), int(0));
            let odd = self.cast("arith.extui", is_odd, kind);
            bits = two("arith.addi", bits, two("arith.addi", odd, int((last_bit >> 1) - 1)));
            bits = two("arith.andi", bits, int(!(last_bit - 1)));
        }
        if kept_exponent < exponent_bits {
            let exponent = two("arith.andi", bits, int(exponent_mask));
            let is_over = self.icmp(Icmp::Ugt, exponent, int((bias + kept_bias) << mantissa_bits));
            let is_under = self.icmp(Icmp::Ule, exponent, int((bias - kept_bias) << mantissa_bits));
            let zero = two("arith.andi", bits, int(sign_mask));
            bits = self.select(is_over, infinity(bits), self.select(is_under, zero, bits));
        }
        let is_nan = self.icmp(Icmp::Ugt, two("arith.andi", original, int(!sign_mask)), int(exponent_mask));
        bits = self.select(is_nan, if kept_mantissa == 0 { infinity(original) } else { original }, bits);
        match dtype {
            DType::F32 => self.cast("arith.bitcast", bits, Kind::F32),
            DType::F64 => self.cast("arith.bitcast", bits, Kind::F64),
            _ => bits,
        }
    }

    // --- conversion ---

    fn convert(&self, from: DType, to: DType, value: V<'c>) -> V<'c> {
        if from == to {
            return value;
        }
        let kind = kind_of(to).expect("a type should be supported");
        match (from.is_float(), to.is_float()) {
            (true, true) => match (from, to) {
                (DType::F32, DType::Bf16 | DType::F16) => self.down(to, value),
                (DType::Bf16 | DType::F16, DType::F32) => self.up(from, value),
                _ => self.narrow(to, self.wide(from, value)),
            },
            (true, false) => self.float_to_integer(from, to, self.up(from, value)),
            (false, true) => match to {
                DType::F32 | DType::F64 => self.integer_to_float(from, value, kind),
                _ => self.narrow(to, self.sticky(from, value)),
            },
            (false, false) => {
                let from_kind = kind_of(from).expect("a type should be supported");
                if to == DType::I1 {
                    return self.icmp(Icmp::Ne, value, self.int(from_kind, 0));
                }
                let is_signed = from.family() == Family::Signed;
                let value = match kind.bits().cmp(&from_kind.bits()) {
                    std::cmp::Ordering::Less => self.cast("arith.trunci", value, kind),
                    std::cmp::Ordering::Equal => value,
                    std::cmp::Ordering::Greater if is_signed => self.cast("arith.extsi", value, kind),
                    std::cmp::Ordering::Greater => self.cast("arith.extui", value, kind),
                };
                self.wrap(to, value)
            }
        }
    }

    /// Truncates and saturates; NaN gives 0.
    fn float_to_integer(&self, from: DType, to: DType, value: V<'c>) -> V<'c> {
        if to == DType::I1 {
            return self.fcmp(Fcmp::Une, value, self.real(arith_kind(from), 0.0));
        }
        let kind = kind_of(to).expect("a type should be supported");
        let (bits, float) = (to.bits(), arith_kind(from));
        let (name, low, end, lowest, highest) = if to.family() == Family::Signed {
            let end = 2f64.powi(bits as i32 - 1);
            ("arith.fptosi", -end, end, i64::MIN >> (64 - bits), i64::MAX >> (64 - bits))
        } else {
            ("arith.fptoui", 0.0, 2f64.powi(bits as i32), 0, (u64::MAX >> (64 - bits)) as i64)
        };
        let is_above = self.fcmp(Fcmp::Oge, value, self.real(float, end));
        let is_below = self.fcmp(Fcmp::Olt, value, self.real(float, low));
        let is_nan = self.fcmp(Fcmp::Uno, value, value);
        let is_outside = self.two("arith.ori", self.two("arith.ori", is_above, is_below), is_nan);
        let whole = self.cast(name, self.select(is_outside, self.real(float, 0.0), value), kind);
        let whole = self.select(is_above, self.int(kind, highest), whole);
        self.select(is_below, self.int(kind, lowest), whole)
    }

    fn integer_to_float(&self, from: DType, value: V<'c>, to: Kind) -> V<'c> {
        self.cast(if from.family() == Family::Signed { "arith.sitofp" } else { "arith.uitofp" }, value, to)
    }

    /// To an `f64` that rounds on to the half types as the integer itself would.
    fn sticky(&self, from: DType, value: V<'c>) -> V<'c> {
        match from {
            DType::U64 => self.sticky_magnitude(value),
            DType::I64 => {
                let zero = self.int(Kind::I64, 0);
                let is_negative = self.icmp(Icmp::Slt, value, zero);
                let magnitude = self.select(is_negative, self.two("arith.subi", zero, value), value);
                let magnitude = self.sticky_magnitude(magnitude);
                self.select(is_negative, self.b.same("arith.negf", &[magnitude]), magnitude)
            }
            _ => self.integer_to_float(from, value, Kind::F64),
        }
    }

    fn sticky_magnitude(&self, value: V<'c>) -> V<'c> {
        let (int, two) = (|value| self.int(Kind::I64, value), |name, a, b| self.two(name, a, b));
        let is_cut = self.icmp(Icmp::Ne, two("arith.andi", value, int(0x7ff)), int(0));
        let kept = two("arith.ori", two("arith.shrui", value, int(11)), self.cast("arith.extui", is_cut, Kind::I64));
        let cut = two("arith.shli", kept, int(11));
        let is_small = self.icmp(Icmp::Eq, two("arith.shrui", value, int(53)), int(0));
        self.cast("arith.uitofp", self.select(is_small, value, cut), Kind::F64)
    }

    // --- folds ---

    /// What changes nothing when it is folded.
    pub fn identity(&self, op: ScalarOp, dtype: DType) -> V<'c> {
        let kind = wide_kind(op, dtype);
        if dtype.is_float() {
            return self.real(
                kind,
                match op {
                    ScalarOp::Add => -0.0,
                    ScalarOp::Mul => 1.0,
                    ScalarOp::Max => f64::NEG_INFINITY,
                    _ => f64::INFINITY,
                },
            );
        }
        let is_signed = dtype.family() == Family::Signed;
        let (lowest, highest) =
            if is_signed { (i64::MIN >> (64 - kind.bits()), i64::MAX >> (64 - kind.bits())) } else { (0, -1) };
        self.int(
            kind,
            match op {
                ScalarOp::Add | ScalarOp::Or => 0,
                ScalarOp::Mul if dtype != DType::I1 => 1,
                ScalarOp::Mul | ScalarOp::And => -1,
                ScalarOp::Max => lowest,
                _ => highest,
            },
        )
    }

    /// From an element to an accumulator.
    pub fn lift(&self, op: ScalarOp, dtype: DType, value: V<'c>) -> V<'c> {
        match op {
            _ if !dtype.is_float() => value,
            ScalarOp::Add | ScalarOp::Mul => self.wide(dtype, value),
            _ => self.up(dtype, value),
        }
    }

    /// From an accumulator to an element.
    pub fn lower(&self, op: ScalarOp, dtype: DType, value: V<'c>) -> V<'c> {
        match op {
            _ if !dtype.is_float() => value,
            ScalarOp::Add | ScalarOp::Mul => self.narrow(dtype, value),
            _ => self.down(dtype, value),
        }
    }

    /// Folds one accumulator onto another.
    pub fn fold(&self, op: ScalarOp, dtype: DType, a: V<'c>, b: V<'c>) -> V<'c> {
        match dtype.family() {
            Family::Bool => self.boolean(op, &[a, b]),
            Family::Signed | Family::Unsigned => self.integer(op, dtype, &[a, b]),
            _ => self.two(
                match op {
                    ScalarOp::Add => "arith.addf",
                    ScalarOp::Mul => "arith.mulf",
                    ScalarOp::Max => "arith.maximumf",
                    _ => "arith.minimumf",
                },
                a,
                b,
            ),
        }
    }
}

/// What an accumulator of a fold is held in.
pub fn wide_kind(op: ScalarOp, dtype: DType) -> Kind {
    match op {
        _ if !dtype.is_float() => kind_of(dtype).expect("a type should be supported"),
        ScalarOp::Add | ScalarOp::Mul => Kind::F64,
        _ => arith_kind(dtype),
    }
}

/// What a float type is computed in.
fn arith_kind(dtype: DType) -> Kind {
    if dtype == DType::F64 { Kind::F64 } else { Kind::F32 }
}

/// The integers as wide as a float type.
fn bits_kind(dtype: DType) -> Kind {
    match dtype {
        DType::F32 => Kind::I32,
        DType::F64 => Kind::I64,
        _ => Kind::I16,
    }
}

/// `arith.cmpi`'s predicates, as it numbers them.
#[derive(Clone, Copy)]
enum Icmp {
    Eq,
    Ne,
    Slt,
    Sle,
    Sgt,
    Sge,
    Ult,
    Ule,
    Ugt,
    Uge,
}

impl Icmp {
    fn of(op: ScalarOp, is_signed: bool) -> Icmp {
        match op {
            ScalarOp::Eq | ScalarOp::EqTotal => Icmp::Eq,
            ScalarOp::Ne | ScalarOp::NeTotal => Icmp::Ne,
            ScalarOp::Lt | ScalarOp::LtTotal => {
                if is_signed {
                    Icmp::Slt
                } else {
                    Icmp::Ult
                }
            }
            ScalarOp::Le | ScalarOp::LeTotal => {
                if is_signed {
                    Icmp::Sle
                } else {
                    Icmp::Ule
                }
            }
            ScalarOp::Gt | ScalarOp::GtTotal => {
                if is_signed {
                    Icmp::Sgt
                } else {
                    Icmp::Ugt
                }
            }
            _ => {
                if is_signed {
                    Icmp::Sge
                } else {
                    Icmp::Uge
                }
            }
        }
    }
}

/// `arith.cmpf`'s predicates, as it numbers them.
#[derive(Clone, Copy)]
enum Fcmp {
    Oeq = 1,
    Ogt = 2,
    Oge = 3,
    Olt = 4,
    Ole = 5,
    Ueq = 8,
    Une = 13,
    Uno = 14,
}

impl Fcmp {
    /// None for comparisons in the total order.
    fn of(op: ScalarOp) -> Option<Fcmp> {
        Some(match op {
            ScalarOp::Eq => Fcmp::Oeq,
            ScalarOp::Ne => Fcmp::Une,
            ScalarOp::Lt => Fcmp::Olt,
            ScalarOp::Le => Fcmp::Ole,
            ScalarOp::Gt => Fcmp::Ogt,
            ScalarOp::Ge => Fcmp::Oge,
            _ => return None,
        })
    }
}
