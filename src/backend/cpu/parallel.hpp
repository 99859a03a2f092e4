// Work items on the threads of a rank, while communication makes progress.
#pragma once

#include <omp.h>

#include <chrono>
#include <cstdint>
#include <exception>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "backend/kernel.hpp"

namespace cpbench {

/// While it lives, subnormal results of this thread are zero. Probabilities far below a row's largest would be
/// subnormal, and some CPUs take a hundred cycles for each multiply-add with one.
class FlushSubnormals {
 public:
  FlushSubnormals() : saved_(control()) { set_control(saved_ | kFlush); }
  ~FlushSubnormals() { set_control(saved_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__SSE__)
  static constexpr std::uint64_t kFlush = 0x8040;  // of results and of operands
  static std::uint64_t control() { return _mm_getcsr(); }
  static void set_control(std::uint64_t value) { _mm_setcsr(static_cast<unsigned>(value)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlush = std::uint64_t{1} << 24;
  static std::uint64_t control() {
    std::uint64_t value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void set_control(std::uint64_t value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
  static constexpr std::uint64_t kFlush = 0;
  static std::uint64_t control() { return 0; }
  static void set_control(std::uint64_t) {}
#endif
  std::uint64_t saved_;
};

/// Calls the context's `poll` from the calling thread about every half millisecond, however often it is asked.
/// What `poll` throws (a timeout, a lost peer) must not cross a parallel region: it is kept for `rethrow`.
class Poller {
 public:
  explicit Poller(const KernelContext& context) : context_(context) {}

  /// Does nothing on other threads of the team than the calling one.
  void operator()() {
    if (omp_get_thread_num() != 0 || failure_) return;
    const auto now = Clock::now();
    if (now - last_ < std::chrono::microseconds(500)) return;
    try {
      context_.poll();
    } catch (...) {
      failure_ = std::current_exception();
    }
    last_ = Clock::now();
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  const KernelContext& context_;
  Clock::time_point last_ = Clock::now();
  std::exception_ptr failure_;
};

/// Runs work(item, poller) for 0 <= item < count on the context's threads, the first items first; a thread takes the
/// next item when it is done with its last. Long items should call the poller themselves. `work` must not throw, and
/// its subnormal results are zero.
template <typename Work>
void parallel_for(std::int64_t count, const KernelContext& context, Work&& work) {
  Poller poller(context);
#pragma omp parallel num_threads(context.threads)
  {
    const FlushSubnormals flush;
#pragma omp for schedule(dynamic, 1)
    for (std::int64_t item = 0; item < count; ++item) {
      work(item, poller);
      poller();
    }
  }
  poller.rethrow();
}

}  // namespace cpbench
