//! Calls that draw random numbers.

use pygraph_artifact::dtype::DType;

use super::{call, text, unwritten};
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
