//! `tensor`: what torch-mlir leaves of tensors.

use super::{
    def::{Facts, op},
    names::Tensor::{self, *},
};

pub(super) fn facts(name: Tensor) -> Facts {
    match name {
        TensorCast => op("the same tensor under a type that says more or less of its shape"),
        TensorCollapseShape => op("the same elements with dimensions merged"),
        TensorDim => op("extent of a dimension"),
        TensorExpandShape => op("the same elements with dimensions split"),
        TensorExtract => op("an element"),
        TensorFromElements => op("a tensor of scalars"),
    }
}
