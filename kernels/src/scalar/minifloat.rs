//! Conversion of the floats of eight bits and fewer, from and to `f64`.

use pygraph_artifact::{dtype::DType, minifloat::MiniFloat};

use super::{LaneFn, unary};

/// The function from one type to the other, one of which is a small float and the other `f64`.
pub(super) fn convert(from: DType, to: DType) -> Option<LaneFn> {
    macro_rules! formats {
        ($($format:ident)*) => {
            match (from, to) {
                $((DType::$format, DType::F64) => Some(|operands, out| {
                    unary(operands, out, |pattern: u8| format(DType::$format).decode(pattern));
                }),
                (DType::F64, DType::$format) => Some(|operands, out| {
                    unary(operands, out, |value: f64| format(DType::$format).encode(value));
                }),)*
                _ => None,
            }
        };
    }
    formats!(F4E2M1Fn F6E2M3Fn F6E3M2Fn F8E3M4 F8E4M3 F8E4M3Fn F8E4M3Fnuz F8E4M3B11Fnuz F8E5M2 F8E5M2Fnuz F8E8M0Fnu)
}

fn format(dtype: DType) -> MiniFloat {
    dtype.minifloat().expect("the table above should name small floats only")
}

#[cfg(test)]
mod tests {
    use pygraph_artifact::{
        dtype::Family,
        scalar::{ScalarBody, ScalarInst, ScalarOp},
    };

    use super::*;
    use crate::scalar::{PreparedBody, lanes, lanes_mut};

    #[test]
    fn every_small_float_converts_from_and_to_f64() {
        for dtype in DType::ALL.iter().copied().filter(|dtype| dtype.family() == Family::MiniFloat) {
            let op = |dtype, operand| {
                let (op, operands, immediates) = (ScalarOp::Convert, vec![operand], Vec::new());
                ScalarInst::Op { op, dtype, operands, immediates }
            };
            let instructions = vec![op(dtype, 0), op(DType::F64, 1)];
            let body = ScalarBody { inputs: vec![DType::F64], instructions, outputs: vec![2] };
            let body = PreparedBody::new(&body).expect("the body should be well formed");
            let mut registers = body.registers(2);
            lanes_mut::<f64>(body.input_mut(&mut registers, 0))[..2].copy_from_slice(&[1.0, 3.9]);
            body.run(&mut registers, 2);
            let results = &lanes::<f64>(body.output(&registers, 0))[..2];
            assert!(results[0] == 1.0 && (results[1] - 3.9).abs() < 0.2, "{dtype}: {results:?}");
        }
    }
}
