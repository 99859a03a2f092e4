#include "backend/cpu/peaks.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <vector>

#include "backend/cpu/aligned_buffer.hpp"
#include "backend/cpu/isa.hpp"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// That the calling thread has had a CPU for.
double own_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

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

/// By a first try that also wakes the CPU up: how often work(count) is to do what it does, at least once.
template <typename Work>
std::int64_t count_for_two_milliseconds(std::int64_t first_count, Work&& work) {
  const auto start = Clock::now();
  work(first_count);
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(first_count) * 2e-3 / seconds_since(start)));
}

}  // namespace

double fma_peak_flops(DType dtype, int threads) {
  const Microkernels& kernels = microkernels_for(dtype);
  const std::int64_t steps = count_for_two_milliseconds(20000, kernels.multiply_add);
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
  const Microkernels& kernels = microkernels_for(DType::kFp32);
  const auto evaluate = [&](std::int64_t repeats) {
    alignas(64) float exponents[kCount], powers[kCount];
    std::fill_n(exponents, kCount, -0.5f);
    for (std::int64_t repeat = 0; repeat < repeats; ++repeat) kernels.exp2(exponents, powers, kCount);
    return static_cast<double>(kCount * repeats);
  };
  const std::int64_t repeats = count_for_two_milliseconds(500, evaluate);
  return best_rate(threads, 12, [&](int) { return evaluate(repeats); });
}

double cpu_time_fraction(int threads) {
  constexpr int kRuns = 3;
  constexpr double kRunSeconds = 0.1;
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    double least = 1;
#pragma omp parallel num_threads(threads) reduction(min : least)
    {
#pragma omp barrier
      const double cpu_seconds = own_cpu_seconds();
      const auto start = Clock::now();
      while (seconds_since(start) < kRunSeconds) continue;
      least = std::min(least, (own_cpu_seconds() - cpu_seconds) / seconds_since(start));
    }
    best = std::max(best, least);
  }
  return best;
}

}  // namespace cpbench
