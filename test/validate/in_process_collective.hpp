// Jobs of one process: what the checker needs of other ranks, without MPI.
#pragma once

#include <functional>

#include "validate/collective.hpp"

namespace cpbench {

/// A job of one rank.
class SingleProcess : public Collective {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::vector<std::vector<double>> allgather(std::span<const double> values) override {
    return {{values.begin(), values.end()}};
  }
};

/// A job of many ranks in one process: calls `body` once per rank, each on a thread of its own, and rethrows the first
/// exception when all have ended.
void run_ranks(int ranks, const std::function<void(Collective&)>& body);

}  // namespace cpbench
