//! How `fft` runs on a GPU: a kernel for each factor of each length, between two arrays in scratch memory.

use super::call::{ints, text};
use crate::{
    cuda::{CudaOperand, CudaPlan, CudaStep, over_elements},
    manifest::CallType,
};

/// Size of a complex number in double precision.
const COMPLEX_BYTES: u64 = 16;

/// The launch rule.
pub(super) fn plan(call: &CallType<'_>) -> CudaPlan {
    let (input, output) = (call.inputs[0].element_count() as u64, call.outputs[0].element_count() as u64);
    if output == 0 {
        return CudaPlan::default();
    }
    let length: Vec<u64> = ints(call.attributes, "length").iter().map(|extent| *extent as u64).collect();
    let (outer, last) = (&length[..length.len() - 1], length[length.len() - 1]);
    let kind = text(call.attributes, "type");
    let halved = last / 2 + 1;
    let mut passes = Passes { steps: Vec::new(), from: 0 };
    passes.steps.extend(over_elements("load", input, vec![CudaOperand::Input(0), CudaOperand::Scratch(0)]));
    if kind == "irfft" {
        // The other dimensions first: they are whole, and the last one's symmetry holds for what they leave.
        passes.transform(input, &[outer, &[halved]].concat(), outer.len());
        passes.step("mirror".to_string(), output);
        passes.transform(output, &[last], 1);
    } else {
        passes.transform(input, &length, length.len());
    }
    let from = CudaOperand::Scratch(passes.from);
    passes.steps.extend(over_elements("store", output, vec![CudaOperand::Output(0), from]));
    let constants = vec![
        ("IS_INVERSE", i64::from(kind.starts_with('i'))),
        ("LAST", last as i64),
        ("KEPT", if kind == "rfft" { halved } else { last } as i64),
        ("POINTS", length.iter().product::<u64>() as i64),
    ];
    let bytes = input.max(output) * COMPLEX_BYTES;
    CudaPlan { constants, scratch: vec![bytes; 2], steps: passes.steps, ..CudaPlan::default() }
}

/// Kernels that each read one part of scratch memory and write the other.
struct Passes {
    steps: Vec<CudaStep>,
    /// The part that holds what was computed last.
    from: usize,
}

impl Passes {
    fn step(&mut self, function: String, elements: u64) {
        let operands = vec![CudaOperand::Scratch(self.from), CudaOperand::Scratch(1 - self.from)];
        self.steps.extend(over_elements(function, elements, operands));
        self.from = 1 - self.from;
    }

    /// Transforms so many numbers along the first `count` of these innermost dimensions.
    fn transform(&mut self, elements: u64, extents: &[u64], count: usize) {
        for (dimension, length) in extents.iter().enumerate().take(count) {
            let inner: u64 = extents[dimension + 1..].iter().product();
            let mut done = 1;
            for factor in factors(*length) {
                self.step(format!("pass<{elements}, {length}, {inner}, {factor}, {done}>"), elements);
                done *= factor;
            }
        }
    }
}

/// Numbers whose product is `length`: fours, and then primes.
fn factors(mut length: u64) -> Vec<u64> {
    let mut factors = Vec::new();
    let mut factor = 4;
    while length > 1 {
        while length.is_multiple_of(factor) {
            factors.push(factor);
            length /= factor;
        }
        factor = match factor {
            4 => 2,
            2 => 3,
            _ if (factor + 2).saturating_mul(factor + 2) > length => length.max(factor + 2),
            _ => factor + 2,
        };
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::factors;

    #[test]
    fn factors_multiply_to_the_length() {
        assert_eq!(factors(1), []);
        assert_eq!(factors(2), [2]);
        assert_eq!(factors(96), [4, 4, 2, 3]);
        assert_eq!(factors(9), [3, 3]);
        assert_eq!(factors(35), [5, 7]);
        assert_eq!(factors(10_007), [10_007]);
        assert_eq!(factors(2 * 49 * 1009), [2, 7, 7, 1009]);
        assert_eq!(factors(999_999_999_989), [999_999_999_989]);
        assert!((1..3000).all(|length| factors(length).iter().product::<u64>() == length));
    }
}
