#include "backend/cpu/peaks.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/isa.hpp"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The best rate of `runs` runs of work(thread), which returns the units that a thread has done. All threads start
/// together, and a run takes as long as its slowest thread.
template <typename Work>
double best_rate(int threads, int runs, Work&& work) {
  double best = 0;
  for (int run = 0; run < runs; ++run) {
    double units = 0;
    Clock::time_point start;
#pragma omp parallel num_threads(threads) reduction(+ : units)
    {
#pragma omp barrier
#pragma omp master
      start = Clock::now();
      units += work(omp_get_thread_num());
    }
    best = std::max(best, units / seconds_since(start));
  }
  return best;
}

}  // namespace

double fma_peak_flops(DType dtype, int threads) {
  const Microkernels& kernels = microkernels_for(dtype);
  // As many steps as take about two milliseconds, by a first try that also wakes the CPU up.
  std::int64_t steps = 20000;
  const auto start = Clock::now();
  kernels.multiply_add(steps);
  steps =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(steps) * 2e-3 / seconds_since(start)));
  return best_rate(threads, 12, [&](int) { return kernels.multiply_add(steps); });
}

double memory_bandwidth(int threads) {
  constexpr std::int64_t kCount = std::int64_t{16} << 20;  // 64 MiB an array
  AlignedBuffer a_memory, b_memory, c_memory;
  float* a = a_memory.reserve(kCount);
  float* b = b_memory.reserve(kCount);
  float* c = c_memory.reserve(kCount);
  const auto part = [&](int thread) { return kCount / threads * thread; };
  const auto triad = [&](int thread) {
    const std::int64_t end = part(thread + 1);
    for (std::int64_t i = part(thread); i < end; ++i) a[i] = b[i] + 0.5f * c[i];
    return 3.0 * sizeof(float) * static_cast<double>(end - part(thread));
  };
#pragma omp parallel num_threads(threads)
  {
    const int thread = omp_get_thread_num();
    std::fill(b + part(thread), b + part(thread + 1), 1.0f);  // pages belong where they are used first
    std::fill(c + part(thread), c + part(thread + 1), 2.0f);
  }
  return best_rate(threads, 5, triad);
}

double exp_rate(int threads) {
  constexpr std::int64_t kCount = 2048;
  constexpr int kRepeats = 500;
  const Microkernels& kernels = microkernels_for(DType::kFp32);
  return best_rate(threads, 25, [&](int) {
    alignas(64) float exponents[kCount], powers[kCount];
    std::fill_n(exponents, kCount, -0.5f);
    for (int repeat = 0; repeat < kRepeats; ++repeat) kernels.exp2(exponents, powers, kCount);
    return static_cast<double>(kCount) * kRepeats;
  });
}

}  // namespace cpbench
