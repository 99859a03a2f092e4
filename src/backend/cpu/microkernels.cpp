#include "backend/cpu/isa.hpp"

// SVE's vectors have no constant length, which register tiles need; what SSSE3 and AVX3_DL add is of no use here.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/microkernels.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h, which includes this file again for every target.
#include "backend/cpu/microkernels-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace cpbench {
namespace HWY_NAMESPACE {
namespace {
constexpr std::string_view kIsa = HWY_TARGET == HWY_AVX3   ? "avx512"
                                  : HWY_TARGET == HWY_AVX2 ? "avx2"
                                  : HWY_TARGET == HWY_SSE4 ? "sse4"
                                  : HWY_TARGET == HWY_NEON ? "neon"
                                                           : "generic";

// Rows: plain loops, of which the compiler makes vectors of the instruction set that this is compiled for.

void PutRow(const float* from, std::int64_t count, float factor, bool add, DType dtype, void* to) {
  with_type(dtype, [=]<typename T>(T) HWY_ATTR {
    T* HWY_RESTRICT row = static_cast<T*>(to);
    if (add) {
      for (std::int64_t i = 0; i < count; ++i) row[i] = from_float<T>(to_float(row[i]) + factor * from[i]);
    } else {
      for (std::int64_t i = 0; i < count; ++i) row[i] = from_float<T>(factor * from[i]);
    }
  });
}

float DotRow(const void* a, const void* b, std::int64_t count, DType dtype) {
  return with_type(dtype, [=]<typename T>(T) HWY_ATTR {
    const T *row = static_cast<const T*>(a), *other = static_cast<const T*>(b);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < count; ++i) sum += to_float(row[i]) * to_float(other[i]);
    return sum;
  });
}

constexpr Microkernels WithRows(Microkernels kernels) {
  kernels.rows = {.put = PutRow, .dot = DotRow};
  return kernels;
}

}  // namespace
extern const Microkernels kFp32Microkernels;
constexpr Microkernels kFp32Microkernels = WithRows(MakeMicrokernels<Fp32Words>(kIsa));
}  // namespace HWY_NAMESPACE
}  // namespace cpbench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cpbench {

namespace {

/// Whether this CPU has it; not asked for what the compiler was told to rely on, NEON on AArch64.
template <std::int64_t kTarget>
void add_if_supported(std::vector<const Microkernels*>& list, const Microkernels& microkernels) {
  if constexpr (kTarget != HWY_STATIC_TARGET) {
    if ((hwy::SupportedTargets() & kTarget) == 0) return;
  }
  list.push_back(&microkernels);
}

}  // namespace

std::vector<const Microkernels*> fp32_microkernels() {
  std::vector<const Microkernels*> list;
#if HWY_TARGETS & HWY_AVX3
  add_if_supported<HWY_AVX3>(list, N_AVX3::kFp32Microkernels);
#endif
#if HWY_TARGETS & HWY_AVX2
  add_if_supported<HWY_AVX2>(list, N_AVX2::kFp32Microkernels);
#endif
#if HWY_TARGETS & HWY_SSE4
  add_if_supported<HWY_SSE4>(list, N_SSE4::kFp32Microkernels);
#endif
#if HWY_TARGETS & HWY_NEON
  add_if_supported<HWY_NEON>(list, N_NEON::kFp32Microkernels);
#endif
  // The fallback where the targets above are not part of every CPU: which of the two it is depends on the compiler.
#if HWY_TARGETS & HWY_EMU128
  list.push_back(&N_EMU128::kFp32Microkernels);
#endif
#if HWY_TARGETS & HWY_SCALAR
  list.push_back(&N_SCALAR::kFp32Microkernels);
#endif
  return list;
}

}  // namespace cpbench
#endif
