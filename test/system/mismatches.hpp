// Where a run's results are further from the expectation than they may be.
#pragma once

#include <string>
#include <vector>

#include "system/expectation.hpp"

namespace cpbench::test {

/// One line for every tensor of the case's pass that is further from the expectation than allowed somewhere: how many
/// rows are, and the worst of them. Empty where all is well.
std::vector<std::string> mismatches(const Case& c, const Expectation& expectation, const Results& results);

/// The largest ratio of a row's error to its tolerance, over all tensors of the case's pass.
double worst_ratio(const Case& c, const Expectation& expectation, const Results& results);

}  // namespace cpbench::test
