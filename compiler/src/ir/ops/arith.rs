//! `arith`: what torch-mlir leaves of scalars and constants.

use super::{
    def::{Facts, op},
    names::Arith::{self, *},
};

pub(super) fn facts(name: Arith) -> Facts {
    match name {
        ArithAddf => op("sum").elementwise().commutative(),
        ArithAddi => op("sum, wrapping around").elementwise().commutative(),
        ArithCmpi => op("relation of integers").elementwise(),
        ArithConstant => op("a constant"),
        ArithDivsi => op("quotient of signed integers").elementwise(),
        ArithDivui => op("quotient of unsigned integers").elementwise(),
        ArithExtf => op("float in a wider format").elementwise(),
        ArithExtsi => op("signed integer in a wider type").elementwise(),
        ArithFptosi => op("signed integer from a float").elementwise(),
        ArithIndexCast => op("integer as index or back").elementwise(),
        ArithMaxsi => op("larger signed integer").elementwise().commutative(),
        ArithMinsi => op("smaller signed integer").elementwise().commutative(),
        ArithMulf => op("product").elementwise().commutative(),
        ArithMuli => op("product, wrapping around").elementwise().commutative(),
        ArithRemsi => op("remainder of signed integers").elementwise(),
        ArithSelect => op("second operand where the first is true, else the third").elementwise(),
        ArithSitofp => op("float from a signed integer").elementwise(),
        ArithSubf => op("difference").elementwise(),
        ArithSubi => op("difference, wrapping around").elementwise(),
        ArithTrunci => op("integer in a narrower type").elementwise(),
        ArithTruncf => op("float in a narrower format").elementwise(),
    }
}
