use num_complex::Complex;

use super::*;

fn triangular(left_side: bool, lower: bool, transpose: &str, a: Tensor, b: Tensor) -> Case {
    Case {
        kernel: "triangular_solve",
        attributes: vec![
            ("left_side", KernelAttr::Bool(left_side)),
            ("lower", KernelAttr::Bool(lower)),
            ("transpose_a", KernelAttr::Text(transpose.to_string())),
            ("unit_diagonal", KernelAttr::Bool(false)),
        ],
        bodies: vec![],
        outputs: vec![zeros(b.dtype, &b.shape)],
        inputs: vec![a, b],
    }
}

#[test]
fn triangular_systems_are_solved_from_every_side() {
    // The triangle that must not be read holds nonsense.
    let (lower, upper) = ([2f64, 99.0, 3.0, 4.0], [2f64, 3.0, 99.0, 4.0]);
    let b = [2.0f64, 4.0, 11.0, 18.0];
    for (is_lower, a) in [(true, lower), (false, upper)] {
        let at = |transposed: bool, row: usize, column: usize| {
            let (row, column) = if transposed { (column, row) } else { (row, column) };
            let is_zero = if is_lower { column > row } else { column < row };
            if is_zero { 0.0 } else { a[row * 2 + column] }
        };
        for transpose in ["none", "transpose", "adjoint"] {
            for left_side in [true, false] {
                let case = triangular(left_side, is_lower, transpose, tensor(&[2, 2], &a), tensor(&[2, 2], &b));
                let x = case.first::<f64>();
                let turned = transpose != "none";
                for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let term = |k: usize| {
                        if left_side {
                            at(turned, row, k) * x[k * 2 + column]
                        } else {
                            x[row * 2 + k] * at(turned, k, column)
                        }
                    };
                    let product = term(0) + term(1);
                    assert!((product - b[row * 2 + column]).abs() < 1e-12, "{is_lower} {transpose} {left_side}");
                }
            }
        }
    }
    let mut unit = triangular(true, true, "none", tensor(&[2, 2], &lower), tensor(&[2, 1], &b[..2]));
    unit.set("unit_diagonal", KernelAttr::Bool(true));
    assert_eq!(unit.first::<f64>(), [2.0, -2.0]);
}

#[test]
fn triangular_refusals() {
    let of = |shape: &[u64]| zeros(DType::F32, shape);
    let case = triangular(true, true, "none", of(&[2, 2]), of(&[2, 3]));
    case.refuses(
        |case| case.set("transpose_a", KernelAttr::Text("sideways".to_string())),
        "triangular_solve: transpose_a is `sideways`, not none, transpose or adjoint",
    );
    case.refuses(
        |case| case.set("left_side", KernelAttr::Bool(false)),
        "triangular_solve: matrices of [2, 2] and [2, 3] do not go together",
    );
    case.refuses(|case| case.inputs[0] = zeros(DType::I32, &[2, 2]), "triangular_solve: cannot solve in i32");
}

fn cholesky(lower: bool, a: Tensor) -> Case {
    let outputs = vec![zeros(a.dtype, &a.shape)];
    let attributes = vec![("lower", KernelAttr::Bool(lower))];
    Case { kernel: "cholesky", attributes, bodies: vec![], inputs: vec![a], outputs }
}

#[test]
fn positive_definite_matrices_are_factored() {
    assert_eq!(cholesky(true, tensor(&[2, 2], &[4f32, 99.0, 2.0, 10.0])).first::<f32>(), [2.0, 0.0, 1.0, 3.0]);
    assert_eq!(cholesky(false, tensor(&[2, 2], &[4f32, 2.0, 99.0, 10.0])).first::<f32>(), [2.0, 1.0, 0.0, 3.0]);
    let c = |re: f32, im: f32| Complex::new(re, im);
    let hermitian = tensor(&[2, 2], &[c(4.0, 0.0), c(0.0, -2.0), c(0.0, 2.0), c(10.0, 0.0)]);
    assert_eq!(
        cholesky(true, hermitian.clone()).first::<Complex<f32>>(),
        [c(2.0, 0.0), c(0.0, 0.0), c(0.0, 1.0), c(3.0, 0.0)]
    );
    assert_eq!(
        cholesky(false, hermitian).first::<Complex<f32>>(),
        [c(2.0, 0.0), c(0.0, -1.0), c(0.0, 0.0), c(3.0, 0.0)]
    );
    let indefinite = cholesky(true, tensor(&[1, 2, 2], &[1f64, 0.0, 2.0, 1.0])).first::<f64>();
    assert!(indefinite.iter().all(|x| x.is_nan()));
    cholesky(true, zeros(DType::F32, &[2, 3])).refuses(|_| {}, "cholesky: cannot factor [2, 3] of f32");
}

fn fft(kind: &str, length: &[i64], input: Tensor, output: Tensor) -> Case {
    Case {
        kernel: "fft",
        attributes: vec![("length", ints(length)), ("type", KernelAttr::Text(kind.to_string()))],
        bodies: vec![],
        inputs: vec![input],
        outputs: vec![output],
    }
}

#[test]
fn transforms_agree_with_their_definition() {
    let c = |re: f32, im: f32| Complex::new(re, im);
    let line = [c(1.0, 0.0), c(2.0, 1.0), c(-1.0, 0.0)];
    let got = fft("fft", &[3], tensor(&[3], &line), zeros(DType::C64, &[3])).first::<Complex<f32>>();
    for (k, got) in got.iter().enumerate() {
        let turn = |n: usize| Complex::from_polar(1.0, -2.0 * std::f32::consts::PI * (k * n) as f32 / 3.0);
        let want: Complex<f32> = line.iter().enumerate().map(|(n, x)| x * turn(n)).sum();
        assert!((got - want).norm() < 1e-5, "{got} is not {want}");
    }
    let back = fft("ifft", &[3], tensor(&[3], &got), zeros(DType::C64, &[3])).first::<Complex<f32>>();
    assert!(back.iter().zip(&line).all(|(a, b)| (a - b).norm() < 1e-6));

    for length in [4i64, 5] {
        let plane: Vec<f32> = (0..3 * length).map(|k| ((k * k) % 7) as f32).collect();
        let (shape, half) = ([3, length as u64], [3, length as u64 / 2 + 1]);
        let sides = [3, length];
        let forth = fft("rfft", &sides, tensor(&shape, &plane), zeros(DType::C64, &half)).first::<Complex<f32>>();
        assert!((forth[0].re - plane.iter().sum::<f32>()).abs() < 1e-4);
        let back = fft("irfft", &sides, tensor(&half, &forth), zeros(DType::F32, &shape)).first::<f32>();
        assert!(back.iter().zip(&plane).all(|(a, b)| (a - b).abs() < 1e-5), "{back:?}");
    }
}

#[test]
fn fft_refusals() {
    let case = fft("rfft", &[4], zeros(DType::F32, &[4]), zeros(DType::C64, &[3]));
    case.run().expect("the call should run");
    case.refuses(
        |case| case.set("type", KernelAttr::Text("dct".to_string())),
        "fft: there is no transform `dct`, only fft, ifft, rfft and irfft",
    );
    case.refuses(|case| case.set("length", ints(&[])), "fft: cannot transform 0 of 1 dimensions");
    case.refuses(|case| case.set("length", ints(&[5])), "fft: the input is [4] of f32, not [5] of f32");
    case.refuses(|case| case.inputs[0] = zeros(DType::I32, &[4]), "fft: cannot transform i32 to complex<f32>");
    case.refuses(
        |case| case.outputs[0] = zeros(DType::C64, &[4]),
        "fft: the output is [4] of complex<f32>, not [3] of complex<f32>",
    );
}
