// Element types. Those that CUDA C++ has not are structs of their bits; arithmetic on them widens, computes and rounds once.

typedef signed char i8;
typedef short i16;
typedef int i32;
typedef long long i64;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;

struct bf16 {
  u16 bits;
};
struct f16 {
  u16 bits;
};
template <class T>
struct complex {
  T re, im;
};
typedef complex<f32> c64;
typedef complex<f64> c128;

// Formats of eight bits and fewer, in the low bits of a byte.
struct f4E2M1FN { u8 bits; };
struct f6E2M3FN { u8 bits; };
struct f6E3M2FN { u8 bits; };
struct f8E3M4 { u8 bits; };
struct f8E4M3 { u8 bits; };
struct f8E4M3FN { u8 bits; };
struct f8E4M3FNUZ { u8 bits; };
struct f8E4M3B11FNUZ { u8 bits; };
struct f8E5M2 { u8 bits; };
struct f8E5M2FNUZ { u8 bits; };
struct f8E8M0FNU { u8 bits; };

// The bits of a value as those of another type of the same size.
template <class To, class From>
inline To reinterpret(From value) {
  static_assert(sizeof(To) == sizeof(From), "both types should have one size");
  union {
    From from;
    To to;
  } both;
  both.from = value;
  return both.to;
}

// The element of these bits.
template <class T>
struct FromBits {
  static T of(u64 bits) { return T{u8(bits)}; }
};
template <>
struct FromBits<bf16> {
  static bf16 of(u64 bits) { return bf16{u16(bits)}; }
};
template <>
struct FromBits<f16> {
  static f16 of(u64 bits) { return f16{u16(bits)}; }
};
template <>
struct FromBits<f32> {
  static f32 of(u64 bits) { return reinterpret<f32>(u32(bits)); }
};
template <>
struct FromBits<f64> {
  static f64 of(u64 bits) { return reinterpret<f64>(bits); }
};
template <class T>
inline T from_bits(u64 bits) {
  return FromBits<T>::of(bits);
}

// What sort of number a type is, and what its sums and products are computed in.
enum Family { BOOL, SIGNED, UNSIGNED, FLOAT, MINIFLOAT, COMPLEX };
template <class T>
struct Traits {
  static constexpr Family family = MINIFLOAT;
  typedef f64 Wide;
};
#define PYGRAPH_TRAITS(TYPE, FAMILY, WIDE)    \
  template <>                                 \
  struct Traits<TYPE> {                       \
    static constexpr Family family = FAMILY;  \
    typedef WIDE Wide;                        \
  };
PYGRAPH_TRAITS(bool, BOOL, bool)
PYGRAPH_TRAITS(i8, SIGNED, i8)
PYGRAPH_TRAITS(i16, SIGNED, i16)
PYGRAPH_TRAITS(i32, SIGNED, i32)
PYGRAPH_TRAITS(i64, SIGNED, i64)
PYGRAPH_TRAITS(u8, UNSIGNED, u8)
PYGRAPH_TRAITS(u16, UNSIGNED, u16)
PYGRAPH_TRAITS(u32, UNSIGNED, u32)
PYGRAPH_TRAITS(u64, UNSIGNED, u64)
PYGRAPH_TRAITS(bf16, FLOAT, f32)
PYGRAPH_TRAITS(f16, FLOAT, f32)
PYGRAPH_TRAITS(f32, FLOAT, f32)
PYGRAPH_TRAITS(f64, FLOAT, f64)
PYGRAPH_TRAITS(c64, COMPLEX, c64)
PYGRAPH_TRAITS(c128, COMPLEX, c128)

// Exact widening.
inline f32 widen(bf16 value) { return reinterpret<f32>(u32(value.bits) << 16); }
inline f32 widen(f16 value) {
#ifdef __CUDA_ARCH__
  f32 wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return wide;
#else
  const u32 sign = u32(value.bits & 0x8000) << 16, exponent = value.bits >> 10 & 31, mantissa = value.bits & 0x3ff;
  if (exponent == 31) return reinterpret<f32>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return reinterpret<f32>(sign | (exponent + 112) << 23 | mantissa << 13);
  const f32 small = f32(mantissa) * 5.9604644775390625e-8f;  // 2^-24
  return sign ? -small : small;
#endif
}
inline f32 widen(f32 value) { return value; }
inline f64 widen(f64 value) { return value; }

// The nearest value, ties to even.
template <class T>
struct Narrow;
template <>
struct Narrow<bf16> {
  static bf16 of(f32 value) {
    const u32 bits = reinterpret<u32>(value);
    // What is no number keeps its upper bits.
    const u32 none = bits >> 16 | 0x40;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    // Chosen here: a compiler makes a branch of it, and values that are rounded side by side wait for each other's.
    u32 rounded;
    asm("{ .reg .pred is_none; .reg .b32 near; cvt.rn.bf16x2.f32 near, 0f00000000, %1; setp.nan.f32 is_none, %1, %1;"
        " selp.b32 %0, %2, near, is_none; }"
        : "=r"(rounded)
        : "f"(value), "r"(none));
    return bf16{u16(rounded)};
#else
    const u16 rounded = u16((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
    return bf16{(bits & 0x7fffffffu) > 0x7f800000u ? u16(none) : rounded};
#endif
  }
};
template <>
struct Narrow<f16> {
  static f16 of(f32 value) {
#ifdef __CUDA_ARCH__
    f16 narrow;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(narrow.bits) : "f"(value));
    return narrow;
#else
    const u32 bits = reinterpret<u32>(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return f16{u16(sign | 0x7e00)};
    if (magnitude >= 0x477ff000u) return f16{u16(sign | 0x7c00)};  // rounds to infinity
    if (magnitude >= 0x38800000u) {
      return f16{u16(sign | (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13)};
    }
    if (magnitude < 0x33000000u) return f16{u16(sign)};  // below half of the smallest
    const u32 exponent = magnitude >> 23, mantissa = (magnitude & 0x7fffffu) | 0x800000u, shift = 126 - exponent;
    const u32 half = 1u << (shift - 1), rest = mantissa & ((1u << shift) - 1), whole = mantissa >> shift;
    return f16{u16(sign | (whole + (rest > half || (rest == half && (whole & 1)))))};
#endif
  }
};
template <>
struct Narrow<f32> {
  static f32 of(f32 value) { return value; }
};
template <>
struct Narrow<f64> {
  static f64 of(f64 value) { return value; }
};
template <class T>
inline T narrow(typename Traits<T>::Wide value) {
  return Narrow<T>::of(value);
}

// What a part of a kernel's blocks, those from FIRST on, finds in place of `blockIdx`, `gridDim` and `blockDim`: a grid of its own along x.
struct Along {
  u32 x, y, z;
};
template <u32 FIRST, u32 BLOCKS, u32 THREADS>
struct PartOfGrid {
  static inline Along index() { return Along{blockIdx.x - FIRST, 0, 0}; }
  static inline Along grid() { return Along{BLOCKS, 1, 1}; }
  static inline Along block() { return Along{THREADS, 1, 1}; }
};
// The same where all of a grid's blocks are threads of one block, side by side.
template <u32 BLOCKS, u32 THREADS>
struct GridInBlock : PartOfGrid<0, BLOCKS, THREADS> {
  static inline Along index() { return Along{threadIdx.x / THREADS, 0, 0}; }
  static inline Along thread() { return Along{threadIdx.x % THREADS, 0, 0}; }
};
