//! Calls of transforms and solvers.

use pygraph_artifact::{dtype::DType, plan::KernelAttr};

use super::{Array, call, element, noise, text, unwritten};
use crate::support::Case;

const TYPES: [DType; 6] = [DType::F32, DType::F64, DType::C64, DType::C128, DType::Bf16, DType::F16];

/// Every kind, sort of length, triangle and side.
pub fn linear_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in [1, 2, 3, 4, 5, 6, 12, 17, 49, 400] {
        cases.extend(["fft", "irfft"].map(|kind| fft(kind, DType::F64, &[3], &[length])));
        cases.push(fft("rfft", DType::F32, &[], &[length]));
    }
    for kind in ["fft", "ifft", "rfft", "irfft"] {
        for length in [&[1, 8][..], &[6, 1], &[3, 4, 5]] {
            cases.push(fft(kind, DType::F64, &[2], length));
        }
        cases.push(fft(kind, DType::F32, &[2, 2], &[7, 6]));
        cases.push(fft(kind, DType::F32, &[0], &[4]));
        cases.push(fft(kind, DType::F32, &[2], &[0]));
    }
    for dtype in TYPES {
        for is_lower in [true, false] {
            for (batch, n) in [(1, 1), (3, 2), (1, 33), (1, 0), (0, 3)] {
                cases.push(cholesky(dtype, is_lower, batch, n, 2.0));
            }
            cases.push(cholesky(dtype, is_lower, 2, 7, -0.5));
            for shape in [[1, 1, 1], [1, 33, 1], [1, 5, 40], [1, 0, 2], [2, 3, 0]] {
                cases.push(solve(dtype, is_lower, is_lower, "none", true, shape));
            }
            for transpose in ["none", "transpose", "adjoint"] {
                cases.extend([true, false].map(|is_left| solve(dtype, is_left, is_lower, transpose, false, [2, 4, 3])));
            }
        }
    }
    cases
}

/// Elements whose parts are noise.
fn filled(dtype: DType, shape: &[u64], seed: u64) -> Array {
    let count: u64 = shape.iter().product();
    let part = dtype.complex_part().unwrap_or(dtype);
    let parts = count * (dtype.size_bytes() / part.size_bytes()) as u64;
    (dtype, shape.to_vec(), (0..parts).flat_map(|at| element(part, noise(seed, at))).collect())
}

fn fft(kind: &str, part: DType, batch: &[u64], length: &[u64]) -> Case {
    let complex = if part == DType::F64 { DType::C128 } else { DType::C64 };
    let full = [batch, length].concat();
    let mut half = full.clone();
    if let Some(last) = half.last_mut()
        && *last > 0
    {
        *last = *last / 2 + 1;
    }
    let (input, output) = match kind {
        "rfft" => ((part, &full), (complex, &half)),
        "irfft" => ((complex, &half), (part, &full)),
        _ => ((complex, &full), (complex, &full)),
    };
    let attributes =
        vec![("length", KernelAttr::Ints(length.iter().map(|extent| *extent as i64).collect())), ("type", text(kind))];
    let name = format!("{kind}_{part}_{batch:?}_{length:?}");
    call(name, "fft", vec![filled(input.0, input.1, 3)], vec![unwritten(output.0, output.1)], attributes)
}

/// Noise with that much added on the diagonal for each row: with enough of it, matrices have factors.
fn matrices(dtype: DType, batch: u64, n: u64, diagonal: f64) -> Array {
    let (dtype, shape, mut bytes) = filled(dtype, &[batch, n, n], 5);
    let part = dtype.complex_part().unwrap_or(dtype);
    let size = dtype.size_bytes();
    for matrix in 0..batch {
        for row in 0..n {
            let at = (matrix * n * n + row * n + row) as usize * size;
            let mut value = element(part, diagonal * (n as f64 + noise(6, row) * 0.5));
            value.resize(size, 0);
            bytes[at..at + size].copy_from_slice(&value);
        }
    }
    (dtype, shape, bytes)
}

fn cholesky(dtype: DType, is_lower: bool, batch: u64, n: u64, diagonal: f64) -> Case {
    let name = format!("cholesky_{dtype}_{is_lower}_{batch}_{n}_{diagonal}");
    let output = unwritten(dtype, &[batch, n, n]);
    call(
        name,
        "cholesky",
        vec![matrices(dtype, batch, n, diagonal)],
        vec![output],
        vec![("lower", KernelAttr::Bool(is_lower))],
    )
}

fn solve(dtype: DType, is_left: bool, is_lower: bool, transpose: &str, is_unit: bool, shape: [u64; 3]) -> Case {
    let [batch, n, systems] = shape;
    let b = if is_left { [batch, n, systems] } else { [batch, systems, n] };
    // With ones on the diagonal, the rest is small so that solutions are not large.
    let mut a = matrices(dtype, batch, n, 1.0);
    if is_unit {
        let part = dtype.complex_part().unwrap_or(dtype);
        let count = a.2.len() / part.size_bytes();
        a.2 = (0..count as u64).flat_map(|at| element(part, noise(8, at) / (n as f64 + 1.0))).collect();
    }
    let attributes = vec![
        ("left_side", KernelAttr::Bool(is_left)),
        ("lower", KernelAttr::Bool(is_lower)),
        ("transpose_a", text(transpose)),
        ("unit_diagonal", KernelAttr::Bool(is_unit)),
    ];
    let name = format!("solve_{dtype}_{is_left}_{is_lower}_{transpose}_{is_unit}_{shape:?}");
    call(name, "triangular_solve", vec![a, filled(dtype, &b, 7)], vec![unwritten(dtype, &b)], attributes)
}
