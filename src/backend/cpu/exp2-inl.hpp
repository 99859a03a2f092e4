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

/// p * 2^n for an integer n and p of about 1. Where the result would be subnormal it is 0: multiplying such numbers is
/// slow on many CPUs, and large logits make many. NaN survives.
template <class D, class V>
HWY_INLINE V ScaleByPowerOfTwo(D d, V p, V n) {
#if HWY_TARGET == HWY_AVX3
  const __mmask16 normal = _mm512_cmp_ps_mask(n.raw, hn::Set(d, -125.0f).raw, _CMP_NLT_UQ);
  return V{_mm512_maskz_scalef_ps(normal, p.raw, n.raw)};
#else
  const hn::RebindToSigned<D> di;
  const V bounded = hn::Max(hn::Set(d, -127.0f), n);  // in this order a NaN survives
  const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, bounded), hn::Set(di, 127)));
  return hn::Mul(p, hn::BitCast(d, exponent));
#endif
}

/// 2^x for x <= 127, by a minimax polynomial of 2^f on [-0.5, 0.5]. Its relative error is 1.1e-7 with degree 5, which
/// is exact for integers, and 2.6e-6 with degree 4.
template <int kDegree, class D, class V>
HWY_INLINE V Exp2(D d, V x) {
  static_assert(kDegree == 4 || kDegree == 5);
  const V n = hn::Round(x);
  const V f = hn::Sub(x, n);
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
