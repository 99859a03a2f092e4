// Attention by its definition, for tests of the reference: every pair asked, nothing blocked, nothing shared.
#pragma once

#include <vector>

#include "validate/input.hpp"

namespace cpbench {

/// All values of a problem as numbers that a test may change. [batch, token, head, channel].
struct Values {
  std::vector<double> q, k, v, dout, sink;
};
Values values_of(const Inputs& inputs);

struct BruteForce {
  std::vector<double> out;  ///< [batch, token, head, channel]
  std::vector<double> lse;  ///< [batch, token, head]
};
BruteForce attend_by_brute_force(const Problem& problem, const Values& values);

/// sum of out * dout: its derivatives are the gradients.
double loss(const Problem& problem, const Values& values);

/// (loss(x + h) - loss(x - h)) / 2h for one of the values.
double finite_difference(const Problem& problem, Values& values, double& value);

}  // namespace cpbench
