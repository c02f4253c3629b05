//! Elementwise work behind a product, done where the product's kernels would store: each of its elements goes into the loop nest's body
//! as soon as it is there, and what lies in memory is the nest's result alone.
//!
//! In the skeleton an output is something that `store(output, number, value)` takes, and `store_run` several neighbours of, of which `prepare`
//! has loaded what the nest reads beside them. Without an epilogue it is a pointer; with one a struct
//! `Epilogue` of the nest's arrays, whose functions find the nest's point by the number of the product's element.

use pygraph_artifact::plan::{Access, BufferId, Fused, FusedOperand, KernelCall, Nest, Program};
use pygraph_kernels::manifest;

use crate::{
    address::is_aligned,
    arrays::Arrays,
    nest::{NestText, Reach, Source, Vector, index_type, line, merged},
    types,
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
        let (stage, order) = merged(stage, order);
        let text = text_of(program, fused, &stage, product, &order, &arrays);
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

/// Elements of a run, where the innermost dimension is a number of them.
const RUN: u64 = 4;

fn text_of(
    program: &Program,
    fused: &Fused,
    stage: &Nest,
    product: BufferId,
    order: &[usize],
    arrays: &Arrays,
) -> String {
    let array = |access: &Access| match fused.operands[access.buffer.0 as usize] {
        FusedOperand::Buffer(buffer) => {
            let name = format!("of.{}", arrays.name(buffer));
            Source::Array { name, is_aligned: is_aligned(program, buffer), is_fixed: false }
        }
        FusedOperand::Temporary { .. } => {
            assert_eq!(access.buffer, product, "the product should be the one temporary");
            Source::Value("product[at]".to_string())
        }
    };
    let nest = NestText::new(stage, "e", &array);
    let reach = |access: &Access| match order.last() {
        Some(inner) => nest.reach(access, Vector { dim: *inner, width: RUN }),
        None => Reach::Apart,
    };
    let longest = order.last().filter(|inner| stage.extents[**inner].is_multiple_of(RUN)).map_or(1, |_| RUN);
    let split = split(stage, &nest, order);
    let each = each_element(&nest, order);
    let mut text =
        format!("struct Epilogue {{\n{}static constexpr int LONGEST_RUN = {longest};\n}};\n", arrays.fields());
    let read: Vec<(usize, &Access)> =
        stage.inputs.iter().enumerate().filter(|(_, access)| access.buffer != product).collect();
    let (types, elements): (Vec<&str>, Vec<String>) = nest.inputs().into_iter().unzip();

    line!(text, "template <int RUN>\nstruct Prepared<Epilogue, RUN> {{");
    for (number, access) in &read {
        let count = if reach(access) == Reach::One { "" } else { "[RUN]" };
        line!(text, "{} x{number}{count};", types[*number]);
    }
    line!(text, "}};\ntemplate <int RUN>\ninline Prepared<Epilogue, RUN> prepare(const Epilogue& of, i64 element) {{");
    line!(text, "Prepared<Epilogue, RUN> ahead;\n{split}");
    for (number, access) in &read {
        let element = &elements[*number];
        match reach(access) {
            Reach::Together => line!(text, "read_run<true>(&{element}, ahead.x{number});"),
            Reach::One => line!(text, "ahead.x{number} = {element};"),
            Reach::Apart => line!(text, "{each}ahead.x{number}[at] = {element};\n}}"),
        }
    }
    line!(text, "return ahead;\n}}");

    line!(
        text,
        "template <int RUN>\ninline void store_run(const Epilogue& of, i64 element, const Out0 (&product)[RUN],"
    );
    line!(text, "const Prepared<Epilogue, RUN>& ahead) {{\n{split}");
    let inputs = stage.inputs.iter().enumerate().map(|(number, access)| match reach(access) {
        _ if access.buffer == product => elements[number].clone(),
        Reach::One => format!("ahead.x{number}"),
        Reach::Together | Reach::Apart => format!("ahead.x{number}[at]"),
    });
    let (values, results) = nest.values(&inputs.collect::<Vec<_>>());
    let result_types = nest.value_types();
    let outputs = || stage.outputs.iter().zip(&result_types).enumerate();
    outputs().for_each(|(number, (_, dtype))| line!(text, "{} y{number}[RUN];", types::name(*dtype)));
    line!(text, "{each}{values}");
    results.iter().enumerate().for_each(|(number, result)| line!(text, "y{number}[at] = {result};"));
    line!(text, "}}");
    for (number, (access, _)) in outputs() {
        let element = nest.element(access, stage.extents.len());
        match reach(access) {
            Reach::Together => line!(text, "write_run<true>(&{element}, y{number});"),
            Reach::One | Reach::Apart => line!(text, "{each}{element} = y{number}[at];\n}}"),
        }
    }
    line!(text, "}}\ninline void store(const Epilogue& of, i64 element, Out0 product) {{");
    line!(text, "const Out0 one[1] = {{product}};\nstore_run(of, element, one, prepare<1>(of, element));\n}}");
    text
}

/// Statements that find the nest's indices at the product's element number `element`.
fn split(stage: &Nest, nest: &NestText, order: &[usize]) -> String {
    let mut text = String::new();
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
    let first = order.last().map_or_else(|| "0".to_string(), |inner| nest.index(*inner));
    line!(text, "const index first = {first};\n(void)rest;\n(void)first;");
    text
}

/// The beginning of a loop over the elements of a run, in which the innermost index is that of element `at`.
fn each_element(nest: &NestText, order: &[usize]) -> String {
    let mut text = String::new();
    line!(text, "#pragma unroll\nfor (int at = 0; at < RUN; ++at) {{");
    if let Some(inner) = order.last() {
        line!(text, "const index {} = first + at;", nest.index(*inner));
    }
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
