//! `random_bits`: uniformly distributed bits from a counter-based generator, and the state after them.
//!
//! Bit for bit what XLA makes of StableHLO's `rng_bit_generator`: the state is a key and a counter of 64 or 128 bits.
//! Salmon et al., "Parallel random numbers: as easy as 1, 2, 3": Threefry-2x32-20 and Philox-4x32-10.

use pygraph_artifact::dtype::DType;

use super::{
    call::{check_counts, check_type, elements, text},
    layout::{Counter, strides},
};
use crate::{
    cuda::{CudaDef, CudaPlan, all_operands, over_elements},
    manifest::{AttrDef, AttrKind, Call, CallType, InPlace, KernelDef, KernelError},
    tensor::TensorMut,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "random_bits",
    summary: "Makes random bits from a key and a counter, and the next counter",
    attributes: &[AttrDef {
        name: "algorithm",
        kind: AttrKind::Text,
        doc: "`three_fry`, `philox` or `default` (philox)",
    }],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference,
    cuda: CudaDef::new(concat!(include_str!("three_fry.cuh"), include_str!("random_bits.cu")), plan),
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    check_counts(call, 1, 2)?;
    let (state, bits) = (call.inputs[0], call.outputs[1]);
    let algorithm = text(call.attributes, "algorithm");
    let words = match algorithm {
        "three_fry" => 2..=2,
        "philox" | "default" => 2..=3,
        other => return Err(format!("there is no algorithm `{other}`, only three_fry, philox and default")),
    };
    if state.dtype != DType::U64 || state.shape.len() != 1 || !words.contains(&state.shape[0]) {
        return Err(format!("{algorithm} cannot take {:?} of {} as its state", state.shape, state.dtype));
    }
    if !bits.dtype.is_integer() || bits.dtype.bits() < 8 {
        return Err(format!("{} are no random bits, only integers of 8 to 64 bits are", bits.dtype));
    }
    check_type("output 0", call.outputs[0], DType::U64, state.shape)
}

fn reference(call: &Call<'_>, outputs: &mut [TensorMut<'_>]) -> Result<(), KernelError> {
    let state = elements::<u64>(&call.inputs[0]);
    let [next, bits] = outputs else { return Ok(()) };
    let next: &mut [u64] = bytemuck::cast_slice_mut(next.bytes);
    next.copy_from_slice(state);
    if text(call.attributes, "algorithm") == "three_fry" {
        next[1] = state[1].wrapping_add(fill_three_fry(state[0], state[1], bits));
    } else {
        // With a state of two words, the key is the upper half of the counter, too.
        let counter = u128::from(state[1]) | u128::from(*state.get(2).unwrap_or(&state[0])) << 64;
        let after = counter.wrapping_add(fill_philox(state[0], counter, bits));
        next[1] = after as u64;
        if let Some(high) = next.get_mut(2) {
            *high = (after >> 64) as u64;
        }
    }
    Ok(())
}

/// A thread a counter; one at least, for the state.
fn plan(call: &CallType<'_>) -> CudaPlan {
    let bits = call.outputs[1];
    let is_three_fry = text(call.attributes, "algorithm") == "three_fry";
    let (elements, is_wide) = (bits.element_count() as u64, bits.dtype.bits() == 64);
    let shape: Vec<usize> = bits.shape.iter().map(|extent| *extent as usize).collect();
    let split = split_dimension(&shape);
    let counters = match (is_three_fry, is_wide) {
        (true, true) => elements,
        (true, false) if shape.is_empty() => 1,
        (true, false) => halved(&shape, split).iter().product::<usize>() as u64,
        (false, true) => elements.div_ceil(2),
        (false, false) => elements.div_ceil(4),
    };
    let constants =
        vec![("IS_THREE_FRY", i64::from(is_three_fry)), ("SPLIT", split as i64), ("COUNTERS", counters as i64)];
    let step = over_elements("draw", counters.max(1), all_operands(call));
    CudaPlan { constants, steps: step.into_iter().collect(), ..CudaPlan::default() }
}

/// Writes the low bits of a number as an element.
fn store(bits: &mut TensorMut<'_>, element: usize, value: u64) {
    let size = bits.ty.dtype.size_bytes();
    bits.bytes[element * size..(element + 1) * size].copy_from_slice(&value.to_le_bytes()[..size]);
}

/// Fills the array and gives how far the counter went.
///
/// Numbers of 64 bits take one counter each. Otherwise each counter's two halves lie side by side along the first even
/// dimension, or the largest if none is even.
fn fill_three_fry(key: u64, counter: u64, bits: &mut TensorMut<'_>) -> u64 {
    let shape: Vec<usize> = bits.ty.shape.iter().map(|extent| *extent as usize).collect();
    let pair = |idx: u64| three_fry(key, counter.wrapping_add(idx));
    if bits.ty.dtype.bits() == 64 {
        let count = bits.ty.element_count() as u64;
        for idx in 0..count {
            let [low, high] = pair(idx);
            store(bits, idx as usize, u64::from(low) | u64::from(high) << 32);
        }
        return count;
    }
    if shape.is_empty() {
        store(bits, 0, u64::from(pair(0)[0]));
        return 1;
    }
    let split = split_dimension(&shape);
    let halves = halved(&shape, split);
    if halves.contains(&0) {
        return 0;
    }
    let strides = strides(bits.ty.shape);
    let mut counters = Counter::new(halves);
    let mut count = 0;
    loop {
        let first: usize = counters.index.iter().zip(&strides).map(|(index, stride)| index * stride).sum();
        let first = first + counters.index[split] * strides[split];
        for (half, value) in pair(count).into_iter().enumerate() {
            if 2 * counters.index[split] + half < shape[split] {
                store(bits, first + half * strides[split], u64::from(value));
            }
        }
        count += 1;
        if !counters.advance() {
            return count;
        }
    }
}

/// Along which a counter's halves lie.
fn split_dimension(shape: &[usize]) -> usize {
    let largest = (0..shape.len()).rev().max_by_key(|dimension| shape[*dimension]).unwrap_or(0);
    shape.iter().position(|extent| extent % 2 == 0).unwrap_or(largest)
}

fn halved(shape: &[usize], split: usize) -> Vec<usize> {
    let mut halves = shape.to_vec();
    halves[split] = shape[split].div_ceil(2);
    halves
}

fn three_fry(key: u64, counter: u64) -> [u32; 2] {
    const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
    let (key0, key1) = (key as u32, (key >> 32) as u32);
    let keys = [key0, key1, key0 ^ key1 ^ 0x1BD1_1BDA];
    let mut x = [(counter as u32).wrapping_add(key0), ((counter >> 32) as u32).wrapping_add(key1)];
    for round in 0..5 {
        for rotation in ROTATIONS[round % 2] {
            x[0] = x[0].wrapping_add(x[1]);
            x[1] = x[1].rotate_left(rotation) ^ x[0];
        }
        x[0] = x[0].wrapping_add(keys[(round + 1) % 3]);
        x[1] = x[1].wrapping_add(keys[(round + 2) % 3]).wrapping_add(round as u32 + 1);
    }
    x
}

/// Fills the array and gives how far the counter went: each counter makes four words.
fn fill_philox(key: u64, counter: u128, bits: &mut TensorMut<'_>) -> u128 {
    let count = bits.ty.element_count();
    let per_element = if bits.ty.dtype.bits() == 64 { 2 } else { 1 };
    let blocks = (count * per_element).div_ceil(4);
    for block in 0..blocks {
        let words = philox(key, counter.wrapping_add(block as u128));
        for (idx, words) in words.chunks_exact(per_element).enumerate() {
            let element = block * 4 / per_element + idx;
            if element < count {
                let high = words.get(1).copied().unwrap_or(0);
                store(bits, element, u64::from(words[0]) | u64::from(high) << 32);
            }
        }
    }
    blocks as u128
}

fn philox(key: u64, counter: u128) -> [u32; 4] {
    let mut key = [key as u32, (key >> 32) as u32];
    let mut x = [0, 32, 64, 96].map(|shift| (counter >> shift) as u32);
    for _ in 0..10 {
        let (first, second) = (u64::from(x[0]) * 0xD251_1F53, u64::from(x[2]) * 0xCD9E_8D57);
        x = [(second >> 32) as u32 ^ x[1] ^ key[0], second as u32, (first >> 32) as u32 ^ x[3] ^ key[1], first as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    x
}
