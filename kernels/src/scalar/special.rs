//! Special functions in `f64`, after the decompositions that CHLO and XLA publish.

#![allow(clippy::excessive_precision, reason = "coefficients stand as they were published")]

use std::f64::consts::PI;

/// Reciprocal of the square root.
pub(super) fn rsqrt(x: f64) -> f64 {
    1.0 / x.sqrt()
}

/// `1 / (1 + exp(-x))`.
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Inverse hyperbolic cosine. The library's own cancels to some number or other far below its domain.
pub(super) fn acosh(x: f64) -> f64 {
    if x < 1.0 { f64::NAN } else { libm::acosh(x) }
}

/// The polynomial with these coefficients, highest power first.
fn horner(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// Giles, "Approximating the erfinv function", double precision.
pub(crate) fn erf_inv(x: f64) -> f64 {
    const CENTRE: [f64; 23] = [
        -3.6444120640178196996e-21,
        -1.685059138182016589e-19,
        1.2858480715256400167e-18,
        1.115787767802518096e-17,
        -1.333171662854620906e-16,
        2.0972767875968561637e-17,
        6.6376381343583238325e-15,
        -4.0545662729752068639e-14,
        -8.1519341976054721522e-14,
        2.6335093153082322977e-12,
        -1.2975133253453532498e-11,
        -5.4154120542946279317e-11,
        1.051212273321532285e-09,
        -4.1126339803469836976e-09,
        -2.9070369957882005086e-08,
        4.2347877827932403518e-07,
        -1.3654692000834678645e-06,
        -1.3882523362786468719e-05,
        0.0001867342080340571352,
        -0.00074070253416626697512,
        -0.0060336708714301490533,
        0.24015818242558961693,
        1.6536545626831027356,
    ];
    const MIDDLE: [f64; 19] = [
        2.2137376921775787049e-09,
        9.0756561938885390979e-08,
        -2.7517406297064545428e-07,
        1.8239629214389227755e-08,
        1.5027403968909827627e-06,
        -4.013867526981545969e-06,
        2.9234449089955446044e-06,
        1.2475304481671778723e-05,
        -4.7318229009055733981e-05,
        6.8284851459573175448e-05,
        2.4031110387097893999e-05,
        -0.0003550375203628474796,
        0.00095328937973738049703,
        -0.0016882755560235047313,
        0.0024914420961078508066,
        -0.0037512085075692412107,
        0.005370914553590063617,
        1.0052589676941592334,
        3.0838856104922207635,
    ];
    const TAIL: [f64; 17] = [
        -2.7109920616438573243e-11,
        -2.5556418169965252055e-10,
        1.5076572693500548083e-09,
        -3.7894654401267369937e-09,
        7.6157012080783393804e-09,
        -1.4960026627149240478e-08,
        2.9147953450901080826e-08,
        -6.7711997758452339498e-08,
        2.2900482228026654717e-07,
        -9.9298272942317002539e-07,
        4.5260625972231537039e-06,
        -1.9681778105531670567e-05,
        7.5995277030017761139e-05,
        -0.00021503011930044477347,
        -0.00013871931833623122026,
        1.0103004648645343977,
        4.8499064014085844221,
    ];
    if x.abs() == 1.0 {
        return x * f64::INFINITY;
    }
    let w = -(-x * x).ln_1p();
    let polynomial = if w < 6.25 {
        horner(w - 3.125, &CENTRE)
    } else if w < 16.0 {
        horner(w.sqrt() - 3.25, &MIDDLE)
    } else {
        horner(w.sqrt() - 5.0, &TAIL)
    };
    polynomial * x
}

/// Lanczos' coefficients for g = 7, as XLA's digamma uses them.
const LANCZOS: [f64; 8] = [
    676.520368121885098567009190444019,
    -1259.13921672240287047156078755283,
    771.3234287776530788486528258894,
    -176.61502916214059906584551354,
    12.507343278686904814458936853,
    -0.13857109526572011689554707,
    9.984369578019570859563e-6,
    1.50563273514931155834e-7,
];

/// Logarithmic derivative of the gamma function.
pub(super) fn digamma(x: f64) -> f64 {
    if x <= 0.0 && x == x.floor() {
        return f64::NAN;
    }
    let reflects = x < 0.5;
    let z = if reflects { -x } else { x - 1.0 };
    let (mut numerator, mut denominator) = (0.0, 0.999_999_999_999_809_932_276_847_004_734_78);
    for (idx, coefficient) in LANCZOS.iter().enumerate() {
        let pole = z + idx as f64 + 1.0;
        numerator -= coefficient / (pole * pole);
        denominator += coefficient / pole;
    }
    let log_t = 7.5f64.ln() + (z / 7.5).ln_1p();
    let y = log_t + numerator / denominator - 7.0 / (7.5 + z);
    if !reflects {
        return y;
    }
    let reduced = x + (x + 0.5).floor().abs();
    y - PI * (PI * reduced).cos() / (PI * reduced).sin()
}

/// Hurwitz zeta function by the Euler-Maclaurin formula.
pub(super) fn zeta(x: f64, q: f64) -> f64 {
    /// `(2j)! / B(2j)`.
    const DENOMINATORS: [f64; 12] = [
        12.0,
        -720.0,
        30240.0,
        -1209600.0,
        47900160.0,
        -1.892_437_580_318_379_2e9,
        7.47242496e10,
        -2.950_130_727_918_164_5e12,
        1.164_678_281_435_006_7e14,
        -4.597_978_722_407_473e15,
        1.815_210_540_194_354_7e17,
        -7.166_165_256_175_667e18,
    ];
    if x == 1.0 {
        return f64::INFINITY;
    }
    if x.is_nan() || q.is_nan() || x < 1.0 {
        return f64::NAN;
    }
    if q <= 0.0 {
        let even = x % 2.0 == 0.0;
        if q == q.floor() {
            return if even { f64::INFINITY } else { f64::NAN };
        }
        if x != x.floor() {
            return f64::NAN;
        }
    }
    let mut sum: f64 = (0..10).map(|k| (q + f64::from(k)).powf(-x)).sum();
    let a = q + 10.0;
    let power = a.powf(-x);
    sum += power * a / (x - 1.0) + 0.5 * power;
    let (mut factor, mut term) = (x, power / a);
    for (idx, denominator) in DENOMINATORS.iter().enumerate() {
        let step = factor * term / denominator;
        if !step.is_finite() || step.abs() < sum.abs() * 1e-18 {
            break;
        }
        sum += step;
        let k = 2.0 * idx as f64 + 1.0;
        factor *= (x + k) * (x + k + 1.0);
        term /= a * a;
    }
    sum
}

/// Derivative of digamma of the given order.
pub(super) fn polygamma(order: f64, x: f64) -> f64 {
    if order == 0.0 {
        return digamma(x);
    }
    if order < 0.0 || order != order.floor() {
        return f64::NAN;
    }
    let magnitude = libm::tgamma(order + 1.0) * zeta(order + 1.0, x);
    if order % 2.0 == 0.0 { -magnitude } else { magnitude }
}

/// Exponentially scaled modified Bessel function of order 1, by Cephes' Chebyshev series.
pub(super) fn bessel_i1e(x: f64) -> f64 {
    const NEAR: [f64; 29] = [
        2.77791411276104639959E-18,
        -2.11142121435816608115E-17,
        1.55363195773620046921E-16,
        -1.10559694773538630805E-15,
        7.60068429473540693410E-15,
        -5.04218550472791168711E-14,
        3.22379336594557470981E-13,
        -1.98397439776494371520E-12,
        1.17361862988909016308E-11,
        -6.66348972350202774223E-11,
        3.62559028155211703701E-10,
        -1.88724975172282928790E-9,
        9.38153738649577178388E-9,
        -4.44505912879632808065E-8,
        2.00329475355213526229E-7,
        -8.56872026469545474066E-7,
        3.47025130813767847674E-6,
        -1.32731636560394358279E-5,
        4.78156510755005422638E-5,
        -1.61760815825896745588E-4,
        5.12285956168575772895E-4,
        -1.51357245063125314899E-3,
        4.15642294431288815669E-3,
        -1.05640848946261981558E-2,
        2.47264490306265168283E-2,
        -5.29459812080949914269E-2,
        1.02643658689847095384E-1,
        -1.76416518357834055153E-1,
        2.52587186443633654823E-1,
    ];
    const FAR: [f64; 25] = [
        7.51729631084210481353E-18,
        4.41434832307170791151E-18,
        -4.65030536848935832153E-17,
        -3.20952592199342395980E-17,
        2.96262899764595013876E-16,
        3.30820231092092828324E-16,
        -1.88035477551078244854E-15,
        -3.81440307243700780478E-15,
        1.04202769841288027642E-14,
        4.27244001671195135429E-14,
        -2.10154184277266431302E-14,
        -4.08355111109219731823E-13,
        -7.19855177624590851209E-13,
        2.03562854414708950722E-12,
        1.41258074366137813316E-11,
        3.25260358301548823856E-11,
        -1.89749581235054123450E-11,
        -5.58974346219658380687E-10,
        -3.83538038596423702205E-9,
        -2.63146884688951950684E-8,
        -2.51223623787020892529E-7,
        -3.88256480887769039346E-6,
        -1.10588938762623716291E-4,
        -9.76109749136146840777E-3,
        7.78576235018280120474E-1,
    ];
    let z = x.abs();
    let magnitude =
        if z <= 8.0 { chebyshev(z / 2.0 - 2.0, &NEAR) * z } else { chebyshev(32.0 / z - 2.0, &FAR) / z.sqrt() };
    if x < 0.0 { -magnitude } else { magnitude }
}

fn chebyshev(x: f64, coefficients: &[f64]) -> f64 {
    let (mut b0, mut b1, mut b2) = (0.0, 0.0, 0.0);
    for coefficient in coefficients {
        b2 = b1;
        b1 = b0;
        b0 = x * b1 - b2 + coefficient;
    }
    0.5 * (b0 - b2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= want.abs() * 4e-14, "got {got:e}, want {want:e}");
    }

    #[test]
    fn known_values() {
        for x in [-0.999, -0.5, 1e-9, 0.3, 0.9999999, 0.999999999999] {
            close(erf_inv(libm::erf(erf_inv(x))), erf_inv(x));
            assert!((libm::erf(erf_inv(x)) - x).abs() < 4e-16 * 4.0);
        }
        assert_eq!(erf_inv(-1.0), f64::NEG_INFINITY);
        assert!([-65520.0, -4325376.0, -1.0, 0.5, f64::NEG_INFINITY].into_iter().all(|x| acosh(x).is_nan()));
        assert!(acosh(1.0) == 0.0 && (acosh(2.0) - 1.316_957_896_924_816_6).abs() < 1e-15);
        assert!(erf_inv(1.5).is_nan());
        close(digamma(1.0), -0.577_215_664_901_532_9);
        close(digamma(-0.5), 0.036_489_973_978_576_52);
        assert!(digamma(-2.0).is_nan());
        close(zeta(2.0, 1.0), PI * PI / 6.0);
        close(zeta(4.0, 0.5), PI.powi(4) / 90.0 * 15.0);
        assert_eq!(zeta(1.0, 2.0), f64::INFINITY);
        close(polygamma(1.0, 1.0), PI * PI / 6.0);
        close(polygamma(2.0, 1.0), -2.404_113_806_319_188_5);
        close(bessel_i1e(1.0), 0.207_910_415_349_708_44);
        close(bessel_i1e(-20.0), -0.087_506_222_183_288_67);
        close(bessel_i1e(8.0), 0.134_142_493_292_698_18);
    }
}
