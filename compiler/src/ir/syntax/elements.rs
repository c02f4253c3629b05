//! How the elements of constants lie in memory.

use crate::ir::types::{ElementType, Signedness};

/// Bytes of one element: a power of two; none for types that have no constants.
pub fn element_bytes(element: &ElementType) -> Option<usize> {
    let bits = match element {
        ElementType::Integer { width, .. } => *width,
        ElementType::Index => 64,
        ElementType::Float(kind) => kind.bits(),
        ElementType::Complex(kind) => return Some(2 * part_bytes(kind.bits())),
        ElementType::Quantized(_) => return None,
    };
    Some(part_bytes(bits))
}

fn part_bytes(bits: u32) -> usize {
    (bits.div_ceil(8) as usize).next_power_of_two()
}

/// The lowest bytes of an integer, as an element of that many bytes.
pub fn push_bytes(bytes: &mut Vec<u8>, value: u128, count: usize) {
    bytes.extend_from_slice(&value.to_le_bytes()[..count]);
}

/// The integer in an element's bytes, sign-extended unless the type is unsigned or `i1`.
pub fn read_integer(bytes: &[u8], element: &ElementType) -> i128 {
    let mut buffer = [0; 16];
    buffer[..bytes.len()].copy_from_slice(bytes);
    let value = u128::from_le_bytes(buffer);
    let (width, signed) = match element {
        ElementType::Integer { width, signedness } => (*width, *signedness != Signedness::Unsigned && *width > 1),
        _ => (64, true),
    };
    let shift = 128 - width.min(128);
    if signed { (value << shift) as i128 >> shift } else { (value << shift >> shift) as i128 }
}

/// The bits in an element's (or a part's) bytes.
pub fn read_bits(bytes: &[u8]) -> u64 {
    let mut buffer = [0; 8];
    let count = bytes.len().min(8);
    buffer[..count].copy_from_slice(&bytes[..count]);
    u64::from_le_bytes(buffer)
}
