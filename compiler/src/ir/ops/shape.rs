//! `shape`: what torch-mlir leaves of run-time shapes.

use super::{
    def::{Effect, Facts, op},
    names::Shape::{self, *},
};

pub(super) fn facts(name: Shape) -> Facts {
    match name {
        ShapeAssuming => op("a region that relies on a witness").effect(Effect::Regions),
        ShapeAssumingYield => op("ends shape.assuming and gives its values").terminator(),
        ShapeBroadcast => op("shape that operands of these shapes broadcast to"),
        ShapeConcat => op("shapes one after another"),
        ShapeCstrBroadcastable => op("a witness that shapes broadcast"),
        ShapeConstWitness => op("a witness known at compile time"),
        ShapeNumElements => op("product of the extents"),
        ShapeShapeOf => op("shape of a tensor"),
        ShapeSplitAt => op("a shape in two parts"),
        ShapeToExtentTensor => op("a shape as a tensor"),
    }
}
