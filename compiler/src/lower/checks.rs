//! Assertions of StableHLO's tests: the `check` operations, and the custom calls that JAX's test data has for them.

use super::{Lowered, Refusal, site::Site};
use crate::ir::{Attribute, Opcode, ValueId};

/// Largest difference that `expect_almost_eq` allows where it does not say.
const TOLERANCE: f64 = 1e-3;

/// Largest difference that the custom call `check.expect_close` allows, in units in the last place.
const ULP_DIFFERENCE_MAX: i64 = 3;

/// A `check` operation.
pub fn check(site: &mut Site) -> Lowered {
    let opcode = site.module.op(site.op).opcode;
    let actual = site.operand(0);
    let expected = match opcode {
        Opcode::CheckExpectEqConst | Opcode::CheckExpectAlmostEqConst => {
            let elements = site.dense("value");
            site.constant(elements)
        }
        _ => site.operand(1),
    };
    Ok(match opcode {
        Opcode::CheckExpectEq | Opcode::CheckExpectEqConst => equal(site, actual, expected),
        Opcode::CheckExpectClose => {
            let least = site.int_or("min_ulp_difference", 0);
            let most = site.int_or("max_ulp_difference", ULP_DIFFERENCE_MAX);
            close(site, actual, expected, least, most)
        }
        _ => {
            let tolerance = match site.attr("tolerance") {
                Some(Attribute::Float { bits, .. }) => f64::from_bits(bits),
                _ => TOLERANCE,
            };
            almost_equal(site, actual, expected, tolerance)
        }
    })
}

/// `custom_call`: the assertions, and nothing else yet.
pub fn custom_call(site: &mut Site) -> Lowered {
    let target = site.attr("call_target_name");
    let target = target.as_ref().and_then(Attribute::as_str).unwrap_or_default();
    let assertion = match target {
        "check.expect_eq" | "check.eq" => equal,
        "check.expect_close" => |site: &mut Site, a, b| close(site, a, b, 0, ULP_DIFFERENCE_MAX),
        "check.expect_almost_eq" => |site: &mut Site, a, b| almost_equal(site, a, b, TOLERANCE),
        _ => return Err(Refusal::custom_call(target)),
    };
    let [actual, expected] = site.operands()[..] else {
        return Err(format!("`{target}` compares two operands, here are {}", site.operands().len()).into());
    };
    Ok(assertion(site, actual, expected))
}

fn equal(site: &mut Site, actual: ValueId, expected: ValueId) -> Vec<ValueId> {
    site.kernel("check_equal", &[actual, expected], &[], &[], &[])
}

fn almost_equal(site: &mut Site, actual: ValueId, expected: ValueId, tolerance: f64) -> Vec<ValueId> {
    let tolerance = Attribute::Float { bits: tolerance.to_bits(), ty: crate::ir::ElementType::F64 };
    site.kernel("check_almost_equal", &[actual, expected], &[], &[("tolerance", tolerance)], &[])
}

fn close(site: &mut Site, actual: ValueId, expected: ValueId, least: i64, most: i64) -> Vec<ValueId> {
    let attributes = [("max_ulp_difference", Attribute::i64(most)), ("min_ulp_difference", Attribute::i64(least))];
    site.kernel("check_close", &[actual, expected], &[], &attributes, &[])
}
