//! Elementwise work behind a product, done where the product's kernels would store: each of its elements goes into the loop nest's body
//! as soon as it is there, and what lies in memory is the nest's result alone.
//!
//! In the skeleton an output is something that `store(output, number, value)` takes. Without an epilogue it is a pointer; with one a struct
//! `Epilogue` of the nest's arrays, whose `store` finds the nest's point by the number of the product's element.

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest, Program};
use pygraph_kernels::manifest;

use crate::{
    arrays::Arrays,
    nest::{NestText, Source, index_type, line},
};
use std::fmt::Write as _;

/// The work, and what it reads and writes beside the product.
#[derive(Debug)]
pub struct Epilogue {
    arrays: Arrays,
    text: String,
}

impl Epilogue {
    /// The epilogue of a fused product, if it is one nest that takes each element once.
    pub fn of(program: &Program, fused: &Fused, kernel: &KernelCall) -> Option<Epilogue> {
        let [stage] = &fused.stages[..] else { return None };
        let [product] = kernel.outputs[..] else { return None };
        if !manifest::find(&kernel.kernel)?.cuda.has_epilogue || stage.combine.is_some() {
            return None;
        }
        if !matches!(fused.operands[product.0 as usize], FusedOperand::Temporary { .. }) {
            return None;
        }
        let accesses = || stage.inputs.iter().chain(&stage.outputs);
        let mut of_product = accesses().filter(|access| access.buffer == product);
        let (first, None) = (of_product.next()?, of_product.next()) else { return None };
        let order = dims_by_stride(stage, first)?;
        let arrays = Arrays::of(program, fused, accesses().filter(|access| access.buffer != product))?;
        let text = text_of(fused, stage, product, &order, &arrays);
        Some(Epilogue { arrays, text })
    }

    /// The struct and its `store`, to stand behind the skeleton.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What its kernels take for it.
    pub fn arrays(&self) -> &Arrays {
        &self.arrays
    }
}

/// The nest's dimensions from the one along which the product's elements lie farthest apart to the nearest, if together they count the
/// elements from zero on without a gap. Dimensions of extent 1 are left out.
fn dims_by_stride(stage: &Nest, access: &Access) -> Option<Vec<usize>> {
    let mut dims: Vec<usize> = (0..stage.extents.len()).filter(|dim| stage.extents[*dim] > 1).collect();
    dims.sort_by_key(|dim| std::cmp::Reverse(access.strides[*dim]));
    let mut count: i64 = 1;
    for dim in dims.iter().rev() {
        if access.strides[*dim] != count {
            return None;
        }
        count = count.checked_mul(i64::try_from(stage.extents[*dim]).ok()?)?;
    }
    (access.offset == 0).then_some(dims)
}

fn text_of(fused: &Fused, stage: &Nest, product: BufferId, order: &[usize], arrays: &Arrays) -> String {
    let array = |access: &Access| match fused.operands[access.buffer.0 as usize] {
        FusedOperand::Buffer(buffer) => Source::Array(format!("of.{}", arrays.name(buffer))),
        FusedOperand::Temporary { .. } => {
            assert_eq!(access.buffer, product, "the product should be the one temporary");
            Source::Value("product".to_string())
        }
    };
    let nest = NestText::new(stage, "e", &array);
    let mut text = format!("struct Epilogue {{\n{}", arrays.fields());
    line!(text, "}};\ninline void store(const Epilogue& of, i64 element, Out0 product) {{");
    line!(text, "typedef {} index;\nindex rest = index(element);", index_type(std::slice::from_ref(stage)));
    for (dim, _) in stage.extents.iter().enumerate().filter(|(_, extent)| **extent == 1) {
        line!(text, "const index {} = 0;", nest.index(dim));
    }
    for (number, dim) in order.iter().enumerate().rev() {
        let (name, extent) = (nest.index(*dim), stage.extents[*dim]);
        if number == 0 {
            line!(text, "const index {name} = rest;");
        } else {
            line!(text, "const index {name} = rest % {extent};\nrest /= {extent};");
        }
    }
    text.push_str(&nest.one_point());
    line!(text, "(void)rest;\n}}");
    text
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::scalar::ScalarBody;

    use super::*;

    fn dims(extents: &[u64], strides: &[i64], offset: i64) -> Option<Vec<usize>> {
        let access = Access { buffer: BufferId(0), offset, strides: strides.to_vec() };
        let map = ScalarBody { inputs: vec![], instructions: vec![], outputs: vec![] };
        let nest =
            Nest { extents: extents.to_vec(), reduction_dims: 0, inputs: vec![], outputs: vec![], map, combine: None };
        dims_by_stride(&nest, &access)
    }

    #[test]
    fn dimensions_count_the_elements_in_some_order() {
        assert_eq!(dims(&[2, 3, 4], &[12, 4, 1], 0), Some(vec![0, 1, 2]));
        assert_eq!(dims(&[3, 2, 1, 4], &[4, 12, 7, 1], 0), Some(vec![1, 0, 3]));
        assert_eq!(dims(&[1, 1], &[0, 0], 0), Some(vec![]));
    }

    #[test]
    fn gaps_repeats_and_offsets_are_no_count() {
        assert_eq!(dims(&[2, 3], &[4, 1], 0), None);
        assert_eq!(dims(&[2, 3], &[0, 1], 0), None);
        assert_eq!(dims(&[2, 3], &[-3, 1], 0), None);
        assert_eq!(dims(&[2, 3], &[3, 1], 1), None);
    }
}
