#include "backend/cuda/peak.hpp"

#include <algorithm>
#include <array>

namespace cpbench {
namespace {

/// FLOPs of a multiprocessor in a clock.
struct Rate {
  int capability;
  double tensor_cores, fp32;
};
constexpr std::array kRates = {Rate{80, 2048, 128},  Rate{86, 1024, 256},  Rate{89, 1024, 256}, Rate{90, 4096, 256},
                               Rate{100, 8192, 256}, Rate{103, 8192, 256}, Rate{120, 1024, 256}};

}  // namespace

std::optional<double> nominal_flops(int capability, DType dtype, int multiprocessors, double clock_hz) {
  const auto* const rate = std::ranges::find(kRates, capability, &Rate::capability);
  if (rate == kRates.end()) return std::nullopt;
  return (dtype == DType::kFp32 ? rate->fp32 : rate->tensor_cores) * multiprocessors * clock_hz;
}

}  // namespace cpbench
