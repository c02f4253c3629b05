//! States of random generators: two words, a seed and an offset.
//!
//! These are PyTorch's on CUDA: the 16 bytes of `torch.cuda.get_rng_state()` are the array's. A program that draws
//! has such a state as an argument, takes parts of the stream from its offset on, and gives back the state after them.

use pygraph_artifact::{bytes::AlignedBytes, dtype::DType, plan::Initial};

use crate::tensor::{Tensor, TensorError};

/// The state of a generator with a seed, from an offset on. A fresh one has the offset 0; PyTorch's offsets are multiples of 4, and
/// the two lowest bits of others do not count.
pub fn random_state(seed: u64, offset: u64) -> Result<Tensor, TensorError> {
    let bytes = [seed, offset].map(u64::to_le_bytes).concat();
    Tensor::new(DType::U64, &[2], AlignedBytes::copy_of(&bytes)?)
}

/// What an argument without a value begins as, with a seed.
pub(crate) fn initial_value(initial: Initial, seed: u64) -> Result<Tensor, TensorError> {
    match initial {
        Initial::RandomState => random_state(seed, 0),
    }
}
