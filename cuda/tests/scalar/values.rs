//! Operands: the values at which operations go wrong, and random ones.

use half::{bf16, f16};
use pygraph_artifact::dtype::{DType, Family};

/// Little-endian bytes of elements at the edges of a type.
pub fn edges(dtype: DType) -> Vec<Vec<u8>> {
    match dtype.family() {
        Family::Bool => vec![vec![0], vec![1]],
        Family::Signed | Family::Unsigned if dtype.bits() <= 4 => {
            (0..1u8 << dtype.bits()).map(|bits| narrow(dtype, bits)).collect()
        }
        Family::Signed | Family::Unsigned => integers(dtype),
        Family::Float => floats().into_iter().map(|value| float(dtype, value)).chain(extremes(dtype)).collect(),
        Family::MiniFloat => {
            (0..=u8::MAX).filter(|bits| u32::from(*bits) >> dtype.bits() == 0).map(|bits| vec![bits]).collect()
        }
        Family::Complex => {
            let part = dtype.complex_part().expect("a complex type should have parts");
            let small_and_large = if part == DType::F32 { [1e-40, 3e38] } else { [1e-300, 1e305] };
            let numbers = [0.0, -0.0, 1.0, -1.0, 0.5, -2.25, 30.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
            let parts: Vec<Vec<u8>> =
                numbers.into_iter().chain(small_and_large).map(|value| float(part, value)).collect();
            let pair = |(re, im): (&Vec<u8>, &Vec<u8>)| [re.as_slice(), im.as_slice()].concat();
            parts.iter().flat_map(|re| parts.iter().map(move |im| (re, im))).map(pair).collect()
        }
    }
}

/// A random element: a number of moderate size or any bits at all, by turns.
pub fn random(dtype: DType, state: &mut u64) -> Vec<u8> {
    let bits = next(state);
    match dtype.family() {
        Family::Bool => vec![(bits & 1) as u8],
        Family::Complex => {
            let part = dtype.complex_part().expect("a complex type should have parts");
            [float(part, moderate(state)), float(part, moderate(state))].concat()
        }
        Family::Float if bits & 1 == 0 => float(dtype, moderate(state)),
        Family::MiniFloat => vec![(bits as u8) & (0xff >> (8 - dtype.bits()))],
        _ if dtype.bits() <= 4 => narrow(dtype, bits as u8 & (0xff >> (8 - dtype.bits()))),
        _ => (bits >> 1).to_le_bytes()[..dtype.size_bytes()].to_vec(),
    }
}

/// SplitMix64.
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A number of magnitude 0.001 to 100.
fn moderate(state: &mut u64) -> f64 {
    let bits = next(state);
    let magnitude = 10f64.powf((bits >> 11) as f64 / (1u64 << 53) as f64 * 5.0 - 3.0);
    if bits & 1 == 0 { magnitude } else { -magnitude }
}

fn narrow(dtype: DType, bits: u8) -> Vec<u8> {
    let unused = 8 - dtype.bits();
    vec![if dtype.family() == Family::Signed { ((bits << unused) as i8 >> unused) as u8 } else { bits }]
}

fn integers(dtype: DType) -> Vec<Vec<u8>> {
    let bits = dtype.bits();
    let near = [0, 1, 2, 3, 5, 7, 8, 100];
    let powers = [bits / 2, bits - 2, bits - 1].map(|shift| 1u64 << shift);
    let around = powers.into_iter().flat_map(|power| [power.wrapping_sub(1), power, power.wrapping_add(1)]);
    let counts = [bits - 1, bits, bits + 1].map(u64::from);
    // Just above the middle between two numbers of bf16, and of f32: what rounds twice misses it.
    let above = [8, 24].map(|digits| 1 | (1 << (bits - 2)) | ((1u64 << (bits - 2)) >> digits));
    let positive: Vec<u64> = near.into_iter().chain(around).chain(counts).chain(above).collect();
    let all = positive.iter().flat_map(|value| [*value, value.wrapping_neg()]);
    all.map(|value| value.to_le_bytes()[..dtype.size_bytes()].to_vec()).collect()
}

fn floats() -> Vec<f64> {
    let positive = [
        0.0,
        1.0,
        0.5,
        1.5,
        2.0,
        2.5,
        3.0,
        4.0,
        5.0,
        7.5,
        10.0,
        20.5,
        88.0,
        89.5,
        100.0,
        127.5,
        128.0,
        255.5,
        300.0,
        710.0,
        1000.0,
        32767.5,
        65504.0,
        65519.0,
        65520.0,
        1e-3,
        1e-4,
        6e-8,
        1e-20,
        1e-40,
        1e-310,
        0.1,
        0.25,
        0.7,
        0.9,
        0.999,
        1.001,
        1e9,
        2147483648.0,
        4294967296.0,
        9.3e18,
        1.9e19,
        1e30,
        1e200,
        std::f64::consts::PI,
        f64::INFINITY,
        f64::NAN,
    ];
    // Just above the middle between two numbers of f16, and of bf16.
    let above = [-11, -8].map(|digits| 1.0 + 2f64.powi(digits) + 2f64.powi(-40));
    positive.into_iter().chain(above).flat_map(|value| [value, -value]).collect()
}

/// The smallest subnormal, the smallest normal and the largest number, and some NaN with a payload.
fn extremes(dtype: DType) -> Vec<Vec<u8>> {
    let patterns: [u64; 4] = match dtype {
        DType::Bf16 => [1, 0x80, 0x7f7f, 0x7fa5],
        DType::F16 => [1, 0x400, 0x7bff, 0x7d23],
        DType::F32 => [1, 0x80_0000, 0x7f7f_ffff, 0x7f80_1234],
        // Libraries disagree on what becomes of a signalling NaN; widening a narrower one makes it quiet.
        _ => [1, 1 << 52, 0x7fef_ffff_ffff_ffff, 0x7ff8_0000_1234_0000],
    };
    let sign = 1 << (dtype.bits() - 1);
    let all = patterns.into_iter().flat_map(|bits| [bits, bits | sign]);
    all.map(|bits| bits.to_le_bytes()[..dtype.size_bytes()].to_vec()).collect()
}

fn float(dtype: DType, value: f64) -> Vec<u8> {
    match dtype {
        DType::Bf16 => bf16::from_f64(value).to_le_bytes().to_vec(),
        DType::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
        DType::F32 => (value as f32).to_le_bytes().to_vec(),
        _ => value.to_le_bytes().to_vec(),
    }
}
