//! `scan`: every prefix of the lines along one dimension, folded, in linear time.
//!
//! Inputs: n operands, then n initial scalars. The body takes n accumulators and n elements and gives n accumulators.
//! An inclusive scan's element holds what was folded up to it with it, an exclusive one's without it.
//! Float sums and products accumulate in `f64` and are rounded where they are stored.

use pygraph_artifact::scalar::ScalarOp;

use super::{
    call::{boolean, check_body, check_type, int, int_attr, prepared},
    layout::strides,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, CudaStep, MULTIPROCESSORS, THREADS, over_elements},
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    nest::fold::{Fold, fold_ops, simple_folds},
    scalar::{LANES_MAX, PreparedBody, fill, lanes_mut},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "scan",
    summary: "Folds every prefix of lines along one dimension",
    attributes: &[
        int_attr("dimension", "the dimension that lines run along"),
        AttrDef { name: "inclusive", kind: AttrKind::Bool, doc: "an element's prefix ends with it, not before it" },
        AttrDef { name: "reverse", kind: AttrKind::Bool, doc: "lines start at their end" },
    ],
    body_count: 1,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(concat!(include_str!("layout.cuh"), include_str!("pack.cuh"), include_str!("scan.cu")), plan),
};

/// Length from which on a block goes through a line.
const LONG: u64 = 256;
/// Lines that keep the card busy with a thread each.
const BUSY_LINES: u64 = MULTIPROCESSORS * 512;

fn plan(call: &CallType<'_>) -> CudaPlan {
    let (count, shape) = (call.outputs.len(), call.inputs[0].shape);
    let elements = call.inputs[0].element_count() as u64;
    let length = shape[int(call.attributes, "dimension") as usize];
    let fold = fold_ops(&call.bodies[0]).filter(|_| count == 1).map(|folds| folds[0]);
    let wide = match fold {
        Some((ScalarOp::Add, dtype)) if dtype.is_float() => 1,
        Some((ScalarOp::Mul, dtype)) if dtype.is_float() => 2,
        _ => 0,
    };
    let constants = vec![("WIDE", wide)];
    if elements == 0 {
        return CudaPlan { constants, ..CudaPlan::default() };
    }
    let outputs = (0..count).map(CudaOperand::Output);
    let operands: Vec<CudaOperand> = outputs.chain((0..2 * count).map(CudaOperand::Input)).collect();
    let lines = elements / length;
    // A sum in f64 needs `chains`, however short its lines.
    let step = if fold.is_some() && (wide != 0 || length >= LONG && lines <= BUSY_LINES) {
        let grid = [lines.min(1 << 16) as u32, 1, 1];
        Some(CudaStep {
            function: "chains".into(),
            grid,
            block: [THREADS, 1, 1],
            shared_bytes: 0,
            operands,
            resident: 1,
            waits: false,
        })
    } else {
        over_elements("lines", lines, operands)
    };
    CudaPlan { constants, steps: step.into_iter().collect(), ..CudaPlan::default() }
}

fn check(call: &CallType<'_>) -> Result<(), String> {
    let count = call.outputs.len();
    if count == 0 || call.inputs.len() != 2 * count {
        return Err(format!(
            "takes n operands and n initial values for n outputs, not {} for {count}",
            call.inputs.len()
        ));
    }
    let shape = call.inputs[0].shape;
    let dimension = int(call.attributes, "dimension");
    if dimension < 0 || dimension as usize >= shape.len() {
        return Err(format!("cannot scan {shape:?} along dimension {dimension}"));
    }
    let types: Vec<_> = call.inputs[..count].iter().map(|operand| operand.dtype).collect();
    for (idx, dtype) in types.iter().enumerate() {
        check_type(&format!("operand {idx}"), call.inputs[idx], *dtype, shape)?;
        check_type(&format!("initial value {idx}"), call.inputs[count + idx], *dtype, &[])?;
        check_type(&format!("output {idx}"), call.outputs[idx], *dtype, shape)?;
    }
    let inputs: Vec<_> = types.iter().chain(&types).copied().collect();
    check_body("the body", &call.bodies[0], &inputs, &types)
}

/// Some neighbouring lines.
struct Lines {
    /// Element of the first line's first position.
    first: usize,
    /// How many; adjacent in memory.
    count: usize,
    /// From one position to the next.
    stride: usize,
    length: usize,
    reverse: bool,
    inclusive: bool,
}

impl Lines {
    /// The first element of each position, in the order of the scan.
    fn positions(&self) -> impl Iterator<Item = usize> {
        let at = |step: usize| if self.reverse { self.length - 1 - step } else { step };
        (0..self.length).map(move |step| self.first + at(step) * self.stride)
    }
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let shape = call.inputs[0].ty.shape;
    if shape.contains(&0) {
        return Ok(());
    }
    let dimension = int(call.attributes, "dimension") as usize;
    let (stride, length) = (strides(shape)[dimension], shape[dimension] as usize);
    let blocks = call.inputs[0].ty.element_count() / (stride * length);
    let body = prepared(&call.bodies[0]);
    let folds = simple_folds(&call.bodies[0]);
    for block in 0..blocks {
        for start in (0..stride).step_by(LANES_MAX) {
            let lines = Lines {
                first: block * stride * length + start,
                count: LANES_MAX.min(stride - start),
                stride,
                length,
                reverse: boolean(call.attributes, "reverse"),
                inclusive: boolean(call.attributes, "inclusive"),
            };
            match &folds {
                Some(folds) => fold_lines(call, folds, &lines, outputs),
                None => run_lines(call, &body, &lines, outputs),
            }
        }
    }
    Ok(())
}

fn bits(bytes: &[u8]) -> u128 {
    let mut bits = [0; 16];
    bits[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(bits)
}

fn words(size: usize, count: usize) -> Vec<u128> {
    vec![0; (size * count).div_ceil(16)]
}

fn fold_lines(call: &Call<'_>, folds: &[Fold], lines: &Lines, outputs: &mut [TensorMut<'_>]) {
    let count = outputs.len();
    for (idx, (fold, output)) in folds.iter().zip(outputs).enumerate() {
        let size = output.ty.dtype.size_bytes();
        let mut accumulators = words(fold.wide_bytes, lines.count);
        (fold.clear)(&mut accumulators, lines.count);
        let (mut values, mut results) = (words(size, lines.count), words(size, lines.count));
        for position in lines.positions() {
            let range = position * size..(position + lines.count) * size;
            let step = |accumulators: &mut [u128], values: &mut [u128]| {
                lanes_mut::<u8>(values)[..range.len()].copy_from_slice(&call.inputs[idx].bytes[range.clone()]);
                (fold.lanes)(values, 0, accumulators, 0, lines.count);
            };
            if lines.inclusive {
                step(&mut accumulators, &mut values);
            }
            fill(&mut results, size, bits(call.inputs[count + idx].bytes));
            (fold.finish)(&accumulators, 0, &mut results, lines.count);
            output.bytes[range.clone()].copy_from_slice(&lanes_mut::<u8>(&mut results)[..range.len()]);
            if !lines.inclusive {
                step(&mut accumulators, &mut values);
            }
        }
    }
}

fn run_lines(call: &Call<'_>, body: &PreparedBody, lines: &Lines, outputs: &mut [TensorMut<'_>]) {
    let count = outputs.len();
    let mut registers = body.registers(lines.count);
    let sizes: Vec<usize> = outputs.iter().map(|output| output.ty.dtype.size_bytes()).collect();
    let mut accumulators: Vec<Vec<u128>> = sizes.iter().map(|size| words(*size, lines.count)).collect();
    for (idx, accumulators) in accumulators.iter_mut().enumerate() {
        fill(accumulators, sizes[idx], bits(call.inputs[count + idx].bytes));
    }
    for position in lines.positions() {
        for (idx, size) in sizes.iter().enumerate() {
            let range = position * size..(position + lines.count) * size;
            let folded = &bytemuck::cast_slice::<u128, u8>(&accumulators[idx])[..range.len()];
            if !lines.inclusive {
                outputs[idx].bytes[range.clone()].copy_from_slice(folded);
            }
            lanes_mut::<u8>(body.input_mut(&mut registers, idx))[..range.len()].copy_from_slice(folded);
            let values = lanes_mut::<u8>(body.input_mut(&mut registers, count + idx));
            values[..range.len()].copy_from_slice(&call.inputs[idx].bytes[range]);
        }
        body.run(&mut registers, lines.count);
        for (idx, size) in sizes.iter().enumerate() {
            let range = position * size..(position + lines.count) * size;
            let results = &bytemuck::cast_slice::<u128, u8>(body.output(&registers, idx))[..range.len()];
            lanes_mut::<u8>(&mut accumulators[idx])[..range.len()].copy_from_slice(results);
            if lines.inclusive {
                outputs[idx].bytes[range].copy_from_slice(results);
            }
        }
    }
}
