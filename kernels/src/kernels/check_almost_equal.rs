//! `check_almost_equal`: fails unless both inputs are equal up to an absolute tolerance.
//!
//! NaN equals NaN; infinities equal themselves; integers must be equal.

use super::{
    call,
    compare::{self, FloatRule},
};
use crate::{
    cuda::CudaDef,
    manifest::{AttrDef, AttrKind, InPlace, KernelDef},
    scalar::real::Real,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "check_almost_equal",
    summary: "Fails unless both inputs are equal up to an absolute tolerance; NaN equals NaN",
    attributes: &[AttrDef { name: "tolerance", kind: AttrKind::Float, doc: "largest absolute difference allowed" }],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check: |call_type| {
        let tolerance = call::float(call_type.attributes, "tolerance");
        if tolerance.is_nan() || tolerance < 0.0 {
            return Err(format!("tolerance is {tolerance}, not at least 0"));
        }
        compare::check(call_type)
    },
    reference: |call, _| compare::compare(call, &AlmostEqual { tolerance: call::float(call.attributes, "tolerance") }),
    cuda: CudaDef::new(concat!(include_str!("compare.cuh"), include_str!("check_almost_equal.cu")), compare::plan),
};

struct AlmostEqual {
    tolerance: f64,
}

impl FloatRule for AlmostEqual {
    fn holds<T: Real>(&self, got: T, want: T) -> bool {
        let (a, b) = (got.to_f64(), want.to_f64());
        a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= self.tolerance
    }

    fn relation(&self) -> String {
        format!("within {} of", self.tolerance)
    }
}
