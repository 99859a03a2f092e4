// Work items on the threads of a rank, while communication makes progress.
#pragma once

#include <omp.h>

#include <chrono>
#include <cstdint>

#include "backend/kernel.hpp"
#include "support/first_failure.hpp"

namespace cpbench {

/// Calls the context's `poll` from the calling thread about every half millisecond, however often it is asked.
class Poller {
 public:
  explicit Poller(const KernelContext& context) : context_(context) {}

  /// Does nothing on other threads of the team than the calling one.
  void operator()() {
    if (omp_get_thread_num() != 0) return;
    const auto now = Clock::now();
    if (now - last_ < std::chrono::microseconds(500)) return;
    context_.poll();
    last_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const KernelContext& context_;
  Clock::time_point last_ = Clock::now();
};

/// Runs work(item, poller) for 0 <= item < count on the context's threads, the first items first; a thread takes the
/// next item when it is done with its last. Long items should call the poller themselves; the calling thread may have
/// none, and polls at the end, too. What is thrown first, by `work` (its memory ran out) or by `poll` (a peer was
/// lost), is thrown here, after the items that had begun.
template <typename Work>
void parallel_for(std::int64_t count, const KernelContext& context, Work&& work) {
  Poller poller(context);
  FirstFailure failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(context.threads)
  for (std::int64_t item = 0; item < count; ++item) {
    failure.attempt([&] {
      work(item, poller);
      poller();
    });
  }
  failure.rethrow();
  poller();
}

}  // namespace cpbench
