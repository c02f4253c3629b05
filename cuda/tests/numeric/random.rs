//! Calls that draw random numbers.

use pygraph_artifact::dtype::{DType, Family};

use super::{call, element, text, unwritten};
use crate::support::Case;

/// Every algorithm, type of number and sort of shape.
pub fn random_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (algorithm, words) in [("three_fry", 2), ("philox", 2), ("philox", 3), ("default", 3)] {
        for dtype in [DType::U8, DType::I16, DType::U32, DType::I64, DType::U64] {
            for shape in [&[][..], &[1], &[7], &[4, 3], &[3, 4], &[3, 5, 7], &[300], &[0], &[2, 0]] {
                cases.push(bits(algorithm, words, dtype, shape));
            }
        }
    }
    for dtype in
        DType::ALL.iter().copied().filter(|dtype| !matches!(dtype.family(), Family::Complex | Family::MiniFloat))
    {
        for (low, high) in [(0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (-3.0, 100.0)] {
            let is_there = match dtype.family() {
                Family::Bool => low >= 0.0,
                Family::Unsigned => low >= 0.0 && high < 3.0,
                Family::Signed if dtype.bits() < 8 => low >= -2.0 && high < 2.0,
                _ => true,
            };
            if is_there {
                cases.push(drawn("random_uniform", dtype, low, high));
            }
        }
        if dtype.is_float() {
            cases.push(drawn("random_normal", dtype, 0.0, 1.0));
            cases.push(drawn("random_normal", dtype, -3.0, 0.25));
        }
    }
    // The whole range of a type, whose span its own type does not hold.
    for (dtype, low, high) in
        [(DType::I64, 1u64 << 63, (1 << 63) - 1), (DType::U64, 0, u64::MAX), (DType::I8, 0x80, 0x7f)]
    {
        let scalar = |value: u64| (dtype, vec![], value.to_le_bytes()[..dtype.size_bytes()].to_vec());
        let inputs = vec![scalar(low), scalar(high)];
        cases.push(call(format!("whole_{dtype}"), "random_uniform", inputs, vec![unwritten(dtype, &[50])], vec![]));
    }
    cases
}

fn bits(algorithm: &str, words: usize, dtype: DType, shape: &[u64]) -> Case {
    // The counter passes the end of its lower word.
    let state: Vec<u64> = [0x0123_4567_89ab_cdef, u64::MAX - 2, u64::MAX][..words].to_vec();
    let bytes = state.iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = format!("{algorithm}_{words}_{dtype}_{shape:?}");
    let outputs = vec![unwritten(DType::U64, &[words as u64]), unwritten(dtype, shape)];
    let inputs = vec![(DType::U64, vec![words as u64], bytes)];
    call(name, "random_bits", inputs, outputs, vec![("algorithm", text(algorithm))])
}

fn drawn(kernel: &str, dtype: DType, first: f64, second: f64) -> Case {
    let inputs = [first, second].map(|value| (dtype, vec![], element(dtype, value))).to_vec();
    call(format!("{kernel}_{dtype}_{first}_{second}"), kernel, inputs, vec![unwritten(dtype, &[17, 31])], vec![])
}
