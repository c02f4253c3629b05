//! Attributes of the operation that is being lowered. The verifier has seen that those which it must have are there, and
//! that all are of their kinds.

use super::site::Site;
use crate::ir::{Attribute, attribute::DenseElements, ops::view::View};

impl Site<'_> {
    /// An attribute of the operation.
    pub(super) fn attr(&self, name: &str) -> Option<Attribute> {
        self.module.op(self.op).attr(name).cloned()
    }

    /// A truth value of the operation, false where it has none.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.module.op(self.op).attr(name).and_then(Attribute::as_bool).unwrap_or(false)
    }

    /// A list of integers that the operation must have.
    pub(super) fn int_list(&self, name: &str) -> Vec<i64> {
        self.optional_int_list(name).expect("the verifier should have seen a list of integers that is required")
    }

    /// A list of integers, or `count` times the default where the operation has none.
    pub(super) fn int_list_or(&self, name: &str, count: usize, default: i64) -> Vec<i64> {
        self.optional_int_list(name).unwrap_or_else(|| vec![default; count])
    }

    fn optional_int_list(&self, name: &str) -> Option<Vec<i64>> {
        self.module.op(self.op).attr(name).and_then(Attribute::as_i64_slice).map(<[i64]>::to_vec)
    }

    /// An integer that the operation must have.
    pub(super) fn int(&self, name: &str) -> i64 {
        self.optional_int(name).expect("the verifier should have seen an integer that is required")
    }

    /// An integer, or the default where the operation has none.
    pub(super) fn int_or(&self, name: &str, default: i64) -> i64 {
        self.optional_int(name).unwrap_or(default)
    }

    fn optional_int(&self, name: &str) -> Option<i64> {
        self.module.op(self.op).attr(name).and_then(Attribute::as_i64)
    }

    /// A constant that the operation must have.
    pub(super) fn dense(&self, name: &str) -> DenseElements {
        match self.module.op(self.op).attr(name) {
            Some(Attribute::Dense(elements)) => elements.clone(),
            _ => unreachable!("the verifier should have seen the constant `{name}`"),
        }
    }

    /// The rows of an attribute of shape `count` x 2; zeros where the operation has none.
    pub(super) fn pairs_or_zero(&self, name: &str, count: usize) -> Vec<(i64, i64)> {
        View::of(self.module, self.op).pairs(name, count).expect("the verifier should have seen pairs of integers")
    }
}
