// Independent work on the CPUs that this process may use.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

#include "support/allowed_cpus.hpp"
#include "support/first_failure.hpp"

namespace cpbench {

/// Calls work(i) for 0 <= i < count, each on some thread, and returns when all are done. `work` may throw: what was
/// thrown first is thrown here, after the items that had begun. There is a thread for every `items_per_thread` items,
/// up to the number of CPUs: by default a few items of a millisecond start no thread.
template <typename Work>
void parallel_for_each(std::size_t count, Work&& work, std::size_t items_per_thread = 16) {
  std::atomic<std::size_t> next = 0;
  FirstFailure failure;
  const auto take_items = [&] {
    for (std::size_t i = next++; i < count; i = next++) failure.attempt([&] { work(i); });
  };
  const std::size_t threads = std::min(allowed_cpus().size(), count / items_per_thread);
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t t = 1; t < threads; ++t) others.emplace_back(take_items);
    } catch (const std::system_error&) {  // there may be no more threads: those that there are do it
    }
    take_items();
  }
  failure.rethrow();
}

}  // namespace cpbench
