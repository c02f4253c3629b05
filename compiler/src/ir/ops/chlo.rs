//! `chlo`: client operations, expanded into StableHLO.

use super::{
    Opcode::StablehloReturn,
    constraint::{
        AttrKind, TENSOR, ranked,
        sets::{ANY, BOOL, COMPLEX, FLOAT, INDEX, INEXACT, INT, LOGIC},
        tensor_of,
    },
    def::{Count, Effect, Facts, op},
    names::Chlo::{self, *},
    rules::{chlo as broadcast, contract, control, elementwise, misc, reduce},
};

/// The operations, in order of name.
pub(super) fn facts(name: Chlo) -> Facts {
    match name {
        ChloAcos => unary("inverse cosine", INEXACT),
        ChloAcosh => unary("inverse hyperbolic cosine", INEXACT),
        ChloAsin => unary("inverse sine", INEXACT),
        ChloAsinAcosKernel => unary("common part of complex asin and acos", INEXACT),
        ChloAsinh => unary("inverse hyperbolic sine", INEXACT),
        ChloAtan => unary("inverse tangent", INEXACT),
        ChloAtanh => unary("inverse hyperbolic tangent", INEXACT),
        ChloBesselI1e => unary("exponentially scaled modified Bessel function of order 1", FLOAT),
        ChloBroadcastAdd => broadcasting("sum of operands broadcast to one shape", LOGIC | INEXACT).commutative(),
        ChloBroadcastAnd => broadcasting("bitwise and of operands broadcast to one shape", LOGIC).commutative(),
        ChloBroadcastAtan2 => broadcasting("angle of the point (rhs, lhs) of operands broadcast to one shape", INEXACT),
        ChloBroadcastCompare => broadcasting("relation of operands broadcast to one shape", ANY)
            .attr("comparison_direction", AttrKind::Enum("comparison_direction"))
            .optional("compare_type", AttrKind::Enum("comparison_type"))
            .infer(broadcast::compare),
        ChloBroadcastComplex => broadcasting("complex numbers of operands broadcast to one shape", FLOAT | COMPLEX)
            .infer(broadcast::complex),
        ChloBroadcastDivide => broadcasting("quotient of operands broadcast to one shape", INT | INEXACT),
        ChloBroadcastMaximum => {
            broadcasting("larger operand of operands broadcast to one shape", LOGIC | INEXACT).commutative()
        }
        ChloBroadcastMinimum => {
            broadcasting("smaller operand of operands broadcast to one shape", LOGIC | INEXACT).commutative()
        }
        ChloBroadcastMultiply => {
            broadcasting("product of operands broadcast to one shape", LOGIC | INEXACT).commutative()
        }
        ChloBroadcastNextAfter => broadcasting(
            "next float after the first operand towards the second of operands broadcast to one shape",
            FLOAT,
        ),
        ChloBroadcastOr => broadcasting("bitwise or of operands broadcast to one shape", LOGIC).commutative(),
        ChloBroadcastPolygamma => broadcasting("derivative of digamma of operands broadcast to one shape", FLOAT),
        ChloBroadcastPower => broadcasting("power of operands broadcast to one shape", INT | INEXACT),
        ChloBroadcastRemainder => broadcasting("remainder of operands broadcast to one shape", INT | INEXACT),
        ChloBroadcastSelect => op("second operand where the first is true, else the third, broadcast to one shape")
            .operand("pred", tensor_of(BOOL))
            .operand("on_true", TENSOR)
            .operand("on_false", TENSOR)
            .result(TENSOR)
            .infer(broadcast::select),
        ChloBroadcastShiftLeft => broadcasting("shift left of operands broadcast to one shape", INT),
        ChloBroadcastShiftRightArithmetic => {
            broadcasting("shift right copying the sign bit of operands broadcast to one shape", INT)
        }
        ChloBroadcastShiftRightLogical => {
            broadcasting("shift right filling with 0 of operands broadcast to one shape", INT)
        }
        ChloBroadcastSubtract => broadcasting("difference of operands broadcast to one shape", INT | INEXACT),
        ChloBroadcastXor => {
            broadcasting("bitwise exclusive or of operands broadcast to one shape", LOGIC).commutative()
        }
        ChloBroadcastZeta => broadcasting("Hurwitz zeta function of operands broadcast to one shape", FLOAT),
        ChloConj => unary("complex conjugate", ANY),
        ChloConstant => op("a constant").result(TENSOR).attr("value", AttrKind::Dense).infer(misc::constant),
        ChloConstantLike => op("a constant of the operand's shape")
            .operand("operand", TENSOR)
            .result(TENSOR)
            .attr("value", AttrKind::Constant)
            .infer(misc::constant_like),
        ChloCosh => unary("hyperbolic cosine", INEXACT),
        ChloDigamma => unary("logarithmic derivative of the gamma function", FLOAT),
        ChloErf => unary("error function", FLOAT),
        ChloErfInv => unary("inverse error function", FLOAT),
        ChloErfc => unary("complementary error function", FLOAT),
        ChloIsInf => op("infinite")
            .elementwise()
            .operand("operand", tensor_of(FLOAT))
            .result(tensor_of(BOOL))
            .infer(elementwise::predicate),
        ChloIsNegInf => op("negative infinity")
            .elementwise()
            .operand("operand", tensor_of(FLOAT))
            .result(tensor_of(BOOL))
            .infer(elementwise::predicate),
        ChloIsPosInf => op("positive infinity")
            .elementwise()
            .operand("operand", tensor_of(FLOAT))
            .result(tensor_of(BOOL))
            .infer(elementwise::predicate),
        ChloLgamma => unary("logarithm of the absolute gamma function", FLOAT),
        ChloMinimumBroadcastShapes => op("shapes of fewer dimensions that broadcast alike")
            .operands("shapes", ranked(INDEX, 1), Count::Some)
            .results("results", ranked(INDEX, 1), Count::Some)
            .check(control::same_count),
        ChloMulhi => op("upper half of the product")
            .elementwise()
            .operand("lhs", tensor_of(INT))
            .operand("rhs", tensor_of(INT))
            .result(tensor_of(INT))
            .infer(elementwise::same)
            .commutative(),
        ChloNextAfter => op("next float after the first operand towards the second")
            .elementwise()
            .operand("x", tensor_of(FLOAT))
            .operand("y", tensor_of(FLOAT))
            .result(tensor_of(FLOAT))
            .infer(elementwise::same),
        ChloPolygamma => op("derivative of digamma; the first operand is its order")
            .elementwise()
            .operand("n", tensor_of(FLOAT))
            .operand("x", tensor_of(FLOAT))
            .result(tensor_of(FLOAT))
            .infer(elementwise::same),
        ChloRaggedDot => op("matrix products of groups of rows")
            .operand("lhs", TENSOR)
            .operand("rhs", TENSOR)
            .operand("group_sizes", tensor_of(INT))
            .result(TENSOR)
            .attr("ragged_dot_dimension_numbers", AttrKind::Foreign)
            .optional("precision_config", AttrKind::EnumArray("precision"))
            .check(contract::ragged_dot),
        ChloScan => op("running computation along a dimension")
            .effect(Effect::Regions)
            .operands("inputs", TENSOR, Count::Some)
            .operands("inits", TENSOR, Count::Some)
            .results("results", TENSOR, Count::Some)
            .attr("dimension", AttrKind::Integer(64))
            .default("is_reverse", AttrKind::Bool, "false")
            .optional("is_associative", AttrKind::Any)
            .region("body", StablehloReturn)
            .check(reduce::scan),
        ChloSinh => unary("hyperbolic sine", INEXACT),
        ChloSquare => unary("product with itself", ANY),
        ChloTan => unary("tangent", INEXACT),
        ChloTopK => op("the largest elements along the last dimension, and where they are")
            .operand("operand", tensor_of(LOGIC | INEXACT))
            .results("values", TENSOR, Count::One)
            .results("indices", tensor_of(INT), Count::One)
            .attr("k", AttrKind::Integer(64))
            .infer(reduce::top_k),
        ChloZeta => op("Hurwitz zeta function")
            .elementwise()
            .operand("x", tensor_of(FLOAT))
            .operand("q", tensor_of(FLOAT))
            .result(tensor_of(FLOAT))
            .infer(elementwise::same),
    }
}

/// One tensor to one of the same type.
fn unary(summary: &'static str, elements: u8) -> Facts {
    let ty = tensor_of(elements);
    op(summary).elementwise().operand("operand", ty).result(ty).infer(elementwise::same)
}

/// Two tensors of one element type, stretched to one shape.
fn broadcasting(summary: &'static str, elements: u8) -> Facts {
    op(summary)
        .operand("lhs", tensor_of(elements))
        .operand("rhs", tensor_of(elements))
        .result(TENSOR)
        .optional("broadcast_dimensions", AttrKind::I64Array)
        .infer(broadcast::binary)
}
