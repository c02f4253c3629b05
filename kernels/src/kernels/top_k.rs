//! `top_k`: the largest elements along the last dimension, largest first, and their positions.
//!
//! Floats are ordered totally, so that NaN is largest; among equal elements the lower position comes first.

use bytemuck::Pod;
use half::{bf16, f16};
use pygraph_artifact::dtype::DType;
use rayon::prelude::*;

use super::{
    call::{check_counts, check_type, elements, int, int_attr},
    order::Lines,
};
use crate::{
    cuda::{CudaDef, CudaOperand, CudaPlan, over_elements},
    manifest::{Call, CallType, InPlace, KernelDef, KernelError},
    scalar::real::Real,
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "top_k",
    summary: "Finds the k largest elements along the last dimension, and their positions as i32",
    attributes: &[int_attr("k", "how many elements")],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(concat!(include_str!("layout.cuh"), include_str!("order.cuh"), include_str!("top_k.cu")), plan),
};

fn plan(call: &CallType<'_>) -> CudaPlan {
    let length = call.inputs[0].shape.last().copied().unwrap_or(1);
    let elements = call.outputs[0].element_count() as u64;
    if elements == 0 {
        return CudaPlan::default();
    }
    let lines = Lines { count: call.inputs[0].element_count() as u64 / length, length };
    let operands = [CudaOperand::Scratch(0), CudaOperand::Input(0)];
    let mut steps = lines.steps(&operands);
    let all = operands.into_iter().chain([CudaOperand::Output(0), CudaOperand::Output(1)]).collect();
    steps.extend(over_elements("place", elements, all));
    CudaPlan { constants: lines.constants(), scratch: vec![lines.scratch_bytes()], steps, ..CudaPlan::default() }
}

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 1, 2)?;
    let (operand, k) = (call.inputs[0], int(call.attributes, "k"));
    let Some((last, outer)) = operand.shape.split_last() else {
        return Err("the operand is a scalar".to_string());
    };
    if operand.dtype.is_complex() {
        return Err(format!("{} has no order", operand.dtype));
    }
    if k < 0 || k as u64 > *last || *last > i32::MAX as u64 {
        return Err(format!("k is {k}, the last dimension has {last} elements"));
    }
    let shape: Vec<u64> = outer.iter().copied().chain([k as u64]).collect();
    check_type("output 0", call.outputs[0], operand.dtype, &shape)?;
    check_type("output 1", call.outputs[1], DType::I32, &shape)
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    macro_rules! select {
        ($t:ty, $key:expr) => {
            select::<$t>(call, outputs, $key)
        };
    }
    match call.inputs[0].ty.dtype {
        DType::I2 | DType::I4 | DType::I8 => select!(i8, |x: i8| i64::from(x)),
        DType::I16 => select!(i16, |x: i16| i64::from(x)),
        DType::I32 => select!(i32, |x: i32| i64::from(x)),
        DType::I64 => select!(i64, |x: i64| x),
        DType::U16 => select!(u16, |x: u16| i64::from(x)),
        DType::U32 => select!(u32, |x: u32| i64::from(x)),
        DType::U64 => select!(u64, |x: u64| (x ^ (1 << 63)) as i64),
        DType::Bf16 => select!(bf16, |x: bf16| x.total_key()),
        DType::F16 => select!(f16, |x: f16| x.total_key()),
        DType::F32 => select!(f32, |x: f32| x.total_key()),
        DType::F64 => select!(f64, |x: f64| x.total_key()),
        _ => select!(u8, |x: u8| i64::from(x)),
    }
    Ok(())
}

fn select<T: Pod + Send + Sync>(call: &Call<'_>, outputs: &mut [TensorMut<'_>], key: fn(T) -> i64) {
    let k = int(call.attributes, "k") as usize;
    let row = call.inputs[0].ty.shape.last().map_or(1, |extent| *extent as usize);
    let [values, positions] = outputs else { return };
    if values.bytes.is_empty() {
        return;
    }
    let values = bytemuck::cast_slice_mut::<u8, T>(values.bytes).par_chunks_mut(k);
    let positions = bytemuck::cast_slice_mut::<u8, i32>(positions.bytes).par_chunks_mut(k);
    let rows = elements::<T>(&call.inputs[0]).par_chunks(row);
    values.zip(positions).zip(rows).for_each(|((values, positions), row)| {
        // The complement orders large keys first, and equal ones by position.
        let mut order: Vec<(i64, i32)> = row.iter().zip(0..).map(|(value, at)| (!key(*value), at)).collect();
        if k < order.len() {
            order.select_nth_unstable(k);
            order.truncate(k);
        }
        order.sort_unstable();
        for ((value, position), (_, at)) in values.iter_mut().zip(positions).zip(order) {
            *value = row[at as usize];
            *position = at;
        }
    });
}
