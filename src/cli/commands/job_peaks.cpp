#include "cli/commands/job_peaks.hpp"

#include "backend/cpu/peaks.hpp"
#include "support/doing.hpp"

namespace cpbench {
namespace {

double measured(Peak peak, int threads) {
  switch (peak) {
    case Peak::kFp32:
      return fma_peak_flops(DType::kFp32, threads);
    case Peak::kBf16:
      return fma_peak_flops(DType::kBf16, threads);
    case Peak::kMemory:
      return memory_bandwidth(threads);
    case Peak::kExp2:
      return exp_rate(threads);
    case Peak::kCpuTime:
      return cpu_time_fraction(threads);
  }
  return 0;
}

}  // namespace

std::vector<RankPeaks> measured_peaks(const Communicator& world, int threads) {
  set_doing("measuring peaks");
  RankPeaks mine;
  for (const Peak peak : kPeaks) {
    world.barrier();
    mine[peak] = measured(peak, threads);
  }
  return world.allgather(mine);
}

}  // namespace cpbench
