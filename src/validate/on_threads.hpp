// A rank's share of the checking, on its threads.
#pragma once

#include <cstddef>

#include "support/first_failure.hpp"

namespace cpbench {

/// Calls work(i) for 0 <= i < count on so many OpenMP threads. What `work` throws first is thrown here.
template <typename Work>
void on_threads(int threads, std::size_t count, Work&& work) {
  FirstFailure failure;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::size_t i = 0; i < count; ++i) failure.attempt([&] { work(i); });
  failure.rethrow();
}

}  // namespace cpbench
