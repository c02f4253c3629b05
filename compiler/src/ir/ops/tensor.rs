//! `tensor`: what torch-mlir leaves of tensors.

use super::{
    constraint::{
        AttrKind, TypeConstraint, scalar_of,
        sets::{ANY, INDEX},
        tensor_of,
    },
    def::{Count, Facts, op},
    names::Tensor::{self, *},
    rules::arith,
};

/// Tensors may hold `index` here.
const ANY_TENSOR: TypeConstraint = tensor_of(ANY | INDEX);

/// The operations, in order of name.
pub(super) fn facts(name: Tensor) -> Facts {
    match name {
        TensorCast => op("the same tensor under a type that says more or less of its shape")
            .operand("source", ANY_TENSOR)
            .result(ANY_TENSOR)
            .check(arith::tensor_cast),
        TensorCollapseShape => op("the same elements with dimensions merged")
            .operand("src", ANY_TENSOR)
            .result(ANY_TENSOR)
            .attr("reassociation", AttrKind::IntegerLists)
            .check(arith::collapse_shape),
        TensorDim => op("extent of a dimension")
            .operand("source", ANY_TENSOR)
            .operand("index", scalar_of(INDEX))
            .result(scalar_of(INDEX))
            .infer(arith::index),
        TensorExpandShape => op("the same elements with dimensions split")
            .operand("src", ANY_TENSOR)
            .operands("output_shape", scalar_of(INDEX), Count::Any)
            .result(ANY_TENSOR)
            .attr("reassociation", AttrKind::IntegerLists)
            .optional("static_output_shape", AttrKind::I64Array)
            .check(arith::expand_shape),
        TensorExtract => op("an element")
            .operand("tensor", ANY_TENSOR)
            .operands("indices", scalar_of(INDEX), Count::Any)
            .result(scalar_of(ANY | INDEX))
            .infer(arith::extract),
        TensorFromElements => op("a tensor of scalars")
            .operands("elements", scalar_of(ANY | INDEX), Count::Any)
            .result(ANY_TENSOR)
            .check(arith::from_elements),
    }
}
