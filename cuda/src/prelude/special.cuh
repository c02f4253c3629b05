// Special functions in f64, after the decompositions that CHLO and XLA publish, and rounded once for narrower types.

constexpr f64 PI = 3.14159265358979323846;

inline f64 infinity() { return reinterpret<f64>(0x7ff0000000000000ull); }
inline f64 not_a_number() { return reinterpret<f64>(0x7ff8000000000000ull); }

// The polynomial with these coefficients, highest power first.
template <int COUNT>
inline f64 horner(f64 x, const f64 (&coefficients)[COUNT]) {
  f64 sum = 0;
  for (int idx = 0; idx < COUNT; ++idx) sum = sum * x + coefficients[idx];
  return sum;
}

// Giles, "Approximating the erfinv function", double precision.
inline f64 erf_inv(f64 x) {
  constexpr f64 CENTRE[23] = {
    -3.6444120640178196996e-21, -1.685059138182016589e-19, 1.2858480715256400167e-18, 1.115787767802518096e-17,
    -1.333171662854620906e-16, 2.0972767875968561637e-17, 6.6376381343583238325e-15, -4.0545662729752068639e-14,
    -8.1519341976054721522e-14, 2.6335093153082322977e-12, -1.2975133253453532498e-11, -5.4154120542946279317e-11,
    1.051212273321532285e-09, -4.1126339803469836976e-09, -2.9070369957882005086e-08, 4.2347877827932403518e-07,
    -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352, -0.00074070253416626697512,
    -0.0060336708714301490533, 0.24015818242558961693, 1.6536545626831027356
  };
  constexpr f64 MIDDLE[19] = {
    2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08,
    1.5027403968909827627e-06, -4.013867526981545969e-06, 2.9234449089955446044e-06, 1.2475304481671778723e-05,
    -4.7318229009055733981e-05, 6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
    0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066, -0.0037512085075692412107,
    0.005370914553590063617, 1.0052589676941592334, 3.0838856104922207635
  };
  constexpr f64 TAIL[17] = {
    -2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09, -3.7894654401267369937e-09,
    7.6157012080783393804e-09, -1.4960026627149240478e-08, 2.9147953450901080826e-08, -6.7711997758452339498e-08,
    2.2900482228026654717e-07, -9.9298272942317002539e-07, 4.5260625972231537039e-06, -1.9681778105531670567e-05,
    7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026, 1.0103004648645343977,
    4.8499064014085844221
  };
  if (fabs(x) == 1) return x * infinity();
  const f64 w = -log1p(-x * x);
  if (w < 6.25) return horner(w - 3.125, CENTRE) * x;
  if (w < 16) return horner(sqrt(w) - 3.25, MIDDLE) * x;
  return horner(sqrt(w) - 5, TAIL) * x;
}

// Logarithmic derivative of the gamma function, by Lanczos' approximation for g = 7.
inline f64 digamma(f64 x) {
  constexpr f64 LANCZOS[8] = {
    676.520368121885098567009190444019, -1259.13921672240287047156078755283, 771.3234287776530788486528258894,
    -176.61502916214059906584551354, 12.507343278686904814458936853, -0.13857109526572011689554707,
    9.984369578019570859563e-6, 1.50563273514931155834e-7
  };
  if (x <= 0 && x == floor(x)) return not_a_number();
  const bool reflects = x < 0.5;
  const f64 z = reflects ? -x : x - 1;
  f64 numerator = 0, denominator = 0.99999999999980993227684700473478;
  for (int idx = 0; idx < 8; ++idx) {
    const f64 pole = z + idx + 1;
    numerator -= LANCZOS[idx] / (pole * pole);
    denominator += LANCZOS[idx] / pole;
  }
  const f64 log_t = log(7.5) + log1p(z / 7.5);
  const f64 y = log_t + numerator / denominator - 7 / (7.5 + z);
  if (!reflects) return y;
  const f64 reduced = x + fabs(floor(x + 0.5));
  return y - PI * cos(PI * reduced) / sin(PI * reduced);
}

// Hurwitz zeta function by the Euler-Maclaurin formula.
inline f64 zeta(f64 x, f64 q) {
  // (2j)! / B(2j).
  constexpr f64 DENOMINATORS[12] = {
    12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183792e9, 7.47242496e10, -2.9501307279181645e12,
    1.1646782814350067e14, -4.597978722407473e15, 1.8152105401943547e17, -7.166165256175667e18
  };
  if (x == 1) return infinity();
  if (is_nan(x) || is_nan(q) || x < 1) return not_a_number();
  if (q <= 0) {
    if (q == floor(q)) return fmod(x, 2.0) == 0 ? infinity() : not_a_number();
    if (x != floor(x)) return not_a_number();
  }
  f64 sum = 0;
  for (int k = 0; k < 10; ++k) sum += pow(q + k, -x);
  const f64 a = q + 10, power = pow(a, -x);
  sum += power * a / (x - 1) + 0.5 * power;
  f64 factor = x, term = power / a;
  for (int idx = 0; idx < 12; ++idx) {
    const f64 step = factor * term / DENOMINATORS[idx];
    if (!op_is_finite(step) || fabs(step) < fabs(sum) * 1e-18) break;
    sum += step;
    const f64 k = 2 * idx + 1;
    factor *= (x + k) * (x + k + 1);
    term /= a * a;
  }
  return sum;
}

// Derivative of digamma of the given order.
inline f64 polygamma(f64 order, f64 x) {
  if (order == 0) return digamma(x);
  if (order < 0 || order != floor(order)) return not_a_number();
  const f64 magnitude = tgamma(order + 1) * zeta(order + 1, x);
  return fmod(order, 2.0) == 0 ? -magnitude : magnitude;
}

template <int COUNT>
inline f64 chebyshev(f64 x, const f64 (&coefficients)[COUNT]) {
  f64 b0 = 0, b1 = 0, b2 = 0;
  for (int idx = 0; idx < COUNT; ++idx) {
    b2 = b1;
    b1 = b0;
    b0 = x * b1 - b2 + coefficients[idx];
  }
  return 0.5 * (b0 - b2);
}

// Exponentially scaled modified Bessel function of order 1, by Cephes' Chebyshev series.
inline f64 bessel_i1e(f64 x) {
  constexpr f64 NEAR[29] = {
    2.77791411276104639959E-18, -2.11142121435816608115E-17, 1.55363195773620046921E-16, -1.10559694773538630805E-15,
    7.60068429473540693410E-15, -5.04218550472791168711E-14, 3.22379336594557470981E-13, -1.98397439776494371520E-12,
    1.17361862988909016308E-11, -6.66348972350202774223E-11, 3.62559028155211703701E-10, -1.88724975172282928790E-9,
    9.38153738649577178388E-9, -4.44505912879632808065E-8, 2.00329475355213526229E-7, -8.56872026469545474066E-7,
    3.47025130813767847674E-6, -1.32731636560394358279E-5, 4.78156510755005422638E-5, -1.61760815825896745588E-4,
    5.12285956168575772895E-4, -1.51357245063125314899E-3, 4.15642294431288815669E-3, -1.05640848946261981558E-2,
    2.47264490306265168283E-2, -5.29459812080949914269E-2, 1.02643658689847095384E-1, -1.76416518357834055153E-1,
    2.52587186443633654823E-1
  };
  constexpr f64 FAR[25] = {
    7.51729631084210481353E-18, 4.41434832307170791151E-18, -4.65030536848935832153E-17, -3.20952592199342395980E-17,
    2.96262899764595013876E-16, 3.30820231092092828324E-16, -1.88035477551078244854E-15, -3.81440307243700780478E-15,
    1.04202769841288027642E-14, 4.27244001671195135429E-14, -2.10154184277266431302E-14, -4.08355111109219731823E-13,
    -7.19855177624590851209E-13, 2.03562854414708950722E-12, 1.41258074366137813316E-11, 3.25260358301548823856E-11,
    -1.89749581235054123450E-11, -5.58974346219658380687E-10, -3.83538038596423702205E-9, -2.63146884688951950684E-8,
    -2.51223623787020892529E-7, -3.88256480887769039346E-6, -1.10588938762623716291E-4, -9.76109749136146840777E-3,
    7.78576235018280120474E-1
  };
  const f64 z = fabs(x);
  const f64 magnitude = z <= 8 ? chebyshev(z / 2 - 2, NEAR) * z : chebyshev(32 / z - 2, FAR) / sqrt(z);
  return x < 0 ? -magnitude : magnitude;
}

#define PYGRAPH_SPECIAL(T)                                                                             \
  inline T op_erf_inv(T a) { return from_f64<T>(erf_inv(f64(widen(a)))); }                             \
  inline T op_lgamma(T a) { return from_f64<T>(lgamma(f64(widen(a)))); }                               \
  inline T op_digamma(T a) { return from_f64<T>(digamma(f64(widen(a)))); }                             \
  inline T op_bessel_i1e(T a) { return from_f64<T>(bessel_i1e(f64(widen(a)))); }                       \
  inline T op_zeta(T a, T b) { return from_f64<T>(zeta(f64(widen(a)), f64(widen(b)))); }               \
  inline T op_polygamma(T a, T b) { return from_f64<T>(polygamma(f64(widen(a)), f64(widen(b)))); }
PYGRAPH_SPECIAL(bf16)
PYGRAPH_SPECIAL(f16)
PYGRAPH_SPECIAL(f32)
PYGRAPH_SPECIAL(f64)
