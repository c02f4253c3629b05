//! `check_equal`: fails unless both inputs hold the same bits; NaN equals NaN.

use super::compare::{self, FloatRule};
use crate::{
    cuda::CudaDef,
    manifest::{InPlace, KernelDef},
    scalar::real::Real,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "check_equal",
    summary: "Fails unless both inputs are equal, bit for bit; NaN equals NaN",
    attributes: &[],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check: compare::check,
    reference: |call, _| compare::compare(call, &Equal),
    cuda: CudaDef::new(concat!(include_str!("compare.cuh"), include_str!("check_equal.cu")), compare::plan),
};

struct Equal;

impl FloatRule for Equal {
    fn holds<T: Real>(&self, got: T, want: T) -> bool {
        got.to_bits64() == want.to_bits64() || got.to_f64().is_nan() && want.to_f64().is_nan()
    }

    fn relation(&self) -> String {
        "equal to".to_string()
    }
}
