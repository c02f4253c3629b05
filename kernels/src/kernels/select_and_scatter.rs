//! `select_and_scatter`: adds each source element to the element that its window of the operand selects.
//!
//! Inputs: operand, source, initial value. The first body tells whether the selected element stays before a candidate,
//! the second combines what was scattered with a source element. Padding is never selected.

use pygraph_artifact::dtype::DType;

use super::{
    call::{check_body, check_counts, check_ints, check_type, ints, ints_attr, prepared},
    layout::{Counter, strides},
    windows::Window,
};
use crate::{
    cuda::{CudaDef, CudaPlan, all_operands, over_elements},
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    scalar::{fill, lanes},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "select_and_scatter",
    summary: "Combines source elements into the places that windows of the operand select",
    attributes: &[
        ints_attr("window_dimensions", "extents of a window"),
        ints_attr("window_strides", "from one window to the next, by dimension"),
        ints_attr("padding_low", "added before each dimension"),
        ints_attr("padding_high", "added after each dimension"),
    ],
    body_count: 2,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(concat!(include_str!("layout.cuh"), include_str!("select_and_scatter.cu")), plan),
};

/// A thread an element of the output.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let step = over_elements("select_and_scatter", call.outputs[0].element_count() as u64, all_operands(call));
    CudaPlan { steps: step.into_iter().collect(), ..CudaPlan::default() }
}

fn windows(attributes: &[(String, pygraph_artifact::plan::KernelAttr)]) -> Vec<Window> {
    let of = |name| ints(attributes, name);
    let (sizes, strides) = (of("window_dimensions"), of("window_strides"));
    let (low, high) = (of("padding_low"), of("padding_high"));
    let window = |dimension: usize| Window {
        size: sizes[dimension] as u64,
        stride: strides[dimension],
        low: low[dimension],
        high: high[dimension],
    };
    (0..sizes.len()).map(window).collect()
}

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 3, 1)?;
    let (operand, source) = (call.inputs[0], call.inputs[1]);
    let rank = operand.shape.len();
    check_ints(call.attributes, "window_dimensions", rank, 1..=i64::MAX)?;
    check_ints(call.attributes, "window_strides", rank, 1..=i64::MAX)?;
    check_ints(call.attributes, "padding_low", rank, i64::MIN..=i64::MAX)?;
    check_ints(call.attributes, "padding_high", rank, i64::MIN..=i64::MAX)?;
    let counts: Option<Vec<u64>> =
        windows(call.attributes).iter().zip(operand.shape).map(|(window, extent)| window.count(*extent)).collect();
    let counts = counts.ok_or("its windows are too large")?;
    check_type("the source", source, operand.dtype, &counts)?;
    check_type("the initial value", call.inputs[2], operand.dtype, &[])?;
    check_type("the output", call.outputs[0], operand.dtype, operand.shape)?;
    let pair = [operand.dtype; 2];
    check_body("the selection", &call.bodies[0], &pair, &[DType::I1])?;
    check_body("the scatter", &call.bodies[1], &pair, &[operand.dtype])
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let (operand, source, output) = (&call.inputs[0], &call.inputs[1], &mut outputs[0]);
    let size = operand.ty.dtype.size_bytes();
    for element in output.bytes.chunks_exact_mut(size) {
        element.copy_from_slice(call.inputs[2].bytes);
    }
    if source.bytes.is_empty() {
        return Ok(());
    }
    let (select, scatter) = (prepared(&call.bodies[0]), prepared(&call.bodies[1]));
    let (mut choosing, mut adding) = (select.registers(1), scatter.registers(1));
    let element_of = |bytes: &[u8]| {
        let mut bits = [0; 16];
        bits[..size].copy_from_slice(bytes);
        u128::from_le_bytes(bits)
    };
    let windows = windows(call.attributes);
    let strides = strides(operand.ty.shape);
    let extents = |of: &[u64]| of.iter().map(|extent| *extent as usize).collect::<Vec<usize>>();
    let mut sources = Counter::new(extents(source.ty.shape));
    for value in source.bytes.chunks_exact(size) {
        let mut selected: Option<usize> = None;
        let mut positions = Counter::new(windows.iter().map(|window| window.size as usize).collect());
        loop {
            let element = |dimension: usize| {
                let (window, position) = (sources.index[dimension], positions.index[dimension]);
                let extent = operand.ty.shape[dimension] as usize;
                Some(windows[dimension].element(window, position, extent)? * strides[dimension])
            };
            if let Some(candidate) = (0..windows.len()).map(element).sum::<Option<usize>>() {
                let stays = selected.is_some_and(|current| {
                    let of = |element: usize| element_of(&operand.bytes[element * size..][..size]);
                    fill(&mut select.input_mut(&mut choosing, 0)[..1], size, of(current));
                    fill(&mut select.input_mut(&mut choosing, 1)[..1], size, of(candidate));
                    select.run(&mut choosing, 1);
                    lanes::<u8>(select.output(&choosing, 0))[0] != 0
                });
                if !stays {
                    selected = Some(candidate);
                }
            }
            if !positions.advance() {
                break;
            }
        }
        if let Some(selected) = selected {
            let target = &mut output.bytes[selected * size..][..size];
            fill(&mut scatter.input_mut(&mut adding, 0)[..1], size, element_of(target));
            fill(&mut scatter.input_mut(&mut adding, 1)[..1], size, element_of(value));
            scatter.run(&mut adding, 1);
            let result: &[u8] = bytemuck::cast_slice(scatter.output(&adding, 0));
            target.copy_from_slice(&result[..size]);
        }
        sources.advance();
    }
    Ok(())
}
