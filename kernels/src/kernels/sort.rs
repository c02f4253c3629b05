//! `sort`: orders the lines along one dimension of n operands by a comparator; always stable.
//!
//! The comparator takes the operands' elements in pairs (`a0, b0, a1, b1, …`) and tells whether the first position
//! comes before the second. Most comparators compare a function of one operand's elements with the same function of
//! its partner: that function is then evaluated once an element, and the keys are sorted. Any other comparator is
//! evaluated for all pairs that one level of a merge sort looks at next, together.

use pygraph_artifact::{
    dtype::DType,
    scalar::{ScalarBody, ScalarInst, ScalarOp},
};
use rayon::prelude::*;

use super::{
    call::{boolean, check_body, check_type, int, int_attr, prepared},
    layout::strides,
    order::Lines,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, over_elements},
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    scalar::{LANES_MAX, PreparedBody, lanes, lanes_mut, real::Real},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "sort",
    summary: "Orders lines of n operands by a comparator, stably",
    attributes: &[
        int_attr("dimension", "the dimension that lines run along"),
        AttrDef { name: "stable", kind: AttrKind::Bool, doc: "keep the order of equal elements; kept anyway" },
    ],
    body_count: 1,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(SOURCE, plan),
};

const SOURCE: &str =
    concat!(include_str!("layout.cuh"), include_str!("pack.cuh"), include_str!("order.cuh"), include_str!("sort.cu"));

fn plan(call: &CallType<'_>) -> CudaPlan {
    let (shape, count) = (call.inputs[0].shape, call.inputs.len());
    let elements = call.inputs[0].element_count() as u64;
    if elements == 0 {
        return CudaPlan::default();
    }
    let dimension = int(call.attributes, "dimension") as usize;
    let lines = Lines { count: elements / shape[dimension], length: shape[dimension] };
    let mut constants = lines.constants();
    constants.extend([("COUNT", count as i64), ("LINE_STRIDE", strides(shape)[dimension] as i64)]);
    let inputs = (0..count).map(CudaOperand::Input);
    let operands: Vec<CudaOperand> = std::iter::once(CudaOperand::Scratch(0)).chain(inputs).collect();
    let mut steps = lines.steps(&operands);
    let all = operands.into_iter().chain((0..count).map(CudaOperand::Output)).collect();
    steps.extend(over_elements("place", elements, all));
    CudaPlan { constants, scratch: vec![lines.scratch_bytes()], steps, ..CudaPlan::default() }
}

fn check(call: &CallType<'_>) -> Result<(), String> {
    let count = call.inputs.len();
    if count == 0 || call.outputs.len() != count {
        return Err(format!("takes as many inputs as outputs, not {count} and {}", call.outputs.len()));
    }
    let shape = call.inputs[0].shape;
    let dimension = int(call.attributes, "dimension");
    let _ = boolean(call.attributes, "stable");
    if dimension < 0 || dimension as usize >= shape.len() || shape[dimension as usize] > u64::from(u32::MAX) {
        return Err(format!("cannot sort {shape:?} along dimension {dimension}"));
    }
    for (idx, (input, output)) in call.inputs.iter().zip(call.outputs).enumerate() {
        check_type(&format!("input {idx}"), *input, input.dtype, shape)?;
        check_type(&format!("output {idx}"), *output, input.dtype, shape)?;
    }
    let pairs: Vec<DType> = call.inputs.iter().flat_map(|input| [input.dtype; 2]).collect();
    check_body("the comparator", &call.bodies[0], &pairs, &[DType::I1])
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let shape = call.inputs[0].ty.shape;
    if shape.contains(&0) {
        return Ok(());
    }
    let dimension = int(call.attributes, "dimension") as usize;
    let stride = strides(shape)[dimension];
    let length = shape[dimension] as usize;
    let lines = call.inputs[0].ty.element_count() / length;
    let order = Order::new(&call.bodies[0]);
    let first_of = |line: usize| line / stride * stride * length + line % stride;
    // As many lines at a time as keep the permutations small.
    let batch = (1usize << 20).div_ceil(length).min(lines);
    for start in (0..lines).step_by(batch) {
        let count = batch.min(lines - start);
        let sort_line = |line: usize| order.sort(call, first_of(start + line), stride, length);
        let permutations: Vec<Vec<u32>> = (0..count).into_par_iter().map(sort_line).collect();
        for (input, output) in call.inputs.iter().zip(outputs.iter_mut()) {
            let size = input.ty.dtype.size_bytes();
            for (line, permutation) in permutations.iter().enumerate() {
                let first = first_of(start + line);
                for (position, from) in permutation.iter().enumerate() {
                    let from = (first + *from as usize * stride) * size;
                    let to = (first + position * stride) * size;
                    output.bytes[to..to + size].copy_from_slice(&input.bytes[from..from + size]);
                }
            }
        }
    }
    Ok(())
}

/// How lines are ordered.
enum Order {
    /// By a key of one operand's elements.
    Key { operand: usize, key: Box<PreparedBody>, op: ScalarOp },
    /// By asking.
    Comparator(Box<PreparedBody>),
}

impl Order {
    fn new(comparator: &ScalarBody) -> Order {
        match symmetric_key(comparator) {
            Some((operand, key, op)) => Order::Key { operand, key: Box::new(prepared(&key)), op },
            None => Order::Comparator(Box::new(prepared(comparator))),
        }
    }

    /// The positions of a line's elements, in their new order.
    fn sort(&self, call: &Call<'_>, first: usize, stride: usize, length: usize) -> Vec<u32> {
        let permutation: Vec<u32> = (0..length as u32).collect();
        match self {
            Order::Key { operand, key, op } => {
                let keys = line_keys(call, *operand, key, *op, first, stride, length);
                let descending = matches!(op, ScalarOp::Gt | ScalarOp::GtTotal);
                match keys {
                    Keys::Ordered(keys) if descending => {
                        merge_sort(permutation, |a, b| keys[a as usize] > keys[b as usize])
                    }
                    Keys::Ordered(keys) => merge_sort(permutation, |a, b| keys[a as usize] < keys[b as usize]),
                    Keys::Floats(keys) if descending => {
                        merge_sort(permutation, |a, b| keys[a as usize] > keys[b as usize])
                    }
                    Keys::Floats(keys) => merge_sort(permutation, |a, b| keys[a as usize] < keys[b as usize]),
                }
            }
            Order::Comparator(body) => compare_sort(call, body, permutation, first, stride),
        }
    }
}

/// The operand, the function of its elements and the comparison, where the body is `f(a) < f(b)` or `f(a) > f(b)`.
fn symmetric_key(body: &ScalarBody) -> Option<(usize, ScalarBody, ScalarOp)> {
    // Comparators are small; a long one is only slower, and this bounds the recursion of `mirror`.
    if body.instructions.len() > 64 {
        return None;
    }
    let inputs = body.inputs.len() as u32;
    let instruction = |register: u32| body.instructions.get(register.checked_sub(inputs)? as usize);
    let ScalarInst::Op { op, operands, .. } = instruction(body.outputs[0])? else { return None };
    if !matches!(op, ScalarOp::Lt | ScalarOp::Gt | ScalarOp::LtTotal | ScalarOp::GtTotal) {
        return None;
    }
    let mut key = ScalarBody::default();
    let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
    let output = mirror(body, operands[0], operands[1], &mut key, &mut pairs)?;
    let (left, right, _) = *pairs.iter().find(|(left, ..)| *left < inputs)?;
    // `mirror` numbers registers as if there were one input.
    if left % 2 != 0 || right != left + 1 {
        return None;
    }
    key.inputs = vec![body.inputs[left as usize]];
    key.outputs = vec![output];
    key.output_types()?.first().filter(|dtype| !dtype.is_complex())?;
    Some((left as usize / 2, key, *op))
}

/// Copies what computes `left` to `key` if `right` is the same function of the partner; gives its register there.
fn mirror(
    body: &ScalarBody,
    left: u32,
    right: u32,
    key: &mut ScalarBody,
    pairs: &mut Vec<(u32, u32, u32)>,
) -> Option<u32> {
    if let Some((_, _, register)) = pairs.iter().find(|(a, b, _)| (*a, *b) == (left, right)) {
        return Some(*register);
    }
    let inputs = body.inputs.len() as u32;
    if left < inputs || right < inputs {
        let is_new = left + 1 == right && pairs.iter().all(|(a, ..)| *a >= inputs);
        pairs.push((left, right, 0));
        return is_new.then_some(0);
    }
    let instruction = |register: u32| &body.instructions[(register - inputs) as usize];
    let copied = match (instruction(left), instruction(right)) {
        (a @ ScalarInst::Constant { .. }, b) if a == b => a.clone(),
        (
            ScalarInst::Op { op, dtype, operands, immediates },
            ScalarInst::Op { op: other, dtype: other_dtype, operands: others, immediates: other_immediates },
        ) if (op, dtype, immediates) == (other, other_dtype, other_immediates) && operands.len() == others.len() => {
            let sources: Option<Vec<u32>> =
                operands.iter().zip(others).map(|(a, b)| mirror(body, *a, *b, key, pairs)).collect();
            ScalarInst::Op { op: *op, dtype: *dtype, operands: sources?, immediates: immediates.clone() }
        }
        _ => return None,
    };
    key.instructions.push(copied);
    let register = key.instructions.len() as u32;
    pairs.push((left, right, register));
    Some(register)
}

/// Keys in a form that compares fast.
enum Keys {
    Ordered(Vec<i64>),
    /// NaN is neither less nor greater than anything.
    Floats(Vec<f64>),
}

fn line_keys(
    call: &Call<'_>,
    operand: usize,
    key: &PreparedBody,
    op: ScalarOp,
    first: usize,
    stride: usize,
    length: usize,
) -> Keys {
    let tensor = &call.inputs[operand];
    let size = tensor.ty.dtype.size_bytes();
    let dtype = key.output_types().next().expect("a key should have a type");
    let is_plain_float = dtype.is_float() && matches!(op, ScalarOp::Lt | ScalarOp::Gt);
    let mut keys = if is_plain_float { Keys::Floats(vec![]) } else { Keys::Ordered(vec![]) };
    let mut registers = key.registers(LANES_MAX.min(length));
    for start in (0..length).step_by(LANES_MAX) {
        let count = LANES_MAX.min(length - start);
        let values: &mut [u8] = lanes_mut(key.input_mut(&mut registers, 0));
        for (position, value) in values.chunks_exact_mut(size).take(count).enumerate() {
            let from = (first + (start + position) * stride) * size;
            value.copy_from_slice(&tensor.bytes[from..from + size]);
        }
        key.run(&mut registers, count);
        let output = key.output(&registers, 0);
        match &mut keys {
            Keys::Ordered(keys) => extend_ordered(keys, dtype, output, count),
            Keys::Floats(keys) => extend_floats(keys, dtype, output, count),
        }
    }
    keys
}

fn extend_ordered(keys: &mut Vec<i64>, dtype: DType, output: &[u128], count: usize) {
    macro_rules! extend {
        ($t:ty, $key:expr) => {
            keys.extend(lanes::<$t>(output)[..count].iter().copied().map($key))
        };
    }
    match dtype {
        DType::I2 | DType::I4 | DType::I8 => extend!(i8, i64::from),
        DType::I16 => extend!(i16, i64::from),
        DType::I32 => extend!(i32, i64::from),
        DType::I64 => extend!(i64, |x| x),
        DType::U16 => extend!(u16, i64::from),
        DType::U32 => extend!(u32, i64::from),
        DType::U64 => extend!(u64, |x| (x ^ (1 << 63)) as i64),
        DType::Bf16 => extend!(half::bf16, Real::total_key),
        DType::F16 => extend!(half::f16, Real::total_key),
        DType::F32 => extend!(f32, Real::total_key),
        DType::F64 => extend!(f64, Real::total_key),
        _ => extend!(u8, i64::from),
    }
}

fn extend_floats(keys: &mut Vec<f64>, dtype: DType, output: &[u128], count: usize) {
    match dtype {
        DType::Bf16 => extend_from::<half::bf16>(keys, output, count),
        DType::F16 => extend_from::<half::f16>(keys, output, count),
        DType::F32 => extend_from::<f32>(keys, output, count),
        _ => extend_from::<f64>(keys, output, count),
    }
}

fn extend_from<T: Real>(keys: &mut Vec<f64>, output: &[u128], count: usize) {
    keys.extend(lanes::<T>(output)[..count].iter().map(|x| x.to_f64()));
}

/// A stable merge sort that never panics, whatever `is_before` says.
fn merge_sort(mut order: Vec<u32>, is_before: impl Fn(u32, u32) -> bool) -> Vec<u32> {
    const RUN: usize = 16;
    for run in order.chunks_mut(RUN) {
        for end in 1..run.len() {
            let mut at = end;
            while at > 0 && is_before(run[at], run[at - 1]) {
                run.swap(at, at - 1);
                at -= 1;
            }
        }
    }
    let mut merged = order.clone();
    let mut width = RUN;
    while width < order.len() {
        for (from, to) in order.chunks(2 * width).zip(merged.chunks_mut(2 * width)) {
            let (mut left, mut right) = from.split_at(width.min(from.len()));
            for slot in to {
                let takes_right = match (left.first(), right.first()) {
                    (Some(left), Some(right)) => is_before(*right, *left),
                    (None, _) => true,
                    (_, None) => false,
                };
                let source = if takes_right { &mut right } else { &mut left };
                *slot = source[0];
                *source = &source[1..];
            }
        }
        std::mem::swap(&mut order, &mut merged);
        width *= 2;
    }
    order
}

/// One merge in flight: what is left of both runs, and where the next element goes.
struct Merge {
    left: (usize, usize),
    right: (usize, usize),
    target: usize,
}

/// A stable merge sort that asks the comparator for all merges of a level at once.
fn compare_sort(call: &Call<'_>, body: &PreparedBody, mut order: Vec<u32>, first: usize, stride: usize) -> Vec<u32> {
    let length = order.len();
    let mut registers = body.registers(LANES_MAX.min(length));
    let mut merged = order.clone();
    let mut width = 1;
    while width < length {
        let starts: Vec<usize> = (0..length).step_by(2 * width).collect();
        for group in starts.chunks(LANES_MAX) {
            let mut merges: Vec<Merge> = group
                .iter()
                .map(|start| {
                    let middle = (start + width).min(length);
                    Merge { left: (*start, middle), right: (middle, (middle + width).min(length)), target: *start }
                })
                .collect();
            loop {
                merges.retain_mut(|merge| {
                    let rest = if merge.left.0 == merge.left.1 { merge.right } else { merge.left };
                    let is_done = merge.left.0 == merge.left.1 || merge.right.0 == merge.right.1;
                    if is_done {
                        let count = rest.1 - rest.0;
                        merged[merge.target..merge.target + count].copy_from_slice(&order[rest.0..rest.1]);
                    }
                    !is_done
                });
                if merges.is_empty() {
                    break;
                }
                for (idx, input) in call.inputs.iter().enumerate() {
                    let size = input.ty.dtype.size_bytes();
                    let element = |position: usize| (first + order[position] as usize * stride) * size;
                    let rights = merges.iter().map(|merge| element(merge.right.0));
                    fill(body.input_mut(&mut registers, 2 * idx), size, input.bytes, rights);
                    let lefts = merges.iter().map(|merge| element(merge.left.0));
                    fill(body.input_mut(&mut registers, 2 * idx + 1), size, input.bytes, lefts);
                }
                body.run(&mut registers, merges.len());
                let takes_right = lanes::<u8>(body.output(&registers, 0));
                for (merge, takes_right) in merges.iter_mut().zip(takes_right) {
                    let source = if *takes_right != 0 { &mut merge.right.0 } else { &mut merge.left.0 };
                    merged[merge.target] = order[*source];
                    *source += 1;
                    merge.target += 1;
                }
            }
        }
        std::mem::swap(&mut order, &mut merged);
        width *= 2;
    }
    order
}

fn fill(register: &mut [u128], size: usize, bytes: &[u8], offsets: impl Iterator<Item = usize>) {
    let lanes: &mut [u8] = lanes_mut(register);
    for (lane, offset) in lanes.chunks_exact_mut(size).zip(offsets) {
        lane.copy_from_slice(&bytes[offset..offset + size]);
    }
}
