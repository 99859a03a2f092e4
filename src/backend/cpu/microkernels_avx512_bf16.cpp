// The micro-kernels on vdpbf16ps, which Highway 1.0 does not know: its target AVX3 with one extension more.
//
// The extensions are those of the functions between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE (in the files that end
// in -inl.hpp), not of the file: what a header defines may be the copy that the whole program uses, on CPUs without
// AVX-512 too.
#include "backend/cpu/isa.hpp"

#define HWY_COMPILE_ONLY_STATIC
#define HWY_BASELINE_TARGETS HWY_AVX3
#include "hwy/highway.h"

#undef HWY_TARGET_STR
#define HWY_TARGET_STR HWY_TARGET_STR_AVX3 ",avx512bf16"
#include "backend/cpu/bf16_pairs-inl.hpp"

namespace cpbench {
namespace HWY_NAMESPACE {
namespace {

constexpr Microkernels kBf16Microkernels = MakeMicrokernels<Bf16Pairs>("avx512-bf16");

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace cpbench

namespace cpbench {

const Microkernels* avx512_bf16_microkernels() {
  // By name and not by __builtin_cpu_supports("avx512f") and the like: Highway checks the operating system as well.
  if ((hwy::SupportedTargets() & HWY_AVX3) == 0 || !__builtin_cpu_supports("avx512bf16")) return nullptr;
  static const Microkernels kPairs = with_rows_of_avx512(N_AVX3::kBf16Microkernels);
  return &kPairs;
}

}  // namespace cpbench
