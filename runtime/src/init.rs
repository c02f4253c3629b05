//! Random arrays for a model without weights: the same for the same seed, whatever the number of threads.

use half::{bf16, f16};
use pygraph_artifact::{
    bytes::AlignedBytes,
    dtype::{DType, Family},
    validate::array_bytes,
};
use rayon::prelude::*;

use crate::tensor::{Tensor, TensorError};

/// Standard deviation of random floats: that of usual weight initialisations, so that deep models stay finite.
const DEVIATION: f32 = 0.02;

/// Bytes that one generator fills; a multiple of every element's size.
const CHUNK_BYTES: usize = 1 << 16;

/// An array of small, roughly normal floats, or of integers that are 0 or 1.
///
/// `stream` tells arrays of one model apart.
pub fn random(dtype: DType, shape: &[u64], seed: u64, stream: u64) -> Result<Tensor, TensorError> {
    let size = array_bytes(dtype, shape).ok_or_else(|| TensorError::TooLarge { dtype, shape: shape.to_vec() })?;
    let mut bytes = AlignedBytes::zeroed(size)?;
    let start = mix(mix(seed) ^ stream);
    bytes.par_chunks_mut(CHUNK_BYTES).enumerate().for_each(|(number, chunk)| {
        fill(dtype, chunk, &mut Generator(mix(start ^ number as u64)));
    });
    Tensor::new(dtype, shape, bytes)
}

fn fill(dtype: DType, chunk: &mut [u8], generator: &mut Generator) {
    match (dtype.family(), dtype.complex_part().unwrap_or(dtype)) {
        (Family::Float | Family::Complex, DType::Bf16) => {
            fill_with(chunk, || bf16::from_f32(generator.normal()).to_le_bytes())
        }
        (Family::Float | Family::Complex, DType::F16) => {
            fill_with(chunk, || f16::from_f32(generator.normal()).to_le_bytes())
        }
        (Family::Float | Family::Complex, DType::F64) => {
            fill_with(chunk, || f64::from(generator.normal()).to_le_bytes())
        }
        (Family::Float | Family::Complex, _) => fill_with(chunk, || generator.normal().to_le_bytes()),
        (Family::MiniFloat, _) => {
            let format = dtype.minifloat().expect("a small float should have a format");
            fill_with(chunk, || [format.encode(f64::from(generator.normal()))]);
        }
        // The lowest byte of each integer; the others stay zero. Two-bit signed integers hold 1, not `i1` wider.
        (Family::Bool | Family::Signed | Family::Unsigned, _) => {
            for element in chunk.chunks_exact_mut(dtype.size_bytes()) {
                element[0] = (generator.next() >> 63) as u8;
            }
        }
    }
}

fn fill_with<const N: usize>(chunk: &mut [u8], mut element: impl FnMut() -> [u8; N]) {
    for place in chunk.chunks_exact_mut(N) {
        place.copy_from_slice(&element());
    }
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Generator(u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// The sum of four uniform numbers, scaled: close to normal, and never beyond 3.5 deviations.
    fn normal(&mut self) -> f32 {
        let bits = self.next();
        let sum: u32 = (0..4).map(|part| (bits >> (16 * part)) as u32 & 0xffff).sum();
        // A uniform number below 1 has the variance 1/12; four have 1/3.
        (sum as f32 / 65536.0 - 2.0) * (DEVIATION * 1.732_050_8)
    }
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(seed: u64, stream: u64) -> Vec<f32> {
        let tensor = random(DType::F32, &[50_000], seed, stream).expect("memory");
        tensor.bytes().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    #[test]
    fn floats_are_small_and_normal() {
        let values = floats(7, 0);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 5e-4, "{mean}");
        assert!((variance.sqrt() - DEVIATION).abs() < 5e-4, "{variance}");
        assert!(values.iter().all(|v| v.abs() < 0.07));
    }

    #[test]
    fn the_seed_and_the_stream_decide() {
        assert_eq!(floats(7, 0), floats(7, 0));
        assert_ne!(floats(7, 0), floats(8, 0));
        assert_ne!(floats(7, 0), floats(7, 1));
        // Chunks differ from one another.
        let values = floats(7, 0);
        assert_ne!(values[..100], values[CHUNK_BYTES / 4..CHUNK_BYTES / 4 + 100]);
    }

    #[test]
    fn every_type_gets_values_of_its_own() {
        for dtype in DType::ALL {
            let tensor = random(*dtype, &[3, 100], 1, 0).expect("memory");
            crate::tensor::check_elements(*dtype, tensor.bytes()).expect("values of the type");
            assert!(tensor.bytes().iter().any(|byte| *byte != 0), "{dtype}");
            if dtype.is_integer() || *dtype == DType::I1 {
                assert!(tensor.bytes().iter().all(|byte| *byte < 2), "{dtype}");
            }
        }
    }
}
