//! Calls that compare arrays.

use pygraph_artifact::{
    dtype::{DType, Family},
    plan::KernelAttr,
};

use super::{Array, call, element};
use crate::support::Case;

/// Arrays that are alike, that differ somewhere, and that hold what is special, in every type.
pub fn check_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for dtype in DType::ALL.iter().copied() {
        let alike = |count: u64| -> Vec<u8> { (0..count).flat_map(|at| element(dtype, (at % 2) as f64)).collect() };
        let shape = vec![3, 700];
        let (dtype_name, size) = (dtype.name(), dtype.size_bytes());
        for changed in [vec![], vec![0], vec![2099], vec![1500, 701, 1999]] {
            let mut other = alike(2100);
            changed.iter().for_each(|at| other[at * size] ^= 1);
            let arrays = vec![(dtype, shape.clone(), alike(2100)), (dtype, shape.clone(), other)];
            cases.push(check(format!("equal_{dtype_name}_{changed:?}"), "check_equal", arrays, vec![]));
        }
        cases.push(check(format!("empty_{dtype_name}"), "check_equal", vec![(dtype, vec![0], vec![]); 2], vec![]));
        if matches!(dtype.family(), Family::Float | Family::Complex) {
            cases.extend(floats(dtype));
        }
    }
    cases
}

fn floats(dtype: DType) -> Vec<Case> {
    let specials = [0.0, -0.0, 1.0, 1.004, -1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-6, -1e-6];
    let mut cases = Vec::new();
    for a in specials {
        for b in specials {
            let arrays: Vec<Array> = [a, b].map(|value| (dtype, vec![], element(dtype, value))).to_vec();
            let name = |kernel: &str| format!("{kernel}_{dtype}_{a}_{b}");
            cases.push(check(name("equal"), "check_equal", arrays.clone(), vec![]));
            let tolerance = vec![("tolerance", KernelAttr::Float(0.005))];
            cases.push(check(name("almost"), "check_almost_equal", arrays.clone(), tolerance));
            for (min, max) in [(0, 0), (0, 5), (1, 1 << 62)] {
                let bounds =
                    vec![("max_ulp_difference", KernelAttr::Int(max)), ("min_ulp_difference", KernelAttr::Int(min))];
                cases.push(check(name(&format!("close_{min}_{max}")), "check_close", arrays.clone(), bounds));
            }
        }
    }
    cases
}

fn check(name: String, kernel: &str, arrays: Vec<Array>, attributes: Vec<(&str, KernelAttr)>) -> Case {
    call(name, kernel, arrays, vec![], attributes)
}
