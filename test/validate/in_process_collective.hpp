// Jobs of one process: what the checker needs of other ranks, without MPI.
#pragma once

#include <cstring>
#include <functional>

#include "support/collective.hpp"

namespace cpbench {

/// A job of one rank.
class SingleProcess : public Collective {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(std::span<double>) const override {}
  void max(std::span<double>) const override {}

 private:
  void allgather_elements(const void* mine, const std::vector<int>& counts, std::size_t element_bytes,
                          void* all) const override {
    std::memcpy(all, mine, static_cast<std::size_t>(counts[0]) * element_bytes);
  }
};

/// A job of many ranks in one process: calls `body` once per rank, each on a thread of its own, and rethrows the first
/// exception when all have ended.
void run_ranks(int ranks, const std::function<void(Collective&)>& body);

}  // namespace cpbench
