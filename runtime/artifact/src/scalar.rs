//! The scalar language: what the body of a loop nest can compute.
//!
//! Every operation is total: it has a result for every operand, on every device, and never traps.
//! Floating-point operations in `f16` and `bf16` are correctly rounded; in `f32` and `f64` they are within
//! a few units in the last place. The table below is the one definition: the compiler's `scalar` dialect, the
//! validation of artifacts and the devices all read it.

use serde::{Deserialize, Serialize};

use crate::dtype::{DType, Family};

/// How the result type of an operation follows from its operand types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// All operands and the result have one type.
    Same,
    /// All operands have one type, the result is `i1`.
    Predicate,
    /// `(i1, T, T) -> T`.
    Select,
    /// Any type to any type.
    Convert,
    /// Types of one width.
    Bitcast,
    /// A complex operand gives its part's type, any other type itself.
    Magnitude,
    /// `complex<T> -> T`.
    Part,
    /// `(T, T) -> complex<T>`.
    Combine,
}

/// Families of element types, as a set of bits.
mod on {
    pub const B: u8 = 1;
    pub const S: u8 = 2;
    pub const U: u8 = 4;
    pub const F: u8 = 8;
    pub const C: u8 = 16;
    pub const M: u8 = 32;
    pub const INT: u8 = S | U;
    pub const LOGIC: u8 = B | INT;
    pub const REAL: u8 = INT | F;
    pub const ANY: u8 = B | REAL | C;
}

macro_rules! scalar_ops {
    ($($variant:ident, $name:literal, $arity:literal, $signature:ident, $families:expr, $immediates:literal, $doc:literal;)*) => {
        /// One operation of the scalar language.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ScalarOp { $(#[doc = $doc] $variant),* }

        impl ScalarOp {
            /// Every operation, in order of declaration.
            pub const ALL: &[ScalarOp] = &[$(ScalarOp::$variant),*];

            /// The name, as the `scalar` dialect prints it.
            pub fn name(self) -> &'static str { match self { $(ScalarOp::$variant => $name),* } }

            /// What it computes, in one line.
            pub fn summary(self) -> &'static str { match self { $(ScalarOp::$variant => $doc),* } }

            /// The number of operands.
            pub fn arity(self) -> usize { match self { $(ScalarOp::$variant => $arity),* } }

            /// The number of integers fixed at compile time that follow the operands.
            pub fn immediate_count(self) -> usize { match self { $(ScalarOp::$variant => $immediates),* } }

            /// How the result type follows from the operand types.
            pub fn signature(self) -> Signature { match self { $(ScalarOp::$variant => Signature::$signature),* } }

            fn families(self) -> u8 { match self { $(ScalarOp::$variant => $families),* } }
        }
    };
}

scalar_ops! {
    // Arithmetic. Integers wrap around.
    Add, "add", 2, Same, on::ANY, 0, "sum; on `i1` the logical or";
    Sub, "sub", 2, Same, on::REAL | on::C, 0, "difference";
    Mul, "mul", 2, Same, on::ANY, 0, "product; on `i1` the logical and";
    Div, "div", 2, Same, on::REAL | on::C, 0, "quotient; integers truncate, division by zero gives all ones, the smallest by -1 gives itself";
    Rem, "rem", 2, Same, on::REAL, 0, "remainder with the sign of the dividend; integers by zero give the dividend";
    Max, "max", 2, Same, on::ANY, 0, "larger operand; NaN if either is NaN; complex compares lexicographically; on `i1` the logical or";
    Min, "min", 2, Same, on::ANY, 0, "smaller operand; NaN if either is NaN; complex compares lexicographically; on `i1` the logical and";
    Pow, "pow", 2, Same, on::REAL | on::C, 0, "power; integers wrap, a negative integer exponent gives 0 unless the base is 1 or -1";
    Atan2, "atan2", 2, Same, on::F | on::C, 0, "angle of (second, first)";
    NextAfter, "next_after", 2, Same, on::F, 0, "next float after the first towards the second";
    Neg, "neg", 1, Same, on::REAL | on::C, 0, "negation";
    Abs, "abs", 1, Magnitude, on::S | on::F | on::C, 0, "absolute value; the smallest integer gives itself";
    Sign, "sign", 1, Same, on::S | on::F | on::C, 0, "-1, 0 or 1; NaN gives NaN, -0.0 gives -0.0; complex gives x / abs(x)";

    // Bits and logic.
    And, "and", 2, Same, on::LOGIC, 0, "bitwise and";
    Or, "or", 2, Same, on::LOGIC, 0, "bitwise or";
    Xor, "xor", 2, Same, on::LOGIC, 0, "bitwise exclusive or";
    Not, "not", 1, Same, on::LOGIC, 0, "bitwise complement";
    Shl, "shl", 2, Same, on::INT, 0, "shift left; a count of the width or more gives 0";
    ShrArith, "shr_arith", 2, Same, on::INT, 0, "shift right copying the sign bit; a count of the width or more gives 0 or all ones";
    ShrLogical, "shr_logical", 2, Same, on::INT, 0, "shift right filling with 0; a count of the width or more gives 0";
    Popcnt, "popcnt", 1, Same, on::INT, 0, "number of bits set";
    Clz, "clz", 1, Same, on::INT, 0, "number of leading zero bits";

    // Rounding.
    Floor, "floor", 1, Same, on::F, 0, "largest integer not above";
    Ceil, "ceil", 1, Same, on::F, 0, "smallest integer not below";
    RoundAway, "round_away", 1, Same, on::F, 0, "nearest integer, halves away from zero";
    RoundEven, "round_even", 1, Same, on::F, 0, "nearest integer, halves to even";
    ReducePrecision, "reduce_precision", 1, Same, on::F, 2, "rounded to (exponent bits, mantissa bits) and back";

    // Elementary functions.
    Exp, "exp", 1, Same, on::F | on::C, 0, "exponential";
    Expm1, "expm1", 1, Same, on::F | on::C, 0, "exponential minus one, accurate near 0";
    Log, "log", 1, Same, on::F | on::C, 0, "natural logarithm";
    Log1p, "log1p", 1, Same, on::F | on::C, 0, "natural logarithm of one plus the operand, accurate near 0";
    Sqrt, "sqrt", 1, Same, on::F | on::C, 0, "square root";
    Rsqrt, "rsqrt", 1, Same, on::F | on::C, 0, "reciprocal of the square root";
    Cbrt, "cbrt", 1, Same, on::F | on::C, 0, "cube root";
    Sin, "sin", 1, Same, on::F | on::C, 0, "sine";
    Cos, "cos", 1, Same, on::F | on::C, 0, "cosine";
    Tan, "tan", 1, Same, on::F | on::C, 0, "tangent";
    Asin, "asin", 1, Same, on::F | on::C, 0, "inverse sine";
    Acos, "acos", 1, Same, on::F | on::C, 0, "inverse cosine";
    Atan, "atan", 1, Same, on::F | on::C, 0, "inverse tangent";
    Sinh, "sinh", 1, Same, on::F | on::C, 0, "hyperbolic sine";
    Cosh, "cosh", 1, Same, on::F | on::C, 0, "hyperbolic cosine";
    Tanh, "tanh", 1, Same, on::F | on::C, 0, "hyperbolic tangent";
    Asinh, "asinh", 1, Same, on::F | on::C, 0, "inverse hyperbolic sine";
    Acosh, "acosh", 1, Same, on::F | on::C, 0, "inverse hyperbolic cosine";
    Atanh, "atanh", 1, Same, on::F | on::C, 0, "inverse hyperbolic tangent";
    Logistic, "logistic", 1, Same, on::F | on::C, 0, "1 / (1 + exp(-x))";

    // Special functions, after the decompositions that CHLO publishes.
    Erf, "erf", 1, Same, on::F, 0, "error function";
    Erfc, "erfc", 1, Same, on::F, 0, "complementary error function";
    ErfInv, "erf_inv", 1, Same, on::F, 0, "inverse error function";
    Lgamma, "lgamma", 1, Same, on::F, 0, "logarithm of the absolute gamma function";
    Digamma, "digamma", 1, Same, on::F, 0, "logarithmic derivative of the gamma function";
    Polygamma, "polygamma", 2, Same, on::F, 0, "derivative of digamma; the first operand is its order";
    Zeta, "zeta", 2, Same, on::F, 0, "Hurwitz zeta function";
    BesselI1e, "bessel_i1e", 1, Same, on::F, 0, "exponentially scaled modified Bessel function of order 1";

    // Comparison. IEEE order: NaN is unequal to everything.
    Eq, "eq", 2, Predicate, on::ANY, 0, "equal";
    Ne, "ne", 2, Predicate, on::ANY, 0, "not equal";
    Lt, "lt", 2, Predicate, on::ANY, 0, "less; complex compares lexicographically";
    Le, "le", 2, Predicate, on::ANY, 0, "less or equal; complex compares lexicographically";
    Gt, "gt", 2, Predicate, on::ANY, 0, "greater; complex compares lexicographically";
    Ge, "ge", 2, Predicate, on::ANY, 0, "greater or equal; complex compares lexicographically";
    EqTotal, "eq_total", 2, Predicate, on::F, 0, "equal in the total order -NaN < -inf < -0 < +0 < +inf < +NaN";
    NeTotal, "ne_total", 2, Predicate, on::F, 0, "not equal in the total order";
    LtTotal, "lt_total", 2, Predicate, on::F, 0, "less in the total order";
    LeTotal, "le_total", 2, Predicate, on::F, 0, "less or equal in the total order";
    GtTotal, "gt_total", 2, Predicate, on::F, 0, "greater in the total order";
    GeTotal, "ge_total", 2, Predicate, on::F, 0, "greater or equal in the total order";
    IsFinite, "is_finite", 1, Predicate, on::F, 0, "neither infinite nor NaN";

    // Choosing and converting.
    Select, "select", 3, Select, on::ANY | on::M, 0, "second operand where the first is true, else the third";
    Convert, "convert", 1, Convert, on::ANY | on::M, 0, "value in another type: floats round to nearest even, a float to an integer truncates and saturates, NaN gives 0; to `i1` unequal to 0; integers wrap; complex to real drops the imaginary part; floats of eight bits and fewer convert from and to `f64` alone";
    Bitcast, "bitcast", 1, Bitcast, on::ANY | on::M, 0, "the same bits as another type of the same width";
    Real, "real", 1, Part, on::C, 0, "real part";
    Imag, "imag", 1, Part, on::C, 0, "imaginary part";
    Complex, "complex", 2, Combine, on::F, 0, "complex number of a real and an imaginary part";
}

impl ScalarOp {
    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<ScalarOp> {
        ScalarOp::ALL.iter().copied().find(|op| op.name() == name)
    }

    /// True if the operation has a meaning for these operand types and this result type.
    pub fn accepts(self, operands: &[DType], result: DType) -> bool {
        if operands.len() != self.arity() {
            return false;
        }
        let family_bit = |d: DType| match d.family() {
            Family::Bool => on::B,
            Family::Signed => on::S,
            Family::Unsigned => on::U,
            Family::Float => on::F,
            Family::Complex => on::C,
            Family::MiniFloat => on::M,
        };
        let value = operands[operands.len() - 1];
        if self.families() & family_bit(value) == 0 {
            return false;
        }
        let all_alike = operands.iter().all(|d| *d == value);
        match self.signature() {
            Signature::Same => all_alike && result == value,
            Signature::Predicate => all_alike && result == DType::I1,
            Signature::Select => operands[0] == DType::I1 && operands[1] == value && result == value,
            Signature::Convert => [(value, result), (result, value)]
                .iter()
                .all(|(one, other)| one.family() != Family::MiniFloat || one == other || *other == DType::F64),
            Signature::Bitcast => value.bits() == result.bits(),
            Signature::Magnitude => result == value.complex_part().unwrap_or(value),
            Signature::Part => Some(result) == value.complex_part(),
            Signature::Combine => all_alike && result.complex_part() == Some(value),
        }
    }
}

/// One step of a [`ScalarBody`]. It defines the next register.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScalarInst {
    /// A literal: the element's little-endian bytes, zero-extended.
    Constant {
        /// Type of the register.
        dtype: DType,
        /// The element's storage, first byte lowest.
        bits: u128,
    },
    /// The position along a dimension of the iteration space, as `i64`.
    Index {
        /// The dimension, outermost 0.
        dimension: u32,
    },
    /// An operation on earlier registers.
    Op {
        /// Which.
        op: ScalarOp,
        /// Type of the register.
        dtype: DType,
        /// Registers read, each lower than this instruction's.
        operands: Vec<u32>,
        /// Integers fixed at compile time ([`ScalarOp::immediate_count`] of them).
        immediates: Vec<i64>,
    },
}

/// A straight-line program on scalars.
///
/// Registers are numbered: first the inputs, then one an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScalarBody {
    /// Types of the inputs.
    pub inputs: Vec<DType>,
    /// In order; each defines one register.
    pub instructions: Vec<ScalarInst>,
    /// Registers that are the results.
    pub outputs: Vec<u32>,
}

impl ScalarBody {
    /// The type of every register, or none where the body is not well formed.
    pub fn register_types(&self) -> Option<Vec<DType>> {
        let mut types = self.inputs.clone();
        for instruction in &self.instructions {
            let dtype = match instruction {
                ScalarInst::Constant { dtype, .. } => *dtype,
                ScalarInst::Index { .. } => DType::I64,
                ScalarInst::Op { op, dtype, operands, immediates } => {
                    let operands: Option<Vec<DType>> =
                        operands.iter().map(|r| types.get(*r as usize).copied()).collect();
                    if !op.accepts(&operands?, *dtype) || immediates.len() != op.immediate_count() {
                        return None;
                    }
                    *dtype
                }
            };
            types.push(dtype);
        }
        Some(types)
    }

    /// The types of the results, or none where the body is not well formed.
    pub fn output_types(&self) -> Option<Vec<DType>> {
        let types = self.register_types()?;
        self.outputs.iter().map(|r| types.get(*r as usize).copied()).collect()
    }
}
