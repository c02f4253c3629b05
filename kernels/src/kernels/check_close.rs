//! `check_close`: fails unless both inputs are equal up to some units in the last place.
//!
//! NaN equals NaN; infinities equal themselves; integers must be equal.

use super::{
    call::{self, int_attr},
    compare::{self, FloatRule, ulps},
};
use crate::{
    cuda::CudaDef,
    manifest::{CallType, InPlace, KernelDef},
    scalar::real::Real,
};

/// The definition.
pub static KERNEL: KernelDef = KernelDef {
    name: "check_close",
    summary: "Fails unless floats are some units in the last place apart; NaN equals NaN",
    attributes: &[
        int_attr("min_ulp_difference", "fewest units allowed"),
        int_attr("max_ulp_difference", "most units allowed"),
    ],
    body_count: 0,
    in_place: InPlace::Never,
    strided: &[],
    takes_stages: false,
    check,
    reference: |call, _| {
        let bound = |name| call::int(call.attributes, name) as u64;
        compare::compare(call, &Close { min: bound("min_ulp_difference"), max: bound("max_ulp_difference") })
    },
    cuda: CudaDef::new(concat!(include_str!("compare.cuh"), include_str!("check_close.cu")), compare::plan),
};

fn check(call: &CallType<'_>) -> Result<(), String> {
    let bound = |name| call::int(call.attributes, name);
    let (min, max) = (bound("min_ulp_difference"), bound("max_ulp_difference"));
    if min < 0 || max < min {
        return Err(format!("asks for a difference of {min} to {max} units"));
    }
    compare::check(call)
}

struct Close {
    min: u64,
    max: u64,
}

impl FloatRule for Close {
    fn holds<T: Real>(&self, got: T, want: T) -> bool {
        ulps(got, want).is_some_and(|ulps| (self.min..=self.max).contains(&ulps))
    }

    fn relation(&self) -> String {
        format!("{} to {} units in the last place from", self.min, self.max)
    }
}
