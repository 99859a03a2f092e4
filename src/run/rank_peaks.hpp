// What the CPUs of a job's ranks can do, and which ranks are slow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "run/spread.hpp"

namespace cpbench {

enum class Peak : std::uint8_t {
  kFp32,    ///< multiply-adds, FLOP/s
  kBf16,    ///< likewise
  kMemory,  ///< bytes/s
  kExp2,    ///< evaluations/s
  kCpuTime  ///< the fraction of the time in which its threads had a CPU
};
inline constexpr std::array kPeaks = {Peak::kFp32, Peak::kBf16, Peak::kMemory, Peak::kExp2, Peak::kCpuTime};

/// Of one rank while all ranks measure at once.
struct RankPeaks {
  std::array<double, kPeaks.size()> figures = {};  ///< as kPeaks

  double& operator[](Peak peak) { return figures[static_cast<std::size_t>(peak)]; }
  double operator[](Peak peak) const { return figures[static_cast<std::size_t>(peak)]; }
};

struct PeakSpread {
  double mean;
  Spread spread;
  int lowest_rank;  ///< the first of them
};
/// Over `ranks`, one at least.
PeakSpread spread_of(const std::vector<RankPeaks>& ranks, Peak peak);

struct SlowPeak {
  int rank;
  Peak peak;
  double of_median;  ///< a fraction
};
/// By the rule of run/spread.hpp; by rank, and of each as kPeaks.
std::vector<SlowPeak> slow_peaks(const std::vector<RankPeaks>& ranks);

}  // namespace cpbench
