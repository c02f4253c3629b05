//! Elementwise work behind a product, done where the product's kernels would store: each of its elements goes into the loop nest's body
//! as soon as it is there, and what lies in memory is the nest's result alone.
//!
//! In the skeleton an output is something that `store(output, number, value)` takes. Without an epilogue it is a pointer; with one a struct
//! `Epilogue` of the nest's arrays, whose `store` finds the nest's point by the number of the product's element.

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest, Program};
use pygraph_kernels::manifest;

use crate::{
    address::is_indirect,
    kernel::{Operand, Parameter},
    nest::{NestText, Source, index_type, line},
};
use std::fmt::Write as _;

/// The work, and what it reads and writes beside the product.
#[derive(Debug)]
pub struct Epilogue {
    arrays: Vec<(Parameter, BufferId)>,
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
        let mut arrays: Vec<(Parameter, BufferId)> = Vec::new();
        for access in accesses().filter(|access| access.buffer != product) {
            let FusedOperand::Buffer(buffer) = fused.operands[access.buffer.0 as usize] else { return None };
            if arrays.iter().all(|(_, other)| *other != buffer) {
                let dtype = program.buffers[buffer.0 as usize].dtype;
                let name = format!("e{}", arrays.len());
                arrays.push((Parameter::new(name, dtype, is_indirect(program, buffer)), buffer));
            }
        }
        let text = text_of(fused, stage, product, &order, &arrays);
        Some(Epilogue { arrays, text })
    }

    /// The struct and its `store`, to stand behind the skeleton.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What its kernels take, of which the first is parameter number `first`.
    pub fn parameters(&self, first: usize) -> impl Iterator<Item = Parameter> {
        let named = move |(number, (parameter, _)): (usize, &(Parameter, BufferId))| Parameter {
            name: format!("p{}", first + number),
            ..parameter.clone()
        };
        self.arrays.iter().enumerate().map(named)
    }

    /// What is given for each parameter.
    pub fn operands(&self) -> impl Iterator<Item = Operand> {
        self.arrays.iter().map(|(_, buffer)| Operand::Buffer(*buffer))
    }

    /// The struct as an expression, of parameters from number `first` on; `scope` stands before its name.
    pub fn value(&self, first: usize, scope: &str) -> String {
        let names: Vec<String> = (first..first + self.arrays.len()).map(|number| format!("p{number}")).collect();
        format!("{scope}Epilogue{{{}}}", names.join(", "))
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

fn text_of(
    fused: &Fused,
    stage: &Nest,
    product: BufferId,
    order: &[usize],
    arrays: &[(Parameter, BufferId)],
) -> String {
    let array = |access: &Access| match fused.operands[access.buffer.0 as usize] {
        FusedOperand::Buffer(buffer) => {
            let found = arrays.iter().find(|(_, other)| *other == buffer);
            Source::Array(format!("of.{}", found.expect("every buffer of the nest should be listed").0.name))
        }
        FusedOperand::Temporary { .. } => {
            assert_eq!(access.buffer, product, "the product should be the one temporary");
            Source::Value("product".to_string())
        }
    };
    let nest = NestText::new(stage, "e", &array);
    let mut text = String::from("struct Epilogue {\n");
    for (Parameter { name, element, .. }, _) in arrays {
        line!(text, "{element}* {name};");
    }
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
