// The checker's collective operations over MPI.
#pragma once

#include <vector>

#include "transport/communicator.hpp"
#include "validate/collective.hpp"

namespace cpbench {

class MpiCollective : public Collective {
 public:
  explicit MpiCollective(const Communicator& ranks) : ranks_(ranks) {}
  int rank() const override { return ranks_.rank(); }
  int size() const override { return ranks_.size(); }
  std::vector<std::vector<double>> allgather(std::span<const double> values) override {
    return ranks_.allgather(values);
  }

 private:
  const Communicator& ranks_;
};

}  // namespace cpbench
