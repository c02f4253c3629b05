//! Attributes of the operation that is being lowered.

use super::{Refusal, literal, site::Site};
use crate::ir::Attribute;

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
    pub(super) fn int_list(&self, name: &str) -> Result<Vec<i64>, Refusal> {
        let list = self.module.op(self.op).attr(name).and_then(Attribute::as_i64_slice);
        Ok(list.ok_or_else(|| Refusal::missing(name))?.to_vec())
    }

    /// An integer that the operation must have.
    pub(super) fn int(&self, name: &str) -> Result<i64, Refusal> {
        let value = self.module.op(self.op).attr(name).and_then(Attribute::as_i64);
        value.ok_or_else(|| Refusal::missing(name))
    }

    /// A list of integers, or `count` times the default where the operation has none.
    pub(super) fn int_list_or(&self, name: &str, count: usize, default: i64) -> Vec<i64> {
        self.int_list(name).unwrap_or_else(|_| vec![default; count])
    }

    /// The rows of an attribute of shape `count` x 2; zeros where the operation has none.
    pub(super) fn pairs_or_zero(&self, name: &str, count: usize) -> Result<Vec<(i64, i64)>, Refusal> {
        let Some(attribute) = self.module.op(self.op).attr(name) else { return Ok(vec![(0, 0); count]) };
        let numbers = match attribute {
            Attribute::Dense(elements) => literal::integers(elements, 2 * count),
            Attribute::DenseArray { values, .. } => Some(values.to_vec()).filter(|values| values.len() == 2 * count),
            _ => None,
        };
        let numbers = numbers.ok_or_else(|| Refusal::from(format!("`{name}` has no {count} pairs of integers")))?;
        Ok(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
    }
}
