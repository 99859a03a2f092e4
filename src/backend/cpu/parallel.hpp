// Work items on the threads of a rank, while communication makes progress.
#pragma once

#include <omp.h>

#include <chrono>
#include <cstdint>
#include <exception>

#include "backend/kernel.hpp"

namespace cpbench {

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
/// next item when it is done with its last. Long items should call the poller themselves. `work` must not throw.
template <typename Work>
void parallel_for(std::int64_t count, const KernelContext& context, Work&& work) {
  Poller poller(context);
#pragma omp parallel for schedule(dynamic, 1) num_threads(context.threads)
  for (std::int64_t item = 0; item < count; ++item) {
    work(item, poller);
    poller();
  }
  poller.rethrow();
}

}  // namespace cpbench
