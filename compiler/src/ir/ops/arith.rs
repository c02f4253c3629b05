//! `arith`: what torch-mlir leaves of scalars and constants.

use super::{
    constraint::{
        ANY_TYPE, AttrKind, scalar_or_tensor,
        sets::{ANY, BOOL, FLOAT, INDEX, SIGNED},
    },
    def::{Facts, op},
    names::Arith::{self, *},
    rules::{arith as rules, misc},
};

/// Integers that say nothing of a sign, and `index`.
const SIGNLESS: u8 = BOOL | SIGNED | INDEX;

/// The operations, in order of name.
pub(super) fn facts(name: Arith) -> Facts {
    match name {
        ArithAddf => binary("sum", FLOAT).commutative(),
        ArithAddi => binary("sum, wrapping around", SIGNLESS).commutative(),
        ArithAndi => binary("bitwise and", SIGNLESS).commutative(),
        ArithCmpf => comparison("relation of floats", FLOAT).optional("fastmath", AttrKind::Foreign),
        ArithCmpi => comparison("relation of integers", SIGNLESS),
        ArithConstant => op("a constant")
            .result(scalar_or_tensor(ANY | INDEX))
            .attr("value", AttrKind::Constant)
            .infer(misc::constant),
        ArithDivf => binary("quotient", FLOAT),
        ArithDivsi => binary("quotient of signed integers", SIGNLESS),
        ArithDivui => binary("quotient of unsigned integers", SIGNLESS),
        ArithExtf => op("float in a wider format")
            .elementwise()
            .operand("in", scalar_or_tensor(FLOAT))
            .result(scalar_or_tensor(FLOAT))
            .optional("fastmath", AttrKind::Foreign)
            .check(rules::widen),
        ArithExtsi => op("signed integer in a wider type")
            .elementwise()
            .operand("in", scalar_or_tensor(BOOL | SIGNED))
            .result(scalar_or_tensor(SIGNED))
            .check(rules::widen),
        ArithFptosi => op("signed integer from a float")
            .elementwise()
            .operand("in", scalar_or_tensor(FLOAT))
            .result(scalar_or_tensor(BOOL | SIGNED))
            .check(rules::cast),
        ArithIndexCast => op("integer as index or back")
            .elementwise()
            .operand("in", scalar_or_tensor(SIGNLESS))
            .result(scalar_or_tensor(SIGNLESS))
            .check(rules::index_cast),
        ArithMaxsi => binary("larger signed integer", SIGNLESS).commutative(),
        ArithMinsi => binary("smaller signed integer", SIGNLESS).commutative(),
        ArithMulf => binary("product", FLOAT).commutative(),
        ArithMuli => binary("product, wrapping around", SIGNLESS).commutative(),
        ArithNegf => op("negation")
            .elementwise()
            .operand("operand", scalar_or_tensor(FLOAT))
            .result(scalar_or_tensor(FLOAT))
            .optional("fastmath", AttrKind::Foreign)
            .infer(rules::same),
        ArithOri => binary("bitwise or", SIGNLESS).commutative(),
        ArithRemsi => binary("remainder of signed integers", SIGNLESS),
        ArithSelect => op("second operand where the first is true, else the third")
            .elementwise()
            .operand("condition", scalar_or_tensor(BOOL))
            .operand("true_value", ANY_TYPE)
            .operand("false_value", ANY_TYPE)
            .result(ANY_TYPE)
            .infer(rules::select),
        ArithSitofp => op("float from a signed integer")
            .elementwise()
            .operand("in", scalar_or_tensor(BOOL | SIGNED))
            .result(scalar_or_tensor(FLOAT))
            .check(rules::cast),
        ArithSubf => binary("difference", FLOAT),
        ArithSubi => binary("difference, wrapping around", SIGNLESS),
        ArithTrunci => op("integer in a narrower type")
            .elementwise()
            .operand("in", scalar_or_tensor(SIGNED))
            .result(scalar_or_tensor(BOOL | SIGNED))
            .optional("overflowFlags", AttrKind::Foreign)
            .check(rules::narrow),
        ArithTruncf => op("float in a narrower format")
            .elementwise()
            .operand("in", scalar_or_tensor(FLOAT))
            .result(scalar_or_tensor(FLOAT))
            .optional("fastmath", AttrKind::Foreign)
            .optional("roundingmode", AttrKind::Any)
            .check(rules::narrow),
        ArithUitofp => op("float from an unsigned integer")
            .elementwise()
            .operand("in", scalar_or_tensor(BOOL | SIGNED))
            .result(scalar_or_tensor(FLOAT))
            .optional("nonNeg", AttrKind::Unit)
            .check(rules::cast),
        ArithXori => binary("bitwise exclusive or", SIGNLESS).commutative(),
    }
}

/// Two values of one type to a third.
fn binary(summary: &'static str, elements: u8) -> Facts {
    let ty = scalar_or_tensor(elements);
    let facts = op(summary).elementwise().operand("lhs", ty).operand("rhs", ty).result(ty).infer(rules::same);
    let flags = if elements == FLOAT { "fastmath" } else { "overflowFlags" };
    facts.optional(flags, AttrKind::Foreign)
}

fn comparison(summary: &'static str, elements: u8) -> Facts {
    let ty = scalar_or_tensor(elements);
    let facts = op(summary).elementwise().operand("lhs", ty).operand("rhs", ty).result(scalar_or_tensor(BOOL));
    facts.attr("predicate", AttrKind::Integer(64)).infer(rules::compare)
}
