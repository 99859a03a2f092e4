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

/// x = n + f for an integer n and f in [-0.5, 0.5].
template <class V>
struct Split {
  V f;
  V n;  ///< in the form that ScaleByPowerOfTwo takes
};

// ScaleByPowerOfTwo makes p * 2^n of p of about 1, but 0 of what is below the normal numbers or, without AVX-512, below
// half the least of them: multiplying such numbers is slow on many CPUs, and large logits make many. NaN survives.
#if HWY_TARGET == HWY_AVX3
template <class D, class V>
HWY_INLINE Split<V> SplitInteger(D d, V x) {
  const V shift = hn::Set(d, 0x1.8p23f);  // after adding it the last bit is worth 1
  const V n = hn::Sub(hn::Add(x, shift), shift);
  return {hn::Sub(x, n), n};
}
template <class D, class V>
HWY_INLINE V ScaleByPowerOfTwo(D d, V p, V n) {
  const __mmask16 normal = _mm512_cmp_ps_mask(n.raw, hn::Set(d, -125.0f).raw, _CMP_NLT_UQ);
  return V{_mm512_maskz_scalef_ps(normal, p.raw, n.raw)};
}
#else
/// -127 where x is less. NaN survives, which most maxima take for missing: x86's returns its second operand.
template <class D, class V>
HWY_INLINE V AtLeastMinus127(D d, V x) {
  const V bound = hn::Set(d, -127.0f);
  if constexpr (HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4) return hn::Max(bound, x);
  return hn::IfThenElse(hn::Lt(x, bound), bound, x);
}
/// Adding a number whose last bit is worth 1 rounds to an integer and leaves it in the last bits: here n + 127, the
/// exponent's bits of 2^n. Highway's conversion to integers takes five instructions on AVX2 for what does not fit.
template <class D, class V>
HWY_INLINE Split<V> SplitInteger(D d, V x) {
  const V bounded = AtLeastMinus127(d, x);
  const V shift = hn::Set(d, 0x1.8p23f + 127);
  const V n = hn::Add(bounded, shift);
  return {hn::Sub(bounded, hn::Sub(n, shift)), n};
}
template <class D, class V>
HWY_INLINE V ScaleByPowerOfTwo(D d, V p, V n) {
  const hn::RebindToSigned<D> di;
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, n))));
}
#endif

/// 2^x for x <= 127, by a minimax polynomial of 2^f on [-0.5, 0.5]. Its relative error is 1.1e-7 with degree 5, which
/// is exact for integers, and 2.6e-6 with degree 4.
template <int kDegree, class D, class V>
HWY_INLINE V Exp2(D d, V x) {
  static_assert(kDegree == 4 || kDegree == 5);
  const auto [f, n] = SplitInteger(d, x);
  V p;
  if constexpr (kDegree == 5) {
    p = hn::Set(d, 0x1.5bba28p-10f);
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.3cea90p-7f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.c6b752p-5f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.ebf9bcp-3f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.62e42ap-1f));
    p = hn::MulAdd(p, f, hn::Set(d, 1.0f));
  } else {
    p = hn::Set(d, 0x1.3997d6p-7f);
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.ca1440p-5f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.ec06dap-3f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.62e0dcp-1f));
    p = hn::MulAdd(p, f, hn::Set(d, 0x1.ffffe8p-1f));
  }
  return ScaleByPowerOfTwo(d, p, n);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#endif
