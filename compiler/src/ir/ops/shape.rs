//! `shape`: what torch-mlir leaves of run-time shapes.

use super::{
    Opcode,
    constraint::{
        ANY_TYPE, AttrKind, Form, TypeConstraint, form,
        sets::{ANY, INDEX, POSITION},
        tensor_of,
    },
    def::{Count, Effect, Facts, op},
    names::Shape::{self, *},
    rules::{arith, control},
};

/// `!shape.witness`: a promise that something holds.
const WITNESS: TypeConstraint = form(Form::Dialect("shape.witness"));

/// The operations, in order of name.
pub(super) fn facts(name: Shape) -> Facts {
    match name {
        ShapeAssuming => op("a region that relies on a witness")
            .effect(Effect::Regions)
            .operand("witness", WITNESS)
            .results("results", ANY_TYPE, Count::Any)
            .region("do_region", Opcode::ShapeAssumingYield)
            .infer(control::region_gives_results),
        ShapeAssumingYield => {
            op("ends shape.assuming and gives its values").terminator().operands("operands", ANY_TYPE, Count::Any)
        }
        ShapeBroadcast => op("shape that operands of these shapes broadcast to")
            .operands("shapes", ANY_TYPE, Count::Any)
            .result(ANY_TYPE)
            .optional("error", AttrKind::String),
        ShapeConcat => {
            op("shapes one after another").operand("lhs", ANY_TYPE).operand("rhs", ANY_TYPE).result(ANY_TYPE)
        }
        ShapeCstrBroadcastable => {
            op("a witness that shapes broadcast").operands("shapes", ANY_TYPE, Count::Some).result(WITNESS)
        }
        ShapeConstWitness => op("a witness known at compile time").result(WITNESS).attr("passing", AttrKind::Bool),
        ShapeNumElements => op("product of the extents").operand("shape", ANY_TYPE).result(ANY_TYPE),
        ShapeShapeOf => {
            op("shape of a tensor").operand("arg", tensor_of(ANY | INDEX)).result(ANY_TYPE).check(arith::shape_of)
        }
        ShapeSplitAt => op("a shape in two parts")
            .operand("operand", ANY_TYPE)
            .operand("index", ANY_TYPE)
            .results("head", ANY_TYPE, Count::One)
            .results("tail", ANY_TYPE, Count::One),
        ShapeToExtentTensor => op("a shape as a tensor").operand("input", ANY_TYPE).result(tensor_of(POSITION)),
    }
}
