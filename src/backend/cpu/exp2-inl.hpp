// exp2 in registers. Included once per instruction set, see microkernels-inl.hpp.
#if defined(CPBENCH_EXP2_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef CPBENCH_EXP2_INL_HPP
#undef CPBENCH_EXP2_INL_HPP
#else
#define CPBENCH_EXP2_INL_HPP
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
/// 2^x for x <= 127: x = n + f for n in sixteenths, 2^frac(n) from a table, and a minimax polynomial of 2^f. It is
/// exact for integers; its relative error is 1.2e-7, or 5e-7 `kForBf16`. NaN survives. What is below 2^-125 becomes
/// zero unless the CPU flushes subnormals anyway: multiplying them is slow, and large logits make many.
///
/// The fewer multiplications the better: the rest runs on ports that a product leaves idle. On Zen 4 comparisons take
/// the ports of multiplications, hence the arithmetic on bits.
template <bool kForBf16, bool kFlushed, class D, class V>
HWY_INLINE V Exp2ByTable(D d, V x) {
  HWY_ALIGN static constexpr float kSixteenths[16] = {0x1p0f,        0x1.0b5586p0f, 0x1.172b84p0f, 0x1.2387a6p0f,
                                                      0x1.306fe0p0f, 0x1.3dea64p0f, 0x1.4bfdaep0f, 0x1.5ab07ep0f,
                                                      0x1.6a09e6p0f, 0x1.7a1148p0f, 0x1.8ace54p0f, 0x1.9c4918p0f,
                                                      0x1.ae89fap0f, 0x1.c199bep0f, 0x1.d5818ep0f, 0x1.ea4afap0f};
  // After adding it the last bit is worth a sixteenth, and the bits less kShiftBits are an integer, n * 16.
  const V shift = hn::Set(d, 0x1.8p19f);
  constexpr std::int32_t kShiftBits = 0x49400000;
  const V shifted = hn::Add(x, shift);
  const V n = hn::Sub(shifted, shift);
  const V f = hn::Sub(x, n);
  V p;
  if constexpr (kForBf16) {
    p = hn::MulAdd(hn::Set(d, 0x1.ebfbe0p-3f), f, hn::Set(d, 0x1.62e984p-1f));
  } else {
    p = hn::MulAdd(hn::Set(d, 0x1.c6b08ep-5f), f, hn::Set(d, 0x1.ebfff4p-3f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.62e430p-1f));
  }
  p = hn::Mul(p, f);  // 2^f - 1
  V power{_mm512_permutexvar_ps(_mm512_castps_si512(shifted.raw), _mm512_load_ps(kSixteenths))};
  if constexpr (!kFlushed) {
    const hn::RebindToSigned<D> di;
    const auto above = hn::Sub(hn::BitCast(di, shifted), hn::Set(di, kShiftBits - 16 * 125));
    power = hn::AndNot(hn::BitCast(d, hn::ShiftRight<31>(above)), power);
  }
  // NaN comes from p. Of -infinity, f and p are NaN, too, but scalef by 2^-infinity makes 0 of that.
  return V{_mm512_scalef_ps(hn::MulAdd(power, p, power).raw, n.raw)};
}
template <bool kForBf16, class D, class V>
HWY_INLINE V Exp2(D d, V x) {
  return Exp2ByTable<kForBf16, false>(d, x);
}
#else
/// -127 where x is less. NaN survives, which most maxima take for missing: x86's returns its second operand.
template <class D, class V>
HWY_INLINE V AtLeastMinus127(D d, V x) {
  const V bound = hn::Set(d, -127.0f);
  if constexpr (HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4) return hn::Max(bound, x);
  return hn::IfThenElse(hn::Lt(x, bound), bound, x);
}
/// 2^x for x <= 127, and 0 below half the least normal number: multiplying subnormals is slow on many CPUs, and large
/// logits make many. NaN survives. x = n + f for an integer n and f in [-0.5, 0.5], where a minimax polynomial of 2^f
/// has a relative error of 1.1e-7 and is exact for integers.
template <bool kForBf16, class D, class V>
HWY_INLINE V Exp2(D d, V x) {
  static_assert(!kForBf16);
  const V bounded = AtLeastMinus127(d, x);
  // Adding a number whose last bit is worth 1 rounds to an integer and leaves it in the last bits: here n + 127, the
  // exponent's bits of 2^n. Highway's conversion to integers takes five instructions on AVX2 for what does not fit.
  const V shift = hn::Set(d, 0x1.8p23f + 127);
  const V n = hn::Add(bounded, shift);
  const V f = hn::Sub(bounded, hn::Sub(n, shift));
  V p = hn::Set(d, 0x1.5bba28p-10f);
  p = hn::MulAdd(p, f, hn::Set(d, 0x1.3cea90p-7f));
  p = hn::MulAdd(p, f, hn::Set(d, 0x1.c6b752p-5f));
  p = hn::MulAdd(p, f, hn::Set(d, 0x1.ebf9bcp-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 0x1.62e42ap-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0f));
  const hn::RebindToSigned<D> di;
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, n))));
}
#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
